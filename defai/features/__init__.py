"""Features: named, versioned integer functions of a pool's past, and the one way to compute rows of them."""

from defai.features import library, logs
from defai.features.pipeline import build_table, compute_row, find_lookahead
from defai.features.spec import Feature, FeatureSpec, definitions, feature, resolve
from defai.features.tape import Past, Quantity, Tape

__all__ = [
    "Feature",
    "FeatureSpec",
    "Past",
    "Quantity",
    "Tape",
    "build_table",
    "compute_row",
    "definitions",
    "feature",
    "find_lookahead",
    "library",
    "logs",
    "resolve",
]
