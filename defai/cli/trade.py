"""`defai trade`: run the fleet of a configuration file."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from defai.errors import ConfigError

if TYPE_CHECKING:
    from defai.config import Settings
    from defai.worlds.permits import LivePermit

_SETTINGS: Final = {
    "network": "network.kind",
    "fork_url": "network.fork_url",
    "fork_block": "network.fork_block",
    "rpc_url": "network.rpc_url",
    "chain_id": "network.chain_id",
    "keystore": "network.keystore",
    "seed": "market.seed",
    "run_dir": "run_dir",
    "block_time": "network.block_time_s",
}
"""Options that stand for settings, and which."""


@click.command("trade")
@click.option(
    "-c", "--config", "path", type=click.Path(path_type=Path), required=True, help="TOML file with the fleet."
)
@click.option("--network", type=click.Choice(["standin", "fork", "rpc", "live"]), help="Which chain.")
@click.option("--fork-url", help="Whom to fork.")
@click.option("--fork-block", type=click.IntRange(min=0), help="At which block.  [default: the newest]")
@click.option("--rpc-url", help="The endpoint of --network rpc and live.")
@click.option(
    "--chain-id", type=click.IntRange(min=1), help="The chain that it must be; --network live needs it."
)
@click.option(
    "--keystore",
    type=click.Path(path_type=Path),
    help="Of --network live: the encrypted file of the account that pays and signs.",
)
@click.option("--headless", is_flag=True, help="Without the terminal.")
@click.option(
    "--isolate", is_flag=True, help="Run each strategy in a process of its own, without network and files."
)
@click.option("--once", is_flag=True, help="One block, then end; implies --headless.")
@click.option("--blocks", type=click.IntRange(min=1), help="End after so many blocks.")
@click.option("--seed", type=click.IntRange(min=0), help="Of everything random.")
@click.option("--block-time", type=click.FloatRange(min=0), help="Seconds between blocks; 0 is lock-step.")
@click.option("--run-dir", type=click.Path(path_type=Path), help="Where the run is kept.")
@click.option(
    "--record",
    type=click.Path(path_type=Path),
    help="A folder that the blocks are written to, for a backtest; implies --headless.",
)
@click.option(
    "--keep-chain",
    is_flag=True,
    help="When it is done, keep a chain of our own until ctrl-c, to verify; implies --headless.",
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
    path: Path,
    headless: bool,
    isolate: bool,
    once: bool,
    blocks: int | None,
    block_time: float | None,
    record: Path | None,
    keep_chain: bool,
    serve: bool,
    port: int | None,
    as_json: bool,
    **chosen: object,
) -> int:
    """Run a fleet from a configuration file, in the terminal or headless.

    On --network rpc and live the chain is still there when the process has ended: started again with the same
    --run-dir, the run goes on where it was, whatever ended it.
    """
    from defai.config import Settings  # noqa: PLC0415  loads on use, so that --help is quick

    without_terminal = headless or once or keep_chain or serve or as_json or record is not None
    if without_terminal and not serve and block_time is None:
        block_time = 0
    overrides = {_SETTINGS[name]: value for name, value in (chosen | {"block_time": block_time}).items()}
    settings = Settings.load(path, overrides).isolated(all_of_them=isolate)
    if not settings.agents and record is None:
        raise ConfigError(
            f"There is no agent in {path}.", "Add an [[agents]] table with a name and a strategy."
        )
    permit = _permit(settings, said_live=chosen["network"] == "live")
    if without_terminal:
        from defai.cli.running import run_headless  # noqa: PLC0415  loads on use, so that --help is quick
        from defai.cli.serving import port_of  # noqa: PLC0415  the same

        return run_headless(
            settings,
            blocks=1 if once else blocks,
            as_json=as_json,
            record=record,
            keep_chain=keep_chain,
            permit=permit,
            port=port_of(serve=serve, port=port),
        )
    from defai.cli.on_screen import run_terminal  # noqa: PLC0415  loads on use, so that --help is quick

    return run_terminal(lambda: settings, blocks=blocks, permit=permit)


def _permit(settings: "Settings", *, said_live: bool) -> "LivePermit | None":
    if settings.network.kind != "live":
        return None
    from defai.cli.live import permit_for  # noqa: PLC0415  few go there

    return permit_for(settings, said_live=said_live)
