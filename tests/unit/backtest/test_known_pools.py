"""Pools that are known by their address, and what is said of others."""

import json
from pathlib import Path

import pytest

from defai.backtest.sources.event_files import read_event_history
from defai.backtest.sources.known_pools import Place, find_pool, place_of
from defai.backtest.sources.tokens import WELL_KNOWN
from defai.chain.codec import checksum
from defai.errors import ConfigError
from tests.unit.backtest.test_event_files import life, minted

ELSEWHERE = "0x" + "ab" * 20


@pytest.mark.parametrize(
    ("name", "pool", "decimals"),
    [
        ("ethereum-0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640-2023-11-10.tick.csv.gz", "USDC/WETH 0.05 %", (6, 18)),
        ("ethereum-0xcbcdf9626bc03e24f779434178a73a0b4bad62ed-2023-11-10.tick.csv", "WBTC/WETH 0.3 %", (8, 18)),
        ("ethereum-0x5777d92f208679db4b9778590fa3cab3ac9e2168-2023-11-10.raw.csv", "DAI/USDC 0.01 %", (18, 6)),
        ("polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-07-19.minute.csv", "USDC/WETH 0.05 %", (6, 18)),
        ("polygon-0xa374094527e1673a86de625aa59517c5de346d32-2022-07-19.minute.csv", "WMATIC/USDC 0.05 %", (18, 6)),
        ("polygon-0x0e44ceb592acfc5d3f09d996302eb4c499ff8c10-2022-07-19.minute.csv", "USDC/WETH 0.3 %", (6, 18)),
        ("arbitrum-0xc31e54c7a869b9fcbecc14363cf510d1c41fa443-2022-07-19.minute.csv", "WETH/USDC 0.05 %", (18, 6)),
        ("0x85149247691df622eaf1a8bd0cafd40bc45154a9.csv", "WETH/USDC 0.05 %", (18, 6)),
    ],
)  # fmt: skip
def test_a_pool_is_known_by_its_address(name: str, pool: str, decimals: tuple[int, int]) -> None:
    """The addresses are those of the pools on their chains; ours come of the tokens and the fee alone."""
    key = find_pool(place_of(Path(name)), None)
    assert (key.name, key.token0.decimals, key.token1.decimals) == (pool, *decimals)
    assert int(key.token0.address, 16) < int(key.token1.address, 16)


def test_a_pool_of_another_chain_is_not_taken_for_one_of_this() -> None:
    polygon = place_of(Path("polygon-0xa374094527e1673a86de625aa59517c5de346d32-2022-07-19.minute.csv"))
    with pytest.raises(ConfigError, match="is not one we know"):
        find_pool(Place(1, polygon.pool), None)
    assert find_pool(Place(1, polygon.pool), "USDC:6/WETH:18@500").name == "USDC/WETH 0.05 %"


def test_addresses_of_tokens_have_the_checksum_they_are_written_with() -> None:
    for tokens in WELL_KNOWN.values():
        assert [token.symbol for token in tokens if checksum(token.address.lower()) != token.address] == []


def test_a_life_of_unknown_tokens_needs_to_be_told_what_they_are(tmp_path: Path) -> None:
    told = life(minted())
    told["config"] |= {"token0": "0x" + "01" * 20, "token1": "0x" + "02" * 20}
    path = tmp_path / "life.json"
    path.write_text(json.dumps(told))
    with pytest.raises(ConfigError, match="is not one we know") as caught:
        read_event_history(path)
    assert "--pool" in caught.value.hint
    (key,) = read_event_history(path, traded="USDC:6/PAPER:9@3000").keys
    assert (key.token1.symbol, key.token1.decimals, key.token1.address) == (
        "PAPER",
        9,
        checksum("0x" + "02" * 20),
    )
