"""The batched reader: equal to what web3 says call by call, equal to the events, and not to be lied to."""

import asyncio
from collections.abc import Callable, Sequence
from random import Random

import pytest
from eth_utils.address import to_checksum_address

from defai.chain import mainnet
from defai.chain.anvil import Anvil
from defai.chain.artifacts import artifact
from defai.chain.codec import topic
from defai.chain.contracts import pool_key
from defai.chain.decode import COLLECT, SWAP, decode_pool_logs, decode_receipt_logs
from defai.chain.keys import throwaway_key
from defai.chain.reader import BlockReader
from defai.chain.rpc import Json, Request, Rpc, RpcError
from defai.domain.chain_events import LiquidityMinted, PoolInitialized, PoolSwapped
from defai.errors import DivergenceError, NotFoundError
from defai.market.state import PoolReport
from tests.chain.scenes import USDC_PER_WETH, Market

NOBODY = "0x2222222222222222222222222222222222222222"
CREATED_AND_MINTED = 2 + 7  # pools, bands


class LyingRpc(Rpc):
    """Passes a real node's answers on, after the test has tampered with them."""

    def __init__(self, url: str, tamper: "dict[str, Json]") -> None:
        super().__init__(url)
        self.tamper = tamper

    async def batch_settled(self, requests: Sequence[Request]) -> list[Json]:
        results = await super().batch_settled(requests)
        return [
            self.tamper[method](result) if method in self.tamper else result
            for (method, _), result in zip(requests, results, strict=True)
        ]


class PickyRpc(Rpc):
    """Passes a real node's answers on, unless the test puts another in place of one."""

    def __init__(self, url: str, judge: "Callable[[str, Sequence[Json], Json], Json]") -> None:
        super().__init__(url)
        self.judge = judge

    async def batch_settled(self, requests: Sequence[Request]) -> list[Json]:
        results = await super().batch_settled(requests)
        return [
            self.judge(method, params, result)
            for (method, params), result in zip(requests, results, strict=True)
        ]


async def trade_about(market: Market, rounds: int, seed: int = 7) -> None:
    rng = Random(seed)  # noqa: S311  repeatable, not secret
    for _ in range(rounds):
        zero_for_one = rng.random() < 0.5
        amount = rng.randrange(10**6, 10**12) if zero_for_one else rng.randrange(10**14, 10**20)
        await market.swap(rng.choice(mainnet.POOLS), amount, zero_for_one=zero_for_one)


async def test_equals_what_web3_reads_call_by_call(market: Market) -> None:
    await trade_about(market, 6)
    number = await market.chain.head()
    accounts = [market.trader.address, throwaway_key(1, "lp").address, NOBODY]
    reading = await BlockReader(market.chain.rpc, mainnet.POOLS).read(number, accounts=accounts)
    expected = await asyncio.to_thread(read_with_web3, market.chain.url, number, accounts)
    assert (reading.block.hash, reading.block.parent_hash, reading.block.timestamp) == expected["header"]
    assert reading.pools == expected["pools"]
    assert reading.balances == expected["balances"]
    assert reading.balances[NOBODY] == {mainnet.USDC.address: 0, mainnet.WETH.address: 0}


def read_with_web3(url: str, number: int, accounts: Sequence[str]) -> dict[str, Json]:
    from web3 import HTTPProvider, Web3

    node = Web3(HTTPProvider(url))
    header = node.eth.get_block(number)
    pools: dict[str, PoolReport] = {}
    for key in mainnet.POOLS:
        abi: Json = list(artifact("UniswapV3Pool").abi)
        pool = node.eth.contract(address=to_checksum_address(key.address), abi=abi)
        slot0 = pool.functions.slot0().call(block_identifier=number)
        pools[key.address] = PoolReport(
            slot0[0],
            slot0[1],
            pool.functions.liquidity().call(block_identifier=number),
            pool.functions.feeGrowthGlobal0X128().call(block_identifier=number),
            pool.functions.feeGrowthGlobal1X128().call(block_identifier=number),
        )
    token_abi: Json = list(artifact("StandinToken").abi)
    balances: dict[str, dict[str, int]] = {account: {} for account in accounts}
    for token in (mainnet.USDC, mainnet.WETH):
        contract = node.eth.contract(address=to_checksum_address(token.address), abi=token_abi)
        for account in accounts:
            balances[account][token.address] = contract.functions.balanceOf(account).call(
                block_identifier=number
            )
    head = (header["hash"].to_0x_hex(), header["parentHash"].to_0x_hex(), header["timestamp"])
    return {"header": head, "pools": pools, "balances": balances}


