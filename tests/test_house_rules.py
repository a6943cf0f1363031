"""Rules that no tool on the list enforces. A limit is enforced by a test or it is no rule.

Each rule is a function from a text to what it finds wrong; each is shown a planted sin first.
"""

import ast
import importlib
import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from defai.redaction import redacted

ROOT = Path(__file__).resolve().parent.parent
CODE = ("defai", "strategies", "scripts", "bench")
LONGEST_FILE, LONGEST_CLASS, LONGEST_FUNCTION = 400, 250, 50
NAMES_THAT_SAY_NOTHING = {
    "manager",
    "util",
    "utils",
    "helper",
    "helpers",
    "info",
    "data",
    "common",
    "misc",
    "base_utils",
}
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PACKAGE_LOCK = ROOT / "contracts" / "package-lock.json"
FRAGMENT_KINDS = {"feature", "bugfix", "doc", "removal", "misc"}

Rule = Callable[[str], list[str]]


@cache
def sources(*folders: str) -> tuple[Path, ...]:
    return tuple(sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")))


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def found_by(rule: Rule, paths: tuple[Path, ...]) -> list[str]:
    return [f"{relative(path)}: {sin}" for path in paths for sin in rule(path.read_text(encoding="utf-8"))]


def long_files(text: str) -> list[str]:
    lines = text.count("\n")
    return [f"{lines} lines"] if lines >= LONGEST_FILE else []


def long_definitions(text: str) -> list[str]:
    return list(_long_definitions(ast.parse(text)))


def _long_definitions(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            longest = LONGEST_CLASS if isinstance(node, ast.ClassDef) else LONGEST_FUNCTION
            if lines >= longest:
                yield f"{node.name} has {lines} lines"


def bare_prices(text: str) -> list[str]:
    functions = [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [
        f"{function.name} takes a bare price: say of what in what"
        for function in functions
        for argument in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
        if argument.arg == "price"
    ]


def unfinished(text: str) -> list[str]:
    return [word[0] for word in re.finditer(r"\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b", text)]


def silencing_without_reason(text: str) -> list[str]:
    silenced = [
        line.strip() for line in text.splitlines() if re.search(r"#\s*(noqa|type:\s*ignore|pragma)", line)
    ]
    given = re.compile(
        r"#\s*noqa: [A-Z0-9, ]+[A-Z0-9]\s+\S|#\s*type: ignore\[[^]]+\]\s+(?:#\s*)?[^\s#]|#\s*pragma: no cover\s+\S"
    )
    return [line for line in silenced if not given.search(line) and "re." not in line]


def long_sleeps(text: str) -> list[str]:
    return [
        f"sleeps {call.args[0].value} s; poll with a deadline"
        for call in ast.walk(ast.parse(text))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func).rpartition(".")[2] == "sleep"
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, int | float)
        and call.args[0].value > 0.2
    ]


def sentences_with_a_hole(text: str) -> list[str]:
    """What would be shown to nobody: words that the redaction takes for a secret."""
    if redacted(text) == text:
        return []
    return [said for said in re.findall(r'"([^"\n]* [^"\n]*)"', text) if redacted(said) != said]


def somebodys_home(text: str) -> list[str]:
    return re.findall(r"(?<![\w.])/(?:home|root|Users)/[\w.-]+", text)


def addresses(text: str) -> list[str]:
    return re.findall(r"\w+://\S+|^--(?:index|extra|find|trusted)\S*", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("rule", "sin", "innocent"),
    [
        (long_files, "x = 1\n" * 400, "x = 1\n" * 399),
        (long_definitions, "def f():\n" + "    x = 1\n" * 49, "def f():\n" + "    x = 1\n" * 48),
        (long_definitions, "class A:\n" + "    x = 1\n" * 249, "class A:\n" + "    x = 1\n" * 200),
        (bare_prices, "def f(*, price): ...", "def f(usdc_per_weth): ..."),
        (unfinished, "# TO" + "DO later", "# what to do later"),
        (
            silencing_without_reason,
            "x = 1  # no" + "qa: E501",
            "x = 1  # no" + "qa: E501  a table reads better",
        ),
        (
            silencing_without_reason,
            "x  # type: " + "ignore[misc]",
            "x  # type: " + "ignore[misc]  # they lie",
        ),
        (long_sleeps, "import time\ntime.sleep(1)", "import time\ntime.sleep(0.01)"),
        (
            sentences_with_a_hole,
            'ConfigError("The password is missing.")',
            'ConfigError("There is no password.")',
        ),
        (somebodys_home, "open('/ho" + "me/me/x')", "open('home/me/x')"),
        (addresses, "web3 @ https://host/simple/web3.whl", "web3==8.0.0 \\\n    --hash=sha256:00"),
    ],
)
def test_a_rule_catches_its_sin(rule: Rule, sin: str, innocent: str) -> None:
    assert rule(sin)
    assert not rule(innocent)


@pytest.mark.parametrize(
    ("rule", "folders"),
    [
        (long_files, (*CODE, "tests")),
        (long_definitions, CODE),
        (bare_prices, CODE),
        (unfinished, (*CODE, "tests")),
        (silencing_without_reason, (*CODE, "tests")),
        (long_sleeps, ("tests",)),
        (sentences_with_a_hole, ("defai",)),
        (somebodys_home, (*CODE, "tests")),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_rules_hold(rule: Rule, folders: tuple[str, ...]) -> None:
    sins = found_by(rule, sources(*folders))
    assert not sins, "\n" + "\n".join(sins)


def test_contracts_are_short_and_finished() -> None:
    paths = tuple(sorted((ROOT / "contracts").glob("[st]*/**/*.sol")))
    assert paths
    assert found_by(long_files, paths) == []
    assert found_by(unfinished, paths) == []


def test_names_say_something() -> None:
    empty = [
        relative(path)
        for path in sources("defai", "strategies")
        if set(path.relative_to(ROOT).with_suffix("").parts) & NAMES_THAT_SAY_NOTHING
        or NAMES_THAT_SAY_NOTHING & set(path.stem.split("_"))
    ]
    assert empty == []


@pytest.mark.parametrize(
    "module",
    [
        relative(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in sources("defai")
        if re.search(r"^__all__ = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    ],
)
def test_what_is_exported_is_there_and_in_order(module: str) -> None:
    exported = importlib.import_module(module).__all__
    assert [name for name in exported if not hasattr(importlib.import_module(module), name)] == []
    assert len(set(exported)) == len(exported)


def test_locks_pin_every_package_with_hashes_and_name_no_address() -> None:
    assert {lock.stem for lock in LOCKS} == {"bootstrap", "dev", "halmos", "node", "run", "slither"}
    for lock in LOCKS:
        text = lock.read_text(encoding="utf-8")
        assert addresses(text) == [], lock.name
        requirements = re.findall(
            r"^(\S+?)==(\S+)((?: ; .+?)?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)",
            text,
            re.MULTILINE,
        )
        assert len(requirements) == len(re.findall(r"^[a-z]", text, re.MULTILINE)), lock.name


def test_the_demos_packages_are_the_developers() -> None:
    run, dev = (
        set(
            re.findall(
                r"^\S+==\S+",
                (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8"),
                re.MULTILINE,
            )
        )
        for name in ("run", "dev")
    )
    assert run <= dev


def test_the_npm_lock_has_hashes_and_no_address() -> None:
    text = PACKAGE_LOCK.read_text(encoding="utf-8")
    packages = {name: entry for name, entry in json.loads(text)["packages"].items() if name}
    assert packages
    assert [
        name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_news_fragments_have_a_kind() -> None:
    fragments = [
        path for path in (ROOT / "newsfragments").iterdir() if not path.name.startswith((".", "README"))
    ]
    assert [
        path.name for path in fragments if path.suffixes[:1] not in [[f".{kind}"] for kind in FRAGMENT_KINDS]
    ] == []


def test_every_target_of_the_makefile_says_what_it_does() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = set(re.findall(r"^\.PHONY: (help .+)$", text, re.MULTILINE)[0].split())
    documented = set(re.findall(r"^([a-z-]+):.*## \S", text, re.MULTILINE))
    assert phony == documented
