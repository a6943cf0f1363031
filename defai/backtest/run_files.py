"""A backtest's directory: all there is to know about a run, to read it, to check it, and to run it again.

    run.json           configuration as resolved, seed, versions, the source and its hash
    report.json        the figures, as `--json` prints them
    equity.parquet     money over time, and the baselines' beside it
    decisions.parquet  every decision, in order
    report.html        all of it for people; opens without a network

The directory appears whole, under its name, or not at all.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TypeAlias

from defai.errors import ConfigError, DefaiError, NotFoundError

Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""Equally long columns by name; None where a value is not known."""

_PACKAGES: Final = ("defai", "lightgbm", "numpy", "numba", "pyarrow", "pydantic")
RUN, REPORT, EQUITY, DECISIONS, PAGE = (
    "run.json",
    "report.json",
    "equity.parquet",
    "decisions.parquet",
    "report.html",
)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What is written down about a run.

    Attributes:
        configuration: all that the run was made from, so that it can be made again.
        source: where the history came from: "path", "sha256", "kind", "fidelity".
        seed: of everything random in it.
        figures: what `--json` prints.
        equity: columns `timestamp` (seconds), `price` (numeraire per base), `equity_usd`, `hodl_usd`, `fees_usd`,
            `gas_usd`, `band_lower` and `band_upper` (prices, None without a band), `baseline_NAME` for each and
            `agent_NAME` for agents after the first.
        decisions: columns `agent`, `sequence`, `block`, `timestamp`, `action`, `reason`, `verdict`, `digest`; and what
            came of it: `status`, `gas_used`, `gas_usd`, `outcome`, None where nothing was sent.
        versions: of the packages that made it, by name; those at work where they are not given.
    """

    configuration: Mapping[str, Any]
    source: Mapping[str, Any]
    seed: int
    figures: Mapping[str, Any]
    equity: Columns
    decisions: Columns
    versions: Mapping[str, str] | None = None


def versions_at_work() -> dict[str, str]:
    """Python and the packages a result depends on."""
    found = {"python": sys.version.split()[0]}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def check_out(out: Path) -> None:
    """Refuse a directory that a run could not be written to, before somebody waits for the run.

    Raises:
        ConfigError: where it is a file, or has something in it.
        DefaiError: where it cannot be made.
    """
    _refuse_taken(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent)).rmdir()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DefaiError(f"{out} cannot be made: {reason}.", "Name another directory.") from error


def _refuse_taken(out: Path) -> None:
    if out.is_dir() and not any(out.iterdir()):
        return
    if out.exists():
        what = (
            "holds a run already"
            if (out / RUN).is_file()
            else "is not empty"
            if out.is_dir()
            else "is a file"
        )
        raise ConfigError(f"{out} {what}.", "Name a new directory: a run is never written over another.")


def write_run(out: Path, record: RunRecord, page: str) -> None:
    """Write a run's directory, whole or not at all.

    Args:
        out: the directory, new or empty.
        record: what to write.
        page: report.html.

    Raises:
        ConfigError: where it is a file, or has something in it.
        DefaiError: where it cannot be written; nothing is left behind then.
    """
    _refuse_taken(out)
    draft = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        draft.mkdir(parents=True)
        _write_all(draft, record, page)
        _settle(draft)
        draft.replace(out)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        reason = (error.strerror or str(error)).lower()
        raise DefaiError(
            f"The run could not be written to {out}: {reason}.",
            "Nothing is left of it there: make room and run it again.",
        ) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def read_run(directory: Path) -> RunRecord:
    """Read a run's directory.

    Raises:
        NotFoundError: where there is none.
        ConfigError: naming the file that cannot be read.
    """
    if not (directory / RUN).is_file():
        raise NotFoundError(f"There is no run in {directory}.", "`defai backtest --out DIR` writes one.")
    run = _read_json(directory / RUN)
    for name in ("configuration", "source", "seed", "versions"):
        if name not in run:
            raise ConfigError(f"{directory / RUN} has no '{name}': it is not the file of a backtest.")
    return RunRecord(
        configuration=run["configuration"],
        source=run["source"],
        seed=run["seed"],
        figures=_read_json(directory / REPORT),
        equity=read_columns(directory / EQUITY),
        decisions=read_columns(directory / DECISIONS),
        versions=run["versions"],
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any], within: str = "") -> list[str]:
    """Where the figures of two runs differ, each in a line; how long they took does not count."""
    found = []
    for name in sorted({*before, *after} - {"seconds"}):
        old, new = before.get(name), after.get(name)
        path = f"{within}{name}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{path}.")
        elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
            found += differences(_by_place(old), _by_place(new), f"{path}.")
        elif old != new:
            found.append(f"{path}: {old!r} before, {new!r} now")
    return found


def _by_place(values: Sequence[Any]) -> dict[str, Any]:
    return {str(place): value for place, value in enumerate(values)}


def _write_all(draft: Path, record: RunRecord, page: str) -> None:
    run = {
        "configuration": record.configuration,
        "source": record.source,
        "seed": record.seed,
        "versions": record.versions or versions_at_work(),
    }
    _write_text(draft / RUN, _json(run))
    _write_text(draft / REPORT, _json(record.figures))
    write_columns(draft / EQUITY, record.equity)
    write_columns(draft / DECISIONS, record.decisions)
    _write_text(draft / PAGE, page)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, default=str) + "\n"


def _write_text(path: Path, content: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(content)


def write_columns(path: Path, columns: Columns) -> None:
    """Write columns as parquet.

    Raises:
        OSError: where they cannot be written.
    """
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second that only this has to pay
    import pyarrow.parquet as pq  # noqa: PLC0415  the same

    table = pa.table({name: list(values) for name, values in columns.items()})
    with path.open("wb") as file:
        pq.write_table(table, file, compression="zstd")


def _settle(draft: Path) -> None:
    """Make sure that what was written is on the disk before it gets its name."""
    for path in (*draft.iterdir(), draft):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: it is missing, damaged or no JSON.") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} is not the file of a backtest.")
    return content


def read_columns(path: Path) -> Columns:
    """Read what `write_columns` wrote.

    Raises:
        ConfigError: naming the file, where it cannot be read.
    """
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second that only this has to pay
    import pyarrow.parquet as pq  # noqa: PLC0415  the same

    try:
        with pq.ParquetFile(path) as file:
            columns: dict[str, list[Any]] = file.read().to_pydict()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ConfigError(f"{path} can't be read: it is missing or damaged.") from error
    return columns
