"""Everything a person can do, said once: bindings, command palette, footer and help are made of this list."""

from dataclasses import dataclass
from typing import Final

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Act:
    """One action.

    Attributes:
        action: the method `action_…` that does it, with arguments where it takes any.
        keys: the keys, comma-separated; the first is the one shown.
        label: what the footer calls it.
        help: what it does, in a sentence.
        scope: where it works: "everywhere", or a screen's name.
        key_display: how the key is written where its own name reads badly.
        footer: whether the footer shows it.
        palette: whether the command palette offers it.
        priority: whether it works whatever has the focus.
    """

    action: str
    keys: str
    label: str
    help: str
    scope: str
    key_display: str | None = None
    footer: bool = True
    palette: bool = True
    priority: bool = False


EVERYWHERE: Final = "everywhere"
FLEET: Final = "fleet"
AGENT: Final = "agent"
DECISION: Final = "decision"

ACTS: Final = (
    Act(
        "open",
        "enter",
        "open",
        "Open the agent, decision or record under the cursor.",
        FLEET,
        "↵",
        palette=False,
    ),
    Act("pause", "p", "pause", "Pause the selected agent, or let it run again.", FLEET),
    Act("halt", "h", "halt all", "Pause every agent, after one question.", EVERYWHERE),
    Act("copy", "c", "copy", "Copy the address or digest under the cursor.", FLEET),
    Act("panel('table')", "1", "fleet", "Go to the fleet.", FLEET, footer=False),
    Act("panel('chart')", "2", "chart", "Go to the price chart.", FLEET, footer=False),
    Act("panel('log')", "3", "decisions", "Go to the decisions.", FLEET, footer=False),
    Act("panel('records')", "4", "records", "Go to the audit records.", FLEET, footer=False),
    Act("zoom(1)", "minus", "longer", "Show a longer time in the chart.", FLEET, "-", footer=False),
    Act(
        "zoom(-1)",
        "plus,equals_sign",
        "shorter",
        "Show a shorter time in the chart.",
        FLEET,
        "+",
        footer=False,
    ),
    Act("back", "escape", "back", "Go back to where you came from.", AGENT, "esc", palette=False),
    Act("open", "enter", "open", "Open the decision under the cursor.", AGENT, "↵", palette=False),
    Act("pause", "p", "pause", "Pause this agent, or let it run again.", AGENT),
    Act("copy", "c", "copy", "Copy the digest under the cursor, or the vault's address.", AGENT),
    Act("step(-1)", "left", "previous", "The fleet's previous agent.", AGENT, "←"),
    Act("step(1)", "right", "next", "The fleet's next agent.", AGENT, "→"),
    Act("back", "escape", "back", "Go back to where you came from.", DECISION, "esc", palette=False),
    Act("step(-1)", "left", "previous", "The agent's previous decision.", DECISION, "←"),
    Act("step(1)", "right", "next", "The agent's next decision.", DECISION, "→"),
    Act("copy", "c", "copy digest", "Copy the decision's digest.", DECISION),
    Act("copy_transaction", "t", "copy transaction", "Copy the transaction's hash.", DECISION),
    Act(
        "theme",
        "ctrl+t",
        "theme",
        "Change between the dark and the light theme.",
        EVERYWHERE,
        "^t",
        footer=False,
    ),
    Act("help", "question_mark,f1", "help", "Show all keys.", EVERYWHERE, "?"),
    Act("leave", "q", "quit", "End the session and leave.", EVERYWHERE),
    Act(
        "leave",
        "ctrl+c,ctrl+q",
        "quit, from anywhere",
        "End the session and leave, whatever has the focus.",
        EVERYWHERE,
        "^c",
        footer=False,
        palette=False,
        priority=True,
    ),
)

MOVES: Final = (
    ("↑ ↓  j k", "Move the cursor"),
    ("pgup pgdn", "A page up or down"),
    ("home end  g G", "To the first or the last line"),
    ("tab  shift+tab", "To the next or the previous panel"),
    ("click", "Select a line; a double click opens it"),
    ("^p", "The command palette: all of this by name"),
)
"""Keys of the lists, which the widgets bind themselves."""


def bindings(scope: str) -> list[BindingType]:
    """The key bindings of a scope, in the order the footer shows them."""
    return [
        Binding(
            act.keys,
            act.action,
            act.label,
            show=act.footer,
            key_display=act.key_display,
            priority=act.priority,
            tooltip=act.help,
        )
        for act in ACTS
        if act.scope == scope
    ]


def acts(*scopes: str) -> list[Act]:
    """The actions of some scopes, in order."""
    return [act for act in ACTS if act.scope in scopes]
