"""`defai walk-forward` on a file of prices: its card, its page, and what it refuses."""

import json
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.cli.train import command as train
from defai.cli.walk_forward import command
from defai.errors import ConfigError, DefaiError
from defai.features import asked as asking
from defai.models.registry import ModelRegistry
from defai.testing.histories import generated_history
from defai.time_limit import TimeLimit

OWN = '''
from defai.features import Past, feature
from defai.strategy.api import Context, Hold, Intent, Strategy, Target


@feature("own_{what}_{n}", version=1, unit="ticks", source="made up")
def {what}(past: Past, n: int) -> int:
    """Made up."""
    {body}


class Own(Strategy):
    """Has a feature of its own."""

    def features(self): return ("return_1", "own_{what}_3")

    def target(self): return Target("volatility", 6)

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason=str(ctx.features))
'''
FAST = ("--folds", "2", "--rounds", "10", "--feature", "return_1", "--feature", "log_parkinson_6")


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bars of a minute, as exchanges write them."""
    path = tmp_path_factory.mktemp("prices") / "ETHUSDC.csv"
    lines = ["timestamp,open,high,low,close"]
    for index, row in enumerate(generated_history(1_200, seed=3)):
        low, close, high = (2_000 * 1.0001**tick for tick in (row.tick_low, row.tick, row.tick_high))
        lines.append(f"{1_600_000_020 + index * 60},{close:.6f},{high:.6f},{low:.6f},{close:.6f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day of a pool's minutes, as demeter-fetch writes them."""
    folder = tmp_path_factory.mktemp("bars")
    path = folder / "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-07-19.minute.csv"
    columns = (
        "netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,inAmount0,inAmount1,currentLiquidity"
    )
    lines = [f"timestamp,{columns}"]
    for index, row in enumerate(generated_history(1_440, seed=4)):
        when = f"2022-07-19 {index // 60:02}:{index % 60:02}:00"
        ticks = f"{row.tick},{row.tick},{row.tick_low},{row.tick_high}"
        lines.append(f"{when},0,0,{ticks},{row.amount0_in},{row.amount1_in},{row.liquidity}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_a_file_of_prices_gives_a_card_a_page_and_a_model(prices: Path, tmp_path: Path) -> None:
    asked = ["--source", str(prices), "--target", "range_volatility", "--horizon", "6", *FAST]
    kept = ["--out", str(tmp_path / "card"), "--models", str(tmp_path / "models"), "--json"]
    ran = CliRunner().invoke(command, [*asked, *kept], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    card = json.loads(ran.stdout)
    assert json.loads((tmp_path / "card" / "card.json").read_text(encoding="utf-8")) == card
    assert card["model_digest"] in (tmp_path / "card" / "card.html").read_text(encoding="utf-8")
    assert ModelRegistry(tmp_path / "models").digests() == (card["model_digest"],)
    assert {"persistence", "EWMA 0.94", "HAR-RV on levels", "log-HAR", "strong HAR"} < set(card["metrics"])


def test_volumes_that_prices_do_not_tell_are_asked_for_in_vain(prices: Path) -> None:
    asked = ["--source", str(prices), "--target", "fee_lvr", "--target-parameter", "500", *FAST]
    with pytest.raises(ConfigError, match="which this history doesn't tell"):
        CliRunner().invoke(command, asked, catch_exceptions=False)


def test_a_target_without_its_parameter_is_refused(prices: Path) -> None:
    with pytest.raises(ConfigError, match="survival takes a parameter"):
        CliRunner().invoke(command, ["--source", str(prices), "--target", "survival"], catch_exceptions=False)


def test_a_model_is_not_called_as_a_digest_begins(prices: Path) -> None:
    asked = ["--source", str(prices), "--target", "return", "--identifier", "0x12"]
    with pytest.raises(ConfigError, match="not called 0x12"):
        CliRunner().invoke(command, asked, catch_exceptions=False)


def test_a_parameter_that_lightgbm_does_not_know_is_refused(prices: Path) -> None:
    asked = ["--source", str(prices), "--target", "return", *FAST, "--model-training-parameter", "n_leaves=9"]
    with pytest.raises(ConfigError, match="LightGBM has no parameter n_leaves"):
        CliRunner().invoke(command, asked, catch_exceptions=False)


def test_training_on_what_a_strategy_cannot_be_told_is_refused(prices: Path, tmp_path: Path) -> None:
    asked = ["-s", "volatility_band", "--source", str(prices), "--models", str(tmp_path)]
    with pytest.raises(ConfigError, match=r"This history never tells .*base_fee"):
        CliRunner().invoke(train, asked, catch_exceptions=False)


def test_training_on_minute_bars_keeps_the_model(bars: Path, tmp_path: Path) -> None:
    asked = ["-s", "volatility_band", "--source", str(bars), "--models", str(tmp_path)]
    ran = CliRunner().invoke(train, asked, catch_exceptions=False)
    assert ran.exit_code == 0
    assert len(ModelRegistry(tmp_path).digests()) == 1


@pytest.mark.parametrize(
    ("what", "body", "why"),
    [
        ("dividing", "return 1 // (past.now.block_number % 5 - 2)", r"raised ZeroDivisionError: .*by zero"),
        ("leaving", "raise SystemExit(0)", r"raised SystemExit: 0"),
        ("endless", "while True: pass", r"took longer than 0\.2 s and was interrupted"),
        (
            "halved",
            "return past.now.tick / 2",
            r"raised TypeError: the feature own_halved_3 gave float, not int",
        ),
    ],
)
def test_an_own_feature_that_fails_ends_the_training_in_a_sentence(
    prices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, body: str, why: str
) -> None:
    monkeypatch.setattr(asking, "TimeLimit", partial(TimeLimit, limit_s=0.2))
    path = tmp_path / f"{what}.py"
    path.write_text(OWN.replace("{what}", what).replace("{body}", body), encoding="utf-8")
    wanted = ["-s", f"{path}:Own", "--source", str(prices), "--models", str(tmp_path / "models")]
    with pytest.raises(
        ConfigError, match=rf"The feature own_{what}_3, asked of block \d+, {why}\."
    ) as raised:
        CliRunner().invoke(train, wanted, catch_exceptions=False)
    assert raised.value.hint == "It is the strategy's own: mend it in the strategy's file."
    assert not (tmp_path / "models").exists()


def test_an_own_feature_that_knows_single_rows_only_is_trained_with(prices: Path, tmp_path: Path) -> None:
    body = "return max(past.ago(k).tick for k in range(n)) - past.now.tick"
    path = tmp_path / "able.py"
    path.write_text(OWN.replace("{what}", "able").replace("{body}", body), encoding="utf-8")
    wanted = ["-s", f"{path}:Own", "--source", str(prices), "--models", str(tmp_path / "models"), "--json"]
    ran = CliRunner().invoke(train, [*wanted, "--folds", "2", "--rounds", "10"], catch_exceptions=False)
    assert "own_able_3" in {one["name"] for one in json.loads(ran.stdout)["features"]}


@pytest.mark.parametrize("option", ["--out", "--models"])
def test_a_folder_that_cannot_be_made_is_said_before_anything_is_trained(tmp_path: Path, option: str) -> None:
    (tmp_path / "file").touch()
    asked = ["--source", str(tmp_path / "gone"), option, str(tmp_path / "file" / "in")]
    with pytest.raises(DefaiError, match=r"Nothing can be written to .*file/in"):
        CliRunner().invoke(command, asked, catch_exceptions=False)
    if option == "--models":
        with pytest.raises(DefaiError, match="Nothing can be written to"):
            CliRunner().invoke(train, ["-s", "volatility_band", *asked], catch_exceptions=False)
