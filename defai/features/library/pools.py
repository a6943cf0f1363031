"""Features of two pools of the same pair: how far apart they are, and which one moves first."""

from defai.features.arithmetic import RATIO_BITS, ratio_x16, root
from defai.features.library import quantities as of
from defai.features.spec import feature
from defai.features.tape import Past


@feature("spread", version=1, unit="ticks", pools=2, source="definition")
def pool_spread(past: Past) -> int:
    """Tick of the main pool less tick of the second pool."""
    return past.now.tick - past.other.now.tick


@feature(
    "spread_deviation_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    pools=2,
    source="distance from a moving average",
)
def spread_deviation(past: Past, n: int) -> int:
    """Spread between the pools now less its average over the last n blocks, the current one included."""
    total = past.total(of.tick_level, n) - past.other.total(of.tick_level, n)
    return ratio_x16((past.now.tick - past.other.now.tick) * n - total, n)


@feature(
    "lead_{n}",
    version=1,
    unit="correlation",
    scale_bits=RATIO_BITS,
    warm_up=2,
    pools=2,
    source="lagged cross-correlation: Huth, Abergel 2014, High Frequency Lead/lag Relationships; lag of one block",
)
def lead(past: Past, n: int) -> int:
    """How much better the second pool's move tells this one's of the next block than the other way round: -2..2.

    Each way the sum over the last n blocks of a move times the other pool's move of the block before, over the root of
    both sums of squares; the difference is positive where the second pool leads, 0 where one stands still.
    """
    other = past.other
    followed = past.product_total(of.move, of.move, n, lag=1, of=other)
    led = past.product_total(of.move, of.move, n, lag=-1, of=other)
    return ratio_x16(followed - led, root(past.total(of.squared_move, n) * other.total(of.squared_move, n)))


@feature(
    "comovement_{n}",
    version=1,
    unit="correlation",
    scale_bits=RATIO_BITS,
    pools=2,
    source="correlation of returns around zero",
)
def comovement(past: Past, n: int) -> int:
    """Sum of products of both pools' tick moves of the last n blocks, over the root of both sums of squares: -1..1."""
    other = past.other
    joint = past.product_total(of.move, of.move, n, lag=0, of=other)
    return ratio_x16(joint, root(past.total(of.squared_move, n) * other.total(of.squared_move, n)))


@feature("volume_share_{n}", version=1, unit="share", scale_bits=RATIO_BITS, pools=2, source="definition")
def volume_share(past: Past, n: int) -> int:
    """The main pool's share of both pools' volume of the last n blocks, by worth in token1: 0..1; else 0."""
    mine, theirs = past.total(of.volume_raw, n), past.other.total(of.volume_raw, n)
    return ratio_x16(mine, mine + theirs)
