"""Checks a strategy: reads its file, and lets it decide in processes that differ in what must not matter."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import getsourcefile
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final

from defai.errors import error_of
from defai.strategy.isolation.process import SINGLE, readable, unprotected
from defai.strategy.isolation.shut_in import NOT_RUN
from defai.strategy.registry import isolation_wanted, load, locate
from defai.testing.checking.examining import examined
from defai.testing.checking.findings import CHECKS, CheckReport, Finding
from defai.testing.checking.scenes import BLOCKS

MEDIAN_US: Final = 5_000
"""A decision's usual cost at most: a hundred agents then still decide within half a second."""
WORST_US: Final = 500_000
_OUT_OF_TIME: Final = getattr(signal, "SIGXCPU", 0)
_ANSWERS: Final = "defai.testing.checking"
_CUT: Final = BLOCKS * 2 // 3
_CPU_S: Final = 15
"""Processor time that all scenes may take. What takes more loops, or is far too slow for a block."""
_PATIENCE_S: Final = 300.0
"""How long they may take by the clock, on a machine that has much else to do: what takes longer sleeps."""


def check_strategy(
    reference: str,
    parameters: Mapping[str, Any] | None = None,
    folder: Path | None = None,
    *,
    isolate: bool | None = None,
) -> CheckReport:
    """Check whether a strategy keeps to the rules; `CHECKS` names them.

    Args:
        reference: a name, `file.py:Class`, or `file.py` where it has one strategy.
        parameters: of the strategy; the rest keep their defaults.
        folder: where names are looked for; the usual places by default.
        isolate: import it in processes that are shut in alone; see `defai.strategy.isolation`.

    Raises:
        DefaiError: where there is no such strategy, or it cannot be loaded.
    """
    began = perf_counter()
    measured: dict[str, str] = {}
    skipped: dict[str, str] = {}
    protection = ""
    if isolation_wanted() if isolate is None else isolate:
        place = locate(reference, folder)
        name, origin = place.name, place.origin
        answers = _decide_apart(_requests(place.reference, place.file, parameters or {}, apart=True))
        whole = answers[0]
        if "refused" in whole:
            raise error_of(int(whole["exit_code"]), str(whole["refused"]), str(whole["hint"]))
        findings = [Finding(**one) for one in whole.get("examined", ())]
        protection, can_be_asked = str(whole.get("in_force", "")), whole.get("can_be_asked", True)
    else:
        loaded = load(reference, parameters, folder, isolate=False)
        name, origin = loaded.name, loaded.origin
        findings, can_be_asked = examined(loaded)
        cls = type(loaded.strategy)
        file = getsourcefile(cls) or loaded.origin
        wanted = _requests(f"{file}:{cls.__name__}", Path(file), parameters or {}, apart=False)
        answers = _decide_apart(wanted) if can_be_asked else []
    if can_be_asked:
        _judge(answers, findings, measured, skipped)
    if any(finding.check == "types" for finding in findings) and not measured:
        skipped |= {one: "its types are wrong" for one in CHECKS if one not in {"types", "purity"}}
    unique = tuple(dict.fromkeys(sorted(findings, key=lambda one: one.line or 0)))
    return CheckReport(name, origin, unique, measured, skipped, perf_counter() - began, protection)


def _requests(
    reference: str, file: Path, parameters: Mapping[str, Any], *, apart: bool
) -> list[dict[str, Any]]:
    """The same strategy twice: with another hash seed and a shorter series the second time."""
    same = {"reference": reference, "file": str(file), "parameters": dict(parameters), "apart": apart}
    return [
        {**same, "blocks": BLOCKS, "whole": True, "hash_seed": "1"},
        {**same, "blocks": _CUT, "whole": False, "hash_seed": "4242"},
    ]


def _decide_apart(requests: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(_decide_once, requests))


