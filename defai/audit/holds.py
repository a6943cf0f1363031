"""Decisions to hold, by the hundred thousand: sealed on words, kept as columns, equal to those sealed one by one.

Decisions of one agent, block after block, that differ in nothing but block, number and reason. Their digests are those
of `defai.audit.record.seal`, computed by compiled functions in a thread of their own (where the process is not told
to keep to one, by OMP_NUM_THREADS=1, as workers are); a `Decision` is made when it is looked at.
"""

import os
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from json import JSONEncoder
from typing import Final

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.compiler import compiled_beside
from defai.amm.limbs.keccak import STATE_LANES, Lanes
from defai.audit.canonical import digest, from_hex
from defai.audit.outbox import Waiting
from defai.audit.record import AuditDomain, Draft, sealed, spelled, struct_bytes
from defai.audit.sealing_words import PREVIOUS_LANE, blocks_of
from defai.domain.decisions import ZERO_DIGEST, Decision

FUNCTIONS: Final = ("defai.amm.limbs.keccak", "defai.audit.sealing_words")
"""What has to be compiled."""
REASON: Final = "\N{SNOWMAN} the reason"
"""Stands for the reason in the draft that a chain of holds is made from."""
_KNOWN_REASONS: Final = 4_096
"""So many are looked up before the table is begun anew: a strategy may give another one at every block."""
_AT_ONCE: Final = 64
"""So few are sealed where they are asked for: handing them over takes longer."""
_quoted = JSONEncoder(ensure_ascii=False).encode
"""A text as `canonical_json` spells it."""


@dataclass(slots=True)
class _Stretch:
    """Holds upon consecutive blocks.

    Attributes:
        row: how many holds come before them.
        sequence: number of the first decision.
        block_number: of the first.
        previous_digest: of the decision before the first; empty where that is the hold before them.
        payloads: which payload each has.
        digests: four lanes each; the last one's alone where the others can be worked out again.
    """

    row: int
    sequence: int
    block_number: int
    previous_digest: str
    payloads: NDArray[np.uint32]
    digests: Lanes