async def test_the_seeding_block_tells_what_happened(market: Market) -> None:
    block = (await BlockReader(market.chain.rpc, mainnet.POOLS).read(market.seeded)).block
    created = [event for event in block.events if isinstance(event, PoolInitialized)]
    minted = [event for event in block.events if isinstance(event, LiquidityMinted)]
    assert [event.pool for event in created] == [key.address for key in mainnet.POOLS]
    assert len(block.events) == len(created) + len(minted) == CREATED_AND_MINTED
    assert {event.owner for event in minted} == {mainnet.POSITION_MANAGER}
    assert [event.log_index for event in block.events] == sorted(event.log_index for event in block.events)
    assert min(event.tick_lower for event in minted) == -887_270
    usdc = created[0].sqrt_price_x96 ** 2 / 2**192
    assert 10**12 / usdc == pytest.approx(float(USDC_PER_WETH), rel=1e-9)


async def test_events_equal_web3s_own_decoding(market: Market) -> None:
    receipt = await market.swap(mainnet.USDC_WETH_005, 5 * 10**9, zero_for_one=True)
    block = (await BlockReader(market.chain.rpc, mainnet.POOLS).read(receipt.block_number)).block
    (swapped,) = block.events
    expected = await asyncio.to_thread(decode_with_web3, market.chain.url, receipt.transaction_hash)
    assert isinstance(swapped, PoolSwapped)
    assert expected == {
        "sender": swapped.sender,
        "recipient": swapped.recipient,
        "amount0": swapped.amount0,
        "amount1": swapped.amount1,
        "sqrtPriceX96": swapped.sqrt_price_x96,
        "liquidity": swapped.liquidity,
        "tick": swapped.tick,
    }
    assert swapped.amount0 == 5 * 10**9  # the pool received it
    assert swapped.amount1 < 0
    assert swapped.sender == mainnet.SWAP_ROUTER_02
    assert swapped.recipient == market.trader.address


def decode_with_web3(url: str, transaction_hash: str) -> dict[str, Json]:
    from web3 import HTTPProvider, Web3
    from web3.logs import DISCARD

    node = Web3(HTTPProvider(url))
    abi: Json = list(artifact("UniswapV3Pool").abi)
    pool = node.eth.contract(address=to_checksum_address(mainnet.USDC_WETH_005.address), abi=abi)
    wanted: Json = transaction_hash
    (event,) = pool.events.Swap().process_receipt(node.eth.get_transaction_receipt(wanted), errors=DISCARD)
    return dict(event["args"])


async def test_blocks_read_in_a_row_belong_together(market: Market) -> None:
    await trade_about(market, 3)
    reader = BlockReader(market.chain.rpc, mainnet.POOLS)
    head = await reader.head()
    blocks = [(await reader.read(number)).block for number in range(market.seeded, head + 1)]
    assert [block.parent_hash for block in blocks[1:]] == [block.hash for block in blocks[:-1]]
    assert blocks[-1].base_fee_wei == 10**9


async def test_a_block_that_is_not_there(market: Market) -> None:
    with pytest.raises(NotFoundError, match="has no block 9,999"):
        await BlockReader(market.chain.rpc, mainnet.POOLS).read(9_999)


async def test_a_state_that_is_no_longer_there(market: Market) -> None:
    with pytest.raises(RpcError, match="The node refused eth_call"):
        await BlockReader(market.chain.rpc, mainnet.POOLS).read(1)


async def test_a_pool_that_is_not_there(market: Market) -> None:
    stranger = pool_key(mainnet.USDC, mainnet.USDT, 100)
    with pytest.raises(DivergenceError, match=f"no Uniswap v3 pool at {stranger.address}"):
        await BlockReader(market.chain.rpc, [stranger]).read(market.seeded)


async def test_a_chain_without_pools() -> None:
    async with Anvil() as anvil, anvil.rpc() as rpc:
        with pytest.raises(DivergenceError, match="no Uniswap v3 pool at"):
            await BlockReader(rpc, mainnet.POOLS).read(0)


async def test_a_token_that_does_not_answer(market: Market) -> None:
    await market.chain.rpc.call("anvil_setCode", mainnet.USDC.address, "0x")
    reader = BlockReader(market.chain.rpc, mainnet.POOLS)
    head = await reader.head()
    with pytest.raises(DivergenceError, match=f"The token {mainnet.USDC.address} does not say what {NOBODY}"):
        await reader.read(head, accounts=[NOBODY])
    assert len((await reader.read(head)).pools) == len(mainnet.POOLS)


@pytest.mark.parametrize(
    "refusal", ["0x", RpcError("eth_call", -32602, "too many arguments, want at most 2")]
)
async def test_a_node_without_state_overrides(market: Market, refusal: Json) -> None:
    """It is asked in the other way, and from then on in that way alone."""
    await trade_about(market, 2)
    number = await market.chain.head()
    accounts = [market.trader.address]
    expected = await BlockReader(market.chain.rpc, mainnet.POOLS).read(number, accounts=accounts)
    asked = []

    def refuse(method: str, params: Sequence[Json], result: Json) -> Json:
        if method == "eth_call":
            asked.append(len(params))
        return refusal if method == "eth_call" and len(params) == 3 else result

    async with PickyRpc(market.chain.url, refuse) as rpc:
        reader = BlockReader(rpc, mainnet.POOLS)
        assert await reader.read(number, accounts=accounts) == expected
        reader.forget()
        assert await reader.read(number, accounts=accounts) == expected
    assert asked == [3, 2, 2]


