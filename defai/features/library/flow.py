"""Features of the flow: who trades, how much, in what sizes, and what it did to the price."""

from defai.features.arithmetic import RATIO_BITS, choose, ratio, ratio_x16, root
from defai.features.library import quantities as of
from defai.features.library.quantities import SHARE_BITS
from defai.features.spec import feature
from defai.features.tape import Past


@feature("swaps_{n}", version=1, unit="swaps", source="definition")
def swaps(past: Past, n: int) -> int:
    """Number of swaps in the last n blocks."""
    return past.total(of.swap_count, n)


@feature("idle_{n}", version=1, unit="share", scale_bits=RATIO_BITS, source="definition")
def idle_share(past: Past, n: int) -> int:
    """Share of the last n blocks without a swap: 0..1."""
    return ratio_x16(past.total(of.is_idle, n), n)


@feature("seconds_since_swap_{n}", version=1, unit="seconds", source="definition")
def seconds_since_swap(past: Past, n: int) -> int:
    """Seconds since the last block with a swap; where the last n had none, the seconds they took."""
    last = past.highest(of.swap_time, n)
    return past.now.timestamp - choose(last < 0, past.ago(n).timestamp, last)


@feature(
    "imbalance_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="order-flow imbalance: signed volume over volume",
)
def flow_imbalance(past: Past, n: int) -> int:
    """Token0 bought less token0 sold over both, by worth in token1, in the last n blocks: -1..1; else 0."""
    bought, sold = past.total(of.bought_raw, n), past.total(of.sold_raw, n)
    return ratio_x16(bought - sold, bought + sold)


@feature(
    "signed_volume_{n}",
    version=1,
    unit="share of the virtual reserve of token1",
    scale_bits=SHARE_BITS,
    source="signed order flow: Kyle 1985",
)
def signed_volume(past: Past, n: int) -> int:
    """Token0 bought less token0 sold in the last n blocks, by worth in token1, over the reserve now."""
    flow = past.total(of.bought_raw, n) - past.total(of.sold_raw, n)
    return ratio(flow, of.reserve_raw(past.now), SHARE_BITS)


@feature(
    "turnover_{n}",
    version=1,
    unit="share of the virtual reserve of token1",
    scale_bits=SHARE_BITS,
    source="definition",
)
def turnover(past: Past, n: int) -> int:
    """Volume of the last n blocks, each over the reserve that the liquidity then in range would have at all prices."""
    return past.total(of.turnover_x48, n) >> 24


@feature(
    "volume_ratio_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    spans=4,
    source="definition",
)
def volume_ratio(past: Past, n: int) -> int:
    """Volume of the last n blocks over that of the last 4 n, each by block: 0..4; 0 without volume."""
    return ratio_x16(4 * past.total(of.volume_raw, n), past.total(of.volume_raw, 4 * n))


@feature(
    "toxicity_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="VPIN with blocks for buckets: Easley, Lopez de Prado, O'Hara 2012",
)
def toxicity(past: Past, n: int) -> int:
    """Sum of what one side of each of the last n blocks had over the other, over volume: 0..1; 0 without volume."""
    return ratio_x16(
        past.total(of.one_sided_raw, n), past.total(of.bought_raw, n) + past.total(of.sold_raw, n)
    )


@feature(
    "price_impact_{n}",
    version=1,
    unit="ticks per hundredth of the virtual reserve",
    scale_bits=RATIO_BITS,
    source="illiquidity: Amihud 2002; between blocks the numerator may also move without trades of this pool",
)
def price_impact(past: Past, n: int) -> int:
    """Way that the tick went in the last n blocks, per turnover; 0 without volume."""
    return ratio_x16(past.total(of.absolute_move, n) << 48, 100 * past.total(of.turnover_x48, n))


@feature(
    "mean_swap_{n}",
    version=1,
    unit="share of the virtual reserve of token1",
    scale_bits=SHARE_BITS,
    source="definition",
)
def mean_swap(past: Past, n: int) -> int:
    """Average worth of a swap in the last n blocks, over the reserve now; 0 without swaps."""
    count = past.total(of.swap_count, n)
    return ratio(past.total(of.swap_sizes_raw, n), count * of.reserve_raw(past.now), SHARE_BITS)


@feature(
    "largest_swap_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="definition",
)
def largest_swap(past: Past, n: int) -> int:
    """The largest swap's share of the volume of the last n blocks: 0..1; 0 without swaps."""
    return ratio_x16(past.highest(of.largest_swap_raw, n), past.total(of.swap_sizes_raw, n))


@feature(
    "size_concentration_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="Herfindahl index of the sizes of swaps",
)
def size_concentration(past: Past, n: int) -> int:
    """Sum of squared shares of the volume of the last n blocks, swap by swap: 1 where one made it all; 0 without."""
    return ratio_x16(past.total(of.squared_sizes_raw, n), past.total(of.swap_sizes_raw, n) ** 2)


@feature(
    "size_dispersion_{n}",
    version=1,
    unit="of the mean",
    scale_bits=RATIO_BITS,
    source="coefficient of variation: standard deviation over mean",
)
def size_dispersion(past: Past, n: int) -> int:
    """How much the sizes of the swaps of the last n blocks differ: 0 where all are alike, or there are none."""
    count, total = past.total(of.swap_count, n), past.total(of.swap_sizes_raw, n)
    spread = count * past.total(of.squared_sizes_raw, n) - total**2
    return root(ratio(spread, total**2, 2 * RATIO_BITS))
