"""A frozen pool quotes as the pool it was made of, and nothing changes it."""

import pickle
from collections.abc import Callable

import pytest

from defai.amm import Pool
from defai.amm.frozen import FrozenPool, freeze
from defai.testing.builders import START_TICK, pool_with_liquidity

CHANGES: dict[str, Callable[[Pool], object]] = {
    "swap": lambda pool: pool.swap(zero_for_one=True, amount_specified=10**12, timestamp=2_000_000_000),
    "mint": lambda pool: pool.mint("me", -10, 10, 1),
    "burn": lambda pool: pool.burn("others", -10, 10, 0),
    "collect": lambda pool: pool.collect("others", -10, 10, 1, 1),
    "initialize": lambda pool: pool.initialize(1 << 96),
    "update_liquidity": lambda pool: pool.update_liquidity(-10, 10, 5),
    "flash": lambda pool: pool.flash(1, 1, paid0=1, paid1=1),
    "set_fee_protocol": lambda pool: pool.set_fee_protocol(4, 4),
    "increase": lambda pool: pool.increase_observation_cardinality_next(5),
    "adopt": lambda pool: pool.adopt(Pool(fee_pips=1, tick_spacing=1).snapshot()),
    "restore": lambda pool: pool.restore(Pool(fee_pips=1, tick_spacing=1).snapshot()),
    "assign": lambda pool: setattr(pool, "tick", 3),
    "delete": lambda pool: delattr(pool, "tick"),
    "ticks": lambda pool: pool.tick_states.clear(),
    "positions": lambda pool: pool.position_states.pop(("others", 0, 0)),
    "words": lambda pool: pool.tick_map.words.clear(),
    "new words": lambda pool: setattr(pool.tick_map, "words", {}),
    "flip": lambda pool: pool.tick_map.flip(10),
    "write": lambda pool: pool.oracle.write(2_000_000_000, 1, 1),
    "observations": lambda pool: pool.oracle.observations.append(pool.oracle.observations[0]),
    "index": lambda pool: setattr(pool.oracle, "index", 7),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_a_pool_is_refused(change: str) -> None:
    pool = pool_with_liquidity()
    frozen = freeze(pool)
    before = frozen.snapshot()
    with pytest.raises((TypeError, AttributeError)):
        CHANGES[change](frozen)
    assert frozen.snapshot() == before == pool.snapshot()


def test_reading_it_is_reading_the_pool() -> None:
    pool = pool_with_liquidity()
    frozen = freeze(pool)
    assert frozen.quote(zero_for_one=True, amount_specified=10**13) == pool.quote(
        zero_for_one=True, amount_specified=10**13
    )
    lower, upper = START_TICK // 10 * 10 - 100, START_TICK // 10 * 10 + 100
    assert frozen.fee_growth_inside(lower, upper) == pool.fee_growth_inside(lower, upper)
    assert frozen.ticks == pool.ticks
    assert frozen.positions == pool.positions
    assert (frozen.tick, frozen.fee_pips, frozen.tick_spacing) == (pool.tick, 500, 10)


def test_it_stays_as_it_was_and_its_copy_goes_its_own_way() -> None:
    pool = pool_with_liquidity()
    frozen = freeze(pool)
    before = pool.snapshot()
    pool.swap(zero_for_one=False, amount_specified=10**20)
    assert frozen.snapshot() == before
    tried = frozen.copy()
    assert type(tried) is Pool
    tried.swap(zero_for_one=True, amount_specified=10**13)
    tried.mint("me", -10, 10, 10**6)
    assert frozen.snapshot() == before
    again = pickle.loads(pickle.dumps(frozen))  # noqa: S301  it was made a line above
    assert type(again) is FrozenPool
    assert again.snapshot() == before