async def test_a_node_that_answers_neither_way(market: Market) -> None:
    async with LyingRpc(market.chain.url, {"eth_call": lambda _: "0x"}) as rpc:
        with pytest.raises(DivergenceError, match="breaks off"):
            await BlockReader(rpc, mainnet.POOLS).read(market.seeded)


async def test_a_reorganised_parent_is_noticed(market: Market) -> None:
    reader = BlockReader(market.chain.rpc, mainnet.POOLS)
    head = await reader.head()
    snapshot = await market.chain.snapshot()
    await market.swap(mainnet.USDC_WETH_005, 10**9, zero_for_one=True)
    await reader.read(head + 1)
    await market.chain.revert(snapshot)
    for _ in range(2):
        await market.chain.mine()
    with pytest.raises(DivergenceError, match="is not the child of the block") as caught:
        await reader.read(head + 2)
    assert "reorganised" in caught.value.hint
    reader.forget()
    assert (await reader.read(head + 2)).block.events == ()


def resized(answer: str, more: int) -> str:
    """A row of words with one more or one less, and a length that agrees."""
    words = (len(answer) - 2) // 64 - 2 + more
    return answer[:66] + f"{words:064x}" + (answer[130:] + "00" * 32)[: 64 * words]


@pytest.mark.parametrize(
    ("method", "tamper", "sentence"),
    [
        (
            "eth_getLogs",
            lambda logs: [log | {"blockHash": "0x" + "ab" * 32} for log in logs],
            "gave logs of block 0xabab",
        ),
        (
            "eth_getLogs",
            lambda logs: [log | {"data": log["data"][:-2]} for log in logs],
            "not what its topic says",
        ),
        ("eth_getLogs", lambda logs: [log | {"topics": log["topics"][:1]} for log in logs], "its topic says"),
        ("eth_getBlockByNumber", lambda header: header | {"number": "0x1"}, "gave block 0x1 for"),
        ("eth_call", lambda answer: answer[:-200], "breaks off"),
        ("eth_call", lambda answer: answer[:-64], "breaks off"),
        ("eth_call", lambda answer: resized(answer, -1), "breaks off"),
        ("eth_call", lambda answer: resized(answer, 1), "more than it was asked for"),
        ("eth_call", lambda _: "0x01", "breaks off"),
        ("eth_call", lambda _: None, "makes no sense"),
        ("eth_call", lambda _: "0xabc", "makes no sense"),
        ("eth_getLogs", lambda _: None, "makes no sense"),
        ("eth_getBlockByNumber", lambda _: {}, "makes no sense"),
        ("eth_getBlockByNumber", lambda header: header | {"timestamp": "soon"}, "makes no sense"),
    ],
)
async def test_a_node_that_lies_is_not_believed(
    market: Market, method: str, tamper: Json, sentence: str
) -> None:
    receipt = await market.swap(mainnet.USDC_WETH_005, 10**9, zero_for_one=True)
    async with LyingRpc(market.chain.url, {method: tamper}) as rpc:
        with pytest.raises(DivergenceError, match=sentence):
            await BlockReader(rpc, mainnet.POOLS).read(receipt.block_number)


async def test_logs_of_strangers_are_passed_over(market: Market) -> None:
    receipt = await market.swap(mainnet.USDC_WETH_005, 10**9, zero_for_one=True)

    def add_stranger(logs: Json) -> Json:
        return [*logs, *(log | {"address": NOBODY} for log in logs)]

    async with LyingRpc(market.chain.url, {"eth_getLogs": add_stranger}) as rpc:
        reading = await BlockReader(rpc, mainnet.POOLS).read(receipt.block_number)
    assert [event.pool for event in reading.block.events] == [mainnet.USDC_WETH_005.address]


def test_what_is_no_event_of_ours_is_passed_over() -> None:
    anonymous = {"address": NOBODY, "topics": [], "data": "0x"}
    other_transfer = {
        "address": NOBODY,
        "topics": [topic("Transfer(address,address,uint256)")],
        "data": "0x",
        "logIndex": "0x0",
    }
    somebodys_collect = {"address": NOBODY, "topics": [topic("Collect(uint256,address,uint256,uint256)")]}
    assert decode_pool_logs([anonymous, other_transfer]) == ()
    assert decode_receipt_logs([anonymous, other_transfer, somebodys_collect]) == ()
    assert topic(SWAP) == "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
    assert topic(COLLECT) == "0x70935338e69775456a85ddef226c395fb668b63fa0115f5f20610b388e6ca9c0"
