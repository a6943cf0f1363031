"""A home of its own for whatever tests start: what they cache and keep never touches the user's."""

import asyncio
import fcntl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from defai.config import Settings
from defai.market.window import Observation
from defai.models.registry import ModelRegistry
from defai.models.study import Design
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.session.choice import history_recipe
from defai.session.history import HistoryRecipe, generate_history
from defai.session.training import model_key
from defai.strategy.registry import LoadedStrategy, load

QUICK = HistoryRecipe(blocks=760, block_seconds=60)
"""Less history than the demo trains on: here it matters that there are models, not how good they are."""


@pytest.fixture(scope="session")
def home_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where this run of the tests keeps the stand-in's contracts and its models; all workers share it."""
    path = tmp_path_factory.getbasetemp()
    if path.name.startswith("popen-"):
        path = path.parent
    path /= "home"
    path.mkdir(exist_ok=True)
    return path


@pytest.fixture
def home(home_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home for this test and what it starts; of other tests' sessions nothing is seen in it."""
    set_home(monkeypatch, home_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    return home_path


def set_home(patch: pytest.MonkeyPatch, path: Path) -> None:
    """Let everything that is kept for a user be kept below a path."""
    for name, folder in (("CACHE", "cache"), ("DATA", "data"), ("STATE", "state"), ("CONFIG", "config")):
        patch.setenv(f"XDG_{name}_HOME", str(path / folder))
    patch.setenv("HOME", str(path))


@pytest.fixture(scope="session")
def models(home_path: Path) -> Path:
    """The folder of models, in which those of the demo's strategies are."""
    folder = home_path / "data" / "defai" / "models"
    with _alone(home_path / "training.lock"):
        teach(folder, Settings.demo(environment={}))
    return folder


@pytest.fixture
def trained_home(home: Path, models: Path) -> Path:
    """A home in which nobody has to wait for training."""
    assert models.is_relative_to(home)
    return home


def teach(folder: Path, settings: Settings) -> None:
    """See to it that a session with these settings finds its models, trained on a quick history."""
    registry = ModelRegistry(folder)
    histories = None
    for agent in settings.agents:
        loaded = load(agent.strategy, agent.parameters)
        wanted, known = model_key(loaded, history_recipe(settings)), model_key(loaded, QUICK)
        if wanted is None or known is None or registry.find(wanted):
            continue
        model = registry.find(known)
        if model is None:
            histories = histories or asyncio.run(generate_history(QUICK))
            model = trained(loaded, histories)
            registry.save(model, key=known)
        registry.save(model, key=wanted)


def trained(loaded: LoadedStrategy, histories: Mapping[str, Sequence[Observation]]) -> TrainedModel:
    """A model of a few trees."""
    target = loaded.strategy.target()
    assert target is not None
    pools = {name: histories[name] for name in loaded.strategy.pools()}
    return train(
        pools,
        feature_names=loaded.strategy.features(),
        target=target,
        design=Design(folds=2, rounds=8),
        source=str(QUICK),
    )


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
