"""Everything a person can do, said once: bindings, command palette, key bar and help are made of this list."""

from dataclasses import replace
from typing import Final

from textual.binding import Binding, BindingType

from defai.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """One action.

    Attributes:
        action: the method `action_…` that does it, with arguments where it takes any.
        keys: the keys, comma-separated; the first is the one shown.
        label: what the key bar calls it.
        help: what it does, in a sentence.
        scope: where it works: "everywhere", or a screen's name.
        key_display: how the key is written where its own name reads badly.
        rank: when the key bar lets it give way: the higher the earlier; 0 stays longest, None is never shown there.
        palette: whether the command palette offers it.
        priority: whether it works whatever has the focus.
    """

    action: str
    keys: str
    label: str
    help: str
    scope: str
    key_display: str | None = None
    rank: int | None = None
    palette: bool = True
    priority: bool = False

    @property
    def key(self) -> str:
        """The key as it is shown."""
        return self.key_display or self.keys.split(",", maxsplit=1)[0]

    @property
    def while_typing(self) -> "Act | None":
        """The same by a key that is no letter, nor moves within what is typed; None without one."""
        keys = self.keys.split(",")
        key = next((key for key in keys if key in {"escape", "f1"} or key.startswith("ctrl+")), None)
        if key is None or key in {"ctrl+left", "ctrl+right"}:
            return None
        return self if key == keys[0] else replace(self, keys=key, key_display=None)


EVERYWHERE: Final = "everywhere"
FLEET: Final = "fleet"
AGENT: Final = "agent"
POOL: Final = "pool"
DECISIONS: Final = "decisions"
DECISION: Final = "decision"
APPROVALS: Final = "approvals"
MODELS: Final = "models"
BACKTEST: Final = "backtest"
RISK: Final = "risk"
LOGS: Final = "logs"
TYPING: Final = "typing"
"""Wherever something is typed: letters are no keys there."""

MODES: Final = {
    FLEET: ("1", "Fleet", "What the fleet owns, what it did last and why."),
    AGENT: ("2", "Agent", "One agent: its curve, where its money came from, how it is set."),
    POOL: ("3", "Pool", "What a pool costs, who trades in it, how deep it is, what an amount would get."),
    DECISIONS: ("4", "Decisions", "Every decision, as it is taken; what came of it and how to check it."),
    APPROVALS: ("5", "Approvals", "What waits for you, what happens if you say yes, until when."),
    MODELS: (
        "6",
        "Models",
        "What the agents ask: what it learned from, what it is worth, whether it still fits.",
    ),
    BACKTEST: (
        "7",
        "Backtest",
        "Whether a strategy beats doing nothing over history, and what it depends on.",
    ),
    RISK: ("8", "Risk", "The limits, and how close each agent is to its own."),
    LOGS: ("9", "Logs", "What the session had to say."),
}
"""The screens a number key goes to: the key, the name, what it answers."""


def _open(scope: str, words: str) -> Act:
    return Act("open", "enter", "open", words, scope, "↵", rank=1, palette=False)


def _lists(scope: str) -> tuple[Act, ...]:
    """What every screen with a list offers for it."""
    return (
        Act("filter", "slash", "filter", "Show only the lines with these words.", scope, "/", rank=3),
        Act("export", "x", "export", "Write the list to a CSV file.", scope, rank=7),
    )


def _panels(scope: str) -> tuple[Act, ...]:
    """What every screen with several panels offers for them."""
    return (
        Act("panel(1)", "right_square_bracket", "next panel", "Enlarge the next panel.", scope, "]"),
        Act("panel(-1)", "left_square_bracket", "previous panel", "Enlarge the previous panel.", scope, "["),
        Act("enlarge", "z", "enlarge", "Enlarge the panel with the focus, or put it back.", scope, rank=8),
    )


def _sorts(scope: str) -> tuple[Act, ...]:
    return (
        Act("sort(1)", "s", "sort", "Sort by the next column.", scope, rank=6),
        Act("sort(0)", "S", "reverse", "Reverse the order of the lines.", scope),
    )


def _zooms(scope: str) -> tuple[Act, ...]:
    return (
        Act("zoom(1)", "minus", "longer", "Show a longer time in the chart.", scope, "-"),
        Act("zoom(-1)", "plus,equals_sign", "shorter", "Show a shorter time in the chart.", scope, "+"),
    )


