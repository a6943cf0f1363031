"""The last audit records, and what is known of the selected one."""

from collections.abc import Iterable

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from defai.domain.stream import ExecutionSettled, HoldsAnchored
from defai.tui.format import UNKNOWN, number, shorten
from defai.tui.lines import RecordLine
from defai.tui.themes import Palette
from defai.tui.widgets.grid import Column, LineGrid, Spans

RUNGS = ("integrity", "data", "model", "decision", "execution")


class RecordList(LineGrid[RecordLine]):
    """Audit records, newest first."""

    def __init__(self) -> None:
        columns = (
            Column[RecordLine]("record", token, 6),
            Column[RecordLine]("agent", lambda one: ((one.agent, "foreground"),), 9, grow=1),
            Column[RecordLine]("digest", lambda one: ((shorten(one.digest), "muted"),), 11, rank=1),
            Column[RecordLine](
                "block", lambda one: ((f"{one.source.block_number}", "muted"),), 5, rank=2, right=True
            ),
        )
        super().__init__(columns, empty="No records yet.", source="records", follow=True)


def token(line: RecordLine) -> Spans:
    """The token's number, or how many holds an anchor covers."""
    if isinstance(line.source, HoldsAnchored):
        return ((f"⚓ {line.source.count}", "muted"),)
    return ((f"#{line.source.record_id}", "audit-ok"),)


class RecordPanel(Vertical):
    """The list of records above the details of the selected one."""

    def __init__(self) -> None:
        super().__init__(id="record-panel")
        self._shown: object = None

    def compose(self) -> ComposeResult:
        """The list and the details."""
        yield RecordList()
        yield Static(id="record-details")

    @property
    def records(self) -> RecordList:
        """The list."""
        return self.query_one(RecordList)

    def display_records(self, records: Iterable[RecordLine]) -> None:
        """Show these records, given oldest first, and the selected one's details."""
        newest_first = tuple(records)[::-1]
        if newest_first:
            self.records.widen("block", len(str(newest_first[0].source.block_number)))
        self.records.show(newest_first)
        self.display_selected()

    def on_resize(self) -> None:
        """Cut the details for the new width."""
        self.display_selected()

    def display_selected(self) -> None:
        """Show the details of the record under the cursor."""
        line = self.records.selected
        details = self.query_one("#record-details", Static)
        palette = self.records.palette
        width = self.size.width - 2
        if width <= 0:
            return
        shown = (line and line.key, width, self.app.theme)
        if shown == self._shown:
            return
        self._shown = shown
        if line is None:
            details.update("")
        elif isinstance(line.source, ExecutionSettled):
            details.update(minted_details(line.source, palette, width))
        else:
            details.update(anchor_details(line.source, palette, width))


def facts(rows: Iterable[tuple[str, str, str]], palette: Palette, width: int, label: int = 9) -> Text:
    """Lines of a label and a value in its ink, cut to a width."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for index, (name, value, ink) in enumerate(rows):
        if index:
            text.append("\n")
        text.append(f"{name:<{label}}", style=palette.style("muted"))
        room = max(1, width - label)
        text.append(value if len(value) <= room else f"{value[: room - 1]}…", style=palette.style(ink))
    return text


def minted_details(event: ExecutionSettled, palette: Palette, width: int) -> Text:
    """Everything the event says of a record; what nobody has verified reads "-"."""
    long = width >= 80
    rows = [
        ("record", f"#{event.record_id}", "audit-ok"),
        ("agent", f"{event.agent} · decision {event.sequence}", "foreground"),
        ("digest", event.digest if long else shorten(event.digest, 10, 6), "foreground"),
        (
            "tx",
            (event.transaction_hash or UNKNOWN) if long else shorten(event.transaction_hash, 10, 6),
            "foreground",
        ),
        (
            "block",
            f"{number(event.block_number, 0)} · decided {number(event.decided_block, 0)}",
            "foreground",
        ),
        ("gas", f"{number(event.gas_used, 0)} · {number(event.gas_usd)} USD", "foreground"),
        (
            "outcome",
            event.text.replace("->", "→") or event.error or UNKNOWN,
            "foreground" if event.status == "filled" else "risk-denied",
        ),
        ("verified", " ".join(f"{UNKNOWN} {rung}" for rung in RUNGS) if long else UNKNOWN, "muted"),
    ]
    return facts(rows, palette, width)


def anchor_details(event: HoldsAnchored, palette: Palette, width: int) -> Text:
    """An anchor of holds: which decisions, their Merkle root, where it stands."""
    last = event.first_sequence + event.count - 1
    rows = [
        ("anchor", f"{event.count} holds in one Merkle root", "foreground"),
        ("agent", f"{event.agent} · decisions {event.first_sequence}-{last}", "foreground"),
        ("root", shorten(event.root, 10, 6), "foreground"),
        ("tx", shorten(event.transaction_hash, 10, 6), "foreground"),
        ("block", number(event.block_number, 0), "foreground"),
    ]
    return facts(rows, palette, width)
