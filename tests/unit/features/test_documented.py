"""The table of features in docs/features.md is that of the library. Run as a program, this writes it there."""

import ast
import re
from pathlib import Path

import pytest

from defai.features import FeatureSpec, compute_row, definitions
from defai.features import spec as spec_module
from defai.features.spec import Definition
from defai.testing.histories import generated_history

DOCUMENT = Path(__file__).parents[3] / "docs" / "features.md"
MARK = "<!-- written by"
PACKAGE = Path(spec_module.__file__).parent


def warm_up(one: Definition) -> str:
    if not one.is_family:
        return str(one.warm_up)
    return f"{one.spans if one.spans > 1 else ''}n + {one.warm_up}"


def line(one: Definition) -> str:
    name = f"`{one.name}`" + (", two pools" if one.pools == 2 else "") + (", depth" if one.depth else "")
    name += f", n from {one.least}" if one.least > 1 else ""
    scale = f"{one.unit}, {one.scale_bits} bits" if one.scale_bits else one.unit
    return f"| {name} | {one.version} | {scale} | {warm_up(one)} | {one.description} | {one.source} |"


def table() -> str:
    shipped = [one for one in definitions() if Path(one.file).is_relative_to(PACKAGE)]
    head = "| name | version | unit | warm-up | what it says | source of the formula |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(map(line, shipped)) + "\n"


def written(text: str, content: str) -> str:
    before, mark, after = text.partition(MARK)
    return f"{before}{mark}{after.splitlines()[0]}\n\n{content}"


def test_the_documents_table_is_the_librarys() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == written(text, table()), f"run `python {Path(__file__).name}` in its folder"


def test_the_documents_own_feature_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spec_module, "_DEFINITIONS", dict(spec_module._DEFINITIONS))
    (code,) = re.findall(
        r"```python title=\"[^\"]+\"\n(from defai.+?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL
    )
    ast.parse(code)
    path = tmp_path / "own.py"
    path.write_text(code)
    exec(compile(code, str(path), "exec"), {})  # noqa: S102  the document's code
    history = generated_history(20)
    row = compute_row([history], FeatureSpec.of(("above_low_12",)))
    assert row is not None
    assert row.values == (history[-1].tick - min(one.tick for one in history[-13:]),)


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8"), table()), encoding="utf-8")
