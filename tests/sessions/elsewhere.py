"""A chain that somebody else runs and mines, with Uniswap on it: it plays a live network on the loopback interface."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Final

from defai.chain.anvil import Anvil, AnvilOptions
from defai.chain.codec import checksum, encode_call, unhex
from defai.chain.keys import throwaway_key
from defai.chain.local import BLOCK_SECONDS, LocalChain
from defai.chain.mainnet import POOLS, USDC, WETH
from defai.chain.rpc import Rpc
from defai.chain.seeding import seed_pools, sqrt_price_x96
from defai.chain.standin import GENESIS_TIMESTAMP, build_state, cached_state
from defai.domain.tokens import Address
from defai.units import GWEI, WEI

SETTLED: Final = GENESIS_TIMESTAMP + 3_600
"""How old the pools are before anyone comes: vaults ask for the price of the minutes before."""
BLOCK_TIME_S: Final = 0.05


class Elsewhere(LocalChain):
    """The chain; whether blocks come by themselves can be changed."""

    _mining: asyncio.Event
    _block: asyncio.Lock

    async def stand_still(self) -> None:
        """From now on no block comes by itself."""
        self._mining.clear()
        async with self._block:
            pass

    def go_on(self) -> None:
        """Blocks come by themselves again."""
        self._mining.set()

    async def next_block(self) -> None:
        """A block at once."""
        head = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        await self.rpc.call("evm_mine", int(head["timestamp"], 16) + BLOCK_SECONDS)

    async def pay(self, account: Address, *, ether: int = 10, dollars: int = 0, weth: int = 0) -> None:
        """Make an account rich."""
        await self.fund_ether(account, ether * WEI)
        await self.fund(account, USDC, dollars * 10**USDC.decimals)
        await self.fund(account, WETH, weth * WEI)

    async def owner(self, contract: Address) -> Address:
        """Whose a contract is."""
        call = {"to": contract, "data": "0x" + encode_call("owner()").hex()}
        return checksum("0x" + unhex(await self.rpc.call("eth_call", call, "latest"))[12:].hex())

    async def nonce(self, account: Address, block: str = "latest") -> int:
        """How many transactions of an account are in blocks."""
        return await self.rpc.number("eth_getTransactionCount", account, block)


@asynccontextmanager
async def chain_elsewhere(chain_id: int = 1) -> AsyncIterator[Elsewhere]:
    """A chain with pools, and somebody who mines it."""
    state = cached_state() or await build_state()
    options = AnvilOptions(chain_id=chain_id, timestamp=GENESIS_TIMESTAMP, load_state=state)
    async with Anvil(options) as anvil, anvil.rpc() as rpc:
        chain = Elsewhere(rpc, chain_id, anvil)
        object.__setattr__(chain, "_mining", asyncio.Event())  # it is frozen like any chain
        object.__setattr__(chain, "_block", asyncio.Lock())
        prices = {key: sqrt_price_x96(key, Decimal(2_000), of=WETH) for key in POOLS}
        await seed_pools(chain, throwaway_key(0, "provider"), prices_x96=prices)
        await chain.mine(timestamp=SETTLED, base_fee_wei=GWEI)
        chain.go_on()
        miner = asyncio.create_task(_mine_on(chain, anvil.rpc()))
        yield chain
        miner.cancel()
        with suppress(asyncio.CancelledError):
            await miner


async def _mine_on(chain: Elsewhere, rpc: Rpc) -> None:
    async with rpc:
        miner = Elsewhere(rpc, chain.chain_id, chain.anvil)
        while True:
            await chain._mining.wait()
            async with chain._block:
                if chain._mining.is_set():
                    await miner.next_block()
            await asyncio.sleep(BLOCK_TIME_S)
