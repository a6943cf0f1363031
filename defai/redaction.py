"""Takes secrets out of text that leaves the process: logs, error sentences, reports.

Digests and transaction hashes have the shape of a private key, so a key cannot be told by its shape alone:
whoever holds a secret says so with `protect`, and it is then taken out wherever it turns up. Credentials in URLs
and values beside a telling name are taken out without being told.
"""

import re
from typing import Final

HIDDEN: Final = "***"
"""What stands in a secret's place."""

_TOO_SHORT: Final = 6
_A_KEY: Final = 12
"""Characters from which on a part of an address may be a key, a token or a topic."""
_URL: Final = re.compile(r"(?<=[a-z0-9+.-]://)[^\s\"'<>]+", re.IGNORECASE)
"""What follows a scheme. To look for where schemes begin takes forever in a long text of letters and dots."""
_TELLING: Final = (
    r"(?:private[ _-]?key|secret[ _-]?key|api[ _-]?key|access[ _-]?key|secret|password|passphrase|mnemonic"
    r"|seed[ _-]?phrase|auth[ _-]?token|token[ _-]?secret|authorization)"
)
_NAMED: Final = re.compile(
    rf"(?P<name>{_TELLING}[\"']?\s*(?:=|:|\bis\b)\s*)"
    r"(?P<value>\"[^\"]*\"|'[^']*'|(?:bearer|basic)\s+[^\s,;)}\]]+|[^\s,;)}\]]+)",
    re.IGNORECASE,
)
_WORDS: Final = re.compile(
    r"(?P<name>(?:mnemonic|seed[ _-]?phrase)\W{1,4})(?:[a-z]{3,8} ){11,23}[a-z]{3,8}", re.IGNORECASE
)
_KEY_IN_PATH: Final = re.compile(r"(?<=/)[A-Za-z0-9_-]{16,}(?=/|$)")

_protected: set[str] = set()


def protect(secret: str) -> None:
    """Have this text taken out of everything that is redacted from now on, with and without its 0x.

    Raises:
        ValueError: where it is shorter than six characters: ordinary text would be taken out with it.
    """
    bare = secret.removeprefix("0x")
    if len(bare) < _TOO_SHORT:
        raise ValueError("a secret this short cannot be told from ordinary text")
    _protected.update({secret, bare, bare.lower(), bare.upper()})


def protect_parts(address: str, host: str = "") -> None:
    """Have what an address holds taken out of every text, where it is long enough to open a door.

    A client's errors name a path without its host, and a node repeats the key that it does not like.

    Args:
        address: with a scheme.
        host: what of it says where it leads, and stays; chat services have a token in its place.
    """
    for part in re.split(r"[/:@?&=#,]+", address.partition("://")[2]):
        if len(part) >= _A_KEY and "." not in part and part.lower() != host:
            protect(part)


def redacted(text: str) -> str:
    """The text without secrets: protected ones, credentials in URLs, values beside a telling name."""
    for secret in sorted(_protected, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    text = _URL.sub(_without_credentials, text)
    text = _WORDS.sub(rf"\g<name>{HIDDEN}", text)
    return _NAMED.sub(rf"\g<name>{HIDDEN}", text)


def _without_credentials(match: re.Match[str]) -> str:
    """Keep of a URL what says where it leads, not what opens the door: no user, no key in path or query."""
    place, question, query = match[0].partition("?")
    authority, slash, path = place.partition("/")
    authority = f"{HIDDEN}@{authority.rpartition('@')[2]}" if "@" in authority else authority
    path = _KEY_IN_PATH.sub(HIDDEN, slash + path)
    query = "&".join(f"{part.partition('=')[0]}={HIDDEN}" if part else "" for part in query.split("&"))
    return f"{authority}{path}{question}{query}"
