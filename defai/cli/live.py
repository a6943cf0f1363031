"""The gate to live trading: said on the command line, the account's key unlocked, and confirmed by typing it out."""

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import click

from defai.cli.confirming import have_typed
from defai.cli.key_sources import named_key
from defai.errors import ConfigError
from defai.redaction import redacted

if TYPE_CHECKING:
    from defai.chain.keys import Signer
    from defai.config import AgentSettings, Settings
    from defai.worlds.permits import LivePermit

OPERATOR_KEY: Final = "DEFAI_OPERATOR_KEY"


def permit_for(settings: "Settings", *, said_live: bool) -> "LivePermit":
    """Ask for all that live trading takes, and for a confirmation.

    Args:
        settings: of the network "live".
        said_live: whether the command line said so: a file alone is not enough.

    Raises:
        ConfigError: where something is missing, or the confirmation is not what was asked for.
    """
    from defai.chain.codec import checksum  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.units import WEI  # noqa: PLC0415  the same
    from defai.worlds.permits import LivePermit  # noqa: PLC0415  the same

    network = settings.network
    if not said_live:
        raise ConfigError(
            "This fleet trades with real money, and that has to be said on the command line.",
            "Add --network live, or take another network.",
        )
    if not settings.agents:
        raise ConfigError("There is no agent in this fleet.")
    if network.chain_id is None:  # pragma: no cover  the settings refuse it
        raise AssertionError
    operator = _operator(settings)
    owner = checksum(network.owner) if network.owner else None
    _show(settings, operator.address, owner or operator.address)
    phrase = f"trade live on chain {network.chain_id}"
    click.echo("", err=True)
    have_typed(
        phrase, "go on", ConfigError("It was not confirmed: nothing was sent.", f"Type exactly: {phrase}")
    )
    return LivePermit(
        operator,
        network.chain_id,
        owner,
        int(network.gas_eth * WEI),
        checksum(network.factory) if network.factory else None,
    )


def _operator(settings: "Settings") -> "Signer":
    operator = named_key(settings.network.keystore, OPERATOR_KEY)
    if operator is None:
        raise ConfigError(
            "Live trading needs the account that pays and signs.",
            f"Name its encrypted file with --keystore (`defai setup` writes one), or set {OPERATOR_KEY}.",
        )
    return operator


def _show(settings: "Settings", operator: str, owner: str) -> None:
    network = settings.network
    rows = [
        ("endpoint", redacted(network.rpc_url or "")),
        ("chain", str(network.chain_id)),
        ("pays and signs", f"{operator}, {network.gas_eth} ETH of gas for each agent"),
        ("owns the vaults", owner if owner != operator else f"{owner} (the same; it fills them)"),
        *(("agent", f"{agent.name}: {agent.strategy}, {_stake(agent)}") for agent in settings.agents),
    ]
    limits = [agent.limits for agent in settings.agents]
    largest = max(limit.max_trade_usd for limit in limits)
    deepest = max(limit.max_drawdown for limit in limits)
    rows.append(("limits", f"{largest:,.0f} USD a trade, stopped {deepest:.0%} below the highest worth"))
    rows.append(("approvals", _approvals(settings)))
    click.echo("This trades with real money. The contracts have not been audited by anyone.\n", err=True)
    for name, text in rows:
        click.echo(f"  {name:<16} {text}", err=True)


def _approvals(settings: "Settings") -> str:
    above = {agent.name: agent.limits.approval_above_usd for agent in settings.agents}
    asked = {name: limit for name, limit in above.items() if limit is not None}
    if not asked:
        return "none is asked for: what keeps to the limits is carried out"
    if len(asked) == len(above) and len(set(asked.values())) == 1:
        return f"a decision above {next(iter(asked.values())):,.0f} USD waits for you"
    said = ", ".join(f"{name}'s above {limit:,.0f} USD" for name, limit in asked.items())
    return f"only these decisions wait for you: {said}"


def _stake(agent: "AgentSettings") -> str:
    if agent.balances:
        return " and ".join(f"{amount:,} {symbol}" for symbol, amount in agent.balances.items())
    return f"{agent.usd or Decimal(0):,.0f} USD, half in each token"
