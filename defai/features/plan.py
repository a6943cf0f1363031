"""How a specification's features are computed at each new block of the same tapes: written down once, then run.

The features that come with the program are asked once what they do (`traced`), and what they say becomes one function
without a call, a lookup or a sum that is done twice; so do the quantities that a block adds to running sums. What does
not let itself be written down, an author's own features among it, is asked each time. Whatever the lines don't know is
left to `pipeline.row_at`, which says the same of every row, only more slowly.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import isqrt
from typing import Any, Final, TypeAlias, cast

from defai.domain.decisions import FeatureRow
from defai.features.arithmetic import ratio
from defai.features.logarithm import log2_of_one
from defai.features.pipeline import FEATURE_LIMIT, pasts, row_at, value_of
from defai.features.spec import Feature, FeatureSpec, is_shipped
from defai.features.tape import Past, Quantity, Series, Tape
from defai.features.traced import Given, Script, TracedPast, TracedRow
from defai.market.window import NotKnownError, Observation

_SAID: Final = {"NotKnownError": NotKnownError, "isqrt": isqrt, "log2_x16": log2_of_one, "ratio": ratio}
"""What lines call."""
Bind: TypeAlias = Callable[..., Callable[..., Any]]
_KEPT: Final = 64
"""Specifications whose lines are kept: every backtest of a sweep has the same ones."""


class Plan:
    """The features of some tapes, row after row.

    Args:
        spec: which features.
        tapes: the rows of each pool, which may grow; their sums are kept as written down from now on.
    """

    __slots__ = ("_compute", "_own", "_spec", "_tapes", "_unknown", "_views")

    def __init__(self, spec: FeatureSpec, tapes: Sequence[Tape]) -> None:
        self._spec = spec
        self._tapes = tapes
        self._views = pasts(tapes, spec)
        bind, given, apart = _lines_of_features(spec.features)
        looked_at = [_look(one, tapes) for one in given]
        self._own = [self._views[position] for position in apart]
        asked = [_asked(spec.features[position], self._views[position]) for position in apart]
        self._compute = bind(*(what for what, _ in looked_at), *asked)
        self._unknown = [series.unknown for _, series in looked_at if series is not None]
        for tape in tapes:
            _grow_at_once(tape)

    def row(self, end: int) -> FeatureRow | None:
        """The features as of one row; None where they are not ready."""
        spec, tapes = self._spec, self._tapes
        if spec.elsewhere or any(self._unknown):
            return row_at(self._views, tapes, end, spec)
        for tape in tapes:
            if not tape.reaches_back(end, spec.warm_up):
                return None
        for past in self._own:
            past.moved(end)
        try:
            values = self._compute(end)
        except NotKnownError:
            return row_at(self._views, tapes, end, spec)
        if max(values) > FEATURE_LIMIT or min(values) < -FEATURE_LIMIT:
            values = tuple(max(-FEATURE_LIMIT, min(FEATURE_LIMIT, value)) for value in values)
        return FeatureRow(tapes[0].rows[end].block_number, spec.names, values, spec.digest)


def _asked(one: Feature, past: Past) -> Callable[[], int]:
    return lambda: value_of(one, past)


def _look(given: Given, tapes: Sequence[Tape]) -> tuple[object, Series | None]:
    """What lines look at, and the series that has to know all of it."""
    kind, pool, *which = given
    tape = tapes[pool]
    if kind == "rows":
        return tape.rows, None
    if kind == "product_sums":
        mine, other, theirs, lag = which
        products = tape.products(mine, tapes[other], theirs, lag)
        return products.sums, products
    series = tape.series(which[0])
    return series.highest if kind == "highest" else series.sums, series


@lru_cache(_KEPT)
def _lines_of_features(features: tuple[Feature, ...]) -> tuple[Bind, tuple[Given, ...], tuple[int, ...]]:
    """The features' lines, what these look at, and the positions of those that are asked each time."""
    script, answers, apart = Script(), [], []
    for position, one in enumerate(features):
        depth = one.warm_up
        others = tuple(TracedPast(script, pool, depth) for pool in range(1, one.pools))
        past = TracedPast(script, 0, depth, others)
        said = None if one.code_digest or one.elsewhere else script.take_down(one.function, past)
        if said is None:
            said = f"own{position}()"
            apart.append(position)
        answers.append(said)
    names = [*script.given.values(), *(f"own{position}" for position in apart)]
    lines = [*script.lines, f"return ({', '.join(answers)},)"]
    return _function(names, "end", lines), tuple(script.given), tuple(apart)


def _grow_at_once(tape: Tape) -> None:
    """Have a tape's sums kept by lines, all but those of an author's own quantities."""
    shipped = tuple(quantity for quantity in tape.known if is_shipped(quantity))
    kept = [tape.known[quantity] for quantity in shipped]
    looked_at = [part for one in kept for part in (one.values, one.sums)]
    tape.grow_at_once(shipped, _lines_of_growth(shipped)(*looked_at, *shipped))


@lru_cache(_KEPT)
def _lines_of_growth(quantities: tuple[Quantity, ...]) -> Bind:
    """Lines that add a row to the sums of quantities: to all, or to none where a row doesn't know what is asked."""
    script, adding = Script(), []
    before, after = (cast("Observation", TracedRow(script, name)) for name in ("before", "after"))
    for place, one in enumerate(quantities):
        said = script.take_down(one, before, after) or script.let(f"quantity{place}(before, after)")
        adding += [f"values{place}.append({said})", f"sums{place}.append(sums{place}[last] + {said})"]
    places = range(len(quantities))
    names = [name for place in places for name in (f"values{place}", f"sums{place}")]
    names += [f"quantity{place}" for place in places]
    return _function(names, "before, after, last", [*script.lines, *adding, "return"])


def _function(names: Sequence[str], arguments: str, lines: Sequence[str]) -> Bind:
    """A function that, given what names stand for, gives one of these lines."""
    text = "\n".join(
        [
            f"def bind({', '.join(names)}):",
            f"    def run({arguments}):",
            *("        " + line for line in lines),
            "    return run",
        ]
    )
    scope: dict[str, Any] = dict(_SAID)
    exec(compile(text, "<features>", "exec"), scope)  # noqa: S102  of lines that are made here, of this package's own formulas
    return cast("Bind", scope["bind"])
