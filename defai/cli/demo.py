"""`defai demo`: the whole thing, offline."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from defai.config import Settings


@click.command("demo")
@click.option("--headless", is_flag=True, help="Without the terminal, in lock-step.")
@click.option("--blocks", type=click.IntRange(min=1), help="End after so many blocks.")
@click.option("--seed", type=click.IntRange(min=0), help="Of everything random.  [default: 1]")
@click.option(
    "--prices", type=click.Path(path_type=Path), help="CSV or parquet with a timestamp and a close to follow."
)
@click.option("--attackers", is_flag=True, help="Let a sandwich attacker take part.")
@click.option(
    "--isolate", is_flag=True, help="Run each strategy in a process of its own, without network and files."
)
@click.option("--block-time", type=click.FloatRange(min=0), help="Seconds between blocks; 0 is lock-step.")
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where the run is kept.")
@click.option(
    "--keep-chain", is_flag=True, help="Headless: when it is done, keep the chain until ctrl-c, to verify."
)
@click.option(
    "--serve", is_flag=True, help="Let `defai attach`, `status`, `pause` and others in; implies --headless."
)
@click.option("--port", type=click.IntRange(1, 65_535), help="Where to serve.  [default: any that is free]")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON object; implies --headless."
)
def command(
    *,
    headless: bool,
    isolate: bool,
    blocks: int | None,
    seed: int | None,
    prices: Path | None,
    attackers: bool,
    block_time: float | None,
    run_dir: Path | None,
    keep_chain: bool,
    serve: bool,
    port: int | None,
    as_json: bool,
) -> int:
    """Run a chain with Uniswap on it, a market, four agents and the terminal, offline."""
    without_terminal = headless or serve or as_json
    overrides: dict[str, object] = {
        "market.seed": seed,
        "market.prices": prices,
        "market.attackers": attackers or None,
        "network.block_time_s": 0 if without_terminal and not serve and block_time is None else block_time,
        "run_dir": run_dir,
    }
    if without_terminal:
        from defai.cli.running import run_headless  # noqa: PLC0415  loads on use, so that --help is quick
        from defai.cli.serving import port_of  # noqa: PLC0415  the same

        return run_headless(
            _settings(overrides, isolate=isolate),
            blocks=blocks,
            as_json=as_json,
            keep_chain=keep_chain,
            port=port_of(serve=serve, port=port),
        )
    if keep_chain:
        raise click.UsageError(
            "--keep-chain goes with --headless: in the terminal the chain is there while it is."
        )
    from defai.cli.on_screen import run_terminal  # noqa: PLC0415  loads on use, so that --help is quick

    return run_terminal(lambda: _settings(overrides, isolate=isolate), blocks=blocks)


def _settings(overrides: "dict[str, object]", *, isolate: bool) -> "Settings":
    from defai.config import Settings  # noqa: PLC0415  the terminal paints before it is imported

    return Settings.demo(overrides).isolated(all_of_them=isolate)
