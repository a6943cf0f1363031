"""The market's people on a chain: each actor is an account with all the tokens it needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from defai.chain import contracts, mainnet, pairs
from defai.chain.codec import encode_call
from defai.chain.decode import PositionIncreased, decode_receipt_logs
from defai.chain.keys import throwaway_key
from defai.chain.local import LocalChain
from defai.chain.tx import Receipt, SignedTransaction, Wallet
from defai.domain.operations import Call, MintPosition
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.marketsim.actions import (
    MarketAction,
    MarketBurn,
    MarketInitialize,
    MarketMint,
    MarketProvide,
    MarketSwap,
)
from defai.marketsim.execution import least_out
from defai.units import WEI

_GAS: Final[Mapping[type, int]] = {
    MarketInitialize: 6_000_000,
    MarketSwap: 1_500_000,
    MarketMint: 1_000_000,
    MarketBurn: 1_000_000,
    MarketProvide: 4_000_000,
}
_APPROVE_GAS: Final = 100_000
_PLENTY: Final = 10**13
"""Whole tokens an actor starts with: it never runs dry."""
_NO_DEADLINE: Final = (1 << 64) - 1


@dataclass(slots=True)
class _Provided:
    token_id: int
    liquidity: int


class MarketAccounts:
    """Turns the market's actions into signed transactions.

    Args:
        chain: where; it must let us fund accounts.
        keys: the pools.
        seed: the accounts' keys derive from it.
    """

    def __init__(self, chain: LocalChain, keys: Sequence[PoolKey], seed: int) -> None:
        self._chain = chain
        self._keys = {key.address: key for key in keys}
        self._seed = seed
        self._wallets: dict[str, Wallet] = {}
        self._provided: dict[tuple[str, Address, int, int], _Provided] = {}

    async def join(self, actors: Sequence[str], max_fee_wei: int) -> list[SignedTransaction]:
        """Make and fund the actors' accounts; the transactions returned are their approvals, still to be sent."""
        tokens = {token.address: token for key in self._keys.values() for token in (key.token0, key.token1)}
        spenders = [mainnet.SWAP_ROUTER_02, mainnet.POSITION_MANAGER]
        if any(key.is_pair for key in self._keys.values()):
            spenders.append(mainnet.V2_ROUTER)
        transactions = []
        for actor in dict.fromkeys(actors):
            wallet = await Wallet.connect(throwaway_key(self._seed, f"market/{actor}"), self._chain.rpc)
            self._wallets[actor] = wallet
            await self._chain.fund_ether(wallet.address, 1_000_000 * WEI)
            for token in tokens.values():
                await self._chain.fund(wallet.address, token, _PLENTY * 10**token.decimals)
                for spender in spenders:
                    call = contracts.approve(token, spender)
                    transactions.append(
                        wallet.sign(
                            call.target,
                            call.data,
                            gas=_APPROVE_GAS,
                            max_fee_wei=max_fee_wei,
                            priority_fee_wei=1,
                        )
                    )
        return transactions

    def sign(
        self, action: MarketAction, *, max_fee_wei: int, priority_fee_wei: int
    ) -> SignedTransaction | None:
        """The transaction that carries an action out; None where there is nothing to withdraw."""
        call = self._call(action)
        if call is None:
            return None
        return self._wallets[action.actor].sign(
            call.target,
            call.data,
            gas=_GAS[type(action)],
            max_fee_wei=max_fee_wei,
            priority_fee_wei=priority_fee_wei,
        )

    def minted(self, action: MarketMint, receipt: Receipt) -> None:
        """Remember the position that a mint opened, so that it can be withdrawn."""
        if not receipt.succeeded:
            return
        for event in decode_receipt_logs(receipt.logs):
            if isinstance(event, PositionIncreased):
                place = (action.actor, action.pool, action.tick_lower, action.tick_upper)
                self._provided[place] = _Provided(event.token_id, event.liquidity)

    async def resync(self) -> None:
        """Take all accounts' nonces from the chain, after it refused a transaction."""
        for wallet in self._wallets.values():
            await wallet.resync(self._chain.rpc)

    def _call(self, action: MarketAction) -> Call | None:
        key = self._keys[action.pool]
        match action:
            case MarketInitialize():
                return contracts.create_pool(key, action.sqrt_price_x96)
            case MarketProvide():
                recipient, amounts = self._wallets[action.actor].address, (action.amount0, action.amount1)
                return pairs.add_liquidity(key, *amounts, recipient=recipient, deadline=_NO_DEADLINE)
            case MarketSwap() if key.is_pair:
                return pairs.swap_in_pair(
                    key,
                    zero_for_one=action.zero_for_one,
                    recipient=self._wallets[action.actor].address,
                    amount_in=action.amount_in,
                    amount_out_minimum=max(least_out(action), 1),
                )
            case MarketSwap():
                return contracts.exact_input_single(
                    key,
                    zero_for_one=action.zero_for_one,
                    recipient=self._wallets[action.actor].address,
                    amount_in=action.amount_in,
                    amount_out_minimum=0,
                    sqrt_price_limit_x96=action.sqrt_price_limit_x96,
                )
            case MarketMint():
                wished = (action.amount0, action.amount1, 0, 0)
                mint = MintPosition(action.pool, action.tick_lower, action.tick_upper, *wished)
                recipient = self._wallets[action.actor].address
                return contracts.mint(key, mint, recipient=recipient, deadline=_NO_DEADLINE)
            case MarketBurn():
                return self._withdrawal(action)

    def _withdrawal(self, action: MarketBurn) -> Call | None:
        place = (action.actor, action.pool, action.tick_lower, action.tick_upper)
        held = self._provided.pop(place, None)
        if held is None:
            return None
        recipient = self._wallets[action.actor].address
        parts = [
            encode_call(contracts.DECREASE_LIQUIDITY, (held.token_id, held.liquidity, 0, 0, _NO_DEADLINE)),
            encode_call(
                contracts.COLLECT, (held.token_id, recipient, contracts.MAX_UINT128, contracts.MAX_UINT128)
            ),
            encode_call(contracts.BURN, held.token_id),
        ]
        return Call(mainnet.POSITION_MANAGER, encode_call("multicall(bytes[])", parts))
