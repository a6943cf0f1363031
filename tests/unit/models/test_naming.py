"""A kept model is named by the beginning of its digest or by its identifier, and held to what the strategy wants."""

from dataclasses import replace
from pathlib import Path

import pytest

from defai.config import AgentSettings, Settings
from defai.errors import ConfigError, NotFoundError
from defai.models.registry import ModelRefusedError, ModelRegistry
from defai.models.trained import TrainedModel
from defai.session import naming_models
from defai.session.fleet import Member
from defai.session.naming_models import models_named, named_model
from defai.strategy.registry import LoadedStrategy, load

CODE = """
from defai.strategy.api import Context, Hold, Intent, Strategy, Target
class Wants(Strategy):
    '''Wants a forecast.'''
    horizon: int = 6
    feature: str = "return_6"
    def features(self) -> tuple[str, ...]:
        return ("return_1", self.feature)
    def target(self) -> Target:
        return Target("return", self.horizon)
    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="wants nothing else")
"""


def called(model: TrainedModel, identifier: str) -> TrainedModel:
    return replace(model, card=replace(model.card, identifier=identifier))


@pytest.fixture
def registry(tmp_path: Path, return_model: TrainedModel, volatility_model: TrainedModel) -> ModelRegistry:
    made = ModelRegistry(tmp_path / "models")
    made.save(called(return_model, "eth-move"))
    made.save(called(volatility_model, "eth-wild"))
    return made


def wanting(tmp_path: Path, **parameters: object) -> LoadedStrategy:
    file = tmp_path / "wants.py"
    file.write_text(CODE)
    return load(f"{file}:Wants", parameters)


def test_a_model_is_found_by_either_name(
    registry: ModelRegistry, return_model: TrainedModel, tmp_path: Path
) -> None:
    loaded = wanting(tmp_path)
    for name in (return_model.digest, return_model.digest[:12], "eth-move"):
        assert named_model("one", name, loaded, registry.folder).digest == return_model.digest


def test_a_fleet_takes_the_models_that_its_agents_name(
    registry: ModelRegistry, return_model: TrainedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(naming_models, "models_folder", lambda: registry.folder)
    file = tmp_path / "fleet.toml"
    file.write_text(
        f"[[agents]]\nname = 'one'\nstrategy = 'x'\nmodel = '{return_model.digest}'\n"
        "[[agents]]\nname = 'two'\nstrategy = 'x'\n"
    )
    agents = Settings.load(file, environment={}).agents
    members = [Member(agent, wanting(tmp_path), ()) for agent in agents]
    assert [model and model.digest for model in models_named(members)] == [return_model.digest, None]


@pytest.mark.parametrize(
    ("name", "parameters", "kind", "said"),
    [
        ("0xzz", {}, NotFoundError, "There is no model 0xzz in"),
        ("eth", {}, NotFoundError, "There is no model eth in"),
        ("0x", {}, ConfigError, "2 models begin with 0x"),
        ("eth-wild", {}, ConfigError, "wants return of the next 6 blocks, and the model"),
        ("eth-move", {"horizon": 7}, ConfigError, "wants return of the next 7 blocks, and the model"),
        ("eth-move", {"feature": "return_24"}, ConfigError, "is not given return_24, which 'wants' looks at"),
    ],
)
def test_what_is_none_for_the_agent_is_refused_with_its_name(
    registry: ModelRegistry,
    tmp_path: Path,
    name: str,
    parameters: dict[str, object],
    kind: type[Exception],
    said: str,
) -> None:
    with pytest.raises(kind) as caught:
        named_model("one", name, wanting(tmp_path, **parameters), registry.folder)
    assert str(caught.value).startswith("The agent 'one' can't have its model. ")
    assert said in str(caught.value)


def test_a_model_that_is_not_what_its_digest_says_is_not_loaded(
    registry: ModelRegistry, return_model: TrainedModel, tmp_path: Path
) -> None:
    (registry.folder / return_model.digest / "model.json").write_bytes(b"{}")
    with pytest.raises(ModelRefusedError, match=r"agent 'one'.* is not what its digest says"):
        named_model("one", return_model.digest[:8], wanting(tmp_path), registry.folder)
    with pytest.raises(NotFoundError):
        named_model("one", "eth-move", wanting(tmp_path), registry.folder)


def test_two_models_of_one_name_are_told_apart_by_digest(
    registry: ModelRegistry, return_model: TrainedModel, tmp_path: Path
) -> None:
    twin = replace(return_model, beats_baseline=not return_model.beats_baseline)
    twin = replace(twin, card=replace(twin.card, identifier="eth-move", model_digest=twin.digest))
    registry.save(twin)
    with pytest.raises(ConfigError, match=r"2 models are called eth-move.*0x"):
        named_model("one", "eth-move", wanting(tmp_path), registry.folder)


def test_a_strategy_without_a_forecast_takes_no_model(registry: ModelRegistry) -> None:
    agent = AgentSettings(name="one", strategy="hold", model="eth-move")
    with pytest.raises(ConfigError, match="'hold' wants no forecast, and the model"):
        named_model(agent.name, "eth-move", load("hold"), registry.folder)