ACTS: Final = (
    *(
        Act(f"go('{mode}')", key, name.lower(), answers, EVERYWHERE)
        for mode, (key, name, answers) in MODES.items()
    ),
    # Fleet
    _open(FLEET, "Open the agent or the decision under the cursor."),
    Act("pause", "p", "pause", "Pause the selected agent, or let it run again.", FLEET, rank=1),
    Act(
        "verify", "v", "verify", "Climb the five rungs: check the decision against the chain.", FLEET, rank=1
    ),
    Act(
        "copy",
        "c",
        "copy",
        "Copy the vault's address or the decision's digest under the cursor.",
        FLEET,
        rank=5,
    ),
    *_lists(FLEET),
    *_sorts(FLEET),
    *_zooms(FLEET),
    *_panels(FLEET),
    # Agent
    _open(AGENT, "Open the decision under the cursor."),
    Act("pause", "p", "pause", "Pause this agent, or let it run again.", AGENT, rank=1),
    Act(
        "edit",
        "e",
        "parameters",
        "Change the strategy's parameters: says what that would do first.",
        AGENT,
        rank=2,
    ),
    Act("step(-1)", "left", "previous", "The fleet's previous agent.", AGENT, "←", rank=4),
    Act("step(1)", "right", "next", "The fleet's next agent.", AGENT, "→", rank=4),
    Act(
        "verify", "v", "verify", "Climb the five rungs: check the decision against the chain.", AGENT, rank=1
    ),
    Act("copy", "c", "copy", "Copy the digest under the cursor, or the vault's address.", AGENT, rank=5),
    *_lists(AGENT),
    *_zooms(AGENT),
    *_panels(AGENT),
    # Pool
    Act("step(-1)", "left", "previous", "The previous pool.", POOL, "←", rank=3),
    Act("step(1)", "right", "next", "The next pool.", POOL, "→", rank=3),
    Act("quote", "t", "try an amount", "Type an amount and see what it would get now.", POOL, rank=1),
    *_lists(POOL),
    Act("copy", "c", "copy", "Copy the swap's transaction, or the pool's address.", POOL, rank=5),
    *_zooms(POOL),
    *_panels(POOL),
    # Decisions
    _open(DECISIONS, "Open the decision under the cursor."),
    Act(
        "kind(1)",
        "f",
        "which",
        "Show all decisions, those that acted, those refused, those that wait.",
        DECISIONS,
        rank=2,
    ),
    Act(
        "verify",
        "v",
        "verify",
        "Climb the five rungs: check the decision against the chain.",
        DECISIONS,
        rank=1,
    ),
    *_lists(DECISIONS),
    Act("copy", "c", "copy digest", "Copy the decision's digest.", DECISIONS, rank=5),
    Act("copy_transaction", "t", "copy transaction", "Copy the transaction's hash.", DECISIONS, rank=6),
    *_panels(DECISIONS),
    # Decision
    Act(
        "verify",
        "v",
        "verify",
        "Climb the five rungs: check the decision against the chain.",
        DECISION,
        rank=1,
    ),
    Act(
        "rate('good')",
        "g",
        "good",
        "Say that it was a good decision: retraining learns from it.",
        DECISION,
        rank=2,
    ),
    Act("rate('bad')", "n", "not good", "Say that it was not: retraining learns from it.", DECISION, rank=2),
    Act("step(-1)", "left", "previous", "The agent's previous decision.", DECISION, "←", rank=2),
    Act("step(1)", "right", "next", "The agent's next decision.", DECISION, "→", rank=2),
    Act("copy", "c", "copy digest", "Copy the decision's digest.", DECISION, rank=3),
    Act("copy_transaction", "t", "copy transaction", "Copy the transaction's hash.", DECISION, rank=4),
    # Approvals
    Act(
        "approve",
        "enter",
        "approve…",
        "Approve what is under the cursor, with the agent's name.",
        APPROVALS,
        "↵",
        rank=0,
    ),
    Act("reject", "r", "reject…", "Reject what is under the cursor: asks for a reason.", APPROVALS, rank=0),
    Act("decision", "d", "decision", "Open the decision that waits.", APPROVALS, rank=3),
    *_lists(APPROVALS),
    Act("copy", "c", "copy digest", "Copy the decision's digest.", APPROVALS, rank=5),
    # Models
    *_lists(MODELS),
    *_sorts(MODELS),
    Act("copy", "c", "copy digest", "Copy the model's digest.", MODELS, rank=5),
    *_panels(MODELS),
    # Backtest
    Act("run", "r", "run", "Run the strategy over the history, or end the run.", BACKTEST, rank=0),
    Act(
        "open",
        "enter",
        "choose",
        "Go on from the strategy to the history, and from there to the settings.",
        BACKTEST,
        "↵",
        rank=2,
        palette=False,
    ),
    Act("form", "e", "settings", "Type days, balances and parameters.", BACKTEST, rank=1),
    Act("report", "o", "open report", "Open the report of the last run in a browser.", BACKTEST, rank=1),
    Act(
        "copy",
        "c",
        "copy command",
        "Copy the command that makes the same run from a shell.",
        BACKTEST,
        rank=5,
    ),
    *_lists(BACKTEST),
    *_panels(BACKTEST),
    # Risk
    _open(RISK, "Open the agent under the cursor."),
    Act("pause", "p", "pause", "Pause the agent under the cursor, or let it run again.", RISK, rank=1),
    *_lists(RISK),
    *_sorts(RISK),
    # Logs
    Act("kind(1)", "f", "level", "Show everything, warnings and errors, or errors alone.", LOGS, rank=2),
    *_lists(LOGS),
    Act("copy", "c", "copy", "Copy the line under the cursor.", LOGS, rank=5),
    # Typing
    Act("submit", "enter", "done", "Take what is typed.", TYPING, "↵", rank=0, palette=False),
    Act("next_field", "tab", "next", "Go to what is typed next.", TYPING, rank=1, palette=False),
    # Everywhere
    Act(
        "back",
        "escape",
        "back",
        "Close what is open, or go back to where you came from.",
        EVERYWHERE,
        "esc",
        rank=0,
        palette=False,
    ),
    Act("go('approvals')", "a", "approvals", "Go to what waits for you.", EVERYWHERE, palette=False),
    Act("play", "space", "play", "Let the run be played, or stand still.", EVERYWHERE, "space", rank=0),
    Act("seek(-1)", "comma", "a block back", "Go back by a block.", EVERYWHERE, ",", rank=3),
    Act("seek(1)", "full_stop", "forward", "Go forward by a block.", EVERYWHERE, ".", rank=3),
    Act("seek(-50)", "ctrl+left", "far back", "Go back by fifty blocks.", EVERYWHERE),
    Act("seek(50)", "ctrl+right", "far forward", "Go forward by fifty blocks.", EVERYWHERE),
    Act("speed(-1)", "less_than_sign", "slower", "Play at half the speed.", EVERYWHERE, "<", rank=4),
    Act("speed(1)", "greater_than_sign", "faster", "Play at twice the speed.", EVERYWHERE, ">", rank=4),
    Act("halt", "h", "halt all", "Pause every agent, after one question.", EVERYWHERE, rank=0),
    Act(
        "resume_all",
        "R",
        "resume all",
        "Let every paused agent run again, after one question.",
        EVERYWHERE,
        rank=4,
    ),
    Act("theme", "ctrl+t", "colours", "Go to the next set of colours.", EVERYWHERE, "^t"),
    Act("help", "question_mark,f1", "help", "Show all keys.", EVERYWHERE, "?", rank=0),
    Act(
        "command_palette",
        "ctrl+p",
        "palette",
        "Find any action by its name.",
        EVERYWHERE,
        "^p",
        rank=2,
        palette=False,
    ),
    Act("leave", "q", "quit", "End the session and leave.", EVERYWHERE, rank=1),
    Act(
        "leave",
        "ctrl+c,ctrl+q",
        "quit, from anywhere",
        "End the session and leave, whatever has the focus.",
        EVERYWHERE,
        "^c",
        palette=False,
        priority=True,
    ),
)