class HoldChain:
    """An agent's decisions to hold, in a backtest.

    Args:
        agent_id: the agent's number.
        domain: where its records are kept.
        draft: of a decision like all of these, with `REASON` for its reason. Block hashes are its own but for the
            last sixteen hex digits, which are the block's number.

    Attributes:
        known: the number of each reason's payload, as far as it is remembered.

    Raises:
        ImportError: where nothing can be compiled.
    """

    def __init__(self, agent_id: int, domain: AuditDomain, draft: Draft) -> None:
        self._functions = compiled_beside(*FUNCTIONS)
        self._agent_id = agent_id
        self._draft = draft
        self._around = spelled(draft)[0].split(_quoted(REASON).encode())
        self._cuts = np.cumsum([len(part) for part in self._around[:2]])
        empty = struct_bytes(draft, agent_id, 0, ZERO_DIGEST, payload_digest=ZERO_DIGEST)
        self._struct = blocks_of(empty)
        self._final = blocks_of(b"\x19\x01" + domain.separator() + bytes(32))
        self._state = np.zeros(STATE_LANES, dtype=np.uint64)
        self._thread = None if os.environ.get("OMP_NUM_THREADS") == "1" else ThreadPoolExecutor(1)
        self._latest: Future[None] | None = None
        self.known: dict[str, int] = {}
        self._reasons = bytearray()
        self._ends = array("q", [0])
        self._hashed = 0
        self._payload_digests: Lanes = np.zeros((64, 4), dtype=np.uint64)
        self._stretches: list[_Stretch] = []
        self._forgotten = 0
        self._again: tuple[int, Lanes] = (-1, np.zeros((0, 4), dtype=np.uint64))
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def payload_of(self, reason: str) -> int:
        """The number of the payload with this reason.

        Args:
            reason: text that UTF-8 can spell.
        """
        number = self.known.get(reason)
        if number is None:
            if len(self.known) == _KNOWN_REASONS:
                self.known.clear()
            number = self.known[reason] = len(self._ends) - 1
            self._reasons += _quoted(reason).encode()
            self._ends.append(len(self._reasons))
        return number

    def extend(self, sequence: int, block_number: int, previous_digest: str, payloads: Sequence[int]) -> None:
        """Seal holds upon consecutive blocks.

        Args:
            sequence: number of the first decision.
            block_number: of its block.
            previous_digest: of the decision before it; empty where that is the last hold.
            payloads: of each, as `payload_of` numbers them.
        """
        stretch = _Stretch(
            self._rows,
            sequence,
            block_number,
            previous_digest,
            np.array(payloads, dtype=np.uint32),
            np.empty((len(payloads), 4), dtype=np.uint64),
        )
        self._stretches.append(stretch)
        self._rows += len(payloads)
        begin, first, known = self._ends[self._hashed], self._hashed, len(self._ends) - 1
        self._hashed = known
        reasons = np.frombuffer(bytes(self._reasons[begin:]), dtype=np.uint8)
        ends = np.array(self._ends[first + 1 :], dtype=np.int64) - begin
        if self._thread is None or len(payloads) <= _AT_ONCE:
            self.wait()
            self._seal(stretch, reasons, ends, known)
        else:
            before, self._latest = (
                self._latest,
                self._thread.submit(self._seal, stretch, reasons, ends, known),
            )
            if before is not None:
                before.result()

    def forget(self, row: int) -> None:
        """Keep the digests of holds before `row` no longer than needed; they are worked out again where asked for."""
        self.wait()
        for stretch in self._stretches[self._forgotten :]:
            if stretch.row + len(stretch.payloads) > row:
                break
            stretch.digests = stretch.digests[-1:].copy()
            self._forgotten += 1

    def wait(self) -> None:
        """Wait until all are sealed."""
        if self._latest is not None:
            self._latest.result()
            self._latest = None

    def close(self) -> None:
        """Let the thread go; what is sealed stays."""
        if self._thread is not None:
            self._thread.shutdown()

    def last_digest(self) -> str:
        """Digest of the last hold.

        Raises:
            IndexError: where there is none.
        """
        self.wait()
        return _hex(self._stretches[-1].digests[-1])

    def waiting(self, first: int) -> list[Waiting]:
        """The holds from row `first` on, as an outbox takes them."""
        self.wait()
        found = []
        for stretch in self._stretches[self._at(first) if first < self._rows else len(self._stretches) :]:
            skip = max(first - stretch.row, 0)
            text = stretch.digests[skip:].astype("<u8").tobytes().hex()
            start = stretch.sequence + skip
            found += [
                Waiting(start + i, "0x" + text[at : at + 64]) for i, at in enumerate(range(0, len(text), 64))
            ]
        return found

    def merkle_root(self, digests: Sequence[str]) -> str:
        """As `defai.audit.merkle.merkle_root`, quicker.

        Raises:
            ValueError: where there is none.
        """
        if not digests:
            raise ValueError("a Merkle tree needs at least one leaf")
        nodes = np.frombuffer(bytes.fromhex("".join(leaf[2:] for leaf in digests)), dtype="<u8")
        nodes = nodes.reshape(-1, 4).astype(np.uint64)
        state = np.zeros(STATE_LANES, dtype=np.uint64)
        self._functions["merkle_levels"](nodes, blocks_of(bytes(64)), state)
        return _hex(nodes[0])

    def sequences(self) -> list[tuple[int, int]]:
        """First number and count of each run of holds, in order."""
        return [(stretch.sequence, len(stretch.payloads)) for stretch in self._stretches]

    def decision(self, row: int) -> Decision:
        """One of them, whole.

        Raises:
            IndexError: where there is no such row.
        """
        if not 0 <= row < self._rows:
            raise IndexError(f"there is no hold {row} among {self._rows}")
        self.wait()
        at = self._at(row)
        stretch = self._stretches[at]
        i = row - stretch.row
        digests = self._digests_of(at)
        previous = _hex(digests[i - 1]) if i else self._digest_before(at)
        number = stretch.block_number + i
        draft = replace(
            self._draft, block_number=number, block_hash=f"{self._draft.block_hash[:50]}{number:016x}"
        )
        payload = self._payload(int(stretch.payloads[i]))
        numbers = (self._agent_id, stretch.sequence + i, previous)
        return sealed(draft, numbers, payload, digest(payload), _hex(digests[i]))

    def _digest_before(self, at: int) -> str:
        return self._stretches[at].previous_digest or _hex(self._stretches[at - 1].digests[-1])

    def _digests_of(self, at: int) -> Lanes:
        stretch = self._stretches[at]
        if len(stretch.digests) == len(stretch.payloads):
            return stretch.digests
        if self._again[0] != at:
            whole = replace(
                stretch,
                previous_digest=self._digest_before(at),
                digests=np.empty((len(stretch.payloads), 4), dtype=np.uint64),
            )
            newest = self._struct.copy()
            self._chain(whole)
            self._struct = newest
            self._again = (at, whole.digests)
        return self._again[1]

    def _at(self, row: int) -> int:
        return bisect_right(self._stretches, row, key=lambda stretch: stretch.row) - 1

    def _payload(self, number: int) -> bytes:
        reason = bytes(self._reasons[self._ends[number] : self._ends[number + 1]])
        return reason.join(self._around)

    def _seal(
        self, stretch: _Stretch, reasons: NDArray[np.uint8], ends: NDArray[np.int64], known: int
    ) -> None:
        """Hash what is new of the payloads, then the decisions; in order, by one thread at a time."""
        while len(self._payload_digests) < known:
            room = np.zeros_like(self._payload_digests)
            self._payload_digests = np.concatenate([self._payload_digests, room])
        if len(ends):
            around = np.frombuffer(b"".join(self._around), dtype=np.uint8)
            new = self._payload_digests[known - len(ends) : known]
            self._functions["digest_payloads"](around, self._cuts, reasons, ends, new, self._state)
        self._chain(stretch)

    def _chain(self, stretch: _Stretch) -> None:
        if stretch.previous_digest:
            lanes = np.frombuffer(from_hex(stretch.previous_digest), dtype="<u8")
            self._struct[PREVIOUS_LANE : PREVIOUS_LANE + 4] = lanes
        self._functions["chain_digests"](
            self._struct,
            self._final,
            stretch.sequence,
            stretch.block_number,
            stretch.payloads,
            self._payload_digests,
            stretch.digests,
            self._state,
        )


def _hex(lanes: Lanes) -> str:
    return "0x" + lanes.astype("<u8").tobytes().hex()
