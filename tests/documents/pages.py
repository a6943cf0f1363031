"""The code blocks of a page of documentation, and running them as its reader would.

A page is a session in a folder of its own, from its first block to its last:

- ``python`` is run, names staying known; with a `title` from that file,
- ``toml`` with a `title` is written to that file, and is read in any case,
- ``console`` holds commands behind `$ `, each followed by all it prints; `…` stands for what differs from run to run,
  alone on a line for any lines. A command that ends in `&` goes on while the page does,
- ``sh`` holds commands that need what a test can't have, such as a node elsewhere: their options have to exist,
- ``text`` and pictures are looked at.
"""

import os
import re
import runpy
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Self

import click

from defai.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DEADLINE_S = 240.0
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = ("python", "toml", "console", "sh")
READ = ("text", "solidity", "mermaid")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page: its first line's number, language, title and text."""

    line: int
    language: str
    title: str
    text: str


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, match.start()) + 2, match[1], match[2] or "", match[3])
        for match in FENCE.finditer(text)
    ]


def commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command of a console block with the lines it is said to print."""
    command, expected = "", list[str]()
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line[2:], []
        elif command.endswith("\\"):
            command = command[:-1] + line.strip()
        else:
            expected.append(line)
    if command:
        yield command, expected


def unlike(expected: list[str], got: list[str]) -> str:
    """Where what was printed differs from what the page says; empty where it doesn't."""
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line.rstrip()).replace("…", ".*?") + "\n"
        for line in expected
    )
    text = "".join(f"{line.rstrip()}\n" for line in got)
    if re.fullmatch(pattern, text):
        return ""
    return "the page says:\n" + "\n".join(expected) + "\nbut it prints:\n" + text


@dataclass
class Session:
    """A reader at work in a folder."""

    folder: Path
    environment: Mapping[str, str]
    names: dict[str, Any] = field(default_factory=dict)
    _here: Path = field(init=False)
    _running: list[subprocess.Popen[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._here = self.folder

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running:
            process.terminate()
            process.communicate(timeout=DEADLINE_S)

    def follow(self, block: Block) -> str:
        """Do what a block says; what is wrong with it, or nothing."""
        if block.title and block.language in {"python", "toml"}:
            path = self._here / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, encoding="utf-8")
        with chdir(self._here):
            return self._done(block)

    def _done(self, block: Block) -> str:
        if block.language == "python" and block.title:
            runpy.run_path(str(self._here / block.title))
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "python":
            exec(compile(block.text, "page", "exec"), self.names)  # noqa: S102  the page's own example
        elif block.language == "sh":
            return "".join(refused(command) for command, _ in commands(_as_console(block.text)))
        elif block.language == "console":
            for command, expected in commands(block.text):
                wrong = unlike(expected, self.answer(command, expected))
                if wrong:
                    return f"$ {command}\n{wrong}"
        return ""

    def answer(self, command: str, expected: list[str]) -> list[str]:
        """Run a command; the lines it prints."""
        if command.startswith("cd "):
            self._here = (self._here / command[3:]).resolve()
            return []
        goes_on = command.endswith("&")
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command[:-1].strip()}" if goes_on else command],
            cwd=self._here,
            env={**os.environ, **self.environment, "PATH": f"{BIN}:{os.environ['PATH']}", "COLUMNS": "120"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if goes_on:
            self._running.append(process)
            return _until(process, expected)
        return process.communicate(timeout=DEADLINE_S)[0].splitlines()


def _until(process: subprocess.Popen[str], expected: list[str]) -> list[str]:
    """What a process prints until it has printed the last line that is expected."""
    assert process.stdout is not None
    last = re.escape(expected[-1]).replace("…", ".*") if expected else ""
    got = list[str]()
    deadline = time.monotonic() + DEADLINE_S
    while last and time.monotonic() < deadline:
        line = process.stdout.readline()
        got.append(line.rstrip("\n"))
        if not line or re.fullmatch(last, got[-1]):
            break
    return got


def _as_console(text: str) -> str:
    joined = text.replace("\\\n", " ")
    return "".join(f"$ {line}\n" for line in joined.splitlines() if line and not line.startswith("#"))


def refused(command: str) -> str:
    """Why `defai` would not take a command as it is written; empty where it would, or where it is another's."""
    words = shlex.split(command, comments=True)
    words = [word for word in words if "=" not in word or word.startswith("-")] if words else words
    if not words or Path(words[0]).name != "defai":
        return ""
    if words[1] not in COMMANDS:
        return f"there is no command {words[1]}\n"
    found: click.Command = import_module(f"defai.cli.{COMMANDS[words[1]].module}").command
    rest = words[2:]
    while isinstance(found, click.Group) and rest and rest[0] in found.commands:
        found, rest = found.commands[rest[0]], rest[1:]
    options = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    unknown = [
        word for word in rest if word.startswith("-") and word.split("=")[0] not in options | {"--debug"}
    ]
    return f"{command}: there is no {' '.join(unknown)}\n" if unknown else ""


__all__ = ["READ", "ROOT", "RUN", "Block", "Session", "blocks", "commands", "refused", "unlike"]
