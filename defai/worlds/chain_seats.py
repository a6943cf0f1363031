"""Seats on a chain whose money we may make: our contracts deployed, a vault for each agent, funded."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from defai.agent.ports import Seat
from defai.amm import Pool
from defai.chain.codec import encode_call
from defai.chain.contracts import GROW_OBSERVATIONS
from defai.chain.deploy import OurContracts, VaultRequest, create_vaults, deploy_contracts
from defai.chain.identity import Registration, Service, ensure_registries, register_agents
from defai.chain.keys import Signer, throwaway_key
from defai.chain.local import DevelopmentChain
from defai.chain.mainnet import TOKENS
from defai.chain.tx import Step, Wallet, carry_out
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.market.valuation import Valuation
from defai.units import GWEI
from defai.worlds.seating import SeatRequest, opening_balances
from defai.worlds.vault_accounts import VaultAccount
from defai.worlds.vault_rules import vault_rules

Settle = Callable[[], Awaitable[object]]

_TIP_WEI = GWEI
_SPARE_OBSERVATIONS = 50
_MOST_OBSERVATIONS = 600
_GROW_GAS = 14_000_000
_NOWHERE: Address = "0x0000000000000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Seating:
    """Agents seated on a chain.

    Attributes:
        deployer: who paid for the contracts; None where nobody sits.
    """

    contracts: OurContracts
    seats: tuple[Seat, ...]
    accounts: dict[str, VaultAccount]
    deployer: Wallet | None


async def seat_agents(
    chain: DevelopmentChain,
    requests: Sequence[SeatRequest],
    pools: Sequence[PoolKey],
    valuation: Valuation,
    pricing: Pool,
    *,
    seed: int,
    max_fee_wei: int,
    settle: Settle | None,
) -> Seating:
    """Deploy our contracts with throwaway keys, make, fill and register the agents' vaults; without agents, nothing.

    Args:
        chain: a stand-in, a fork, or another node that lets us set balances.
        requests: the agents, in the order of the fleet.
        pools: where they may trade.
        valuation: what money is.
        pricing: state of the pricing pool, by which requests in money become tokens.
        seed: of the keys.
        max_fee_wei: the most a unit of gas may cost.
        settle: mines what was sent; None where blocks come by themselves.
    """
    if not requests:
        return Seating(OurContracts(_NOWHERE, _NOWHERE, 0), (), {}, None)
    deployer = await _wallet(chain, throwaway_key(seed, "deployer"))
    owner = await _wallet(chain, throwaway_key(seed, "owner"))
    fees = {"max_fee_wei": max_fee_wei, "priority_fee_wei": _TIP_WEI}
    contracts = await deploy_contracts(chain.rpc, deployer, settle=settle, **fees)
    wallets = [await _wallet(chain, throwaway_key(seed, f"agent/{request.name}")) for request in requests]
    wanted = [
        VaultRequest(owner.address, wallet.address, vault_rules(request.limits, pools, valuation, pricing))
        for request, wallet in zip(requests, wallets, strict=True)
    ]
    await _remember_prices(chain, deployer, wanted, settle, fees)
    vaults = await create_vaults(chain.rpc, deployer, contracts.factory, wanted, settle=settle, **fees)
    tokens = {token.address: token for token in TOKENS}
    seats, accounts = [], {}
    for request, wallet, made in zip(requests, wallets, vaults, strict=True):
        balances = opening_balances(request, valuation, pricing)
        for token, amount in balances.items():
            await chain.fund(made.vault, tokens[token], amount)
        seats.append(Seat(request.name, made.agent_id, made.vault, balances))
        accounts[request.name] = VaultAccount(wallet, made.vault, made.agent_id)
    registries = await ensure_registries(chain.rpc, deployer, settle=settle, **fees)
    entries = [_entry(chain.chain_id, contracts, name, account) for name, account in accounts.items()]
    await register_agents(chain.rpc, owner, registries.identity, entries, settle=settle, **fees)
    return Seating(contracts, tuple(seats), accounts, deployer)


def _entry(chain_id: int, contracts: OurContracts, name: str, account: VaultAccount) -> Registration:
    """An agent's entry in the identity registry: its endpoints are its vault and the log of its decisions."""
    return Registration(
        name=name,
        description="A defai agent: every decision is recorded by its vault and can be computed anew.",
        services=(
            Service("vault", f"eip155:{chain_id}:{account.vault}"),
            Service("decisions", f"eip155:{chain_id}:{contracts.audit}"),
        ),
        supported_trust=("reputation", "re-execution"),
        vault=account.vault,
        wallet=account.wallet.signer,
    )


async def _remember_prices(
    chain: DevelopmentChain,
    payer: Wallet,
    wanted: Sequence[VaultRequest],
    settle: Settle | None,
    fees: Mapping[str, int],
) -> None:
    """Let the pools' oracles reach back as far as the vaults look, even with a trade in every second."""
    pools = dict.fromkeys(
        key.address for request in wanted if request.rules.twap_seconds for key in request.rules.pools
    )
    seconds = max(request.rules.twap_seconds for request in wanted)
    data = encode_call(GROW_OBSERVATIONS, min(seconds + _SPARE_OBSERVATIONS, _MOST_OBSERVATIONS))
    steps = [Step(pool, data, _GROW_GAS, f"let {pool} remember more prices") for pool in pools]
    if steps:
        await carry_out(chain.rpc, payer, steps, settle=settle, **fees)


async def _wallet(chain: DevelopmentChain, signer: Signer) -> Wallet:
    await chain.fund_ether(signer.address)
    return await Wallet.connect(signer, chain.rpc)
