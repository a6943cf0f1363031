"""A session in words: its progress on stderr, its result as a table on stdout."""

from collections.abc import Mapping
from typing import Any

import click

from defai.cli.output import say
from defai.domain.stream import (
    AgentStateChanged,
    ExecutionSettled,
    Notice,
    SessionStarted,
    SetupProgressed,
    StreamEvent,
)


def narrate(event: StreamEvent) -> None:
    """Say on stderr what a person running headless wants to know while it runs."""
    match event:
        case SetupProgressed():
            say(f"[{event.step}/{event.steps}] {event.text}", err=True)
        case SessionStarted():
            where = f" in {event.run_directory}" if event.run_directory else ""
            many = "agent" if len(event.agents) == 1 else "agents"
            say(f"{len(event.agents)} {many} on {event.network} (chain id {event.chain_id}){where}", err=True)
        case ExecutionSettled():
            record = f"record #{event.record_id}" if event.record_id is not None else event.status
            say(f"{event.block_number:>8,} {event.agent:<12} {record:<14} {event.text}", err=True)
        case AgentStateChanged():
            say(f"         {event.agent:<12} {event.state}: {event.reason}", err=True)
        case Notice():
            say(f"{event.level}: {event.sentence} {event.hint}".rstrip(), err=True)
        case _:
            pass


def counted_blocks(number: int) -> str:
    """`1 block`, `2 blocks`."""
    return f"{number:,} block{'' if number == 1 else 's'}"


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print a session's result as a table."""
    click.echo(
        f"\n{summary['network']} · chain id {summary['chain_id']} · {counted_blocks(summary['blocks'])} · "
        f"seed {summary['seed']} · {summary['seconds']:.1f} s"
    )
    head = (
        "agent",
        "strategy",
        "equity USD",
        "vs hold",
        "decisions",
        "trades",
        "holds",
        "denied",
        "records",
        "gas",
    )
    wide = max([14, *(len(agent["name"]) + 1 for agent in summary["agents"])])
    click.echo(
        f"{head[0]:<{wide}}{head[1]:<20}{head[2]:>12}{head[3]:>9}"
        + "".join(f"{name:>10}" for name in head[4:9])
        + f"{head[9]:>12}"
    )
    for agent in summary["agents"]:
        ahead = agent["equity_usd"] / agent["hodl_usd"] - 1 if agent["hodl_usd"] else None
        against = "-" if ahead is None else f"{ahead:+.2%}"
        counts = "".join(f"{agent[name]:>10,}" for name in head[4:9])
        click.echo(
            f"{agent['name']:<{wide}}{agent['strategy']:<20}{agent['equity_usd']:>12,.2f}{against:>9}"
            f"{counts}{agent['gas_used']:>12,}"
        )
    for agent in summary["agents"]:
        if said := agent.get("forecasts"):
            beats = "beats" if said["beats_baseline"] else "does NOT beat"
            click.echo(f"{agent['name']} forecasts {said['target']}: its model {beats} {said['baseline']}")
    click.echo(
        f"records on chain {summary['records_on_chain']:,} · decision digest {summary['decision_digest']}"
    )
