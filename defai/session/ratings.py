"""What an operator thinks of decisions: kept beside them in the run's directory, and what it makes of rows in training.

A rating says whether the moment is one to learn from. Rows near a decision that was rated good count up to twice, near
a bad one down to half; it fades to nothing over `REACH` blocks, since neighbours share what they show. Whether that
helps is measured before it counts (`defai.models.challenge`).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from defai.errors import ConfigError, NotFoundError

Verdict = Literal["good", "bad"]

REACH: Final = 12
_FACTORS: Final[Mapping[Verdict, float]] = {"good": 2.0, "bad": 0.5}
_LIMIT: Final = 8.0
_LONGEST_WHY: Final = 500
_FILE: Final = "ratings.jsonl"


@dataclass(frozen=True, slots=True)
class Rating:
    """What an operator thinks of one decision; a later one of the same decision replaces it."""

    agent: str
    sequence: int
    digest: str
    block_number: int
    verdict: Verdict
    why: str = ""


def rate(run: Path, agent: str, sequence: int, verdict: Verdict, why: str = "") -> Rating:
    """Rate a decision of a run; the run may still go on.

    Args:
        run: its directory.
        agent: who decided.
        sequence: the decision's number.
        verdict: good or bad.
        why: in the operator's words.

    Raises:
        NotFoundError: where the run has no such decision.
        ConfigError: where the reason is too long.
    """
    for kept in _decisions(run):
        if kept["agent"] == agent and kept["sequence"] == sequence:
            return _keep(run, kept, verdict, why)
    raise NotFoundError(f"{agent} took no decision {sequence} in {run}.", "The terminal shows their numbers.")


def rate_digest(run: Path, digest: str, verdict: Verdict, why: str = "") -> Rating:
    """As `rate`, of the decision with this digest."""
    for kept in _decisions(run):
        if kept["digest"] == digest:
            return _keep(run, kept, verdict, why)
    raise NotFoundError(f"There is no decision {digest} in {run}.")


def _decisions(run: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, _lines(run / "decisions.jsonl"))


def _keep(run: Path, kept: Mapping[str, Any], verdict: Verdict, why: str) -> Rating:
    if len(why) > _LONGEST_WHY:
        raise ConfigError(f"The reason has {len(why)} characters.", f"At most {_LONGEST_WHY} are kept.")
    rating = Rating(kept["agent"], kept["sequence"], kept["digest"], kept["block_number"], verdict, why)
    with (run / _FILE).open("ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # one that was cut short: the next is no part of it
                file.write(b"\n")
        file.write(f"{json.dumps(asdict(rating))}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    return rating


def ratings_in(run: Path) -> tuple[Rating, ...]:
    """The ratings of a run's decisions, the last of each. What was cut short is none.

    Raises:
        ConfigError: where a line is something else.
    """
    if not (run / _FILE).exists():
        return ()
    latest: dict[str, Rating] = {}
    rating: Rating | None
    for number, line in enumerate(_lines(run / _FILE), start=1):
        try:
            rating = Rating(**json.loads(line))
        except json.JSONDecodeError:
            continue
        except TypeError:
            rating = None
        if rating is None or rating.verdict not in _FACTORS:
            raise ConfigError(f"Line {number} of {run / _FILE} is no rating.", "Take it out.")
        latest[rating.digest] = rating
    return tuple(latest.values())


def row_weights(ratings: Sequence[Rating]) -> dict[int, float]:
    """How much rows count, by block number; those that are not named count once."""
    weights: dict[int, float] = {}
    for rating in ratings:
        for away in range(-REACH, REACH + 1):
            block = rating.block_number + away
            factor = _FACTORS[rating.verdict] ** (1 - abs(away) / (REACH + 1))
            weights[block] = min(_LIMIT, max(1 / _LIMIT, weights.get(block, 1.0) * factor))
    return weights


def _lines(place: Path) -> list[str]:
    """Whole lines: the last may be under way."""
    try:
        text = place.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no {place.name} in {place.parent}.", "Is it a run's directory?"
        ) from error
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
