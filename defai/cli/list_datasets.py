"""`defai list-data`: what history there is."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import click

from defai.cli.fetching import default_base
from defai.cli.output import print_json, say
from defai.errors import DefaiError, NotFoundError


@click.command("list-data")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(*, folder: Path | None, as_json: bool) -> None:
    """List data sets with their range, the gaps between them, and whether they agree with the chain.

    FOLDER is one data set or a folder of them; the user's data directory where it is not given.
    """
    if folder is not None and not folder.is_dir():
        raise NotFoundError(f"There is no folder {folder}.")
    base = folder or default_base()
    found = list(_found(base))
    gaps = list(_gaps(found))
    if as_json:
        print_json({"folder": base, "data_sets": found, "gaps": gaps})
        return
    if not found:
        click.echo(f"No data sets in {base}. `defai download-data` fetches one.")
        return
    for one in found:
        say(_line(one))
    for gap in gaps:
        click.echo(
            f"gap: {gap['pool']} on chain {gap['chain_id']} has no blocks {gap['first']:,} to {gap['last']:,}"
        )


def _found(base: Path) -> Iterator[dict[str, Any]]:
    folders = [base, *sorted(path for path in base.iterdir() if path.is_dir())] if base.is_dir() else []
    for folder in folders:
        try:
            one = _describe(folder)
        except DefaiError as error:
            one = {"folder": str(folder), "state": "unreadable", "complaint": error.sentence}
        if one is not None:
            yield one


def _describe(folder: Path) -> dict[str, Any] | None:
    from defai.worlds.dataset import is_data_set, read_manifest  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.worlds.journal import JOURNAL, read_notes  # noqa: PLC0415  the same
    from defai.worlds.recording import BLOCKS, OPENING, read_recording  # noqa: PLC0415  the same

    if (folder / JOURNAL).is_file():
        return _unfinished(folder, *read_notes(folder / JOURNAL))
    if is_data_set(folder):
        return _finished(folder, read_manifest(folder))
    if (folder / OPENING).is_file() and (folder / BLOCKS).is_file():
        recording = read_recording(folder)
        blocks = [arrival.block for arrival in recording.arrivals()]
        missing = sum(after.number - before.number - 1 for before, after in pairwise(blocks))
        return {
            "folder": str(folder),
            "state": "run",
            "chain_id": recording.chain_id,
            "pools": [{"name": key.name, "address": key.address} for key in recording.keys],
            "first_block": recording.head.number + 1,
            "last_block": blocks[-1].number if blocks else recording.head.number,
            "first_time": blocks[0].timestamp if blocks else None,
            "last_time": blocks[-1].timestamp if blocks else None,
            "logs": sum(len(block.events) for block in blocks),
            "missing_blocks": missing,
        }
    return None


def _finished(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    blocks, checked = manifest["blocks"], manifest["verification"]
    return {
        "folder": str(folder),
        "state": {True: "verified", False: "differs", None: "unverified"}[checked["equal"]],
        "chain_id": manifest["chain_id"],
        "pools": [{"name": pool["name"], "address": pool["address"]} for pool in manifest["pools"]],
        "first_block": blocks["first"]["number"],
        "last_block": blocks["last"]["number"],
        "first_time": blocks["first"]["timestamp"],
        "last_time": blocks["last"]["timestamp"],
        "logs": manifest["logs"]["total"],
        "missing_blocks": 0,
        "complaint": checked["difference"],
    }


def _unfinished(folder: Path, notes: Mapping[str, Mapping[str, Any]], reached: int | None) -> dict[str, Any]:
    plan = notes.get("plan")
    if plan is None:
        return {"folder": str(folder), "state": "unfinished", "complaint": "nothing was fetched yet"}
    last, got = plan["last"], plan["first"] - 1 if reached is None else reached
    return {
        "folder": str(folder),
        "state": "unfinished",
        "chain_id": plan["chain_id"],
        "pools": [{"name": pool["address"], "address": pool["address"]} for pool in plan["pools"]],
        "first_block": plan["first"],
        "last_block": got,
        "missing_blocks": None if last is None else last - got,
        "complaint": "" if last is None else f"blocks {got + 1:,} to {last:,} are missing",
    }


def _gaps(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Blocks that lie between two data sets of the same pool."""
    ranges = sorted(
        (one["chain_id"], pool["address"], one["first_block"], one["last_block"])
        for one in found
        if one["state"] in {"verified", "unverified"}
        for pool in one["pools"]
    )
    for (chain_id, pool), some in groupby(ranges, key=lambda row: row[:2]):
        reached = None
        for _, _, first, last in some:
            if reached is not None and first > reached + 1:
                yield {"chain_id": chain_id, "pool": pool, "first": reached + 1, "last": first - 1}
            reached = last if reached is None else max(reached, last)


def _line(one: Mapping[str, Any]) -> str:
    name = Path(one["folder"]).name
    complaint = f"  {one['complaint']}" if one.get("complaint") else ""
    if "pools" not in one:
        return f"{one['state']:<10}  {name}{complaint}"
    pools = ", ".join(pool["name"] for pool in one["pools"])
    times = [_day(one.get(end)) for end in ("first_time", "last_time")]
    when = f"  {times[0]} to {times[1]}" if all(times) else ""
    logs = f"  {one['logs']:,} logs" if "logs" in one else ""
    return (
        f"{one['state']:<10}  {pools}, chain {one['chain_id']}  blocks {one['first_block']:,} to "
        f"{one['last_block']:,}{when}{logs}  {name}{complaint}"
    )


def _day(timestamp: int | None) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d %H:%M}" if timestamp else ""
