"""`defai walk-forward` on a file of prices: its card, its page, and what it refuses."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.cli.train import command as train
from defai.cli.walk_forward import command
from defai.errors import ConfigError
from defai.models.registry import ModelRegistry
from defai.testing.histories import generated_history

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


def test_training_on_what_a_strategy_cannot_be_told_is_refused(prices: Path, tmp_path: Path) -> None:
    asked = ["-s", "volatility_band", "--source", str(prices), "--models", str(tmp_path)]
    with pytest.raises(ConfigError, match=r"This history never tells .*base_fee"):
        CliRunner().invoke(train, asked, catch_exceptions=False)


def test_training_on_minute_bars_keeps_the_model(bars: Path, tmp_path: Path) -> None:
    asked = ["-s", "volatility_band", "--source", str(bars), "--models", str(tmp_path)]
    ran = CliRunner().invoke(train, asked, catch_exceptions=False)
    assert ran.exit_code == 0
    assert len(ModelRegistry(tmp_path).digests()) == 1
