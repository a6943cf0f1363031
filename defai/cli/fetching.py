"""What `download-data` and `record` have in common: where it goes, how far it is, and what came of it."""

import itertools
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import click

from defai.cli.output import print_json, say
from defai.cli.progress import StatusLine, duration
from defai.errors import ConfigError, DivergenceError
from defai.redaction import protect

if TYPE_CHECKING:
    from defai.chain.download.patience import PatientRpc
    from defai.worlds.download import Progress

_UPDATE_S = 0.1
LONGEST_ORDINARY_WORD = 15
"""Parts of an address's path that are longer are keys."""


def default_base() -> Path:
    """Where data sets are kept unless told otherwise."""
    from platformdirs import user_data_path  # noqa: PLC0415  only needed where no folder is given

    return user_data_path("defai") / "datasets"


def protect_address(url: str) -> None:
    """Have whatever may be a key in a node's address taken out of all that is printed."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return  # the connection says that it is no address
    secrets = [part for part in parts.path.split("/") if len(part) > LONGEST_ORDINARY_WORD]
    secrets += [value for _, value in parse_qsl(parts.query) if len(value) > 5]
    secrets += [value for value in (parts.username, parts.password) if value and len(value) > 5]
    for secret in secrets:
        protect(secret)


def checked_pools(pools: Sequence[str]) -> tuple[str, ...]:
    """Addresses of pools, in EIP-55's case.

    Raises:
        ConfigError: where one is none.
    """
    from defai.chain.codec import checksum  # noqa: PLC0415  loads on use, so that --help is quick

    found = []
    for pool in pools:
        try:
            found.append(checksum(pool))
        except ValueError:
            raise ConfigError(f"'{pool}' is not an address.", "An address is 0x and 40 hex digits.") from None
    return tuple(dict.fromkeys(found))


async def choose_folder(rpc: "PatientRpc", out: Path | None, pools: Sequence[str], span: str) -> Path:
    """The folder that was given, or one in the user's data directory, named for chain, pool and stretch."""
    if out is not None:
        return out
    chain_id = await rpc.number("eth_chainId")
    name = f"{chain_id}-{'-'.join(pool.lower() for pool in pools)}-{span}"
    return default_base() / "".join(c if c.isalnum() or c in "-_." else "_" for c in name)


def next_free(folder: Path) -> Path:
    """A folder of this name, numbered, that holds no finished data set."""
    from defai.worlds.dataset import is_data_set  # noqa: PLC0415  loads on use, so that --help is quick

    numbered = (folder.with_name(f"{folder.name}-{number}") for number in itertools.count(1))
    return next(path for path in numbered if not is_data_set(path))


class ProgressLine:
    """One line on standard error that says how far it is; nothing where nobody watches."""

    def __init__(self, *, quiet: bool) -> None:
        self._line = StatusLine(quiet=quiet or not sys.stderr.isatty())
        self._shown = 0.0

    def say(self, sentence: str) -> None:
        """Say something that a person should know, quiet or not: it is what the result rests on."""
        self.clear()
        say(sentence, err=True)

    def update(self, progress: "Progress") -> None:
        """Show how far it is, at most ten times a second."""
        now = time.monotonic()
        if now - self._shown < _UPDATE_S and progress.reached < progress.last:
            return
        self._shown = now
        total = progress.last - progress.first + 1
        done = progress.reached - progress.first + 1
        left = progress.seconds_left
        text = (
            f"block {progress.reached:,} · {done:,} of {total:,} ({done / total:.0%}) · {progress.logs:,} logs"
            + (f" · {duration(left)} left" if left is not None else "")
        )
        self._line.update(text, now=now)

    def clear(self) -> None:
        """Leave an empty line behind."""
        self._line.end()


async def with_line(line: ProgressLine, work: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    """Do the work, and leave no half line behind, whatever comes of it."""
    try:
        return await work()
    finally:
        line.clear()


def print_result(folder: Path, manifest: Mapping[str, Any], seconds: float, *, as_json: bool) -> None:
    """Say what was fetched, and whether it agrees with the chain.

    Raises:
        DivergenceError: where it does not.
    """
    if as_json:
        print_json({"folder": folder, **manifest, "seconds": round(seconds, 3)})
    else:
        blocks, logs = manifest["blocks"], manifest["logs"]
        names = ", ".join(pool["name"] for pool in manifest["pools"])
        say(
            f"{names} on chain {manifest['chain_id']}: blocks {blocks['first']['number']:,} to "
            f"{blocks['last']['number']:,}, {logs['total']:,} logs in {seconds:.1f} s"
        )
        click.echo(f"opening state: {manifest['opening']['how']}")
        click.echo(f"verification: {verdict(manifest['verification'])}")
        click.echo(f"written to {folder}")
    if manifest["verification"]["equal"] is False:
        raise DivergenceError(
            f"What was fetched does not agree with the chain. {manifest['verification']['difference']}",
            "The node left something out, or it is on another chain: fetch it again, or ask another node.",
        )


def verdict(verification: Mapping[str, Any]) -> str:
    """What came of holding the replay to the chain, in a sentence."""
    swaps = f"{verification['exact_swaps']:,} of {verification['swaps']:,} swaps exact"
    where = f"at block {verification['block']:,}"
    if verification["equal"]:
        return f"the replay equals the chain's state {where}; {swaps}"
    if verification["equal"] is None:
        return f"none, the node keeps no state {where}; {swaps}"
    return f"DIFFERS from the chain {where}; {swaps}"
