"""From settings to a fleet: what an author or an operator can get wrong is said before anything is started."""

from decimal import Decimal
from pathlib import Path

import pytest

from defai.audit.record import strategy_digest
from defai.chain.mainnet import POOLS, USDC, WETH
from defai.config import AgentSettings, Settings
from defai.errors import ConfigError, NotFoundError
from defai.session.choice import build_world, history_recipe, make_market
from defai.session.fleet import load_fleet, parameters_of, seat_requests
from defai.session.history import HistoryRecipe
from defai.session.training import model_key
from defai.strategy.registry import load
from defai.worlds.endpoint import EndpointWorld
from defai.worlds.fork import ForkWorld

TOKENS = {"USDC": USDC, "WETH": WETH}
HEAD = (
    "from defai.strategy.api import Context, Hold, Intent, Strategy\nclass Odd(Strategy):\n    '''Odd.'''\n"
)
TAIL = "    def decide(self, ctx: Context) -> Intent:\n        return Hold(reason='')\n"


def fleet_of(tmp_path: Path, body: str) -> Settings:
    file = tmp_path / "odd.py"
    file.write_text(HEAD + body + TAIL)
    return Settings(agents=(AgentSettings(name="odd", strategy=f"{file}:Odd"),))


def test_the_demo_fleet_stands() -> None:
    members = load_fleet(Settings.demo(environment={}), POOLS)
    assert [member.settings.name for member in members] == ["lp-wide", "reverter", "tiers", "holder"]
    assert [key.name for key in members[2].pools] == ["USDC/WETH 0.05 %", "USDC/WETH 0.3 %"]


def test_an_unknown_strategy_is_said() -> None:
    settings = Settings(agents=(AgentSettings(name="a", strategy="volatility_bend"),))
    with pytest.raises(NotFoundError, match="volatility_band"):
        load_fleet(settings, POOLS)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "    def pools(self): return ('USDC/WETH 0.5 %',)\n",
            "looks at a pool 'USDC/WETH 0.5 %' that is not there. Did",
        ),
        ("    def pools(self): return ()\n", "names no pool"),
        ("    def pools(self): return 1 / 0\n", "does not say what it needs: ZeroDivisionError"),
        ("    def features(self): raise KeyError('x')\n", "does not say what it needs: KeyError"),
        ("    def target(self): return [][0]\n", "does not say what it needs: IndexError"),
        (
            "    def features(self): return ('volatilty_6',)\n",
            "There is no feature called volatilty_6. Did you mean",
        ),
        ("    def features(self): return ('return_1', 'return_1')\n", "The feature return_1 is named twice"),
        (
            "    def features(self): return ('return_1', 'spread')\n",
            "has features of two pools and names one",
        ),
    ],
)
def test_what_a_strategy_asks_for_has_to_be_there(tmp_path: Path, body: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_fleet(fleet_of(tmp_path, body), POOLS)
    assert sentence in str(caught.value)


def test_an_agent_starts_with_money_or_with_tokens() -> None:
    agents = (
        AgentSettings(name="rich", strategy="hold", usd=Decimal("12.5")),
        AgentSettings(name="holder", strategy="hold", balances={"WETH": Decimal("1.5"), "USDC": Decimal(0)}),
    )
    first, second = seat_requests(load_fleet(Settings(agents=agents), POOLS), TOKENS, USDC)
    assert (first.worth_raw, first.balances) == (12_500_000, {})
    assert second.balances == {WETH.address: 15 * 10**17, USDC.address: 0}


def test_a_token_that_no_pool_prices_is_refused() -> None:
    agents = (AgentSettings(name="a", strategy="hold", balances={"USDT": Decimal(5)}),)
    with pytest.raises(ConfigError, match="unknown token 'USDT'"):
        seat_requests(load_fleet(Settings(agents=agents), POOLS), TOKENS, USDC)


def test_parameters_become_canonical_however_deep_their_floats_are(tmp_path: Path) -> None:
    fields = (
        "x: float = 0.1",
        "y: tuple[float, ...] = (1.5, 2.0)",
        "z: dict[str, float] = {'a': 0.25}",
        "n: int = 3",
    )
    body = "".join(f"    {field}\n" for field in fields)
    (member,) = load_fleet(fleet_of(tmp_path, body), POOLS)
    values = parameters_of(member.loaded)
    assert values == {"x": "0.1", "y": ["1.5", "2.0"], "z": {"a": "0.25"}, "n": 3}
    assert strategy_digest(member.loaded.source, values) != strategy_digest(member.loaded.source, {})


def test_a_model_is_known_by_all_its_training_depends_on() -> None:
    band, plain = load("volatility_band"), load("hold")
    one = model_key(band, HistoryRecipe())
    assert one is not None
    assert one.startswith("volatility_band-")
    assert one == model_key(load("volatility_band", {"sigmas": 2.0}), HistoryRecipe()), (
        "width is no matter of training"
    )
    assert one != model_key(band, HistoryRecipe(blocks=5))
    assert one != model_key(load("mean_reversion"), HistoryRecipe())
    assert model_key(plain, HistoryRecipe()) is None


def test_history_to_train_on_knows_step_and_first_price_of_a_file_and_nothing_else(tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    rows = [f"{1_700_000_000 + 300 * i},{1_500 + i}" for i in range(40)]
    prices.write_text("timestamp,close\n" + "\n".join(rows) + "\n")
    recipe = history_recipe(Settings.demo({"market.prices": prices}, environment={}))
    assert (recipe.block_seconds, recipe.start_quote_per_base) == (300, Decimal("1500.00"))
    rows[30] = f"{1_700_000_000 + 300 * 30},9999"
    prices.write_text("timestamp,close\n" + "\n".join(rows) + "\n")
    assert recipe == history_recipe(Settings.demo({"market.prices": prices}, environment={}))


def test_each_network_has_its_world() -> None:
    def world(**network: object) -> object:
        values = {f"network.{key}": value for key, value in network.items()}
        settings = Settings.demo(values, environment={})
        from defai.market.valuation import Valuation

        return build_world(settings, [], Valuation(POOLS[0], USDC), print)

    standin, fork, rpc = (
        world(),
        world(kind="fork", fork_url="http://127.0.0.1:1"),
        world(kind="rpc", rpc_url="http://127.0.0.1:1"),
    )
    assert isinstance(standin, ForkWorld)
    assert isinstance(fork, ForkWorld)
    assert isinstance(rpc, EndpointWorld)
    assert (standin.network, fork.network, rpc.network) == ("standin", "fork", "rpc")
    with pytest.raises(ConfigError):
        world(kind="live", rpc_url="http://127.0.0.1:1")


def test_others_bring_no_liquidity_where_there_is_some_already() -> None:
    settings = Settings.demo(environment={})
    assert make_market(settings, print).actors != make_market(settings, print, Decimal(1_800)).actors
    assert make_market(settings, print, Decimal(1_800)).reference(0).quote_per_base == Decimal(1_800)
