"""A vault on the stand-in, driven by the Python that drives it in earnest: record and trade in one, or neither."""

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode

from defai.audit.merkle import merkle_proof, merkle_root
from defai.audit.outbox import Anchor
from defai.audit.record import action_digest
from defai.chain import mainnet
from defai.chain.codec import encode_call, selector, unhex
from defai.chain.contracts import exact_input_single, transfer
from defai.chain.vault import recorded_anchors, recorded_decisions
from defai.domain.decisions import Decision
from defai.domain.operations import Call
from tests.contracts.scenes import FUNDS_USDC, POOL, Outcome, VaultScene

pytestmark = pytest.mark.asyncio(loop_scope="module")

NONSENSE = "0x" + "ab" * 32
DECISION_TYPES = (
    "(uint256,uint64,bytes32,uint64,bytes32,bytes32,bytes32,bytes32,int256,uint8,bytes32,bytes32)"
)


def fields(decision: Decision) -> tuple[Any, ...]:
    """A decision as the contracts' struct."""
    return (
        decision.agent_id,
        decision.sequence,
        unhex(decision.previous_digest),
        decision.block_number,
        unhex(decision.block_hash),
        unhex(decision.strategy_digest),
        unhex(decision.model_digest),
        unhex(decision.features_digest),
        decision.forecast_x24,
        int(decision.action),
        unhex(decision.action_digest),
        unhex(decision.payload_digest),
    )


async def digest_on_chain(scene: VaultScene, decision: Decision) -> str:
    (digest,) = await scene.view(scene.contracts.audit, "digestOf", fields(decision))
    return f"0x{digest.hex()}"


async def test_a_swap_and_its_record_are_one_transaction(scene: VaultScene) -> None:
    calls = [scene.swap()]
    decision = await scene.decide(calls)
    outcome = await scene.execute(calls, decision=decision)
    assert outcome.error is None
    (recorded,) = recorded_decisions(outcome.receipt.logs, scene.contracts.audit)
    assert recorded.token_id == 1
    assert recorded.decision == decision
    state = await scene.agent_state()
    assert state == (scene.vault, 1, decision.digest, 1)
    assert await scene.market.chain.balance(scene.vault, mainnet.USDC) == FUNDS_USDC - 1_000 * 10**6


async def test_python_and_the_contract_agree_on_digests(scene: VaultScene) -> None:
    decision = await scene.decide([scene.swap()])
    assert await digest_on_chain(scene, decision) == decision.digest
    other = replace(decision, forecast_x24=decision.forecast_x24 + 1)
    assert await digest_on_chain(scene, other) != decision.digest


async def test_python_and_the_contract_agree_on_merkle_trees(scene: VaultScene) -> None:
    holds = []
    previous = "0x" + "00" * 32
    for sequence in range(5):
        drafted = replace(await scene.decide([]), sequence=sequence, previous_digest=previous)
        previous = await digest_on_chain(scene, drafted)
        holds.append(replace(drafted, digest=previous))
    digests = [hold.digest for hold in holds]
    pending = Anchor(merkle_root(digests), 0, len(holds), digests[-1])
    anchored = await scene.anchor(pending)
    assert [log.anchor for log in recorded_anchors(anchored.receipt.logs, scene.contracts.audit)] == [pending]

    for sequence, hold in enumerate(holds):
        proof = [unhex(sibling) for sibling in merkle_proof(digests, sequence)]
        under = (unhex(pending.root), pending.first_sequence, pending.count, unhex(pending.last_digest))
        types = ["(bytes32,uint64,uint32,bytes32)", DECISION_TYPES, "bytes32[]"]
        data = selector(f"claim({','.join(types)})") + encode(types, [under, fields(hold), proof])
        claimed = await scene.send(scene.thief, scene.contracts.audit, data)
        assert claimed.error is None
        shown = await scene.view(scene.contracts.audit, "recordOf", sequence + 1)
        assert shown == (hold.agent_id, hold.action, tenths_of_bps(hold.forecast_x24), True)
    assert await scene.view(scene.contracts.audit, "balanceOf", scene.vault) == (len(holds),)


