"""Our own contracts on the stand-in: deployed at foretold addresses, driven through their vaults, read back."""

from dataclasses import replace

import pytest

from defai.audit.outbox import Anchor, Outbox
from defai.audit.record import AuditDomain, Draft, action_digest
from defai.chain import mainnet
from defai.chain.codec import address_at, encode_call, selector, topic, word
from defai.chain.contracts import encode_operations, transfer
from defai.chain.decode import NftTransferred, decode_receipt_logs
from defai.chain.deploy import (
    CREATE_VAULT,
    AgentSeat,
    OurContracts,
    VaultRequest,
    VaultRules,
    create_vaults,
    deploy_contracts,
    find_contracts,
)
from defai.chain.keys import throwaway_key
from defai.chain.tx import Receipt, Step, Wallet, carry_out, create_address
from defai.chain.vault import (
    DECISION_RECORDED,
    encode_anchor,
    encode_execute,
    recorded_anchors,
    recorded_decisions,
)
from defai.domain.decisions import ZERO_DIGEST, Action, Decision
from defai.domain.operations import Call, MintPosition, Operation, SwapExactInput
from defai.errors import DefaiError, DivergenceError
from tests.chain.scenes import Market

KEY = mainnet.USDC_WETH_005
POOLS = {key.address: key for key in mainnet.POOLS}
STRATEGY = "0x" + "51" * 32


class Fleet:
    """Two vaults of one owner, and the first agent's wallet and chain of decisions."""

    def __init__(self, market: Market, ours: OurContracts, seats: list[AgentSeat], agent: Wallet) -> None:
        self.market, self.ours, self.seats, self.agent = market, ours, seats, agent
        self.vault = seats[0].vault
        self.outbox = Outbox(seats[0].agent_id, AuditDomain(market.chain.chain_id, ours.audit))

    async def decide(self, calls: tuple[Call, ...] = (), action: Action = Action.HOLD) -> Decision:
        rpc = self.market.chain.rpc
        block = await rpc.call("eth_getBlockByNumber", "latest", False)
        draft = Draft(
            block_number=int(block["number"], 16),
            block_hash=block["hash"],
            strategy_digest=STRATEGY,
            model_digest=ZERO_DIGEST,
            features_digest=ZERO_DIGEST,
            forecast_x24=-5,
            action=action,
            action_digest=action_digest(calls),
            payload={"reason": "a test"},
        )
        return self.outbox.seal(draft)

    async def send(self, data: bytes) -> Receipt:
        (receipt,) = await carry_out(
            self.market.chain.rpc,
            self.agent,
            [Step(self.vault, data, 3_000_000, "act through the vault")],
            max_fee_wei=10**10,
            priority_fee_wei=10**9,
            settle=self.market.chain.mine,
        )
        return receipt


async def opened_fleet(market: Market, rules: VaultRules) -> Fleet:
    chain = market.chain
    deployer, agent = throwaway_key(1, "deployer"), throwaway_key(1, "agent")
    for signer in (deployer, agent):
        await chain.fund_ether(signer.address)
    payer = await Wallet.connect(deployer, chain.rpc)
    ours = await deploy_contracts(chain.rpc, payer, settle=chain.mine)
    request = VaultRequest(deployer.address, agent.address, rules)
    seats = await create_vaults(chain.rpc, payer, ours.factory, [request, request], settle=chain.mine)
    for token in (mainnet.USDC, mainnet.WETH):
        await chain.fund(seats[0].vault, token, 10**6 * 10**token.decimals)
    return Fleet(market, ours, seats, await Wallet.connect(agent, chain.rpc))


async def test_addresses_are_foretold_and_found_again(market: Market) -> None:
    fleet = await opened_fleet(market, VaultRules(pools=mainnet.POOLS))
    deployer = throwaway_key(1, "deployer").address
    assert fleet.ours.factory == create_address(deployer, 0)
    assert fleet.ours.audit == create_address(fleet.ours.factory, 1)
    assert [seat.agent_id for seat in fleet.seats] == [0, 1]
    assert await find_contracts(market.chain.rpc, fleet.ours.factory) == replace(fleet.ours, block_number=0)
    wish = (deployer, fleet.agent.address, VaultRules(pools=mainnet.POOLS).policy())
    foretold = address_at(
        await market.view(fleet.ours.factory, encode_call(CREATE_VAULT.replace("create", "predict"), *wish))
    )
    assert foretold not in {each.vault for each in fleet.seats}
    await market.chain.fund_ether(throwaway_key(1, "anyone").address)
    payer = await Wallet.connect(throwaway_key(1, "anyone"), market.chain.rpc)
    (next_seat,) = await create_vaults(
        market.chain.rpc,
        payer,
        fleet.ours.factory,
        [VaultRequest(deployer, fleet.agent.address, VaultRules(pools=mainnet.POOLS))],
        settle=market.chain.mine,
    )
    assert next_seat.vault == foretold
    for seat in fleet.seats:
        assert address_at(await market.view(seat.vault, selector("owner()"))) == deployer
        assert address_at(await market.view(seat.vault, selector("agentKey()"))) == fleet.agent.address
    with pytest.raises(DivergenceError, match="There is no vault factory at"):
        await find_contracts(market.chain.rpc, market.trader.address)


