"""`defai download-data`: a pool's history from any node, resumable, verified against the chain."""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

import click

from defai.cli.fetching import (
    ProgressLine,
    checked_pools,
    choose_folder,
    print_result,
    protect_address,
    with_line,
)


@click.command("download-data")
@click.option("--pool", "pools", multiple=True, required=True, metavar="ADDR", help="May be given again.")
@click.option(
    "--rpc",
    "url",
    envvar="DEFAI_RPC_URL",
    required=True,
    metavar="URL",
    help="The node. An address with a key in it belongs into DEFAI_RPC_URL.",
)
@click.option(
    "--from",
    "first",
    required=True,
    metavar="BLOCK",
    help="A number, a date in UTC (2024-05-01, 2024-05-01T12:00), latest:-7200, or creation.",
)
@click.option(
    "--to",
    "last",
    default="latest",
    show_default=True,
    metavar="BLOCK",
    help="The same; a day is in it to its end.",
)
@click.option("--chain-id", type=click.IntRange(min=1), help="What the node must say it is.")
@click.option("--out", type=click.Path(path_type=Path), help="The folder.  [default: in the user's data]")
@click.option(
    "--headers",
    type=click.Choice(["all", "with-logs"]),
    default="all",
    show_default=True,
    help="Which blocks' times and base fees are fetched.",
)
@click.option("--again", is_flag=True, help="Begin anew, whatever is there.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as one JSON object.")
def command(
    *,
    pools: tuple[str, ...],
    url: str,
    first: str,
    last: str,
    chain_id: int | None,
    out: Path | None,
    headers: str,
    again: bool,
    timeout: float,
    as_json: bool,
) -> None:
    """Fetch a pool's logs and starting state, and hold a replay of them to the chain's state at the end.

    A download that was stopped or killed goes on where it was when the same command is run again.
    """
    from defai.worlds.download_plan import Wanted  # noqa: PLC0415  loads on use, so that --help is quick

    protect_address(url)
    wanted = Wanted(pools=checked_pools(pools), first=first, last=last, sparse=headers == "with-logs")
    line, started = ProgressLine(quiet=as_json), monotonic()
    folder, manifest = asyncio.run(_download(url, wanted, out, chain_id, again, timeout, line))
    print_result(folder, manifest, monotonic() - started, as_json=as_json)


async def _download(
    url: str,
    wanted: Any,  # noqa: ANN401  a Wanted, which loads on use
    out: Path | None,
    chain_id: int | None,
    again: bool,
    seconds: float,
    line: ProgressLine,
) -> tuple[Path, dict[str, Any]]:
    from defai.chain.download.patience import PatientRpc  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.worlds.dataset import is_data_set  # noqa: PLC0415  the same
    from defai.worlds.download import Download, finished_before  # noqa: PLC0415  the same
    from defai.worlds.journal import JOURNAL, Journal  # noqa: PLC0415  the same

    async with PatientRpc(url, timeout_seconds=seconds) as rpc:
        folder = await choose_folder(rpc, out, wanted.pools, f"{wanted.first}-{wanted.last}")
        if again:
            (folder / JOURNAL).unlink(missing_ok=True)
        elif is_data_set(folder) and not (folder / JOURNAL).exists():
            there = finished_before(folder, wanted)
            if there is not None:
                line.say(f"{folder} has it already.")
                return folder, there
        with Journal(folder) as journal:
            download = Download(rpc, journal, wanted, say=line.say, report=line.update)
            try:
                return folder, await with_line(line, lambda: download.run(chain_id=chain_id))
            except asyncio.CancelledError:
                line.say("Stopped. The same command goes on where it was.")
                raise
