"""Seats on a chain: our contracts deployed, a vault for each agent, funded and registered; each step taken once.

Starting is the same as starting again: what the ledger or the chain says was done is not done again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from defai.agent.ports import Seat
from defai.amm import Pool
from defai.chain.codec import encode_call
from defai.chain.contracts import GROW_OBSERVATIONS
from defai.chain.deploy import (
    AgentSeat,
    OurContracts,
    VaultRequest,
    create_vaults,
    deploy_contracts,
    find_contracts,
    find_vaults,
)
from defai.chain.identity import Registration, Service, ensure_registries, register_agents, registered_vaults
from defai.chain.keys import Signer, throwaway_key
from defai.chain.local import DevelopmentChain
from defai.chain.rpc import Rpc
from defai.chain.tx import Step, Wallet, carry_out, create_address
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError, DivergenceError
from defai.market.valuation import Valuation
from defai.units import GWEI
from defai.worlds.purses import Purse
from defai.worlds.seat_ledger import SeatLedger
from defai.worlds.seating import SeatRequest, opening_balances
from defai.worlds.vault_accounts import VaultAccount, VaultAccounts, read_place
from defai.worlds.vault_rules import vault_rules

Settle = Callable[[], Awaitable[object]]

_TIP_WEI = GWEI
_SPARE_OBSERVATIONS = 50
_MOST_OBSERVATIONS = 600
_GROW_GAS = 14_000_000
_NOWHERE: Address = "0x0000000000000000000000000000000000000000"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The accounts of a fleet.

    Attributes:
        deployer: pays for the contracts.
        registrar: registers the agents, and owns their identities.
        owner: whose the vaults are.
        agent: the account of an agent, by its name.
    """

    deployer: Signer
    registrar: Signer
    owner: Address
    agent: Callable[[str], Signer]


