"""A vault on a stand-in: its owner, its agent's key, a thief, and what each of them sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode

from defai.audit.outbox import Anchor
from defai.audit.record import AuditDomain, Draft, action_digest, seal
from defai.chain import mainnet
from defai.chain.artifacts import artifact
from defai.chain.codec import checksum, selector, unhex
from defai.chain.contracts import exact_input_single
from defai.chain.deploy import (
    AgentSeat,
    OurContracts,
    VaultRequest,
    VaultRules,
    create_vaults,
    deploy_contracts,
)
from defai.chain.keys import throwaway_key
from defai.chain.revert import canonical_type
from defai.chain.tx import Receipt, Wallet, get_receipts, send
from defai.chain.vault import encode_anchor, encode_execute
from defai.domain.decisions import Action, Decision
from defai.domain.operations import Call
from defai.domain.tokens import Address
from defai.units import GWEI, WEI
from tests.chain.scenes import Market

POOL = mainnet.USDC_WETH_005
FUNDS_USDC = 1_000_000 * 10**6
FUNDS_WETH = 500 * WEI
PAYLOAD = {"intent": {"kind": "swap"}, "reason": "WETH stands under its mean"}


@dataclass(frozen=True)
class Outcome:
    """What became of a transaction: its receipt, and the error it reverted with (name and values), if it did."""

    receipt: Receipt
    error: tuple[Any, ...] | None


@dataclass
class VaultScene:
    """A funded vault and those who want something of it."""

    market: Market
    contracts: OurContracts
    seat: AgentSeat
    owner: Wallet
    agent: Wallet
    thief: Wallet

    @property
    def vault(self) -> Address:
        return self.seat.vault

    @property
    def domain(self) -> AuditDomain:
        return AuditDomain(self.market.chain.chain_id, self.contracts.audit)

    async def head(self) -> tuple[int, str]:
        """Number and hash of the newest block."""
        block = await self.market.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), block["hash"]

    def swap(self, amount_in: int = 1_000 * 10**6, *, recipient: Address | None = None) -> Call:
        """Dollars for ether."""
        return exact_input_single(
            POOL,
            zero_for_one=True,
            recipient=recipient or self.vault,
            amount_in=amount_in,
            amount_out_minimum=0,
        )

    async def decide(self, calls: Sequence[Call], *, payload: Mapping[str, Any] = PAYLOAD) -> Decision:
        """The agent's next decision, as its process seals it."""
        number, block_hash = await self.head()
        _, sequence, last, _ = await self.agent_state()
        draft = Draft(
            block_number=number,
            block_hash=block_hash,
            strategy_digest="0x" + "51" * 32,
            model_digest="0x" + "4d" * 32,
            features_digest="0x" + "fe" * 32,
            forecast_x24=-(3 << 24),
            action=Action.SWAP,
            action_digest=action_digest(calls),
            payload=payload,
        )
        return seal(draft, self.domain, agent_id=self.seat.agent_id, sequence=sequence, previous_digest=last)

    async def execute(
        self,
        calls: Sequence[Call],
        *,
        decision: Decision | None = None,
        pending: Anchor | None = None,
        sender: Wallet | None = None,
    ) -> Outcome:
        """Send an execution: of the agent's next decision, unless another one is given."""
        data = encode_execute(pending or Anchor(), decision or await self.decide(calls), calls)
        return await self.send(sender or self.agent, self.vault, data)

    async def anchor(self, pending: Anchor) -> Outcome:
        return await self.send(self.agent, self.vault, encode_anchor(pending))

    async def send(self, sender: Wallet, target: Address, data: bytes) -> Outcome:
        """Send one transaction, mine it, and see what became of it."""
        rpc = self.market.chain.rpc
        await sender.resync(rpc)
        signed = sender.sign(target, data, gas=3_000_000, max_fee_wei=10 * GWEI, priority_fee_wei=GWEI)
        assert await send(rpc, [signed]) == [None]
        await self.market.chain.mine(base_fee_wei=GWEI)
        (receipt,) = await get_receipts(rpc, [signed.hash])
        assert receipt is not None
        if receipt.succeeded:
            return Outcome(receipt, None)
        trace = await rpc.call("debug_traceTransaction", signed.hash, {"tracer": "callTracer"})
        return Outcome(receipt, decode_error(unhex(trace.get("output") or "0x")))

    async def view(self, target: Address, name: str, *arguments: object) -> tuple[Any, ...]:
        """Call a view function of one of our contracts by its name; what it returns."""
        contract = "AgentVault" if target == self.vault else "DecisionAudit"
        entry = next(part for part in artifact(contract).abi if part.get("name") == name)
        inputs = [canonical_type(part) for part in entry["inputs"]]
        call = selector(f"{name}({','.join(inputs)})") + encode(inputs, list(arguments))
        outputs = [canonical_type(part) for part in entry["outputs"]]
        return tuple(decode(outputs, await self.market.view(target, call)))

    async def agent_state(self) -> tuple[Address, int, str, int]:
        """The vault, the next sequence, the last digest, the number of records."""
        vault, sequence, last, records = await self.view(self.contracts.audit, "agentOf", self.seat.agent_id)
        return checksum(vault), sequence, "0x" + last.hex(), records

    async def ledger(self) -> dict[str, Any]:
        """All that must be as it was after a transaction that reverted."""
        chain = self.market.chain
        return {
            "agent": await self.agent_state(),
            "records": await self.view(self.contracts.audit, "totalSupply"),
            **{
                f"{name} {token.symbol}": await chain.balance(account, token)
                for name, account in (("vault", self.vault), ("thief", self.thief.address))
                for token in mainnet.TOKENS
            },
        }


def decode_error(data: bytes) -> tuple[Any, ...]:
    """Name and values of an error of our contracts, or of a text that another one reverted with."""
    for name in ("AgentVault", "AgentVaultFactory", "DecisionAudit"):
        for entry in artifact(name).abi:
            types = [canonical_type(part) for part in entry.get("inputs", ())]
            if entry["type"] == "error" and data[:4] == selector(f"{entry['name']}({','.join(types)})"):
                return (entry["name"], *decode(types, data[4:]))
    if data[:4] == selector("Error(string)"):
        return ("Error", *decode(["string"], data[4:]))
    return ("unknown", data)


async def open_vault(market: Market, rules: VaultRules) -> VaultScene:
    """Deploy our contracts, create a vault and fund it."""
    chain = market.chain
    wallets = []
    for name in ("owner", "agent", "thief"):
        signer = throwaway_key(2, name)
        await chain.fund_ether(signer.address)
        wallets.append(await Wallet.connect(signer, chain.rpc))
    owner, agent, thief = wallets

    async def mine() -> int:
        return await chain.mine(base_fee_wei=GWEI)

    contracts = await deploy_contracts(chain.rpc, owner, settle=mine)
    request = VaultRequest(owner.address, agent.address, rules)
    (seat,) = await create_vaults(chain.rpc, owner, contracts.factory, [request], settle=mine)
    await chain.fund(seat.vault, mainnet.USDC, FUNDS_USDC)
    await chain.fund(seat.vault, mainnet.WETH, FUNDS_WETH)
    return VaultScene(market, contracts, seat, owner, agent, thief)
