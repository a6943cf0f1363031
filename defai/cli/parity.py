"""`defai parity`: is the simulation what the chain does?"""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from defai.cli.isolation_option import isolate_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from defai.config import Settings
    from defai.market.valuation import Valuation
    from defai.worlds.kept import Kept
    from defai.worlds.seating import SeatRequest
    from defai.worlds.shadow import ShadowedWorld


@click.command("parity")
@click.option("--blocks", type=click.IntRange(min=1), default=100, show_default=True, help="How many blocks.")
@click.option("--seed", type=click.IntRange(min=0), help="Of everything random.  [default: 1]")
@click.option(
    "--prices", type=click.Path(path_type=Path), help="CSV or parquet with a timestamp and a close to follow."
)
@click.option("--attackers", is_flag=True, help="Let a sandwich attacker take part.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@isolate_option
def command(*, blocks: int, seed: int | None, prices: Path | None, attackers: bool, as_json: bool) -> None:
    """Run the demo's fleet on the stand-in and in memory at once; amounts and pools must agree to the last unit."""
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.config import Settings  # noqa: PLC0415  the same

    settings = Settings.demo(
        {
            "market.seed": seed,
            "market.prices": prices,
            "market.attackers": attackers or None,
            "network.block_time_s": 0,
        }
    )
    result = asyncio.run(_compare(settings, blocks))
    if as_json:
        print_json(result)
        return
    click.echo(
        f"{result['blocks']:,} blocks, {result['pool_states']:,} pool states and {result['submissions']:,} submissions "
        f"agree to the last unit (seed {result['seed']})"
    )
    worst, total = result["worst_gas_error"], result["total_gas_error"]
    click.echo(
        "gas: unmeasured, nothing landed"
        if worst is None
        else f"gas was estimated within {worst:.1%} of each transaction ({result['stated_gas_error']:.0%} are stated), "
        f"{total:+.1%} off in all"
    )


async def _compare(settings: "Settings", blocks: int) -> dict[str, Any]:
    from defai.agent.bus import Bus  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.session.session import Session  # noqa: PLC0415  the same
    from defai.strategy.gas import GAS_ERROR  # noqa: PLC0415  the same

    worlds: list[ShadowedWorld] = []
    session = Session(settings, Bus(), blocks=blocks, build=partial(_kept, worlds))
    summary = await session.run()
    found = worlds[0].agreement
    found.require_gas_estimates()
    return {
        "seed": summary["seed"],
        "blocks": found.blocks,
        "pool_states": found.pool_states,
        "submissions": found.submissions,
        "worst_gas_error": found.worst_gas_error,
        "total_gas_error": found.total_gas_error,
        "stated_gas_error": GAS_ERROR,
        "decision_digest": summary["decision_digest"],
        "seconds": summary["seconds"],
    }


def _kept(
    worlds: "list[ShadowedWorld]",
    settings: "Settings",
    requests: "Sequence[SeatRequest]",
    valuation: "Valuation",
    warn: "Callable[[str], None]",
    kept: "Kept | None" = None,
) -> "ShadowedWorld":
    from defai.session.choice import build_parity  # noqa: PLC0415  loads on use, so that --help is quick

    worlds.append(build_parity(settings, requests, valuation, warn, kept))
    return worlds[-1]
