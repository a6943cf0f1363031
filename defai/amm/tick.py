"""What a pool keeps at a tick (Uniswap's Tick)."""

from typing import Final, NamedTuple

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_INT128, MAX_UINT128, MAX_UINT256
from defai.amm.liquidity_math import add_delta
from defai.amm.oracle import wrap_int56
from defai.amm.tick_math import max_usable_tick

_X160: Final = (1 << 160) - 1
_SECONDS: Final = (1 << 32) - 1


class TickState(NamedTuple):
    """An initialised tick. Immutable: a pool replaces it, so copies of pools share it.

    The `outside` values are relative: what grew on the other side of this tick from where the pool stands now.

    Attributes:
        liquidity_gross: all liquidity that begins or ends here.
        liquidity_net: liquidity added when the price crosses to the right, taken away when it crosses to the left.
        fee_growth_outside0_x128: token0 fees per liquidity.
        fee_growth_outside1_x128: token1 fees per liquidity.
        tick_cumulative_outside: tick times seconds.
        seconds_per_liquidity_outside_x128: seconds per liquidity.
        seconds_outside: seconds.
    """

    liquidity_gross: int = 0
    liquidity_net: int = 0
    fee_growth_outside0_x128: int = 0
    fee_growth_outside1_x128: int = 0
    tick_cumulative_outside: int = 0
    seconds_per_liquidity_outside_x128: int = 0
    seconds_outside: int = 0


EMPTY_TICK: Final = TickState()
"""What the contract's storage reads where no tick is initialised."""


class Growth(NamedTuple):
    """What has grown since the pool began: fees per liquidity, and the oracle's sums."""

    fee_growth_global0_x128: int
    fee_growth_global1_x128: int
    tick_cumulative: int
    seconds_per_liquidity_cumulative_x128: int
    time: int


def max_liquidity_per_tick(tick_spacing: int) -> int:
    """The most liquidity that may begin or end at one tick, so that no sum over ticks needs more than 128 bits."""
    return MAX_UINT128 // (2 * (max_usable_tick(tick_spacing) // tick_spacing) + 1)


def updated(
    state: TickState, *, below: bool, liquidity_delta: int, upper: bool, growth: Growth, max_liquidity: int
) -> TickState:
    """The tick after a position that begins (or, `upper`, ends) here changed its liquidity.

    Args:
        state: the tick as it was; `EMPTY_TICK` if it was not initialised.
        below: whether the tick is at or below the pool's; by convention all growth so far happened below it then.
        liquidity_delta: the change.
        upper: whether this is the position's upper tick.
        growth: what has grown so far.
        max_liquidity: the most liquidity the pool allows here.

    Raises:
        AmmRevert: 'LS', 'LA' or 'LO' where the tick's liquidity would leave its bounds, '' where the net does.
    """
    gross = add_delta(state.liquidity_gross, liquidity_delta)
    if gross > max_liquidity:
        raise AmmRevert("LO")
    net = state.liquidity_net - liquidity_delta if upper else state.liquidity_net + liquidity_delta
    if not -MAX_INT128 - 1 <= net <= MAX_INT128:
        raise AmmRevert("")
    if state.liquidity_gross:
        return TickState(gross, net, *state[2:])
    return TickState(gross, net, *growth) if below else TickState(gross, net)


def crossed(state: TickState, growth: Growth) -> TickState:
    """The tick after the price crossed it: what was outside is now what grew on the other side."""
    return TickState(
        state.liquidity_gross,
        state.liquidity_net,
        (growth.fee_growth_global0_x128 - state.fee_growth_outside0_x128) & MAX_UINT256,
        (growth.fee_growth_global1_x128 - state.fee_growth_outside1_x128) & MAX_UINT256,
        wrap_int56(growth.tick_cumulative - state.tick_cumulative_outside),
        (growth.seconds_per_liquidity_cumulative_x128 - state.seconds_per_liquidity_outside_x128) & _X160,
        (growth.time - state.seconds_outside) & _SECONDS,
    )
