"""The command line: commands are found lazily, errors end in a sentence and an exit code."""

import asyncio
import errno
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from defai import __version__
from defai.cli import logs, main
from defai.errors import (
    ConfigError,
    DefaiError,
    DivergenceError,
    NotFoundError,
    NotRunningError,
    TooSlowError,
)

WORD = "correct-horse-battery"
PATIENCE_S = 300.0


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "default_directory", lambda: tmp_path / "log")
    yield
    logs.stop()


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException]:
    """A command `fail` that raises what the test puts under "error"."""
    wanted: dict[str, BaseException] = {}

    @click.command("fail")
    def fail() -> None:
        raise wanted["error"]

    found = main.LazyGroup.get_command
    monkeypatch.setattr(main.LazyGroup, "list_commands", lambda _self, _ctx: ["fail", "version"])
    monkeypatch.setattr(
        main.LazyGroup,
        "get_command",
        lambda self, ctx, name: fail if name == "fail" else found(self, ctx, name),
    )
    return wanted


def test_help_lists_the_commands_that_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    listed = re.findall(r"^  ([a-z-]+)  ", capsys.readouterr().out, re.MULTILINE)
    modules = {path.stem for path in Path(main.__file__).parent.glob("*.py")}
    assert [name for name in listed if name in main.COMMANDS] == [
        name for name, entry in main.COMMANDS.items() if entry.module in modules
    ]
    assert {"doctor", "version"} <= set(listed)


@pytest.mark.parametrize("name", [name for name in main.COMMANDS if name != "unknown"])
def test_a_listed_command_can_be_imported_and_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    context = click.Context(main.root)
    if name not in main.root.list_commands(context):
        assert main.root.get_command(context, name) is None
        return
    assert main.run([name, "--help"]) == 0
    assert f"Usage: defai {name}" in capsys.readouterr().out


def test_a_module_that_is_not_there_is_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(main.COMMANDS, "teleport", main.Entry("teleport", "Not there yet."))
    assert "teleport" not in main.root.list_commands(click.Context(main.root))
    assert main.run(["teleport"]) == 4


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["verson"], "No such command 'verson'. Did you mean 'version'?"),
        (["version", "--jsno"], "No such option '--jsno'. Did you mean '--json'?"),
        (["--debgu", "version"], "No such option '--debgu'. Did you mean '--debug'?"),
        (["version", "surplus"], "unexpected extra argument"),
    ],
)
def test_a_mistyped_line_is_answered_with_what_may_be_meant(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.run(arguments) == 4
    told = capsys.readouterr()
    assert expected in told.err
    assert "--help" in told.err
    assert told.out == ""


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([]) == 4
    assert "Commands:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (DefaiError, 1),
        (NotFoundError, 2),
        (NotRunningError, 3),
        (ConfigError, 4),
        (TooSlowError, 5),
        (DivergenceError, 1),
    ],
)
def test_our_errors_are_a_sentence_a_hint_and_their_exit_code(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str], kind: type[DefaiError], code: int
) -> None:
    failing["error"] = kind("The moon is missing.", "Look again\nat night.")
    assert main.run(["fail"]) == code
    assert capsys.readouterr().err == "defai: The moon is missing.\n       Look again\n       at night.\n"


