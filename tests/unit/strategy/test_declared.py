"""What a strategy's file says without being run is what its classes are."""

from pathlib import Path

import pytest

from defai.strategy.declared import declared_in
from defai.strategy.parameters import parameters_of
from defai.strategy.registry import list_names, load, shipped_folder

RICH = '''
from decimal import Decimal
from typing import ClassVar, Literal
from defai.strategy.api import Annotated, Context, Field, Hold, Intent, unit
from defai.strategy.api import Strategy as Base
import defai.strategy.api as api

class Common(Base):
    """What both have."""
    api_version: ClassVar[int] = 1
    LIMIT: ClassVar[int] = 7
    _hidden: int = 3
    blocks: Annotated[int, Field(gt=0, lt=10, description="to wait"), unit("blocks")] = 3

class First(Common):
    """The first."""
    share: float = Field(0.5, gt=0, le=1)
    usd: Annotated[Decimal, Field(ge=-1, multiple_of=0.5)] = Decimal("1.5")
    side: Literal["buy", "sell"] = "buy"
    often: bool = False
    label: str
    most: Annotated[int, Field(ge=3)] | None = None
    least: int | None = Field(default=None, le=9)

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="")

class Second(api.Strategy):
    label: Annotated[str, Field(min_length=1)]

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="")

class Strategies:
    """None."""
'''


def rich(folder: Path) -> Path:
    path = folder / "rich.py"
    path.write_text(RICH, encoding="utf-8")
    return path


def test_what_a_file_declares_is_what_its_classes_are(tmp_path: Path) -> None:
    path = rich(tmp_path)
    for declared in declared_in(path.read_bytes()):
        loaded = load(f"{path}:{declared.class_name}", {"label": "x"})
        assert declared.parameters == parameters_of(type(loaded.strategy))
        assert declared.api_version == loaded.strategy.api_version


def test_all_that_derives_from_a_strategy_is_found_but_what_others_build_on(tmp_path: Path) -> None:
    path = rich(tmp_path)
    assert [(one.class_name, one.summary) for one in declared_in(path.read_bytes())] == [
        ("First", "The first."), ("Second", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("name", [one.name for one in list_names(shipped_folder())])
def test_shipped_files_declare_what_their_classes_are(name: str) -> None:
    (entry,) = [entry for entry in list_names(shipped_folder()) if entry.name == name]
    assert entry.parameters == parameters_of(type(load(name, folder=shipped_folder()).strategy))
