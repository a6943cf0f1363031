"""Run slither and halmos on the contracts; hold slither's findings against the answers in contracts/SECURITY.md.

Usage: python scripts/check_contracts.py [slither] [halmos]

Both are programs in environments of their own (`scripts/set_up.py tool NAME`); nothing of ours imports them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from build_contracts import CONTRACTS, BuildError, find_forge

TOOLS: Final = CONTRACTS.parent / ".tools"
ANSWERS: Final = CONTRACTS / "SECURITY.md"
ASSERTION_MS: Final = 120_000

Finding = tuple[str, str]
"""What slither calls it, and where: contract.function, with a variable behind it where it is about one."""


def main() -> int:
    """Run what was asked for, or both; 0 where nothing is open."""
    wanted = sys.argv[1:] or ["slither", "halmos"]
    try:
        environment = _environment(find_forge())
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    _run([str(find_forge()), "build", "--ast"], environment)
    checks = {"slither": check_with_slither, "halmos": check_with_halmos}
    return max(checks[name](environment) for name in wanted)


def check_with_slither(environment: Mapping[str, str]) -> int:
    """0 where what slither finds is exactly what is answered."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "findings.json"
        finished = _run(
            [str(TOOLS / "slither/bin/slither"), ".", "--json", str(report)], environment, may_fail=True
        )
        if not report.is_file():
            sys.stderr.write(finished.stdout + finished.stderr)
            return 1
        found = {_finding(each) for each in json.loads(report.read_text())["results"].get("detectors", [])}
    answered = answers(ANSWERS.read_text())
    for what, where in sorted(found - answered):
        sys.stdout.write(f"slither: {what} in {where} has no answer in {ANSWERS.name}\n")
    for what, where in sorted(answered - found):
        sys.stdout.write(f"slither: the answer to {what} in {where} has nothing to answer\n")
    sys.stdout.write(f"slither: {len(found)} findings, {len(found & answered)} answered\n")
    return int(found != answered)


def check_with_halmos(environment: Mapping[str, str]) -> int:
    """0 where halmos proves all of it."""
    command = [str(TOOLS / "halmos/bin/halmos"), "--forge-build-out", "out/check", "--contract", "Symbolic"]
    command += ["--solver-timeout-assertion", str(ASSERTION_MS)]
    finished = _run(command, environment, may_fail=True)
    sys.stdout.write(
        finished.stdout if finished.returncode else finished.stdout[finished.stdout.rfind("Symbolic") :]
    )
    return int(finished.returncode != 0)


def answers(text: str) -> set[Finding]:
    """The findings that a table's rows answer: one in the first cell, its places in the second, all in backticks."""
    rows = re.findall(r"^\| (`[^|]+`) \| (`[^|]+`) \|", text, re.MULTILINE)
    return {(what.strip("`"), where) for what, places in rows for where in re.findall(r"`([^`]+)`", places)}


def _finding(reported: Mapping[str, Any]) -> Finding:
    element, names = reported["elements"][0], []
    while element:
        if element["type"] in {"contract", "function", "variable"}:
            names.insert(0, element["name"])
        element = element.get("type_specific_fields", {}).get("parent")
    return reported["check"], ".".join(names)


def _environment(forge: Path) -> dict[str, str]:
    path = f"{forge.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "FOUNDRY_PROFILE": "check", "NO_COLOR": "1"}


def _run(
    command: list[str], environment: Mapping[str, str], *, may_fail: bool = False
) -> subprocess.CompletedProcess[str]:
    finished = subprocess.run(
        command, cwd=CONTRACTS, env=dict(environment), capture_output=True, text=True, check=False
    )
    if finished.returncode and not may_fail:
        sys.exit(finished.stdout + finished.stderr)
    return finished


if __name__ == "__main__":
    sys.exit(main())