SHORT_NAMES: Final = {DECISIONS: "Decide", APPROVALS: "Asks", MODELS: "Model", BACKTEST: "Test"}
"""Names of screens where the full ones do not fit."""

TITLES: Final = {
    EVERYWHERE: "Everywhere",
    **{mode: name for mode, (_, name, _) in MODES.items()},
    DECISION: "Decision",
    TYPING: "While something is typed",
}
"""What the help calls each scope, in its order."""

MOVES: Final = (
    ("↑ ↓  j k", "Move the cursor"),
    ("pgup pgdn", "A page up or down"),
    ("home end  g G", "To the first or the last line"),
    ("tab  shift+tab", "To the next or the previous panel"),
    ("click", "Select a line; a double click opens it; a click on a title sorts by it"),
)
"""Keys of the lists, which the widgets bind themselves."""


def bindings(scope: str) -> list[BindingType]:
    """The key bindings of a scope."""
    return [
        Binding(act.keys, act.action, act.label, show=False, priority=act.priority, tooltip=act.help)
        for act in ACTS
        if act.scope == scope
    ]


OF_A_RUNNING_SESSION: Final = frozenset({"pause", "edit", "quote", "approve", "reject"})
"""Actions that ask something of a running session: a finished run is only looked at."""


def acts(*scopes: str) -> list[Act]:
    """The actions of some scopes, in order."""
    return [act for act in ACTS if act.scope in scopes]