def throwaway_keyring(seed: int) -> Keyring:
    """Accounts that anyone can compute: for chains whose money is play money."""
    owner = throwaway_key(seed, "owner")
    return Keyring(
        throwaway_key(seed, "deployer"),
        owner,
        owner.address,
        lambda name: throwaway_key(seed, f"agent/{name}"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatingPlan:
    """How agents get their seats on a chain.

    Attributes:
        chain: a stand-in, a fork, or another node.
        pools: where they may trade.
        valuation: what money is.
        pricing: state of the pricing pool, by which requests in money become tokens.
        keys: the accounts.
        purse: pays.
        max_fee_wei: the most a unit of gas may cost.
        tip_wei: what a unit of it tips.
        settle: mines what was sent; None where blocks come by themselves.
        ledger: what stands already.
        factory: a factory of vaults to use; None deploys one.
    """

    chain: DevelopmentChain
    pools: Sequence[PoolKey]
    valuation: Valuation
    pricing: Pool
    keys: Keyring
    purse: Purse
    max_fee_wei: int
    tip_wei: int = _TIP_WEI
    settle: Settle | None = None
    ledger: SeatLedger = field(default_factory=SeatLedger)
    factory: Address | None = None

    @property
    def fees(self) -> dict[str, int]:
        """For a unit of gas."""
        return {"max_fee_wei": self.max_fee_wei, "priority_fee_wei": self.tip_wei}


@dataclass(frozen=True, slots=True)
class Seating:
    """Agents seated on a chain.

    Attributes:
        deployer: who paid for the contracts; None where nobody sits.
        owner: whose money the vaults hold, where he can sign here.
    """

    contracts: OurContracts
    seats: tuple[Seat, ...]
    accounts: dict[str, VaultAccount]
    deployer: Wallet | None
    owner: Signer | None

    def vaults(self, rpc: Rpc, pools: Sequence[PoolKey]) -> VaultAccounts:
        """The agents' vaults."""
        return VaultAccounts(rpc, self.accounts, pools, self.contracts.audit, self.owner)


async def seat_agents(plan: SeatingPlan, requests: Sequence[SeatRequest]) -> Seating:
    """Deploy our contracts, make, fill and register the agents' vaults; without agents, nothing.

    Args:
        plan: where and how.
        requests: the agents, in the order of the fleet.
    """
    if not requests:
        return Seating(OurContracts(_NOWHERE, _NOWHERE, 0), (), {}, None, None)
    rpc, keys, ledger = plan.chain.rpc, plan.keys, plan.ledger
    signers = {request.name: keys.agent(request.name) for request in requests}
    owners = dict.fromkeys((keys.deployer.address, keys.registrar.address))
    await plan.purse.pay_gas(list(owners))
    deployer = await Wallet.connect(keys.deployer, rpc)
    registrar = deployer
    if keys.registrar.address != keys.deployer.address:
        registrar = await Wallet.connect(keys.registrar, rpc)
    contracts = await _contracts(plan, deployer)
    await plan.purse.pay_gas([signer.address for signer in signers.values()])
    await deployer.resync(rpc)
    wallets = {name: await Wallet.connect(signer, rpc) for name, signer in signers.items()}
    accounts = await _vaults(plan, deployer, contracts, requests, wallets)
    funds = await _funds(plan, requests, accounts)
    await deployer.resync(rpc)
    registries = await ensure_registries(rpc, deployer, settle=plan.settle, **plan.fees)
    await registrar.resync(rpc)
    await _register(plan, registrar, contracts, registries.identity, accounts)
    await deployer.resync(rpc)
    seats = []
    for name, account in accounts.items():
        sequence, digest = 0, None
        if ledger.is_old:
            sequence, digest = await read_place(rpc, contracts.audit, account.agent_id)
        seats.append(Seat(name, account.agent_id, account.vault, funds[name], sequence, digest))
    owner = keys.registrar if keys.registrar.address == keys.owner else None
    return Seating(contracts, tuple(seats), accounts, deployer, owner)


async def _contracts(plan: SeatingPlan, deployer: Wallet) -> OurContracts:
    """The factory that is to be used, the one an earlier process deployed, or a new one."""
    rpc, ledger = plan.chain.rpc, plan.ledger
    factory, since = ledger.get("factory"), ledger.get("block_number")
    if factory is None and plan.factory is not None:
        factory, since = plan.factory, await plan.chain.head()
        ledger.note(factory=factory, block_number=since)
    if factory is not None and (await plan.chain.code_exists([factory]))[0]:
        return await find_contracts(rpc, factory, block_number=since)
    if factory is not None and plan.factory is not None:
        raise DivergenceError(f"There is no vault factory at {factory}.", "Is it the right network?")
    if factory is not None and any(ledger.of(name, "funds") for name in ledger.agents):
        raise DivergenceError(
            f"The contracts of this run are not on the chain any more ({factory}).",
            "It is another chain, or began anew: name another --run-dir.",
        )
    ledger.note(
        factory=create_address(deployer.address, deployer.nonce), block_number=await plan.chain.head()
    )
    return await deploy_contracts(rpc, deployer, settle=plan.settle, **plan.fees)


async def _vaults(
    plan: SeatingPlan,
    deployer: Wallet,
    contracts: OurContracts,
    requests: Sequence[SeatRequest],
    wallets: Mapping[str, Wallet],
) -> dict[str, VaultAccount]:
    """Every agent's vault: found by its key, or made."""
    rpc, ledger = plan.chain.rpc, plan.ledger
    keys = {wallet.address: name for name, wallet in wallets.items()}
    known: dict[str, AgentSeat] = {}
    for name, wallet in wallets.items():
        if ledger.of(name, "key") not in {None, wallet.address}:
            raise ConfigError(
                f"The agent '{name}' had another key when this run began.",
                "Start with the same seed or keystore, or name another --run-dir.",
            )
        if ledger.of(name, "vault") is not None:
            known[name] = AgentSeat(*ledger.of(name, "vault"))
    if len(known) < len(requests) and (ledger.is_old or plan.factory is not None):
        for seat, owner, key in await find_vaults(rpc, contracts.factory, contracts.block_number):
            if key in keys and owner == plan.keys.owner:
                known.setdefault(keys[key], seat)
    missing = [request for request in requests if request.name not in known]
    wanted = [
        VaultRequest(
            plan.keys.owner,
            wallets[request.name].address,
            vault_rules(request.limits, plan.pools, plan.valuation, plan.pricing),
        )
        for request in missing
    ]
    if wanted:
        await _remember_prices(plan, deployer, wanted)
        seats = await create_vaults(rpc, deployer, contracts.factory, wanted, settle=plan.settle, **plan.fees)
        known |= {request.name: seat for request, seat in zip(missing, seats, strict=True)}
    ledger.note_agents("key", {name: wallet.address for name, wallet in wallets.items()})
    ledger.note_agents("vault", {name: (seat.agent_id, seat.vault) for name, seat in known.items()})
    return {
        request.name: VaultAccount(
            wallets[request.name], known[request.name].vault, known[request.name].agent_id
        )
        for request in requests
    }


async def _funds(
    plan: SeatingPlan, requests: Sequence[SeatRequest], accounts: Mapping[str, VaultAccount]
) -> dict[str, dict[Address, int]]:
    """What each vault began with: noted once it is there, and never filled again."""
    ledger = plan.ledger
    known = {
        request.name: {token: int(amount) for token, amount in ledger.of(request.name, "funds").items()}
        for request in requests
        if ledger.of(request.name, "funds") is not None
    }
    empty = {
        request.name: (
            accounts[request.name].vault,
            opening_balances(request, plan.valuation, plan.pricing),
        )
        for request in requests
        if request.name not in known
    }
    if empty:
        traded = {token.address for key in plan.pools for token in (key.token0, key.token1)}
        filled = {
            name: {token: amount for token, amount in held.items() if token in traded}
            for name, held in (await plan.purse.fill(empty)).items()
        }
        ledger.note_agents(
            "funds",
            {
                name: {token: str(amount) for token, amount in amounts.items()}
                for name, amounts in filled.items()
            },
        )
        known |= filled
    return known


async def _register(
    plan: SeatingPlan,
    registrar: Wallet,
    contracts: OurContracts,
    identity: Address,
    accounts: Mapping[str, VaultAccount],
) -> None:
    """Give every agent its identity, unless it has one."""
    rpc, ledger = plan.chain.rpc, plan.ledger
    without = [name for name in accounts if not ledger.of(name, "registered")]
    there: set[Address] = set()
    if without and ledger.is_old:
        there = await registered_vaults(rpc, identity, registrar.address, contracts.block_number)
    entries = [
        _entry(plan.chain.chain_id, contracts, name, accounts[name])
        for name in without
        if accounts[name].vault not in there
    ]
    await register_agents(rpc, registrar, identity, entries, settle=plan.settle, **plan.fees)
    ledger.note_agents("registered", dict.fromkeys(accounts, True))


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


async def _remember_prices(plan: SeatingPlan, payer: Wallet, wanted: Sequence[VaultRequest]) -> None:
    """Let the pools' oracles reach back as far as the vaults look, even with a trade in every second."""
    pools = dict.fromkeys(
        key.address
        for request in wanted
        if request.rules.twap_seconds
        for key in request.rules.pools
        if not key.is_pair
    )
    seconds = max(request.rules.twap_seconds for request in wanted)
    data = encode_call(GROW_OBSERVATIONS, min(seconds + _SPARE_OBSERVATIONS, _MOST_OBSERVATIONS))
    steps = [Step(pool, data, _GROW_GAS, f"let {pool} remember more prices") for pool in pools]
    if steps:
        await carry_out(plan.chain.rpc, payer, steps, settle=plan.settle, **plan.fees)
