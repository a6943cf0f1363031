"""Models: integer trees with a card, trained and measured out of sample, kept by digest."""

from defai.models.base import Model
from defai.models.card import ModelCard, summary
from defai.models.registry import ModelRefusedError, ModelRegistry
from defai.models.targets import Target
from defai.models.trained import TrainedModel

__all__ = ["Model", "ModelCard", "ModelRefusedError", "ModelRegistry", "Target", "TrainedModel", "summary"]
