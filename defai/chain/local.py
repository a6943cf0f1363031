"""A local chain that is ours to steer: an anvil, a connection to it, and the levers only a local node has."""

from collections.abc import Sequence
from dataclasses import dataclass

from defai.chain.anvil import Anvil
from defai.chain.codec import checksum, encode_call, unsigned
from defai.chain.rpc import Rpc
from defai.domain.tokens import Address, Token
from defai.units import WEI

BLOCK_SECONDS = 12
"""Seconds between mainnet's blocks."""


@dataclass(frozen=True, slots=True)
class DevelopmentChain:
    """A chain whose node lets us make money: a stand-in, a fork, or somebody else's anvil.

    Attributes:
        chain_id: what transactions must be signed for.
    """

    rpc: Rpc
    chain_id: int

    async def head(self) -> int:
        """Number of the newest block."""
        return await self.rpc.number("eth_blockNumber")

    async def mine(self, *, timestamp: int | None = None, base_fee_wei: int | None = None) -> int:
        """Mine one block from what is in the pool of transactions, those first that pay the most for gas.

        anvil orders by the most a unit of gas may cost (`max_fee_wei`), the tip aside; equal ones by arrival.

        Args:
            timestamp: the block's Unix time; it must be later than its parent's. Without one: 12 s later.
            base_fee_wei: the block's base fee; without one the protocol's rule applies.

        Returns:
            The block's number.
        """
        if timestamp is None:
            parent = await self.rpc.call("eth_getBlockByNumber", "latest", False)
            timestamp = int(parent["timestamp"], 16) + BLOCK_SECONDS
        if base_fee_wei is not None:
            await self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(base_fee_wei))
        await self.rpc.call("evm_mine", timestamp)
        return await self.head()

    async def fund(self, account: Address, token: Token, amount_raw: int) -> None:
        """Set an account's balance of a token to an amount, out of thin air."""
        await self.rpc.call("anvil_dealERC20", account, token.address, hex(amount_raw))

    async def fund_ether(self, account: Address, amount_wei: int = 100 * WEI) -> None:
        """Set an account's ether, out of thin air."""
        await self.rpc.call("anvil_setBalance", account, hex(amount_wei))

    async def balance(self, account: Address, token: Token) -> int:
        """An account's balance of a token, in its smallest unit."""
        return unsigned(await self.rpc.view(token.address, encode_call("balanceOf(address)", account)))

    async def snapshot(self) -> str:
        """Remember the chain as it is; `revert` goes back to it."""
        return str(await self.rpc.call("evm_snapshot"))

    async def revert(self, snapshot: str) -> None:
        """Go back to a snapshot, which is used up by it."""
        await self.rpc.call("evm_revert", snapshot)

    async def code_exists(self, accounts: Sequence[Address]) -> list[bool]:
        """For each account, whether there is a contract."""
        codes = await self.rpc.batch([("eth_getCode", (checksum(account), "latest")) for account in accounts])
        return [len(code) > 2 for code in codes]


@dataclass(frozen=True, slots=True)
class LocalChain(DevelopmentChain):
    """A running stand-in or fork of ours. Blocks are mined on demand, by `mine` alone.

    Attributes:
        anvil: the process.
    """

    anvil: Anvil

    @property
    def url(self) -> str:
        """Address of its JSON-RPC, on the loopback interface."""
        return self.anvil.url
