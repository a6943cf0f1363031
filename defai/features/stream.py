"""Features block by block: what was summed up for the last block is kept for the next one."""

from collections.abc import Mapping, Sequence

from defai.domain.decisions import FeatureRow
from defai.errors import ConfigError
from defai.features.pipeline import check_ends, check_pools
from defai.features.plan import Plan
from defai.features.spec import Definition, FeatureSpec
from defai.features.tape import SPARE_ROWS, Tape
from defai.market.state import WINDOW_BLOCKS, MarketState
from defai.market.window import Observation


class FeatureStream:
    """Says of windows that grow what `compute_row` says, without going through them again.

    It remembers nothing but sums over rows that are in the windows: begun anew at any block, it says the same. It
    begins anew by itself where it is shown other windows, as after a reorganisation.

    Args:
        spec: which features.
    """

    __slots__ = ("_plan", "_tapes", "_windows", "spec")

    def __init__(self, spec: FeatureSpec) -> None:
        self.spec = spec
        self._windows: tuple[Sequence[Observation], ...] = ()
        self._tapes: list[Tape] = []
        self._plan: Plan | None = None

    def row(self, windows: Sequence[Sequence[Observation]]) -> FeatureRow | None:
        """The features as of the newest row of the windows.

        Args:
            windows: rows of each pool, one a block, the newest last; the main pool first. Between calls they may be
                appended to, and lose their oldest rows.

        Returns:
            The row; None where `compute_row` says None.

        Raises:
            ConfigError: where the features look at more pools than there are windows.
            ValueError: where the windows do not end at the same block.
        """
        spec = self.spec
        check_pools(len(windows), spec)
        watched = tuple(windows[: spec.pools])
        for window in watched:
            if len(window) < spec.warm_up:
                return None
        if len(watched) > 1:
            check_ends([window[-1] for window in watched])
        if self._plan is None or not self._follow(watched):
            self._windows = watched
            self._tapes = [Tape(window[-spec.warm_up :]) for window in watched]
            self._plan = Plan(spec, self._tapes)
        return self._plan.row(len(self._tapes[0]) - 1)

    def _follow(self, watched: tuple[Sequence[Observation], ...]) -> bool:
        """Add what is new in the windows; whether that is all there is to do."""
        if len(watched) != len(self._windows) or any(map(_differ, watched, self._windows)):
            return False
        for window, tape in zip(watched, self._tapes, strict=True):
            fresh = _newer(window, tape.rows[-1].block_number)
            if fresh is None:
                return False
            for row in fresh:
                tape.append(row)
        main = self._tapes[0]
        if any(len(tape) != len(main) for tape in self._tapes):
            return False
        for tape in self._tapes:
            tape.append_products()
        surplus = len(main) - self.spec.warm_up
        if surplus > SPARE_ROWS:
            for tape in self._tapes:
                tape.drop(surplus)
        return True


def watch(
    names: Sequence[str], market: MarketState, own: Mapping[str, Definition] | None = None
) -> FeatureStream | None:
    """What says an agent's features, if it wants any; the market measures what they need from now on.

    Args:
        names: which.
        market: what they look at.
        own: as for `FeatureSpec.of`.

    Raises:
        ConfigError: for an unknown feature, or one that looks further back than the market's windows reach.
    """
    if not names:
        return None
    spec = FeatureSpec.of(names, own)
    if spec.warm_up > WINDOW_BLOCKS:
        longest = max(spec.features, key=lambda one: one.warm_up)
        raise ConfigError(
            f"The feature {longest.name} looks at {longest.warm_up:,} blocks; an agent remembers {WINDOW_BLOCKS}.",
            "Take a shorter horizon.",
        )
    if spec.depth:
        market.measures_depth = True
    return FeatureStream(spec)


def _differ(one: object, other: object) -> bool:
    return one is not other


def _newer(window: Sequence[Observation], block_number: int) -> list[Observation] | None:
    """The rows after a block, oldest first; None where that block is not in the window."""
    fresh: list[Observation] = []
    for back in range(1, len(window) + 1):
        row = window[-back]
        if row.block_number <= block_number:
            fresh.reverse()
            return fresh if row.block_number == block_number else None
        fresh.append(row)
    return None
