"""What is on disk is what its digest says, or it is not loaded."""

import json
import shutil
from pathlib import Path

import pytest

from defai.errors import NotFoundError
from defai.features import spec as spec_module
from defai.models.card import canonical_json, keccak_hex
from defai.models.registry import ModelRefusedError, ModelRegistry
from defai.models.trained import TrainedModel


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models")


def test_a_model_comes_back_as_it_went(registry: ModelRegistry, return_model: TrainedModel) -> None:
    digest = registry.save(return_model, key="reversion-1")
    assert digest == return_model.digest
    for found in (registry.load(digest), registry.find("reversion-1")):
        assert found == return_model
        assert found is not None
        assert found.card == return_model.card
        assert found.lightgbm_text == return_model.lightgbm_text
        assert found.digest == digest
    assert registry.list() == (return_model.card,)


def test_what_is_not_there(registry: ModelRegistry) -> None:
    assert registry.find("nothing") is None
    assert registry.list() == ()
    with pytest.raises(NotFoundError, match="There is no model 0x00"):
        registry.load("0x" + "00" * 32)
    with pytest.raises(NotFoundError, match="is not the digest of a model"):
        registry.load("../elsewhere")


def test_saving_twice_changes_nothing(registry: ModelRegistry, return_model: TrainedModel) -> None:
    place = registry.folder / registry.save(return_model)
    before = {file.name: file.stat().st_mtime_ns for file in place.iterdir()}
    registry.save(return_model)
    assert before == {file.name: file.stat().st_mtime_ns for file in place.iterdir()}
    assert [entry.name for entry in registry.folder.iterdir()] == [return_model.digest]


def test_another_process_may_be_faster(
    registry: ModelRegistry, return_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It saves the same model between our look and our rename."""
    rename = Path.rename

    def overtaken(draft: Path, place: Path) -> Path:
        shutil.copytree(draft, place)
        return rename(draft, place)

    monkeypatch.setattr(Path, "rename", overtaken)
    digest = registry.save(return_model)
    assert registry.load(digest) == return_model
    assert [entry.name for entry in registry.folder.iterdir()] == [digest]


def test_a_full_disk_is_not_hidden(
    registry: ModelRegistry, return_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(draft: Path, place: Path) -> Path:
        raise OSError(28, "No space left on device", str(draft), None, str(place))

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space left"):
        registry.save(return_model)
    assert list(registry.folder.iterdir()) == []


def test_a_key_moves_on(
    registry: ModelRegistry, return_model: TrainedModel, volatility_model: TrainedModel
) -> None:
    registry.save(return_model, key="mine")
    registry.save(volatility_model, key="mine")
    assert registry.find("mine") == volatility_model
    assert registry.digests() == tuple(sorted((return_model.digest, volatility_model.digest)))
    assert [entry.name for entry in (registry.folder / "keys").iterdir()] == ["mine"]


@pytest.mark.parametrize("key", ["", "../up", "a/b", ".hidden", "a" * 201])
def test_what_is_no_key(registry: ModelRegistry, key: str) -> None:
    with pytest.raises(ValueError, match="is no key"):
        registry.find(key)


@pytest.mark.parametrize("name", ["model.json", "card.json", "lightgbm.txt"])
@pytest.mark.parametrize("where", [0.0, 0.3, 0.7, 1.0])
def test_a_changed_byte_is_refused(
    registry: ModelRegistry, return_model: TrainedModel, name: str, where: float
) -> None:
    digest = registry.save(return_model)
    file = registry.folder / digest / name
    content = bytearray(file.read_bytes())
    content[int(where * (len(content) - 1))] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelRefusedError, match=f"The model {digest} is not what its digest says") as refused:
        registry.load(digest)
    assert refused.value.hint
    assert refused.value.exit_code == 1


def test_other_trees_under_an_old_digest_are_refused(
    registry: ModelRegistry, return_model: TrainedModel
) -> None:
    digest = registry.save(return_model)
    file = registry.folder / digest / "model.json"
    raw = json.loads(file.read_bytes())
    raw["trees"][0]["leaf_x24"][0] += 1
    file.write_bytes(canonical_json(raw))
    with pytest.raises(ModelRefusedError, match="its trees have the digest 0x"):
        registry.load(digest)


def test_a_card_that_was_made_up_is_refused(registry: ModelRegistry, return_model: TrainedModel) -> None:
    """Even with its own digest put right: it then names another model."""
    digest = registry.save(return_model)
    file = registry.folder / digest / "card.json"
    shown = json.loads(file.read_bytes())
    shown["card"]["model_digest"] = "0x" + "44" * 32
    shown["card_digest"] = keccak_hex(canonical_json(shown["card"]))
    file.write_bytes(json.dumps(shown, indent=1, sort_keys=True).encode() + b"\n")
    with pytest.raises(ModelRefusedError, match=r"card\.json is not as it was written"):
        registry.load(digest)


def test_another_way_to_write_the_same_trees_is_refused(
    registry: ModelRegistry, return_model: TrainedModel
) -> None:
    digest = registry.save(return_model)
    file = registry.folder / digest / "model.json"
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(ModelRefusedError, match=r"model\.json is not as it was written"):
        registry.load(digest)


def test_a_missing_file_is_refused(registry: ModelRegistry, return_model: TrainedModel) -> None:
    digest = registry.save(return_model)
    (registry.folder / digest / "lightgbm.txt").unlink()
    with pytest.raises(ModelRefusedError, match="cannot be read"):
        registry.load(digest)


def test_other_versions_of_features_are_refused(
    registry: ModelRegistry, return_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = registry.save(return_model)
    known = dict(spec_module._DEFINITIONS)
    monkeypatch.setattr(spec_module, "_DEFINITIONS", known)
    spec_module.feature("base_fee", version=2, unit="wei", source="changed")(known["base_fee"].function)
    with pytest.raises(ModelRefusedError, match="trained on other versions of its features"):
        registry.load(digest)


def test_a_draft_that_was_left_behind_does_not_count(
    registry: ModelRegistry, return_model: TrainedModel
) -> None:
    registry.save(return_model)
    (registry.folder / f".{return_model.digest}.cafe").mkdir()
    assert registry.digests() == (return_model.digest,)
