"""Our own contracts: the factory, which brings the audit with it, and one vault for each agent."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from defai.chain import contracts, mainnet
from defai.chain.artifacts import artifact
from defai.chain.codec import address_at, checksum, encode_call, selector, topic, unhex
from defai.chain.pairs import SWAP_IN_PAIR
from defai.chain.rpc import Rpc
from defai.chain.tx import Receipt, Step, Wallet, carry_out
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.units import GWEI

UNLIMITED: Final = (1 << 120) - 1
"""A cap that caps nothing (SpendingCap.UNLIMITED)."""
_TARGETS_TYPE: Final = "(address,bytes4[])[]"
_TOKENS_TYPE: Final = "(address,uint120,uint120,uint120)[]"
_POOLS_TYPE: Final = "(address,uint32,uint24)[]"
_POLICY: Final = f"({_TARGETS_TYPE},{_TOKENS_TYPE},{_POOLS_TYPE},(address,uint16,uint32))"
CREATE_VAULT: Final = f"createVault(address,address,{_POLICY})"
VAULT_CREATED: Final = "VaultCreated(uint256,address,address,address)"
_FACTORY_GAS: Final = 12_000_000
_VAULT_GAS: Final = 2_000_000

NOBODY: Final[Address] = "0x" + "00" * 20

_TARGETS: Final[Mapping[Address, tuple[str, ...]]] = {
    mainnet.POSITION_MANAGER: (
        contracts.MINT,
        contracts.INCREASE_LIQUIDITY,
        contracts.DECREASE_LIQUIDITY,
        contracts.COLLECT,
        contracts.BURN,
    ),
}
"""What a vault may call beside its pools: with their `swap`, exactly the functions `encode_operations` encodes.

A swap in a pair goes through SwapRouter02.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultRules:
    """What an agent may do with its vault's funds.

    Attributes:
        pools: the pools it may trade and provide liquidity in, and so the tokens. With a pair of Uniswap v2 among them
            it may swap in the pairs of all its pools' tokens; what bounds such a swap is the first pool of the tokens.
        trade_cap_raw: the most of a token one transaction may spend, by address; a token without one is not capped.
        day_cap_raw: the most of it that may be spent within 24 hours, half of it at once.
        approval_above_raw: what one transaction may spend of it without the owner's approval of the decision.
        twap_seconds: length of the average price that trades are held against; 0 for no such check. A pool refuses
            one that reaches back before its first observation.
        max_tick_deviation: how far from that average a trade may stand, in ticks.
        numeraire: the token that the circuit breaker tells the vault's worth in; needed where there is one.
        max_drawdown_bps: the fall from its highest worth at which the vault stops trading; 0 for no breaker.
        mark_seconds: how often a trade values the vault first.
        routers: whether swaps in pools through SwapRouter02 are allowed too; nothing here makes them.
    """

    pools: tuple[PoolKey, ...]
    trade_cap_raw: Mapping[Address, int] = field(default_factory=dict)
    day_cap_raw: Mapping[Address, int] = field(default_factory=dict)
    approval_above_raw: Mapping[Address, int] = field(default_factory=dict)
    twap_seconds: int = 0
    max_tick_deviation: int = 0
    numeraire: Address = NOBODY
    max_drawdown_bps: int = 0
    mark_seconds: int = 3_600
    routers: bool = False

    def policy(self) -> tuple[object, ...]:
        """The contracts' PolicyConfig: targets, tokens, pools, breaker."""
        tokens = dict.fromkeys(token.address for key in self.pools for token in (key.token0, key.token1))
        by_token = (self.trade_cap_raw, self.day_cap_raw, self.approval_above_raw)
        in_router: tuple[str, ...] = (contracts.EXACT_INPUT_SINGLE,) if self.routers else ()
        if any(key.is_pair for key in self.pools):
            in_router += (SWAP_IN_PAIR,)
        targets = {**_TARGETS, **({mainnet.SWAP_ROUTER_02: in_router} if in_router else {})}
        return (
            [(target, [selector(name) for name in names]) for target, names in targets.items()],
            [(token, *(caps.get(token, UNLIMITED) for caps in by_token)) for token in tokens],
            [
                (key.address, self.twap_seconds, self.max_tick_deviation)
                for key in self.pools
                if not key.is_pair
            ],
            (self.numeraire, self.max_drawdown_bps, self.mark_seconds),
        )