async def test_a_record_shows_what_was_decided(scene: VaultScene) -> None:
    await scene.execute([scene.swap()])
    (uri,) = await scene.view(scene.contracts.audit, "tokenURI", 1)
    kind, _, document = uri.partition(",")
    assert kind == "data:application/json;base64"
    record = json.loads(base64.b64decode(document))
    assert record["name"] == "Decision 1"
    assert record["attributes"] == [
        {"trait_type": "agent", "value": 0},
        {"trait_type": "action", "value": "swap"},
        {"trait_type": "forecast (bp)", "value": "-3276.7"},
        {"trait_type": "outcome", "value": "carried out"},
        {"trait_type": "vault", "value": scene.vault},
    ]
    kind, _, picture = record["image"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    drawn = base64.b64decode(picture).decode()
    assert drawn.startswith("<svg ")
    for shown in (">swap<", ">agent 0<", ">record 1<", "-3276.7 bp forecast", scene.vault):
        assert shown in drawn, shown


async def test_an_anchor_goes_ahead_of_a_record(scene: VaultScene) -> None:
    pending = Anchor(NONSENSE, 0, 3, "0x" + "cd" * 32)
    calls = [scene.swap()]
    sealed = replace(await scene.decide(calls), sequence=3, previous_digest=pending.last_digest)
    outcome = await scene.execute(calls, decision=sealed, pending=pending)
    assert outcome.error is None
    (anchored,) = recorded_anchors(outcome.receipt.logs, scene.contracts.audit)
    assert anchored.anchor == pending
    assert (await scene.agent_state())[1] == 4


def tenths_of_bps(forecast_x24: int) -> int:
    """A forecast as a record's picture has it: rounded towards zero, and cut off where two bytes end."""
    whole = abs(forecast_x24) * 100_000 // (1 << 24)
    return min(whole, 32_767) * (1 if forecast_x24 > 0 else -1)


Attempt = Callable[[VaultScene], Awaitable[tuple[Outcome, tuple[Any, ...]]]]


async def someone_elses_recipient(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    thief = scene.thief.address
    return await scene.execute([scene.swap(recipient=thief)]), ("RecipientNotVault", thief.lower())


async def a_token_for_a_target(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    theft = transfer(mainnet.USDC, scene.thief.address, FUNDS_USDC)
    return await scene.execute([theft]), ("TargetNotAllowed", mainnet.USDC.address.lower())


async def another_function(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    data = encode_call("sweepToken(address,uint256,address)", mainnet.USDC.address, 0, scene.thief.address)
    expected = ("SelectorNotAllowed", mainnet.SWAP_ROUTER_02.lower(), data[:4])
    return await scene.execute([Call(mainnet.SWAP_ROUTER_02, data)]), expected


async def a_token_that_is_not_named(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    key = replace(POOL, token1=mainnet.USDT)
    call = exact_input_single(
        key, zero_for_one=True, recipient=scene.vault, amount_in=10**6, amount_out_minimum=0
    )
    return await scene.execute([call]), ("TokenNotAllowed", mainnet.USDT.address.lower())


async def a_pool_that_is_not_named(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    call = exact_input_single(
        mainnet.USDC_WETH_030, zero_for_one=True, recipient=scene.vault, amount_in=1, amount_out_minimum=0
    )
    tokens = (mainnet.USDC.address.lower(), mainnet.WETH.address.lower())
    return await scene.execute([call]), ("PoolNotAllowed", *tokens, 3000)


async def a_sequence_too_high(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    calls = [scene.swap()]
    decision = replace(await scene.decide(calls), sequence=1)
    return await scene.execute(calls, decision=decision), ("WrongSequence", 0, 1)


async def a_broken_chain(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    expected = ("WrongPreviousDigest", bytes(32), unhex(NONSENSE))
    calls = [scene.swap()]
    decision = replace(await scene.decide(calls), previous_digest=NONSENSE)
    return await scene.execute(calls, decision=decision), expected


async def other_calls(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    decision = await scene.decide([scene.swap(1)])
    calls = [scene.swap(2)]
    given = unhex(action_digest(calls))
    expected = ("WrongActionDigest", unhex(decision.action_digest), given)
    return await scene.execute(calls, decision=decision), expected


async def another_payload(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    calls = [scene.swap()]
    decision = await scene.decide(calls)
    other = await scene.decide(calls, payload={"reason": "no reason"})
    expected = ("WrongPayload", unhex(decision.payload_digest), unhex(other.payload_digest))
    return await scene.execute(calls, decision=replace(decision, payload=other.payload)), expected


async def another_block(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    _, block_hash = await scene.head()
    expected = ("WrongBlockHash", unhex(block_hash), unhex(NONSENSE))
    calls = [scene.swap()]
    decision = replace(await scene.decide(calls), block_hash=NONSENSE)
    return await scene.execute(calls, decision=decision), expected


async def a_block_to_come(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    number, _ = await scene.head()
    calls = [scene.swap()]
    decision = replace(await scene.decide(calls), block_number=number + 1)
    return await scene.execute(calls, decision=decision), ("BlockNotMined", number + 1)


async def another_agent(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    expected = ("NotVaultOfAgent", scene.vault.lower(), 7)
    calls = [scene.swap()]
    decision = replace(await scene.decide(calls), agent_id=7)
    return await scene.execute(calls, decision=decision), expected


async def another_caller(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    expected = ("NotAgentKey", scene.thief.address.lower())
    return await scene.execute([scene.swap()], sender=scene.thief), expected


async def a_withdrawal(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    data = encode_call(
        "withdrawToken(address,address,uint256)", mainnet.USDC.address, scene.thief.address, FUNDS_USDC
    )
    return await scene.send(scene.agent, scene.vault, data), ("NotOwner", scene.agent.address.lower())


async def nothing_at_all(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    return await scene.execute([]), ("NothingToExecute",)


async def more_than_there_is(scene: VaultScene) -> tuple[Outcome, tuple[Any, ...]]:
    return await scene.execute([scene.swap(), scene.swap(FUNDS_USDC)]), ("Error", "STF")


@pytest.mark.parametrize(
    "attempt",
    [
        someone_elses_recipient,
        a_token_for_a_target,
        another_function,
        a_token_that_is_not_named,
        a_pool_that_is_not_named,
        a_sequence_too_high,
        a_broken_chain,
        other_calls,
        another_payload,
        another_block,
        a_block_to_come,
        another_agent,
        another_caller,
        a_withdrawal,
        nothing_at_all,
        more_than_there_is,
    ],
    ids=lambda attempt: attempt.__name__,
)
async def test_what_is_not_allowed_reverts_and_changes_nothing(scene: VaultScene, attempt: Attempt) -> None:
    before = await scene.ledger()
    outcome, expected = await attempt(scene)
    assert outcome.error == expected
    assert not outcome.receipt.logs
    assert await scene.ledger() == before


async def test_an_execution_cannot_be_sent_again(scene: VaultScene) -> None:
    calls = [scene.swap()]
    decision = await scene.decide(calls)
    assert (await scene.execute(calls, decision=decision)).error is None
    before = await scene.ledger()
    assert (await scene.execute(calls, decision=decision)).error == ("WrongSequence", 1, 0)
    assert await scene.ledger() == before


async def test_a_paused_vault_does_not_trade_but_gives_back(scene: VaultScene) -> None:
    assert (await scene.send(scene.owner, scene.vault, selector("pause()"))).error is None
    before = await scene.ledger()
    assert (await scene.execute([scene.swap()])).error == ("VaultPaused",)
    assert await scene.ledger() == before
    data = encode_call(
        "withdrawToken(address,address,uint256)", mainnet.USDC.address, scene.owner.address, FUNDS_USDC
    )
    assert (await scene.send(scene.owner, scene.vault, data)).error is None
    assert await scene.market.chain.balance(scene.owner.address, mainnet.USDC) == FUNDS_USDC
