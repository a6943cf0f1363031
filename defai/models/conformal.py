"""Bands that hold the outcome with a stated probability (split conformal prediction)."""

from math import ceil

import numpy as np

from defai.models.metrics import Floats


def half_width(errors: Floats, level: float) -> float:
    """Half the width of a band that holds the next outcome with this probability, if errors are exchangeable.

    The ceil((n + 1) * level)-th smallest absolute error, the largest where n is too small (Papadopoulos, Proedrou,
    Vovk, Gammerman 2002).

    Args:
        errors: of forecasts on rows the model had not seen, at least one, shape (n,).
        level: the probability.
    """
    sizes = np.sort(np.abs(errors))
    return float(sizes[min(ceil((len(sizes) + 1) * level), len(sizes)) - 1])


def coverage(errors: Floats, widths: Floats) -> float:
    """The share of errors within their bands' half-widths; both of shape (n,)."""
    return float((np.abs(errors) <= widths).mean())
