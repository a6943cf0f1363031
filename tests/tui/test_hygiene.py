"""The terminal's process starts fast because it imports the terminal and nothing else."""

import json
import subprocess
import sys

FOREIGN = (
    "web3",
    "lightgbm",
    "sklearn",
    "pandas",
    "numpy",
    "aiohttp",
    "eth_account",
    "pyarrow",
    "plotext",
    "textual_plotext",
)
OURS = ("defai.chain", "defai.worlds", "defai.session", "defai.marketsim", "defai.strategy", "defai.amm")


def modules_after(statement: str) -> set[str]:
    program = f"import sys, json; {statement}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300
    )
    return set(json.loads(done.stdout))


def test_the_terminal_imports_nothing_heavy_and_nothing_of_the_session() -> None:
    loaded = modules_after("import defai.tui.app, defai.tui.bridge")
    assert "textual.app" in loaded
    assert [name for name in FOREIGN if name in loaded] == []
    assert [name for name in OURS if name in loaded] == []


def test_the_package_itself_imports_nothing() -> None:
    loaded = modules_after("import defai.tui")
    assert "textual" not in loaded
    assert "pydantic" not in loaded


def test_the_bridge_needs_no_textual() -> None:
    assert "textual" not in modules_after("import defai.tui.bridge")
