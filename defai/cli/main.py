"""`defai`: finds the command, runs it, and turns whatever goes wrong into a sentence and an exit code.

A command's module is imported when the command is run, never to list it, so that `defai --help` answers at
once. Each module offers its `click.Command` or `click.Group` as `command`; a command may return an exit code.
"""

import errno
import logging
import os
import select
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Final, NamedTuple

import click
from click.exceptions import NoArgsIsHelpError

from defai import __version__
from defai.cli import logs
from defai.errors import ConfigError, DefaiError
from defai.harmless import harmless, harmless_lines
from defai.redaction import redacted

log = logging.getLogger(__name__)

INTERRUPTED: Final = 130
READER_GONE: Final = 141
_MACHINE_IN_THE_WAY: Final = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
}
_PATH_IN_THE_WAY: Final = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
}
"""What is wrong with a path that somebody named, where the error says which."""


class Entry(NamedTuple):
    """A command before it is imported: its module in `defai.cli`, and what `--help` says of it."""

    module: str
    summary: str


COMMANDS: Final = {
    "demo": Entry("demo", "Run everything offline: a chain, a market, four agents, the terminal."),
    "trade": Entry("trade", "Run a fleet from a configuration file, in the terminal or headless."),
    "attach": Entry("attach", "Open the terminal on a session that serves."),
    "status": Entry("status", "Say what a session that serves is doing."),
    "pause": Entry("pause", "Let an agent of a serving session, or all, decide nothing."),
    "resume": Entry("resume", "Let an agent of a serving session, or all, decide again."),
    "approvals": Entry("approvals", "List, approve and reject decisions that wait for the owner."),
    "teardown": Entry("teardown", "End a session that serves, and settle everything."),
    "replay": Entry("replay", "Play a finished run back in the terminal."),
    "backtest": Entry("backtest", "Run strategies over recorded history, headless."),
    "report": Entry("report", "Print the report of a backtest again."),
    "reproduce": Entry("reproduce", "Run a backtest again and compare every figure."),
    "sweep": Entry("sweep", "Run a strategy over a grid of parameters and windows, on many workers."),
    "contest": Entry("contest", "A strategy against all who provide liquidity without forecasting."),
    "hyperopt": Entry("hyperopt", "Search for parameters; the best is tried on data that no trial has seen."),
    "lookahead-analysis": Entry("lookahead_analysis", "Say whether a strategy sees what is yet to come."),
    "parity": Entry("parity", "Hold the simulation against the chain, block by block."),
    "train": Entry("train", "Train a strategy's model and write its card."),
    "walk-forward": Entry(
        "walk_forward", "Measure forecasts on what they have not seen, beside every baseline."
    ),
    "models": Entry("models", "List, compare, register, verify and roll back trained models."),
    "rate": Entry("rate", "Rate a decision good or bad; retraining learns from it, if that helps."),
    "download-data": Entry("download", "Fetch a pool's history from any node, and verify it."),
    "record": Entry("record", "Record a chain as it grows, in the same format."),
    "list-data": Entry("list_datasets", "List downloaded and recorded history."),
    "new-strategy": Entry("new_strategy", "Write the first files of a strategy of your own."),
    "list-strategies": Entry("list_strategies", "List the strategies that can be named in a configuration."),
    "check-strategy": Entry("check_strategy", "Say whether a strategy keeps to the rules, line by line."),
    "audit": Entry("audit", "List, explain and verify the records of decisions, from the chain alone."),
    "setup": Entry("setup", "Write an encrypted key of your own, and a fleet that uses it."),
    "chain": Entry("chain", "Run the stand-in chain alone."),
    "doctor": Entry("doctor", "Say what is there, what is missing and how to get it."),
    "version": Entry("version", "Say which versions are at work."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names of the commands whose module is there, in the order of the table."""
        return [name for name in COMMANDS if _is_there(name)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """Import a command; None where there is no such name."""
        if not _is_there(cmd_name):
            return None
        command: click.Command = import_module(f"defai.cli.{COMMANDS[cmd_name].module}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name, or say which one may have been meant."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise click.NoSuchCommand(name, possibilities=self.list_commands(ctx), ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table alone."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].summary) for name in self.list_commands(ctx)])


def _is_there(name: str) -> bool:
    return name in COMMANDS and find_spec(f"defai.cli.{COMMANDS[name].module}") is not None


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 ok, 1 error, 2 not found, 3 not running, 4 bad configuration, 5 time-out.",
)
@click.version_option(__version__, prog_name="defai")
@click.option(
    "--debug", is_flag=True, help="Show where an error happened, and log more. Works after any command."
)
def root(*, debug: bool) -> None:
    """Run AI agents in DeFi from the terminal, and prove every decision they took."""
    logs.start(debug=debug)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command line and end the process with its exit code.

    Args:
        arguments: without the program's name; those of the process where they are not given.
    """
    arguments, debug = _take_debug(sys.argv[1:] if arguments is None else list(arguments))
    sys.exit(run(arguments, debug=debug))


def run(arguments: Sequence[str], *, debug: bool = False) -> int:
    """Run a command line; every error becomes one sentence on stderr.

    Args:
        arguments: without the program's name and without `--debug`.
        debug: whether the traceback is shown as well.

    Returns:
        The exit code.
    """
    if "_DEFAI_COMPLETE" in os.environ:
        from click.shell_completion import shell_complete  # noqa: PLC0415  the shell asks for it on a tab only

        return shell_complete(root, {}, "defai", "_DEFAI_COMPLETE", os.environ["_DEFAI_COMPLETE"])
    try:
        result = _invoke(["--debug", *arguments] if debug else list(arguments))
        sys.stdout.flush()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  the one place where whatever went wrong becomes a sentence
        return INTERRUPTED if _is_interrupt(error) else _explain(error, debug=debug)
    return result


def _invoke(arguments: list[str]) -> int:
    try:
        with root.make_context("defai", arguments) as context:
            result = root.invoke(context)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    return result if isinstance(result, int) else 0


def _take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """Take `--debug` out of the arguments, wherever it stands before a bare `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [word for word in arguments[:end] if word != "--debug"]
    return kept + arguments[end:], len(kept) < end


def _is_interrupt(error: BaseException) -> bool:
    """Whether a person pressed ctrl-c, alone or while tasks were gathered."""
    if isinstance(error, BaseExceptionGroup):
        return error.subgroup(KeyboardInterrupt) is not None
    return isinstance(error, KeyboardInterrupt | click.Abort)


def _explain(error: BaseException, *, debug: bool) -> int:
    """Say what went wrong, keep the rest in the log, and give the exit code it stands for."""
    error = _first_of(error)
    if isinstance(error, NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return ConfigError.exit_code
    if isinstance(error, BrokenPipeError) and _reader_is_gone():
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), 1
        )  # else the interpreter complains when it flushes on its way out
        return READER_GONE
    if not isinstance(error, click.UsageError):
        log.error("the command failed", exc_info=error)
    if debug:
        _show_traceback(error)
    sentence, hint, exit_code = _in_words(error, debug=debug)
    _say(sentence, hint)
    return exit_code


def _in_words(error: BaseException, *, debug: bool) -> tuple[str, str, int]:
    """The sentence, the hint and the exit code of an error."""
    if isinstance(error, DefaiError):
        return error.sentence, error.hint, error.exit_code
    if isinstance(error, click.UsageError):
        hint = f"See `{error.ctx.command_path} --help`." if error.ctx else ""
        return error.format_message(), hint, ConfigError.exit_code
    if isinstance(error, click.ClickException):
        return error.format_message(), "", 1
    if isinstance(error, OSError) and error.errno in _MACHINE_IN_THE_WAY:
        return f"{error.strerror}{f': {error.filename}' if error.filename else ''}.", "", 1
    if isinstance(error, OSError) and error.errno in _PATH_IN_THE_WAY and error.filename:
        return f"{error.strerror}: {error.filename}.", _where_to_look(debug=debug), 1
    defect = f"This is a defect in defai, not a mistake of yours: {type(error).__name__}: {error}"
    return defect, _where_to_look(debug=debug), 1


def _first_of(error: BaseException) -> BaseException:
    """What a task group gathered, as the one error that a person has to know: ours before anyone else's."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    ours, _ = error.split(DefaiError)
    return _first_of((ours or error).exceptions[0])


def _say(sentence: str, hint: str) -> None:
    for line in f"defai: {sentence}".splitlines():
        click.echo(redacted(harmless(line)), err=True)
    for line in hint.splitlines():
        click.echo(redacted(harmless(f"       {line}")), err=True)


def _where_to_look(*, debug: bool) -> str:
    file = logs.current_file()
    where = f"The log is in {file}. " if file else ""
    return where + ("" if debug else "`--debug` shows where it happened.")


def _show_traceback(error: BaseException) -> None:
    import traceback  # noqa: PLC0415  only needed on the way out

    told = redacted("".join(traceback.format_exception(error)))
    click.echo("\n".join(harmless_lines(told)), err=True)


def _reader_is_gone() -> bool:
    """Whether nobody reads our standard output any more (`defai ... | head`)."""
    poll = select.poll()
    try:
        poll.register(sys.stdout.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))
