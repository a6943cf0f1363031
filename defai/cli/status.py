"""`defai status`: what a serving session is doing."""

from typing import Any

import click

from defai.cli.output import say
from defai.cli.reaching import session_options


@click.command("status")
@session_options
def command(*, url: str | None, as_json: bool) -> None:
    """Say what a session that serves is doing. Exit code 3 where none is running."""
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.reaching import status  # noqa: PLC0415  the same

    said = status(url)
    if as_json:
        print_json(said)
        return
    _print(said)


def _print(said: dict[str, Any]) -> None:
    if said["setting_up"]:
        say(f"{said['url']}  setting up: {said['setting_up']}")
        return
    block = f"block {said['block_number']:,}" if said["block_number"] is not None else "no block yet"
    say(f"{said['url']}  {said['network']} · {block} · {said['readers']} attached")
    if said["run_directory"]:
        say(f"run {said['run_directory']}")
    if not said["agents"]:
        say("its agents join when the warm-up is over")
        return
    say(f"{'agent':<24}{'equity USD':>14}{'vs hold %':>11}{'drawdown %':>12}  state")
    for agent in said["agents"]:
        equity, hodl = float(agent["equity_usd"]), float(agent["hodl_usd"])
        against = f"{(equity / hodl - 1) * 100:+.2f}" if hodl else "-"
        fall = f"{float(agent['drawdown']) * 100:.2f}" if agent["drawdown"] is not None else "-"
        reason = f": {agent['reason']}" if agent["reason"] and agent["state"] != "running" else ""
        say(f"{agent['name']:<24}{equity:>14,.2f}{against:>11}{fall:>12}  {agent['state']}{reason}")
    if said["approvals"]:
        many = len(said["approvals"])
        waits = "1 decision waits" if many == 1 else f"{many} decisions wait"
        say(f"{waits} for you: `defai approvals list`")
