"""Models trained once for all tests of this folder: training imports LightGBM, which takes its time."""

from dataclasses import replace

import pytest
from hypothesis import settings

from defai.market.window import Observation
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.testing.histories import generated_history

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

FEATURES = (
    "return_1",
    "return_6",
    "volatility_6",
    "volatility_30",
    "parkinson_12",
    "deviation_12",
    "base_fee",
)
QUICK = Design(seed=5, rounds=30, folds=3)


@pytest.fixture(scope="session")
def wild() -> list[Observation]:
    """Calm and wild times follow each other; the price goes nowhere in particular."""
    return generated_history(2_500, seed=11, clustering=0.12, start_tick=-50)


@pytest.fixture(scope="session")
def reverting() -> list[Observation]:
    """The price comes back."""
    return generated_history(2_500, seed=12, reversion=0.2)


@pytest.fixture(scope="session")
def volatility_model(wild: list[Observation]) -> TrainedModel:
    design = replace(QUICK, fixed_rounds=True)
    return train({"main": wild}, feature_names=FEATURES, target=Target("volatility", 6), design=design)


@pytest.fixture(scope="session")
def return_model(reverting: list[Observation]) -> TrainedModel:
    return train({"main": reverting}, feature_names=FEATURES, target=Target("return", 6), design=QUICK)
