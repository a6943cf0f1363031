"""`defai record`: a chain as it grows, as a data set."""

import asyncio
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import click

from defai.cli.fetching import (
    ProgressLine,
    checked_pools,
    choose_folder,
    next_free,
    print_result,
    protect_address,
    with_line,
)


@click.command("record")
@click.option("--pool", "pools", multiple=True, required=True, metavar="ADDR", help="May be given again.")
@click.option(
    "--rpc",
    "url",
    envvar="DEFAI_RPC_URL",
    required=True,
    metavar="URL",
    help="The node. An address with a key in it belongs into DEFAI_RPC_URL.",
)
@click.option("--blocks", type=click.IntRange(min=1), help="End after so many.  [default: at ctrl-c]")
@click.option("--confirmations", type=click.IntRange(min=0), default=0, show_default=True, help="Blocks.")
@click.option("--poll", type=click.FloatRange(min=0.01), default=0.5, show_default=True, help="Seconds.")
@click.option("--chain-id", type=click.IntRange(min=1), help="What the node must say it is.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder.  [default: in the user's data]")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as one JSON object.")
def command(
    *,
    pools: tuple[str, ...],
    url: str,
    blocks: int | None,
    confirmations: int,
    poll: float,
    chain_id: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Record pools block by block until ctrl-c, then verify and write a data set.

    A recording that was killed goes on where it was when the same command is run again: the blocks between are fetched.
    """
    from defai.worlds.download_plan import Wanted  # noqa: PLC0415  loads on use, so that --help is quick

    protect_address(url)
    wanted = Wanted(pools=checked_pools(pools), first="latest", last="")
    limits = {
        "chain_id": chain_id, "blocks": blocks, "confirmations": confirmations, "poll_seconds": poll
    }  # fmt: skip
    line, started = ProgressLine(quiet=as_json), monotonic()
    folder, manifest = asyncio.run(_record(url, wanted, out, limits, line))
    print_result(folder, manifest, monotonic() - started, as_json=as_json)


async def _record(
    url: str,
    wanted: Any,  # noqa: ANN401  a Wanted, which loads on use
    out: Path | None,
    limits: dict[str, Any],
    line: ProgressLine,
) -> tuple[Path, dict[str, Any]]:
    from defai.chain.download.patience import PatientRpc  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.errors import ConfigError  # noqa: PLC0415  the same
    from defai.worlds.dataset import is_data_set  # noqa: PLC0415  the same
    from defai.worlds.download import Download  # noqa: PLC0415  the same
    from defai.worlds.journal import JOURNAL, Journal  # noqa: PLC0415  the same
    from defai.worlds.live_recording import record  # noqa: PLC0415  the same

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with PatientRpc(url) as rpc:
        folder = out or next_free(await choose_folder(rpc, None, wanted.pools, "recording"))
        if is_data_set(folder) and not (folder / JOURNAL).exists():
            raise ConfigError(
                f"{folder} holds a finished data set.", "Record into another folder: --out DIR."
            )
        with Journal(folder) as journal:
            download = Download(rpc, journal, wanted, say=line.say, report=line.update)
            return folder, await with_line(line, lambda: record(rpc, download, stop, **limits))
