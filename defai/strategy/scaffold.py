"""The first files of a strategy: the strategy, a test, a fleet and a page, from a template; all pass as they are."""

import keyword
import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final, Literal, TypeAlias, get_args

from defai.errors import ConfigError

TemplateName: TypeAlias = Literal["lp", "swap", "blank"]
TEMPLATES: Final[tuple[TemplateName, ...]] = get_args(TemplateName)
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST_NAME: Final = 32
"""An agent is called by it, too."""


@dataclass(frozen=True, slots=True)
class Scaffold:
    """The files of a new strategy, none of them written yet.

    Attributes:
        files: text by path, relative to the folder they are for.
    """

    name: str
    class_name: str
    files: dict[Path, str]

    def write(self, folder: Path) -> list[Path]:
        """Write all files; none where one of them is there already.

        Args:
            folder: where `strategies/` and `tests/` are, or will be.

        Returns:
            The paths, in the order they are best read.

        Raises:
            ConfigError: where a file would be overwritten.
        """
        there = [path for path in self.files if (folder / path).exists()]
        if there:
            raise ConfigError(
                f"{', '.join(str(path) for path in there)} is there already; nothing was written.",
                "Choose another name, or move it away.",
            )
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        return list(self.files)


def scaffold(name: str, template: TemplateName = "lp") -> Scaffold:
    """The files of a new strategy.

    Args:
        name: in snake_case, as a fleet will name it.
        template: what it starts from: liquidity in a band, trades, or nothing.

    Raises:
        ConfigError: where the name can't be a module's and an agent's.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or len(name) > _LONGEST_NAME:
        better = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).strip("_").lower()[:_LONGEST_NAME]
        fits = _NAME.fullmatch(better) and not keyword.iskeyword(better)
        rule = f"a small letter, then small letters, digits and single underscores, {_LONGEST_NAME} at most"
        raise ConfigError(
            f"'{name}' can't name a strategy: {'Python has that word' if keyword.iskeyword(name) else rule}.",
            f"Did you mean '{better}'?" if fits else "For instance: dip_buyer.",
        )
    words = {
        "name": name,
        "agent": name.replace("_", "-"),
        "class_name": "".join(word.capitalize() for word in name.split("_")),
        "title": name.replace("_", " ").capitalize(),
    }
    strategy = _filled(f"{template}.py", words)
    words["summary"] = strategy.split('    """', 1)[1].split("\n", 1)[0].strip(' "')
    texts = {
        Path("strategies", f"{name}.py"): strategy,
        Path("tests", f"test_{name}.py"): _filled(f"{template}.test", words),
        Path(f"{name}.toml"): _filled("fleet.toml", words),
        Path(f"{name}.md"): _filled("readme.md", words),
    }
    return Scaffold(name, words["class_name"], texts)


def _filled(template: str, words: dict[str, str]) -> str:
    source = files("defai.strategy") / "templates" / f"{template}.txt"
    return Template(source.read_text(encoding="utf-8")).substitute(words)
