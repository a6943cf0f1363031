"""How a session stands, in one question over HTTP; and what there is to say where it lets nobody in.

Whoever asks this and no more needs no WebSocket and no event loop: importing either takes longer than the answer.
"""

import json
from typing import Any, Final

from defai.errors import ConfigError, DefaiError, NotRunningError

CONNECT_WITHIN_S: Final = 15.0
STATUS_PATH: Final = "/status"
_LARGEST: Final = 16 * 1024 * 1024


def status_of(url: str, token: str) -> dict[str, Any]:
    """What a session says of itself.

    Raises:
        NotRunningError: where nobody answers.
        ConfigError: where who answers is no session, or refuses the token.
    """
    from http.client import HTTPConnection, HTTPException  # noqa: PLC0415  whoever attaches asks no status

    connection = HTTPConnection(url.removeprefix("ws://"), timeout=CONNECT_WITHIN_S)
    try:
        connection.request("GET", STATUS_PATH, headers={"Authorization": f"Bearer {token}".encode()})
        answer = connection.getresponse()
        if answer.status != 200:
            raise refusal(url, answer.status)
        text = answer.read(_LARGEST)
    except TimeoutError as error:
        raise silent(url, CONNECT_WITHIN_S) from error
    except OSError as error:
        raise nobody(url) from error
    except HTTPException as error:
        raise no_session(url) from error
    finally:
        connection.close()
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise no_session(url)
    return said


def nobody(url: str) -> NotRunningError:
    """That no call is taken, or one breaks."""
    return NotRunningError(f"Nobody answers at {url}.", "Is the session still running?")


def silent(url: str, within_s: float) -> NotRunningError:
    """That who takes the call says nothing."""
    return NotRunningError(
        f"Who answers at {url} did not greet within {within_s:g} s.",
        "Is the session very busy, or stopped?",
    )


def no_session(url: str) -> ConfigError:
    """That who answers speaks of something else."""
    return ConfigError(f"Who answers at {url} is no session.", "Is it a session's address?")


def refusal(url: str, status: int) -> DefaiError:
    """Why a server lets nobody in, by its HTTP status."""
    if status == 401:
        return ConfigError(
            f"The session at {url} does not take this token.", "It may have been started again: attach anew."
        )
    if status == 503:
        return NotRunningError(f"The session at {url} has as many readers as it takes.")
    return ConfigError(f"{url} answers with {status}.", "Is it a session's address?")
