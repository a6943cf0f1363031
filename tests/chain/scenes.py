"""What the chain's tests play on: a stand-in with pools, and a trader who sends what he likes."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from defai.chain import mainnet
from defai.chain.codec import decode_values, encode_call, unhex
from defai.chain.contracts import approve, exact_input_single
from defai.chain.keys import throwaway_key
from defai.chain.local import LocalChain
from defai.chain.seeding import seed_pools, sqrt_price_x96
from defai.chain.tx import Receipt, Step, Wallet, carry_out
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.units import GWEI

START = 1_600_000_000
USDC_PER_WETH = Decimal("2104.37")
QUOTE = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"


@dataclass
class Market:
    """A chain with the two pools, and a trader's wallet that has approved router and position manager."""

    chain: LocalChain
    trader: Wallet
    seeded: int

    async def act(self, calls: Sequence[Call], *, gas: int = 3_000_000) -> list[Receipt]:
        """Send calls as the trader, in order, and mine them in one block."""
        steps = [Step(call.target, call.data, gas, "act") for call in calls]
        return await carry_out(
            self.chain.rpc,
            self.trader,
            steps,
            max_fee_wei=10 * GWEI,
            priority_fee_wei=GWEI,
            settle=lambda: self.chain.mine(base_fee_wei=GWEI),
        )

    async def swap(self, key: PoolKey, amount_in: int, *, zero_for_one: bool) -> Receipt:
        call = exact_input_single(
            key,
            zero_for_one=zero_for_one,
            recipient=self.trader.address,
            amount_in=amount_in,
            amount_out_minimum=0,
        )
        (receipt,) = await self.act([call])
        return receipt

    async def quoted(
        self, key: PoolKey, amount_in: int, *, zero_for_one: bool, block: int
    ) -> tuple[int, int]:
        """What QuoterV2 says comes out, and the square-root price afterwards."""
        sold, bought = key.token(zero=zero_for_one), key.token(zero=not zero_for_one)
        data = encode_call(QUOTE, (sold.address, bought.address, amount_in, key.fee_pips, 0))
        answer = await self.view(mainnet.QUOTER_V2, data, block)
        amount_out, after_x96, _, _ = decode_values(("uint256", "uint160", "uint32", "uint256"), answer)
        return amount_out, after_x96

    async def view(self, target: Address, data: bytes, block: int | None = None) -> bytes:
        height = "latest" if block is None else hex(block)
        return unhex(await self.chain.rpc.call("eth_call", {"to": target, "data": "0x" + data.hex()}, height))


async def opened_market(chain: LocalChain) -> Market:
    prices_x96 = {key: sqrt_price_x96(key, USDC_PER_WETH, of=mainnet.WETH) for key in mainnet.POOLS}
    seeded = await seed_pools(chain, throwaway_key(1, "lp"), prices_x96=prices_x96, timestamp=START)
    signer = throwaway_key(1, "trader")
    await chain.fund_ether(signer.address)
    for token in mainnet.TOKENS:
        await chain.fund(signer.address, token, 50_000_000 * 10**token.decimals)
    market = Market(chain, await Wallet.connect(signer, chain.rpc), seeded)
    spenders = (mainnet.SWAP_ROUTER_02, mainnet.POSITION_MANAGER)
    await market.act([approve(token, spender) for token in mainnet.TOKENS for spender in spenders])
    return market


def someone_listens(url: str) -> bool:
    """Whether anything takes connections at a loopback address."""
    port = int(url.rpartition(":")[2].strip("/"))
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
