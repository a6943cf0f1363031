"""What the agent asks of a model."""

from typing import Protocol

from defai.domain.decisions import FeatureRow, Forecast
from defai.features.spec import FeatureSpec
from defai.models.targets import Target


class Model(Protocol):
    """Gives a forecast for a feature row: the same one on every machine, and on the chain."""

    @property
    def digest(self) -> str:
        """keccak256 over everything that a forecast depends on."""

    @property
    def spec(self) -> FeatureSpec:
        """The features it wants."""

    @property
    def target(self) -> Target:
        """What it forecasts."""

    def predict(self, row: FeatureRow) -> Forecast:
        """The forecast for one row.

        Raises:
            ValueError: where the row is not of the model's feature specification.
        """
