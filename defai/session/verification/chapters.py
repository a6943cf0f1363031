"""The chapters of an agent's story: its charter, and what amendments made of it from some block on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from defai.audit.amendment import Amendment
from defai.audit.charter import Charter
from defai.chain.download.patience import PatientRpc
from defai.session.verification.evidence import Trail
from defai.session.verification.forecasters import Oracle, find_oracle
from defai.session.verification.strategies import Found, find_strategy
from defai.strategy.api import Context, Hold, Intent, Strategy


@dataclass(frozen=True, slots=True)
class Means:
    """What the auditor brings along.

    Attributes:
        strategies: folders with the strategies' sources.
        models: a folder of models, for those that were not registered.
    """

    strategies: Sequence[Path]
    models: Path | None = None


class UnknownStrategy(Strategy):
    """Stands for a strategy whose source is not there: it wants the features that the charter names."""

    names: tuple[str, ...] = ()

    def features(self) -> tuple[str, ...]:
        """Those of the charter."""
        return self.names

    def decide(self, ctx: Context) -> Intent:  # noqa: ARG002  it knows nothing
        """Nobody knows."""
        return Hold(reason="unknown")


@dataclass(frozen=True, slots=True)
class Chapter:
    """What an agent decides by, from a block on.

    Attributes:
        upon: the first block decided upon so.
        charter: as amended.
        holds: the reason with which it holds whatever the strategy wants; empty where the strategy is asked.
    """

    upon: int
    charter: Charter
    strategy: Found
    oracle: Oracle
    holds: str = ""

    @property
    def author(self) -> Strategy:
        """The strategy, or what stands for it."""
        loaded = self.strategy.strategy
        return loaded.strategy if loaded else UnknownStrategy(names=self.charter.features)


async def read_chapters(rpc: PatientRpc, trail: Trail, charter: Charter, means: Means) -> tuple[Chapter, ...]:
    """An agent's chapters, in order; the first one is its charter's.

    Args:
        rpc: the node, for models.
        trail: of the agent.
        charter: its own.
        means: strategies and models.
    """
    chapters = [await _chapter(rpc, 0, charter, "", means)]
    for amendment in sorted(trail.amendments, key=_upon):
        last = chapters[-1]
        holds = last.holds if amendment.holds is None else amendment.holds
        chapters.append(await _chapter(rpc, amendment.upon, amendment.amended(last.charter), holds, means))
    return tuple(chapters)


def chapter_at(chapters: Sequence[Chapter], block_number: int) -> Chapter:
    """The one that a decision upon a block belongs to."""
    return next(chapter for chapter in reversed(chapters) if chapter.upon <= block_number)


async def _chapter(rpc: PatientRpc, upon: int, charter: Charter, holds: str, means: Means) -> Chapter:
    strategy = find_strategy(charter, means.strategies)
    author = Chapter(upon, charter, strategy, Oracle(None)).author
    return Chapter(upon, charter, strategy, await find_oracle(rpc, charter, author, means.models), holds)


def _upon(amendment: Amendment) -> int:
    return amendment.upon
