"""Build the documentation as a site, offline: `build_docs.py [--pages-only]` writes build/site from docs/.

`build_docs.py --commands` writes anew what docs/commands.md says of each command, which is the command's own help.

Pages are plain Markdown and read well where they stand; this gathers them with the pages beside docs/ (README, words,
contracts), points links at where things are in the site, and adds a reference made of docstrings.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from copy import copy
from importlib import import_module
from pathlib import Path

import click

from defai.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "build" / "docs"
SITE = ROOT / "build" / "site"
BESIDE = {
    "README.md": "readme.md",
    "CONTEXT.md": "words.md",
    "CONTRIBUTING.md": "contributing.md",
    "contracts/README.md": "contracts.md",
    "contracts/SECURITY.md": "contracts-security.md",
    "contracts/GAS.md": "contracts-gas.md",
}
"""Pages that stand outside docs/ in the repository, and what they are called in the site."""

REFERENCE = {
    "strategy": ("Strategies", ("defai.strategy.api",)),
    "targets": ("Targets of models", ("defai.models.targets",)),
    "features": ("Features", ("defai.features",)),
    "amm": ("Exact pools", ("defai.amm",)),
    "testing": ("Testing", ("defai.testing",)),
    "stream": ("Events of a session", ("defai.domain.stream",)),
    "control": ("Steering a session", ("defai.agent.control",)),
}
"""A page of the reference: its title, and the modules whose docstrings it shows."""

COMMANDS_PAGE = ROOT / "docs" / "commands.md"
MARK = "<!-- written by scripts/build_docs.py --commands -->\n"
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(?:```|    )")


def main() -> int:
    """Gather the pages and build the site; 0 when it stands."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages-only", action="store_true", help="gather the pages, build no site")
    parser.add_argument("--commands", action="store_true", help="write docs/commands.md anew, build nothing")
    wanted = parser.parse_args()
    if wanted.commands:
        COMMANDS_PAGE.write_text(commands_page(COMMANDS_PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    gather()
    if wanted.pages_only:
        return 0
    done = subprocess.run(
        [Path(sys.executable).parent / "zensical", "build", "--clean", "--strict"], cwd=ROOT, check=False
    )
    if done.returncode == 0:
        print(f"The site stands in {SITE.relative_to(ROOT)}: open {SITE.relative_to(ROOT)}/index.html")
    return done.returncode


def gather() -> None:
    """Write every page of the site to build/docs, links pointing within it."""
    shutil.rmtree(PAGES, ignore_errors=True)
    for source, place in sources():
        target = PAGES / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            target.write_text(relinked(source, place), encoding="utf-8")
        else:
            shutil.copyfile(source, target)
    reference = PAGES / "reference"
    reference.mkdir(parents=True)
    for name, (title, modules) in REFERENCE.items():
        body = "\n\n".join(f"::: {module}" for module in modules)
        (reference / f"{name}.md").write_text(f"# {title}\n\n{body}\n", encoding="utf-8")


def sources() -> Iterator[tuple[Path, str]]:
    """Every file that goes into the site as it is, with its place there."""
    docs = ROOT / "docs"
    for path in sorted(docs.rglob("*")):
        if path.is_file():
            yield path, path.relative_to(docs).as_posix()
    for source, place in BESIDE.items():
        if (ROOT / source).is_file():
            yield ROOT / source, place


def relinked(source: Path, place: str) -> str:
    """A page's text with its links as they have to be in the site; a link to a source file becomes its name."""
    places = {path.resolve(): where for path, where in sources()}

    def linked(match: re.Match[str]) -> str:
        picture, text, target = match.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or not path:
            return match[0]
        where = places.get((source.parent / path).resolve())
        if where is None:
            return text if text.startswith("`") else f"`{text}`"
        relative = os.path.relpath(where, Path(place).parent)
        return f"{picture}[{text}]({relative}{'#' if anchor else ''}{anchor})"

    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    fenced = False
    for number, line in enumerate(lines):
        fenced ^= line.startswith("```")
        if not fenced and not FENCE.match(line):
            lines[number] = LINK.sub(linked, line)
    return "".join(lines)


def commands_page(before: str) -> str:
    """The page of commands as it has to be: up to the mark as it is, then every command with what its `--help` says."""
    above, mark, _ = before.partition(MARK)
    parts = [f"{above}{mark}\n"]
    for name, entry in COMMANDS.items():
        command: click.Command = import_module(f"defai.cli.{entry.module}").command
        parts.extend(_helps(command, f"defai {name}"))
    return "\n".join(parts)


def _helps(command: click.Command, name: str) -> Iterator[str]:
    shown = copy(command)
    shown.add_help_option = (
        False  # its line says nothing, and its names depend on who asked the command first
    )
    context = click.Context(shown, info_name=name, terminal_width=100, max_content_width=100)
    yield f"## {name}\n\n```text\n{shown.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for part, below in command.commands.items():
            yield from _helps(below, f"{name} {part}")


if __name__ == "__main__":
    sys.exit(main())
