"""What can be set, with its bounds and defaults. All of it is frozen."""

import os
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from defai.config import sources
from defai.redaction import redacted
from defai.risk.limits import Limits

STANDIN_CHAIN_ID: Final = 31337
"""The stand-in's chain id: nobody's, so that nothing signed for it is worth anything elsewhere."""

DEMO_AGENTS: Final = (
    ("lp-wide", "volatility_band"),
    ("reverter", "mean_reversion"),
    ("tiers", "fee_tier_arbitrage"),
    ("holder", "hold"),
)
"""The fleet of `defai demo`: name and strategy."""

_NAME: Final = r"^[a-z0-9][a-z0-9_-]{0,31}$"

Usd = Annotated[Decimal, Field(gt=0)]
Account = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
"""An account's address, with or without its checksum."""


class Section(BaseModel):
    """A table of the configuration: frozen, and strict about its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class NetworkSettings(Section):
    """Which chain.

    Attributes:
        kind: "standin": a chain of our own with Uniswap on it; "fork": a local copy of the chain behind
            `fork_url`; "rpc": a chain that is already there; "live": the same, with real money.
        fork_url: whom to fork; fork_block: at which block, the newest where it is not given.
        rpc_url: where the chain of "rpc" and "live" answers.
        chain_id: what the chain must say it is; None takes its word for it, which "live" does not.
        keystore: of "live": the encrypted file of the account that pays and signs; None takes its key from the
            environment.
        owner: of "live": whose the vaults are, and who alone can withdraw; None for the account that pays.
        factory: of "live": a factory of vaults that is there already; None deploys one.
        gas_eth: of "live": what each agent's account is given for gas.
        block_time_s: seconds between the blocks of a chain of our own; 0 mines one when every agent has acted.
    """

    kind: Literal["standin", "fork", "rpc", "live"] = "standin"
    fork_url: str | None = None
    fork_block: Annotated[int, Field(ge=0)] | None = None
    rpc_url: str | None = None
    chain_id: Annotated[int, Field(ge=1)] | None = None
    keystore: Path | None = None
    owner: Account | None = None
    factory: Account | None = None
    gas_eth: Annotated[Decimal, Field(gt=0, le=100)] = Decimal("0.05")
    block_time_s: Annotated[float, Field(ge=0, le=3_600, allow_inf_nan=False)] = 1.0

    @property
    def lock_step(self) -> bool:
        """Whether a block is mined when everyone has acted, rather than by the clock."""
        return self.block_time_s == 0

    @field_validator("fork_url", "rpc_url")
    @classmethod
    def _is_an_endpoint(cls, url: str | None) -> str | None:
        if url is not None and not re.match(r"https?://[^/\s]+", url):
            raise ValueError("an endpoint starts with http:// or https:// and names a host")
        return url

    @model_validator(mode="after")
    def _has_its_endpoint(self) -> Self:
        if self.kind == "fork" and self.fork_url is None:
            raise ValueError("a fork needs network.fork_url, the endpoint of the chain to fork")
        if self.kind in {"rpc", "live"} and self.rpc_url is None:
            raise ValueError(f"the network '{self.kind}' needs network.rpc_url, the endpoint of the chain")
        if self.kind == "live" and self.chain_id is None:
            raise ValueError("the network 'live' needs network.chain_id, so that it cannot be another chain")
        return self


class MarketSettings(Section):
    """The other people in a market of our own.

    Attributes:
        seed: of everything random in the session; the same seed gives the same decisions.
        prices: a CSV or parquet file with a timestamp and a close in USD per ETH, which the market then follows;
            None generates a path.
        attackers: whether a sandwich attacker takes part.
        liquidity_usd: worth of the liquidity that others provide, in all pools together.
        warm_up_blocks: blocks the market lives through before the agents join it.
    """

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    prices: Path | None = None
    attackers: bool = False
    liquidity_usd: Usd = Decimal(5_000_000)
    warm_up_blocks: Annotated[int, Field(ge=0, le=100_000)] = 64


class ModelSettings(Section):
    """How models are kept up to date while agents run.

    Attributes:
        live_retrain_hours: hours of market time between two retrainings; 0 never retrains.
        train_period_days: how far back a retraining looks, in market time.
        watch_drift: whether agents hold while their model's features or errors have drifted.
    """

    live_retrain_hours: Annotated[float, Field(ge=0, le=8_760, allow_inf_nan=False)] = 0.0
    train_period_days: Annotated[float, Field(gt=0, le=3_650, allow_inf_nan=False)] = 28.0
    watch_drift: bool = False

    @property
    def is_active(self) -> bool:
        """Whether there is anything to do between two blocks."""
        return self.live_retrain_hours > 0 or self.watch_drift


class AgentSettings(Section):
    """One agent of the fleet.

    Attributes:
        name: what it is called everywhere.
        strategy: a name that `defai list-strategies` lists, or `file.py:Class`.
        parameters: values of the strategy's fields; the rest keep their defaults.
        model: the kept model that it forecasts by: the beginning of its digest, with 0x, or its identifier; None for
            the one that is trained for every fleet.
        usd: worth of what it starts with, half in each token of its main pool; 30,000 where nothing is said.
        balances: or what it starts with, by token symbol, as a person writes it.
        isolate: whether its strategy's code runs in a process of its own, without network, files and environment.
        limits: of this agent; in a file, only the keys that differ from the fleet's `[limits]`.
    """

    name: Annotated[str, Field(pattern=_NAME)]
    strategy: Annotated[str, Field(min_length=1)]
    parameters: dict[str, Any] = Field(default_factory=dict)
    model: Annotated[str, Field(min_length=1)] | None = None
    usd: Usd | None = None
    balances: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)
    isolate: bool = False
    limits: Limits = Limits()

    @model_validator(mode="before")
    @classmethod
    def _starts_with_something(cls, table: object) -> object:
        if not isinstance(table, Mapping):
            return table
        if table.get("usd") is not None and table.get("balances"):
            raise ValueError(f"the agent '{table.get('name')}' starts with either usd or balances, not both")
        return table if table.get("usd") is not None or table.get("balances") else {**table, "usd": 30_000}


class Settings(Section):
    """Everything a session is started with.

    Attributes:
        anchor_every_blocks: how often the decisions that moved nothing are anchored on chain.
        run_dir: where the run is kept; None makes a new directory in the user's data directory.
        strategies_dir: a folder in which strategies are looked for by name ahead of ./strategies and defai's own.
        limits: of every agent, where it sets none of its own.
    """

    network: NetworkSettings = NetworkSettings()
    market: MarketSettings = MarketSettings()
    models: ModelSettings = ModelSettings()
    limits: Limits = Limits()
    agents: tuple[AgentSettings, ...] = ()
    anchor_every_blocks: Annotated[int, Field(ge=1, le=100_000)] = 50
    run_dir: Path | None = None
    strategies_dir: Path | None = None

    @model_validator(mode="after")
    def _names_each_agent_once(self) -> Self:
        names = [agent.name for agent in self.agents]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two agents are called '{twice[0]}'")
        return self

    @classmethod
    def load(
        cls,
        path: Path,
        overrides: Mapping[str, object] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """Read a configuration file.

        Args:
            path: a TOML file. Relative paths inside it start at its folder.
            overrides: from the command line, by dotted key: {"network.kind": "fork"}. None leaves a key alone.
            environment: that of the process where it is not given.

        Raises:
            NotFoundError: where there is no such file.
            ConfigError: where it cannot be read, holds a secret, or a key or value is wrong. The sentence names
                the file and the key.
        """
        return cls._resolve(sources.read(path), str(path), overrides, environment)

    @classmethod
    def demo(
        cls,
        overrides: Mapping[str, object] | None = None,
        *,
        environment: Mapping[str, str] | None = None,
    ) -> Self:
        """The settings of `defai demo`: the stand-in, a generated market, four agents. Arguments as in `load`."""
        agents = [{"name": name, "strategy": strategy} for name, strategy in DEMO_AGENTS]
        return cls._resolve({"agents": agents}, "the demo's settings", overrides, environment)

    def isolated(self, *, all_of_them: bool = True) -> Self:
        """The same with every agent's strategy in a process of its own; or as it is."""
        if not all_of_them:
            return self
        agents = tuple(agent.model_copy(update={"isolate": True}) for agent in self.agents)
        return self.model_copy(update={"agents": agents})

    def public(self) -> dict[str, Any]:
        """The settings as they may be kept and shown: JSON-able, without credentials."""
        table = self.model_dump(mode="json")
        for key in ("fork_url", "rpc_url"):
            if table["network"][key] is not None:
                table["network"][key] = redacted(table["network"][key])
        return table

    @classmethod
    def _resolve(
        cls,
        table: dict[str, Any],
        source: str,
        overrides: Mapping[str, object] | None,
        environment: Mapping[str, str] | None,
    ) -> Self:
        shape = sources.Shape(
            top=frozenset({"anchor_every_blocks", "run_dir", "strategies_dir"}),
            sections={
                "network": tuple(NetworkSettings.model_fields),
                "market": tuple(MarketSettings.model_fields),
                "models": tuple(ModelSettings.model_fields),
                "limits": tuple(Limits.model_fields),
            },
            agent=tuple(AgentSettings.model_fields),
        )
        layers = sources.Layers(table, source, shape)
        layers.apply_environment(os.environ if environment is None else environment)
        layers.apply_overrides(overrides or {})
        try:
            return cls.model_validate(layers.merged())
        except ValidationError as error:
            raise layers.in_words(error) from error
