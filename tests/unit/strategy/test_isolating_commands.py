"""Whoever decides again, checks or lists need not trust the file: with one word only its own process imports it."""

import json
import os
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from click.testing import CliRunner

from defai.audit.charter import Charter
from defai.audit.record import strategy_digest
from defai.cli import check_strategy as check_command
from defai.errors import ConfigError
from defai.session.parameters import strategy_cards
from defai.session.verification.strategies import find_strategy
from defai.strategy.registry import FOLDER_VARIABLE, ISOLATE_VARIABLE, load, shipped_folder
from defai.testing.checking import check_strategy

SOURCE = '''
from pathlib import Path
from typing import Annotated
from defai.strategy.api import Context, Field, Hold, Intent, Strategy, Target, unit

try:
    Path({mark!r}).write_text("was here")
except OSError:
    pass


class Eager(Strategy):
    """Leaves a mark where it is imported."""

    width: Annotated[int, Field(ge=1, le=9, description="how wide"), unit("ticks")] = 3

    def target(self) -> Target:
        return Target(kind="return", horizon_blocks=6)

    def features(self) -> tuple[str, ...]:
        return ("return_6",)

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="")
'''


@pytest.fixture
def eager(tmp_path: Path) -> tuple[Path, Path]:
    """A file, and the mark it leaves."""
    path, mark = tmp_path / "eager.py", tmp_path / "mark"
    path.write_text(SOURCE.replace("{mark!r}", repr(str(mark))))
    return path, mark


def test_one_variable_is_for_all_that_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ISOLATE_VARIABLE, "1")
    assert load("hold").protection
    assert not load("hold", folder=shipped_folder(), isolate=False).protection


def test_deciding_again_takes_no_import(eager: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path, mark = eager
    digest = strategy_digest(path.read_bytes(), {"width": 3})
    charter = SimpleNamespace(
        strategy="eager", strategy_class="Eager", strategy_digest=digest, parameters={"width": 3}
    )
    monkeypatch.setenv(ISOLATE_VARIABLE, "1")
    found = find_strategy(cast("Charter", charter), [path.parent])
    assert found.strategy is not None
    assert found.note.endswith("eager.py, in a process of its own")
    assert found.digest == digest
    assert not mark.exists()
    monkeypatch.delenv(ISOLATE_VARIABLE)
    assert find_strategy(cast("Charter", charter), [path.parent]).digest == digest
    assert mark.exists(), "without it, it is imported here"


def test_checking_takes_no_import_and_finds_the_same(eager: tuple[Path, Path]) -> None:
    path, mark = eager
    done = CliRunner().invoke(
        check_command.command, [str(path), "--json", "--isolate"], standalone_mode=False
    )
    assert not mark.exists()
    assert ISOLATE_VARIABLE not in os.environ
    apart, here = json.loads(done.output), check_strategy(str(path))
    assert apart["findings"] == [asdict(one) for one in here.findings]
    said = {(one["line"], one["sentence"]) for one in apart["findings"]}
    assert (2, "imports pathlib") in said
    assert any(sentence.endswith("a Hold without a reason") for _, sentence in said)
    assert apart["protection"]
    assert not here.protection
    assert mark.exists()


def test_what_cannot_be_loaded_is_told_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "broken.py"
    path.write_text("from defai.strategy.api import Strategy\nclass Broken(Strategy):\n    x: int = 1 // 0\n")
    with pytest.raises(ConfigError, match="cannot be imported: ZeroDivisionError"):
        check_strategy(str(path), isolate=True)


def test_choosing_takes_no_import(eager: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path, mark = eager
    monkeypatch.setenv(FOLDER_VARIABLE, str(path.parent))
    card = next(one for one in strategy_cards() if one.name == "eager")
    assert not mark.exists()
    assert card.needs_model
    (width,) = card.form
    assert (width.name, width.value, width.default, width.unit) == ("width", "3", "3", "ticks")
    assert (width.minimum, width.maximum) == (Decimal(1), Decimal(9))
    assert width.description == "how wide"