@dataclass(frozen=True, slots=True)
class VaultRequest:
    """A vault that is wanted: who owns it, whose key trades, and within which rules."""

    owner: Address
    agent_key: Address
    rules: VaultRules


@dataclass(frozen=True, slots=True)
class AgentSeat:
    """An agent's number and its vault."""

    agent_id: int
    vault: Address


@dataclass(frozen=True, slots=True)
class OurContracts:
    """Where our contracts stand.

    Attributes:
        audit: DecisionAudit, which the factory created.
        block_number: the block the factory was deployed in: no record is older.
    """

    factory: Address
    audit: Address
    block_number: int


async def deploy_contracts(
    rpc: Rpc,
    deployer: Wallet,
    *,
    max_fee_wei: int = 10 * GWEI,
    priority_fee_wei: int = GWEI,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> OurContracts:
    """Deploy the factory, and with it the audit. The same deployer at the same nonce gives the same addresses.

    Args:
        rpc: the node.
        deployer: pays for it; it has no power over the contracts afterwards.
        max_fee_wei: the most a unit of gas may cost.
        priority_fee_wei: the tip.
        settle: mines, on a chain that mines on demand.

    Raises:
        DefaiError: where it is refused or reverts.
    """
    code = artifact("AgentVaultFactory").creation_code()
    step = Step(None, code, _FACTORY_GAS, "deploy the vaults' factory")
    (receipt,) = await carry_out(
        rpc, deployer, [step], max_fee_wei=max_fee_wei, priority_fee_wei=priority_fee_wei, settle=settle
    )
    return await find_contracts(rpc, receipt.created, block_number=receipt.block_number)


async def find_contracts(rpc: Rpc, factory: Address, *, block_number: int = 0) -> OurContracts:
    """The contracts that belong to a factory that is deployed already.

    Raises:
        DivergenceError: where there is no such factory.
    """
    answer = await rpc.view(factory, selector("audit()"))
    if len(answer) != 32:
        raise DivergenceError(f"There is no vault factory at {factory}.", "Is it the right network?")
    return OurContracts(factory, address_at(answer), block_number)


async def create_vaults(
    rpc: Rpc,
    payer: Wallet,
    factory: Address,
    requests: Sequence[VaultRequest],
    *,
    max_fee_wei: int = 10 * GWEI,
    priority_fee_wei: int = GWEI,
    settle: Callable[[], Awaitable[object]] | None = None,
) -> list[AgentSeat]:
    """Create a vault for each agent; they are numbered in the order of the requests.

    Args:
        rpc: the node.
        payer: pays for it; anyone may.
        factory: the vaults' factory.
        requests: the vaults that are wanted.
        max_fee_wei: the most a unit of gas may cost.
        priority_fee_wei: the tip.
        settle: mines, on a chain that mines on demand.

    Raises:
        DefaiError: where one is refused or reverts, e.g. because a pool of its rules does not exist.
    """
    steps = [
        Step(
            factory,
            encode_call(CREATE_VAULT, request.owner, request.agent_key, request.rules.policy()),
            _VAULT_GAS,
            f"create the vault of the agent with the key {request.agent_key}",
        )
        for request in requests
    ]
    receipts = await carry_out(
        rpc, payer, steps, max_fee_wei=max_fee_wei, priority_fee_wei=priority_fee_wei, settle=settle
    )
    return [_seat(receipt, factory) for receipt in receipts]


async def find_vaults(
    rpc: Rpc, factory: Address, first_block: int
) -> list[tuple[AgentSeat, Address, Address]]:
    """The vaults that a factory made from a block on: each seat, its owner, and the key it was made for."""
    wanted = {"address": factory, "topics": [topic(VAULT_CREATED)], "fromBlock": hex(first_block)}
    logs = await rpc.call("eth_getLogs", wanted)
    return [
        (_seat_of(log), address_at(unhex(log["topics"][3])), address_at(unhex(log["data"]))) for log in logs
    ]


def _seat_of(log: Mapping[str, Any]) -> AgentSeat:
    return AgentSeat(int(log["topics"][1], 16), checksum("0x" + log["topics"][2][26:]))


def _seat(receipt: Receipt, factory: Address) -> AgentSeat:
    for log in receipt.logs:
        if log["topics"][:1] == [topic(VAULT_CREATED)] and checksum(log["address"]) == factory:
            return _seat_of(log)
    raise DivergenceError(f"Transaction {receipt.transaction_hash} created no vault.")