def _decide_once(request: Mapping[str, Any]) -> dict[str, Any]:
    """What a process of its own answers; "died" says why where it does not."""
    command, environment = [sys.executable, "-m", _ANSWERS], dict(os.environ)
    if request["apart"]:
        readable_too = [*readable(), str(Path(request["file"]).resolve())]
        command = [
            sys.executable,
            "-s",
            "-P",
            "-m",
            "defai.strategy.isolation.shut_in",
            _ANSWERS,
            *readable_too,
        ]
        environment = dict(SINGLE)
    try:
        done = subprocess.run(  # noqa: S603  our own modules
            command,
            input=json.dumps({**request, "cpu_s": _CPU_S}, default=str),
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
            env={**environment, "PYTHONHASHSEED": str(request["hash_seed"])},
            cwd="/" if request["apart"] else None,
        )
    except subprocess.TimeoutExpired:
        return {"died": f"it had not decided in all scenes after {_PATIENCE_S:.0f} s"}
    if done.returncode == -_OUT_OF_TIME:
        return {"died": f"it had not decided in all scenes after {_CPU_S} s of processor time"}
    if request["apart"] and done.returncode == NOT_RUN:
        raise unprotected(request["reference"], done.stderr)
    if done.returncode or not done.stdout:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return {"died": f"its process ended: {last[0][:300]}"}
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _judge(
    answers: Sequence[dict[str, Any]],
    findings: list[Finding],
    measured: dict[str, str],
    skipped: dict[str, str],
) -> None:
    whole, cut = answers
    if "died" in whole:
        findings.append(Finding("time", whole["died"]))
        skipped |= {
            name: "it did not finish deciding" for name in CHECKS if name not in {"types", "purity", "time"}
        }
        return
    told = whole["series"]
    findings += [Finding("purity", words, "", line) for words, line in whole["noticed"].items()]
    findings += _faults("edges", whole["edges"])
    findings += _faults("types", told)
    findings += _undetermined(told, cut)
    findings += _unreasoned([*told, *whole["edges"]])
    findings += _slow(whole["costs_us"])
    findings += _sandwiched(whole["attacked"])
    measured |= {
        "types": f"{len(told) + len(whole['edges'])} intents of the right form",
        "purity": "source read; files, network, processes, clock and random watched while deciding",
        "determinism": f"{len(told)} blocks twice, {_CUT} blocks in another process with other hashes",
        "reasons": f"{len({str(one.get('intent', {}).get('reason')) for one in told})} different ones",
        "time": _time_text(whole["costs_us"]),
        "lookahead": f"{_CUT} of {BLOCKS} blocks again, with nothing after them",
        "edges": f"{len(whole['edges'])} scenes",
        "sandwich": _sandwich_text(whole["attacked"]),
    }
    if not all(one["again"] for one in told):
        skipped["lookahead"] = "it is not determined, so nothing can be said of it"
    if "died" in cut:
        skipped |= dict.fromkeys(("determinism", "lookahead"), cut["died"])


def _faults(check: str, told: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """What was raised, or was no intent; each kind once, with the first scene it happened in."""
    seen = set[str]()
    for one in told:
        fault = f"raised {one['raised']}" if "raised" in one else one.get("wrong", "")
        if fault and fault not in seen:
            seen.add(fault)
            yield Finding(
                check if "raised" in one else "types", f"{one['scene']}: decide {fault}", "", one.get("line")
            )


def _undetermined(told: Sequence[Mapping[str, Any]], cut: Mapping[str, Any]) -> Iterator[Finding]:
    twice = next((one for one in told if not one["again"]), None)
    if twice is not None:
        yield Finding("determinism", f"{twice['scene']}: asked twice, it answered two things")
        return
    for one, other in zip(told, cut.get("series", ()), strict=False):
        if _said(one) != _said(other):
            yield Finding(
                "determinism",
                f"{one['scene']}: another process answered something else",
                "It was asked once, not twice, there; sets have no order, and hash() of text is another each time.",
            )
            yield Finding("lookahead", f"{one['scene']}: a history that ends earlier changed the decision")
            return


def _said(one: Mapping[str, Any]) -> object:
    return one.get("intent") or one.get("raised") or one.get("wrong")


def _unreasoned(told: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for one in told:
        if "intent" in one and not one["intent"]["reason"].strip():
            yield Finding("reasons", f"{one['scene']}: a {one['intent']['kind']} without a reason")
            return


def _slow(costs_us: Sequence[float]) -> Iterator[Finding]:
    if costs_us and median(costs_us) > MEDIAN_US:
        yield Finding(
            "time",
            f"a decision takes {median(costs_us) / 1_000:,.1f} ms",
            f"At most {MEDIAN_US / 1_000:g} ms.",
        )
    elif costs_us and max(costs_us) > WORST_US:
        yield Finding(
            "time", f"one decision took {max(costs_us) / 1_000:,.1f} ms", f"At most {WORST_US / 1_000:g} ms."
        )


def _time_text(costs_us: Sequence[float]) -> str:
    if not costs_us:
        return "nothing was decided"
    return f"{median(costs_us):,.0f} µs usually, {max(costs_us):,.0f} µs at most"


def _sandwiched(attacks: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for one in attacks:
        if one["undisturbed"] < one["minimum"]:
            yield Finding(
                "sandwich",
                f"{one['scene']}: its swap moves the price by more than its slippage, so it reverts unattacked",
                "Trade less at once.",
            )
            return
        if one["sandwiched"] < one["minimum"]:
            yield Finding("sandwich", f"{one['scene']}: sandwiched, its swap gives less than its least")
            return


def _sandwich_text(attacks: Sequence[Mapping[str, Any]]) -> str:
    if not attacks:
        return "it swapped in no scene, so there was nothing to attack"
    worst = max(1 - one["sandwiched"] / one["undisturbed"] for one in attacks if one["undisturbed"])
    return f"{len(attacks)} swaps attacked, {worst * 10_000:.1f} bp lost at most"