def test_our_error_inside_a_task_group_is_found(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    ours = ExceptionGroup("inner", [NotRunningError("The chain has stopped.")])
    failing["error"] = ExceptionGroup("unhandled errors in a TaskGroup", [OSError("gone"), ours])
    assert main.run(["fail"]) == 3
    assert capsys.readouterr().err == "defai: The chain has stopped.\n"


def test_a_defect_is_called_one_and_its_traceback_is_in_the_log(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    failing["error"] = KeyError("wings")
    assert main.run(["fail"]) == 1
    told = capsys.readouterr().err
    log = tmp_path / "log" / logs.FILE_NAME
    assert "defect in defai" in told
    assert str(log) in told
    assert "Traceback" not in told
    assert "Traceback" in log.read_text(encoding="utf-8")


def test_debug_shows_the_traceback_without_secrets(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["error"] = ConfigError(f"wrong: password={WORD}")
    with pytest.raises(SystemExit) as left:
        main.main(["fail", "--debug"])
    told = capsys.readouterr().err
    assert left.value.code == 4
    assert "Traceback" in told
    assert WORD not in told


def test_debug_after_a_bare_dash_dash_is_an_argument() -> None:
    with pytest.raises(SystemExit) as left:
        main.main(["version", "--", "--debug"])
    assert left.value.code == 4


def test_a_full_disk_is_no_defect(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["error"] = OSError(errno.ENOSPC, "No space left on device", "/run/journal")
    assert main.run(["fail"]) == 1
    assert capsys.readouterr().err == "defai: No space left on device: /run/journal.\n"


def test_a_path_that_cannot_be_is_no_defect(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["error"] = FileNotFoundError(errno.ENOENT, "No such file or directory", "/nowhere/x")
    assert main.run(["fail"]) == 1
    assert capsys.readouterr().err.startswith("defai: No such file or directory: /nowhere/x.\n")


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), click.Abort(), BaseExceptionGroup("g", [KeyboardInterrupt()])]
)
def test_ctrl_c_is_quiet(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    failing["error"] = error
    assert main.run(["fail"]) == 130
    assert capsys.readouterr().err == ""


def test_cancelled_work_is_not_mistaken_for_ctrl_c(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["error"] = BaseExceptionGroup("g", [asyncio.CancelledError()])
    assert main.run(["fail"]) == 1
    assert "CancelledError" in capsys.readouterr().err


def test_a_pipe_that_broke_elsewhere_is_not_hidden(
    failing: dict[str, BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    failing["error"] = BrokenPipeError(errno.EPIPE, "Broken pipe")
    assert main.run(["fail"]) == 1
    assert "defect in defai" in capsys.readouterr().err


def defai(*arguments: str, home: Path, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / "state"), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "defai", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_reader_that_leaves_is_answered_with_silence(tmp_path: Path) -> None:
    with defai("version", home=tmp_path) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(PATIENCE_S) == 141


def test_the_version_is_told(tmp_path: Path) -> None:
    with defai("--version", home=tmp_path) as process:
        out, err = process.communicate(timeout=PATIENCE_S)
    assert (out.split()[-1], err, process.returncode) == (__version__, "", 0)


def test_help_writes_no_file(tmp_path: Path) -> None:
    with defai("--help", home=tmp_path) as process:
        process.communicate(timeout=PATIENCE_S)
    assert list(tmp_path.rglob("*")) == []


def test_a_home_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way", encoding="utf-8")
    with defai("version", home=tmp_path) as process:
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (err, process.returncode) == ("", 0)


@pytest.mark.parametrize(
    "words",
    [
        ("backtest", "-s", "hold", "--source", "x", "--gas-gwei", "-1"),
        ("backtest", "-s", "hold", "--source", "x", "--gas-gwei", "nan"),
        ("backtest", "-s", "hold", "--source", "x", "--liquidity", "0"),
        ("walk-forward", "--half-life-days", "nan"),
        ("walk-forward", "--train-period-days", "0"),
        ("train", "-s", "hold", "--live-retrain-hours", "inf"),
    ],
)
def test_a_number_that_is_none_is_refused(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(words) == 4
    assert f"Invalid value for '{words[-2]}'" in capsys.readouterr().err


@pytest.mark.parametrize("group", ["approvals", "audit", "chain", "models"])
def test_a_groups_help_ends_its_sentences(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([group, "--help"]) == 0
    _, _, listed = capsys.readouterr().out.partition("Commands:\n")
    assert listed
    assert "..." not in listed


def test_the_shell_is_offered_the_commands(tmp_path: Path) -> None:
    with defai(
        home=tmp_path, _DEFAI_COMPLETE="bash_complete", COMP_WORDS="defai ver", COMP_CWORD="1"
    ) as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert out.strip() == "plain,version"


def test_sigint_in_a_real_process_ends_it_with_130(tmp_path: Path) -> None:
    program = (
        "import click, time\nfrom defai.cli import main\n"
        "@click.command()\ndef nap():\n    print('napping', flush=True)\n    time.sleep(3_600)\n"
        "main.LazyGroup.list_commands = lambda self, ctx: ['nap']\n"
        "main.LazyGroup.get_command = lambda self, ctx, name: nap\n"
        "main.main(['nap'])\n"
    )
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "napping\n"
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()
    assert (process.returncode, err.strip()) == (130, "")
