"""What the `approvals` commands do: find a request, say what a yes does, have it signed, hand the answer over."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

from defai.chain.approval import approval_digest, approval_typed_data
from defai.cli.confirming import have_typed
from defai.cli.key_sources import named_key
from defai.cli.output import print_json, say
from defai.cli.reaching import ask, digest_of, status
from defai.errors import ConfigError

OWNER_KEY: Final = "DEFAI_OWNER_KEY"
Request = Mapping[str, Any]
"""An `approval_requested` as the session's status has it, with the agent's vault."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in a session.

    Attributes:
        now: seconds since 1970, by the chain's clock.
    """

    url: str
    chain_id: int
    now: int
    requests: Sequence[Request]

    def named(self, decision: str) -> Request:
        """The one that is meant, by its agent or the beginning of its digest.

        Raises:
            NotFoundError: where none waits, or more than one is meant.
        """
        digest = digest_of(self.requests, decision)
        return next(request for request in self.requests if request["digest"] == digest)

    def typed_data(self, request: Request) -> dict[str, Any]:
        """What the owner signs, as a wallet takes it.

        Raises:
            ConfigError: where there is nothing to sign.
        """
        return approval_typed_data(**self._terms(request))

    def digest_to_sign(self, request: Request) -> bytes:
        """The 32 bytes the owner signs. Raises as `typed_data`."""
        return approval_digest(**self._terms(request))

    def _terms(self, request: Request) -> dict[str, Any]:
        if request["vault"] is None or request["expires_at"] is None:
            raise ConfigError(
                "There is nothing to sign: this session's agents have no vaults.",
                "Approve without a key.",
            )
        return {
            "chain_id": self.chain_id,
            "vault": request["vault"],
            "decision_digest": request["digest"],
            "deadline": request["expires_at"],
        }


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature in hex, and whose it is in words; empty where the session is to sign."""

    signature: str
    words: str


@dataclass(frozen=True, slots=True)
class Pen:
    """What the owner signs with.

    Raises:
        ConfigError: where more than one was named.
    """

    keystore: Path | None
    from_stdin: bool
    signature: str | None

    def __post_init__(self) -> None:
        if (self.keystore is not None) + self.from_stdin + (self.signature is not None) > 1:
            raise ConfigError("Say once who signs.", "One of --keystore, --key-stdin and --signature.")

    def sign(self, session: Waiting, request: Request) -> Signed:
        """The owner's signature under a request."""
        if self.signature is not None:
            return Signed(self.signature, "elsewhere")
        signer = named_key(self.keystore, OWNER_KEY, from_stdin=self.from_stdin)
        if signer is None:
            return Signed("", "by the session, where the owner's key is a throwaway one of its own")
        return Signed("0x" + signer.signature(session.digest_to_sign(request)).hex(), f"by {signer.address}")


def waiting(url: str | None) -> Waiting:
    """What waits in a session that serves.

    Raises:
        NotRunningError: where none serves, or nobody answers.
    """
    said = status(url)
    now = said["timestamp"] or int(time.time())
    return Waiting(said["url"], said["chain_id"] or 0, now, said["approvals"])


def confirm(agent: str) -> None:
    """Have the agent's name typed out.

    Raises:
        ConfigError: where something else is.
    """
    hint = f"Type exactly: {agent}; or say --yes."
    have_typed(agent, "approve it", ConfigError("It was not confirmed: the decision waits on.", hint))


def tell(
    url: str | None, request: Request, outcome: str, *, as_json: bool, method: str, **words: str
) -> None:
    """Hand the answer over, and say so."""
    ask(url, method, digest=request["digest"], **words)
    if as_json:
        print_json({"agent": request["agent"], "digest": request["digest"], "outcome": outcome})
    else:
        click.echo(f"{request['agent']}:{request['sequence']} {request['digest']}: {outcome}")


def print_request(request: Request, now: int, *, err: bool = False) -> None:
    """What waits, what a yes does and costs, until when."""
    expires_at = request["expires_at"]
    left = f" · expires in {max(0, expires_at - now)} s on the chain" if expires_at is not None else ""
    say(f"{request['agent']}:{request['sequence']}  {request['text']}{left}", err=err)
    for name, words in _rows(request):
        if words:
            say(f"  {name:<8} {words}", err=err)


def _rows(request: Request) -> list[tuple[str, str]]:
    moved, foregone = request["moved_usd"], request["foregone_usd_per_minute"]
    costs = [
        f"{_dollars(request[key])} {what}"
        for key, what in (("swap_cost_usd", "swapping"), ("gas_usd", "gas"))
        if request[key]
    ]
    return [
        ("digest", request["digest"]),
        ("vault", request["vault"] or ""),
        ("why", request["reason"]),
        ("rule", request["rule"]),
        ("before", request["before"]),
        ("moves", _dollars(moved) if moved else ""),
        ("costs", f"{', '.join(costs)} (estimated)" if costs else ""),
        ("waiting", f"forgoes about {_dollars(foregone)} a minute (estimated)" if foregone else ""),
    ]


def _dollars(amount: str) -> str:
    return f"{Decimal(amount):,.2f} USD"
