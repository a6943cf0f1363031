"""Who replaced whom is kept; what can be rolled back to is never pruned; a pickle is never a model."""

import json
import os
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from defai.cli import logs, main
from defai.errors import ConfigError, NotFoundError
from defai.models.lineage import Lineage, Switch
from defai.models.registry import ModelRefusedError, ModelRegistry
from defai.models.trained import TrainedModel


class Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.place), 0o700)


@pytest.fixture
def registry(tmp_path: Path, return_model: TrainedModel, volatility_model: TrainedModel) -> ModelRegistry:
    made = ModelRegistry(tmp_path / "models")
    made.save(return_model, key="mine")
    made.save(volatility_model)
    return made


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "default_directory", lambda: tmp_path / "log")


@pytest.mark.parametrize("name", ["model.json", "card.json", "lightgbm.txt"])
def test_a_pickle_is_refused_and_never_opened(
    registry: ModelRegistry, return_model: TrainedModel, tmp_path: Path, name: str
) -> None:
    exploded = tmp_path / "exploded"
    (registry.folder / return_model.digest / name).write_bytes(pickle.dumps(Bomb(exploded)))
    with pytest.raises(ModelRefusedError):
        registry.load(return_model.digest)
    assert not exploded.exists()


def test_a_switch_is_kept_and_rolled_back(
    registry: ModelRegistry, return_model: TrainedModel, volatility_model: TrainedModel
) -> None:
    lineage, old, new = Lineage(registry), return_model.digest, volatility_model.digest
    lineage.switch("mine", Switch(new, old, "better on 500 blocks", 77))
    assert registry.keys() == {"mine": new}
    back = lineage.roll_back("mine", "it lost money")
    assert (back.digest, back.parent, back.is_rollback) == (old, new, True)
    assert registry.keys() == {"mine": old}
    assert [switch.reason for switch in lineage.of("mine")] == ["better on 500 blocks", "it lost money"]
    with pytest.raises(NotFoundError, match="replaced none"):
        lineage.roll_back("mine", "again")


def test_nothing_can_be_switched_to_that_is_not_what_its_digest_says(
    registry: ModelRegistry, return_model: TrainedModel, volatility_model: TrainedModel
) -> None:
    (registry.folder / volatility_model.digest / "model.json").write_bytes(b"{}")
    with pytest.raises(ModelRefusedError):
        Lineage(registry).switch("mine", Switch(volatility_model.digest, return_model.digest, "why not"))
    assert registry.keys() == {"mine": return_model.digest}


def test_a_digest_may_be_shortened(registry: ModelRegistry, return_model: TrainedModel) -> None:
    assert registry.named(return_model.digest[:12]) == return_model.digest
    with pytest.raises(ConfigError, match="2 models begin with 0x"):
        registry.named("0x")
    with pytest.raises(NotFoundError, match="There is no model 0xzz"):
        registry.named("0xzz")


def test_the_commands(
    registry: ModelRegistry,
    return_model: TrainedModel,
    volatility_model: TrainedModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    old, new, folder = return_model.digest, volatility_model.digest, str(registry.folder)

    def said(*arguments: str) -> dict[str, Any]:
        assert main.run(["models", *arguments, "--models", folder, "--json"]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    assert said("prune")["models"] == [new]
    assert registry.digests() == tuple(sorted((old, new)))
    found = said("verify", "--rows", "50")["models"]
    assert found == [
        {"digest": digest, "checked": ["digest", "LightGBM"], "broken": ""} for digest in sorted((old, new))
    ]
    table = said("compare", old[:10], new[:10])
    assert table["same_history"] is False
    Lineage(registry).switch("mine", Switch(new, old, "better"))
    assert said("prune", "--yes")["models"] == []
    assert said("list")["models"][0]["digest"] == new, "a hundred that lost do not hide the one that serves"
    assert said("rollback", "mine", "--reason", "worse after all")["digest"] == old
    assert said("list")["models"][0]["digest"] == old
    assert len(registry.digests()) == 2
    (registry.folder / "lines" / "mine").unlink()
    assert said("prune", "--yes")["models"] == [new]
    assert registry.digests() == (old,)
    for plain in (["list"], ["show", old], ["compare", old, old], ["verify"], ["history", "mine"], ["prune"]):
        assert main.run(["models", *plain, "--models", folder]) == 0
    assert f"{old[:10]}…{old[-4:]}" in capsys.readouterr().out


def test_a_broken_model_ends_verification_with_1(
    registry: ModelRegistry, return_model: TrainedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    (registry.folder / return_model.digest / "card.json").write_bytes(b"{}")
    assert main.run(["models", "verify", "--rows", "5", "--models", str(registry.folder)]) == 1
    assert "is not what its digest says" in capsys.readouterr().out
    assert main.run(["models", "list", "--models", str(registry.folder)]) == 0
    assert "is not what its digest says" in capsys.readouterr().out


def test_a_chain_has_to_be_named(registry: ModelRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["models", "register", "0x", "--models", str(registry.folder)]) == 4
    some = registry.digests()[0]
    assert main.run(["models", "register", some, "--models", str(registry.folder)]) == 4
    assert "Say where the registry is" in capsys.readouterr().err


def test_a_model_with_a_name_is_kept_and_a_key_that_is_none_is_said(
    registry: ModelRegistry, volatility_model: TrainedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ["--models", str(registry.folder)]
    registry.remove(volatility_model.digest)
    registry.save(replace(volatility_model, card=replace(volatility_model.card, identifier="mine-too")))
    assert main.run(["models", "prune", "--yes", *folder]) == 0
    assert "is used or has a name" in capsys.readouterr().out
    assert volatility_model.digest in registry.digests()
    for command in ("history", "rollback"):
        assert main.run(["models", command, "min", *folder]) == 2
        assert "is used for min. Did you mean mine?" in " ".join(capsys.readouterr().err.split())
