"""The audit trail under every interleaving: proofs, canonical bytes, and a hash chain without a gap."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from defai.audit.canonical import canonical_json, digest
from defai.audit.merkle import merkle_proof, merkle_root, verify_proof
from defai.audit.outbox import Anchor, Outbox
from defai.audit.record import AuditDomain
from defai.domain.decisions import ZERO_DIGEST, Decision
from defai.testing.builders import draft

DOMAIN = AuditDomain(31337, "0x5FbDB2315678afecb367f032d93F642f64180aa3")

digests = st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex())
trees = st.lists(digests, min_size=1, max_size=40, unique=True)
words = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60)
@given(trees, st.data())
def test_every_leaf_has_a_proof_and_nothing_else_has(leaves: list[str], data: st.DataObject) -> None:
    root = merkle_root(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof = merkle_proof(leaves, index)
    assert verify_proof(leaves[index], proof, root)
    stranger = data.draw(digests.filter(lambda other: other not in leaves))
    assert not verify_proof(stranger, proof, root)
    assert not verify_proof(leaves[index], proof, stranger)
    assert not verify_proof(leaves[index], (*proof, stranger), root)
    if proof:
        assert not verify_proof(leaves[index], proof[1:], root)
        where = data.draw(st.integers(0, len(proof) - 1))
        assert not verify_proof(leaves[index], (*proof[:where], stranger, *proof[where + 1 :]), root)


@given(trees, st.data())
def test_a_changed_leaf_changes_the_root(leaves: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(digests.filter(lambda leaf: leaf not in leaves))
    assert merkle_root(leaves) != merkle_root([*leaves[:index], other, *leaves[index + 1 :]])


@settings(max_examples=50)
@given(st.dictionaries(words, values, max_size=4))
def test_canonical_bytes_say_the_value_and_nothing_of_its_order(value: dict[str, Any]) -> None:
    shuffled = dict(reversed(value.items()))
    assert canonical_json(value) == canonical_json(shuffled)
    assert json.loads(canonical_json(value)) == value


class Log:
    """DecisionAudit's rules for one agent: sequences without a gap, each digest chained to the one before."""

    def __init__(self) -> None:
        self.next_sequence = 0
        self.last_digest = ZERO_DIGEST
        self.sequences: list[int] = []

    def anchor(self, anchor: Anchor) -> None:
        if anchor.count:
            assert anchor.first_sequence == self.next_sequence
            self.sequences += range(anchor.first_sequence, anchor.first_sequence + anchor.count)
            self.next_sequence += anchor.count
            self.last_digest = anchor.last_digest
        else:
            assert anchor == Anchor()

    def record(self, decision: Decision) -> None:
        assert decision.sequence == self.next_sequence
        assert decision.previous_digest == self.last_digest
        self.sequences.append(decision.sequence)
        self.next_sequence += 1
        self.last_digest = decision.digest


class OutboxLife(RuleBasedStateMachine):
    """An agent decides, sends, and hears what became of it, in any order that an agent can bring about."""

    @initialize(restarted_at=st.integers(0, 5))
    def begin(self, restarted_at: int) -> None:
        self.log = Log()
        self.log.next_sequence = restarted_at
        self.log.last_digest = digest(b"before") if restarted_at else ZERO_DIGEST
        self.first = restarted_at
        self.outbox = Outbox(7, DOMAIN, restarted_at, self.log.last_digest)
        self.sealed: list[Decision] = []
        self.under_way: tuple[Anchor, Decision | None] | None = None

    def seal(self) -> Decision:
        decision = self.outbox.seal(draft(100 + len(self.sealed)))
        self.sealed.append(decision)
        return decision

    @rule()
    def hold(self) -> None:
        self.outbox.keep(self.seal())

    @precondition(lambda self: self.under_way is None)
    @rule()
    def send_a_record(self) -> None:
        decision = self.seal()
        self.under_way = (self.outbox.send(decision), decision)

    @precondition(lambda self: self.under_way is None and len(self.outbox) > 0)
    @rule()
    def send_an_anchor(self) -> None:
        self.under_way = (self.outbox.send(), None)

    @precondition(lambda self: self.under_way is not None and sum(self.under_way_size()) > 0)
    @rule()
    def nothing_else_can_be_sent_meanwhile(self) -> None:
        try:
            self.outbox.send()
        except RuntimeError:
            return
        raise AssertionError("two anchors of one agent were under way at once")

    @precondition(lambda self: self.under_way is not None)
    @rule()
    def it_landed(self) -> None:
        assert self.under_way is not None
        anchor, decision = self.under_way
        waiting = self.sealed[self.log.next_sequence - self.first :][: anchor.count]
        if anchor.count:
            assert anchor.root == merkle_root([each.digest for each in waiting])
        self.log.anchor(anchor)
        if decision is not None:
            self.log.record(decision)
        assert list(self.outbox.landed()) == waiting
        self.under_way = None

    @precondition(lambda self: self.under_way is not None)
    @rule()
    def it_failed(self) -> None:
        self.outbox.failed()
        self.under_way = None

    @invariant()
    def sequences_have_no_gap_and_digests_chain(self) -> None:
        if not hasattr(self, "log"):
            return
        assert self.log.sequences == list(range(self.first, self.log.next_sequence))
        assert [each.sequence for each in self.sealed] == list(
            range(self.first, self.first + len(self.sealed))
        )
        for before, after in zip(self.sealed, self.sealed[1:], strict=False):
            assert after.previous_digest == before.digest

    @invariant()
    def nothing_is_lost(self) -> None:
        if not hasattr(self, "log"):
            return
        on_the_log = self.log.next_sequence - self.first
        carried = self.under_way is not None and self.under_way[1] is not None
        assert on_the_log + len(self.outbox) + carried == len(self.sealed)

    def under_way_size(self) -> tuple[int, int]:
        assert self.under_way is not None
        anchor, decision = self.under_way
        return anchor.count, decision is not None


TestOutboxLife = OutboxLife.TestCase
TestOutboxLife.settings = settings(max_examples=40, stateful_step_count=25)
