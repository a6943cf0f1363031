"""One batched read of every pool in a block, against one web3 contract call for each pool, and against Multicall3.

Starts a stand-in of its own with 20 pools, and ends it. The batched read does more than the calls: it brings the
block, its logs and four figures of every pool; the calls bring each pool's slot0 alone. Multicall3 brings the same as
the lens that is never deployed.
"""

import asyncio
import itertools
import statistics
import time
from typing import Any, Final

from figures import Figure

from defai.chain import mainnet
from defai.chain.artifacts import artifact
from defai.chain.codec import encode_values, selector, unhex, unsigned
from defai.chain.contracts import create_pool, pool_key
from defai.chain.keys import throwaway_key
from defai.chain.lens import LensQuery, PoolQuery, decode_lens, lens_request, lens_words
from defai.chain.local import LocalChain
from defai.chain.multicall import decode_aggregate3, encode_aggregate3, multicall_request
from defai.chain.reader import BlockReader
from defai.chain.rpc import Request
from defai.chain.standin import open_standin
from defai.chain.tx import Step, Wallet, carry_out, create_address
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Token
from defai.units import GWEI, Q96

FEES: Final = (500, 3000)
EXTRA_TOKENS: Final = ("ONE", "TWO")
GETTERS: Final = ("slot0()", "liquidity()", "feeGrowthGlobal0X128()", "feeGrowthGlobal1X128()")
ROUNDS: Final = 40
WANTED: Final = 10.0
"""The batched read is to be so many times as fast at least."""


async def make_pools(chain: LocalChain) -> list[PoolKey]:
    """Two more tokens, and a pool for every pair of the five at two fees."""
    account = throwaway_key(0, "bench")
    await chain.fund_ether(account.address)
    wallet = await Wallet.connect(account, chain.rpc)
    tokens = list(mainnet.TOKENS)
    steps = []
    for nonce, symbol in enumerate(EXTRA_TOKENS):
        tokens.append(Token(create_address(account.address, nonce), symbol, 18))
        arguments = encode_values(("string", "string", "uint8"), (symbol, symbol, 18))
        steps.append(
            Step(None, artifact("StandinToken").creation_code(arguments), 3_000_000, f"deploy {symbol}")
        )
    pools = [pool_key(a, b, fee) for a, b in itertools.combinations(tokens, 2) for fee in FEES]
    for key in pools:
        call = create_pool(key, Q96)
        steps.append(Step(call.target, call.data, 6_000_000, f"create {key.name}"))
    for i in range(0, len(steps), 10):  # as many as surely fit into a block
        few = steps[i : i + 10]
        await carry_out(
            chain.rpc, wallet, few, max_fee_wei=10 * GWEI, priority_fee_wei=GWEI, settle=chain.mine
        )
    return pools


async def measure_reader(chain: LocalChain, pools: list[PoolKey]) -> float:
    """Median milliseconds of one batched read."""
    reader = BlockReader(chain.rpc, pools)
    head = await chain.head()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await reader.read(head)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3


async def measure_lens(chain: LocalChain, pools: list[PoolKey]) -> tuple[float, float]:
    """Median milliseconds of the pools' state through the lens, and through Multicall3; in turns."""
    query = LensQuery(tuple(PoolQuery(key.address) for key in pools))
    asked = lens_request(query.data(), "latest")
    calls = [Call(key.address, selector(getter)) for key in pools for getter in GETTERS]
    bundled = multicall_request(encode_aggregate3(calls), "latest")
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        started = time.perf_counter()
        decode_lens(query, lens_words(await chain.rpc.call(*_spread(asked))) or b"")
        between = time.perf_counter()
        answers = decode_aggregate3(unhex(await chain.rpc.call(*_spread(bundled))), len(calls))
        _ = [unsigned(answer or b"") for answer in answers]
        times[0].append(between - started)
        times[1].append(time.perf_counter() - between)
    lens, multicall = (statistics.median(each) * 1e3 for each in times)
    return lens, multicall


def _spread(request: Request) -> tuple[Any, ...]:
    method, parameters = request
    return (method, *parameters)


def measure_web3(url: str, pools: list[PoolKey]) -> float:
    """Median milliseconds of calling slot0 of each pool through a web3 contract."""
    from web3 import HTTPProvider, Web3  # noqa: PLC0415  takes a second, and isn't what is measured

    node = Web3(HTTPProvider(url))
    abi: Any = list(artifact("UniswapV3Pool").abi)
    contracts = [node.eth.contract(address=Web3.to_checksum_address(key.address), abi=abi) for key in pools]
    times = []
    for _ in range(ROUNDS // 4):
        started = time.perf_counter()
        for contract in contracts:
            contract.functions.slot0().call()
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e3


async def compare() -> list[Figure]:
    """Measure all on one stand-in."""
    async with open_standin() as chain:
        pools = await make_pools(chain)
        batched = await measure_reader(chain, pools)
        lens, multicall = await measure_lens(chain, pools)
        single = await asyncio.to_thread(measure_web3, chain.url, pools)
    reading = Figure(
        what=f"reading {len(pools)} pools of a block, with its logs, in one batch",
        value=batched,
        unit="ms",
        against="a web3 contract call per pool",
        alternative=single,
        least_ratio=WANTED,
        headline=True,
        note="Ours brings the block, its logs and four figures of every pool; a call brings one pool's slot0, and asks "
        "for the chain's id on the way. The same anvil on the same machine.",
    )
    asking = Figure(
        what=f"the state of {len(pools)} pools through the lens",
        value=lens,
        unit="ms",
        against="Multicall3",
        alternative=multicall,
        note="One eth_call each, made and decoded; the lens's code goes along with every one of its calls.",
    )
    return [reading, asking]


def measure() -> list[Figure]:
    """The figures."""
    return asyncio.run(compare())
