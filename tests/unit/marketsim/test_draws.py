"""Random numbers: the right distributions, from the right streams, the same everywhere."""

from statistics import fmean, pvariance

import pytest

from defai.marketsim.draws import Draws
from defai.units import PIPS

COUNT = 20_000
PINNED = [909643, 2, 2522395]


def test_streams_are_told_apart_by_seed_and_purpose() -> None:
    purposes: list[tuple[int, tuple[str | int, ...]]] = [
        (1, ("a",)),
        (2, ("a",)),
        (1, ("b",)),
        (1, ("a", 1)),
        (1, ("a1",)),
        (1, ("a", "1")),
    ]
    first = {Draws(seed, *purpose).unit() for seed, purpose in purposes}
    assert len(first) == 6
    assert Draws(1, "a").unit() == Draws(1, "a").unit()


def test_numbers_are_what_they_were_on_another_machine() -> None:
    draws = Draws(1, "pinned", 7)
    assert [draws.below(10**6), draws.poisson(800_000), draws.lognormal_pips(1_200_000)] == PINNED


def test_normal() -> None:
    draws = Draws(1, "normal")
    numbers = [draws.normal() for _ in range(COUNT)]
    assert fmean(numbers) == pytest.approx(0, abs=0.03)
    assert pvariance(numbers) == pytest.approx(1, rel=0.04)


@pytest.mark.parametrize("mean_pips", [0, 50_000, 800_000, 6_000_000])
def test_poisson(mean_pips: int) -> None:
    draws = Draws(1, "poisson", mean_pips)
    counts = [draws.poisson(mean_pips) for _ in range(COUNT)]
    assert fmean(counts) == pytest.approx(mean_pips / PIPS, rel=0.06)
    assert pvariance(counts) == pytest.approx(mean_pips / PIPS, rel=0.08)


def test_lognormal_has_its_median_and_a_heavy_tail() -> None:
    draws = Draws(1, "sizes")
    sizes = sorted(draws.lognormal_pips(1_200_000) for _ in range(COUNT))
    assert sizes[COUNT // 2] == pytest.approx(PIPS, rel=0.05)
    assert fmean(sizes) == pytest.approx(2.05 * PIPS, rel=0.1)
    assert sizes[-COUNT // 1_000] > 20 * PIPS


def test_chances() -> None:
    draws = Draws(1, "chances")
    assert fmean(draws.happens(0.3) for _ in range(COUNT)) == pytest.approx(0.3, abs=0.02)
    assert fmean(draws.sign() for _ in range(COUNT)) == pytest.approx(0, abs=0.03)
    assert {draws.below(4) for _ in range(200)} == {0, 1, 2, 3}
