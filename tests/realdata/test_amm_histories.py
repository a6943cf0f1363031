"""The pool against what pools on chains went through, event by event."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from defai.amm import Pool

pytestmark = pytest.mark.realdata

ETHEREUM_DAY = (
    "ethereum_usdc_weth_005/ethereum-0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640-2023-11-10.tick.csv.gz"
)
POLYGON_DAY = (
    "polygon_usdc_weth_005/polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-01-05.tick.csv.gz"
)
POLYGON_FIRST = (
    "polygon_usdc_weth_005/polygon-0x45dda9cb7c25131df268515131f647d726f50608-2021-12-22.tick.csv.gz"
)


def test_the_whole_life_of_a_pool_is_exact(real_data: Path) -> None:
    recorded = json.loads(
        (real_data / "univ3_events" / "ethereum_weth_ens_03_genesis" / "events.json").read_text()
    )
    config = recorded["config"]
    pool = Pool(fee_pips=config["fee"], tick_spacing=config["tick_spacing"])
    pool.initialize(int(config["initial_sqrt_price_X96"]))
    counts: Counter[str] = Counter()
    for event in recorded["events"]:
        counts[event["kind"]] += 1
        amounts = int(event["amount0"]), int(event["amount1"])
        if event["kind"] == "SWAP":
            assert pool.replay_swap(
                amount0=amounts[0],
                amount1=amounts[1],
                sqrt_price_x96=int(event["sqrt_price_x96"]),
                liquidity=int(event["liquidity"]),
                tick=event["tick"],
            )
        else:
            owner = event["recipient"] or event["msg_sender"]
            change = pool.mint if event["kind"] == "MINT" else pool.burn
            assert change(owner, event["tick_lower"], event["tick_upper"], int(event["liquidity"])) == amounts

    assert counts == {"SWAP": 63, "MINT": 3, "BURN": 2}


@pytest.mark.parametrize(
    ("file", "uncrossing"), [(ETHEREUM_DAY, 5131), (POLYGON_DAY, 3406), (POLYGON_FIRST, 185)]
)
def test_every_swap_that_crosses_no_tick_is_exact(real_data: Path, file: str, uncrossing: int) -> None:
    """The state before the day is unknown, so ticks are known only as far as the day's own mints show them.

    A swap that leaves the liquidity as it was crossed no tick, and those must be exact without exception.
    """
    pool: Pool | None = None
    exact: Counter[tuple[bool, bool]] = Counter()
    with gzip.open(real_data / "univ3_events" / file, "rt") as lines:
        for row in csv.DictReader(lines):
            if row["tx_type"] == "SWAP":
                event = {
                    "sqrt_price_x96": int(row["sqrtPriceX96"]),
                    "tick": _integer(row["current_tick"]),
                    "liquidity": _integer(row["total_liquidity"]),
                }
                if pool is None:
                    pool = Pool.from_state(
                        fee_pips=500,
                        tick_spacing=10,
                        fee_growth_global0_x128=0,
                        fee_growth_global1_x128=0,
                        ticks={},
                        **event,
                    )
                    continue
                crossed = pool.liquidity != event["liquidity"]
                exact[
                    crossed,
                    pool.replay_swap(
                        amount0=_integer(row["amount0"]), amount1=_integer(row["amount1"]), **event
                    ),
                ] += 1
            elif pool is not None and row["tx_type"] in {"MINT", "BURN"}:
                size = abs(_integer(row["liquidity"]))
                pool.replay_liquidity(
                    tick_lower=_integer(row["tick_lower"]),
                    tick_upper=_integer(row["tick_upper"]),
                    liquidity_delta=size if row["tx_type"] == "MINT" else -size,
                )

    assert exact[False, False] == 0
    assert exact[False, True] == uncrossing


def _integer(text: str) -> int:
    """An integer that a data frame may have written as a float."""
    return int(text.removesuffix(".0"))