async def test_a_trade_and_its_record_are_one_transaction(market: Market) -> None:
    fleet = await opened_fleet(market, VaultRules(pools=mainnet.POOLS))
    operations: list[Operation] = [
        SwapExactInput(KEY.address, True, 10**9, 1),
        MintPosition(KEY.address, 198_000, 201_000, 10**9, 10**18, 0, 0),
    ]
    calls = encode_operations(operations, vault=fleet.vault, pools=POOLS, deadline=1 << 40)
    decision = await fleet.decide(calls, Action.BATCH)
    receipt = await fleet.send(encode_execute(Anchor(), decision, calls))
    (record,) = recorded_decisions(receipt.logs, fleet.ours.audit)
    assert record.decision == decision
    assert record.token_id == 1
    assert record.transaction_hash == receipt.transaction_hash
    nfts = [event for event in decode_receipt_logs(receipt.logs) if isinstance(event, NftTransferred)]
    assert {nft.contract for nft in nfts} == {fleet.ours.audit, mainnet.POSITION_MANAGER}
    assert {nft.recipient for nft in nfts} == {fleet.vault}

    logs = [log | {"data": log["data"][:200]} for log in receipt.logs]
    with pytest.raises(DivergenceError, match=r"A record in transaction 0x.* cannot be read"):
        recorded_decisions(logs, fleet.ours.audit)
    assert recorded_decisions(receipt.logs, market.trader.address) == []

    with pytest.raises(DefaiError, match=r"WrongSequence\(expected=1, given=0\)"):
        await fleet.send(encode_execute(Anchor(), decision, calls))


async def test_holds_are_anchored_and_read_back(market: Market) -> None:
    fleet = await opened_fleet(market, VaultRules(pools=mainnet.POOLS))
    holds = [await fleet.decide() for _ in range(3)]
    anchor = Anchor("0x" + "77" * 32, 0, len(holds), holds[-1].digest)
    first = await fleet.send(encode_anchor(anchor))
    (read,) = recorded_anchors(first.logs, fleet.ours.audit)
    assert (read.agent_id, read.anchor, read.block_number) == (0, anchor, first.block_number)

    held = await fleet.decide()
    swap = encode_operations(
        [SwapExactInput(KEY.address, True, 10**9, 1)], vault=fleet.vault, pools=POOLS, deadline=1 << 40
    )
    traded = await fleet.decide(swap, Action.SWAP)
    pending = Anchor("0x" + "78" * 32, held.sequence, 1, held.digest)
    second = await fleet.send(encode_execute(pending, traded, swap))
    assert [one.anchor for one in recorded_anchors(second.logs, fleet.ours.audit)] == [pending]
    rpc, span = market.chain.rpc, {"fromBlock": hex(fleet.ours.block_number), "toBlock": "latest"}
    span |= {"address": fleet.ours.audit}
    logs = await rpc.call("eth_getLogs", span)
    assert [one.decision for one in recorded_decisions(logs, fleet.ours.audit)] == [traded]
    assert [one.anchor for one in recorded_anchors(logs, fleet.ours.audit)] == [anchor, pending]
    for agent_id, count in ((0, 1), (1, 0)):
        topics = [topic(DECISION_RECORDED), None, "0x" + word(agent_id).hex()]
        mine = await rpc.call("eth_getLogs", {**span, "topics": topics})
        assert len(mine) == count


async def test_rules_reach_the_vault(market: Market) -> None:
    usdc = mainnet.USDC.address
    rules = VaultRules(pools=(KEY,), trade_cap_raw={usdc: 10**9}, day_cap_raw={usdc: 10**12})
    fleet = await opened_fleet(market, rules)

    async def swap(pool: str, amount_in: int) -> Receipt:
        calls = encode_operations(
            [SwapExactInput(pool, True, amount_in, 1)], vault=fleet.vault, pools=POOLS, deadline=1 << 40
        )
        outbox = fleet.outbox
        fleet.outbox = Outbox(0, outbox.domain, outbox.next_sequence, outbox.last_digest)
        decision = await fleet.decide(calls, Action.SWAP)
        landed, fleet.outbox = fleet.outbox, outbox
        receipt = await fleet.send(encode_execute(Anchor(), decision, calls))
        fleet.outbox = landed
        return receipt

    assert (await swap(KEY.address, 10**9)).succeeded
    with pytest.raises(DefaiError, match="TradeCapExceeded"):
        await swap(KEY.address, 10**9 + 1)
    with pytest.raises(DefaiError, match="TargetNotAllowed"):
        await swap(mainnet.USDC_WETH_030.address, 10**6)
    assert (await swap(KEY.address, 10**9)).succeeded


async def test_a_pool_that_does_not_exist_makes_no_vault(market: Market) -> None:
    nowhere = replace(KEY, address=mainnet.USDC.address)
    with pytest.raises(DefaiError, match="Could not create the vault of the agent"):
        await opened_fleet(market, VaultRules(pools=(nowhere,)))


async def test_money_goes_in_and_only_the_owner_takes_it_out(market: Market) -> None:
    fleet = await opened_fleet(market, VaultRules(pools=mainnet.POOLS))
    usdt = mainnet.USDT
    await market.act([transfer(usdt, fleet.vault, 500)])
    assert await market.chain.balance(fleet.vault, usdt) == 500
    what = (usdt.address, market.trader.address, 200)
    take = Call(fleet.vault, encode_call("withdrawToken(address,address,uint256)", *what))
    with pytest.raises(DefaiError, match="NotOwner"):
        await market.act([take])
    owner = await Wallet.connect(throwaway_key(1, "deployer"), market.chain.rpc)
    await carry_out(
        market.chain.rpc,
        owner,
        [Step(take.target, take.data, 200_000, "withdraw")],
        max_fee_wei=10**10,
        priority_fee_wei=1,
        settle=market.chain.mine,
    )
    assert await market.chain.balance(fleet.vault, usdt) == 300
