"""How the kernel is reached: chosen, refused, compiled, kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import defai
from defai.amm import Pool, PoolStateError, SwapResult, get_sqrt_ratio_at_tick, kernel
from defai.amm.kernel import KernelPool, SwapOrder, orders, swap_many
from defai.amm.limbs import batches
from defai.amm.limbs.compiler import cache_directory
from defai.amm.packing import load, pack, unpack

TICKS = """
import numpy as np
from defai.amm.limbs.compiler import compiled_functions
results = np.zeros((1, 3), dtype=np.uint64)
compiled_functions()["ratios_at_ticks"](np.zeros(1, dtype=np.int64), results)
print(results.tolist())
"""


@pytest.fixture
def pool() -> Pool:
    """Price one, and alice's liquidity of 10**18 within 600 ticks."""
    pool = Pool(fee_pips=3000, tick_spacing=60)
    pool.initialize(1 << 96, timestamp=1000)
    pool.mint("alice", -600, 600, 10**18)
    return pool


def ran(program: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_first_use_says_that_it_compiles_and_the_second_is_silent(tmp_path: Path) -> None:
    first = ran(TICKS, NUMBA_CACHE_DIR=str(tmp_path))
    second = ran(TICKS, NUMBA_CACHE_DIR=str(tmp_path))

    assert first.stdout == second.stdout == "[[0, 4294967296, 0]]\n"
    assert "compiling the AMM kernel (ratios_at_ticks); this happens once" in first.stderr
    assert f"s, kept in {tmp_path}" in first.stderr
    assert second.stderr == ""


def test_the_same_sources_in_another_folder_compile_nothing(tmp_path: Path) -> None:
    kept, copy = tmp_path / "kept", tmp_path / "copy"
    package = Path(defai.__file__).parent
    shutil.copytree(package, copy / "defai", ignore=shutil.ignore_patterns("__pycache__"))
    here = ran(TICKS, NUMBA_CACHE_DIR=str(kept))
    elsewhere = ran(f"{TICKS}\nimport defai; print(defai.__file__)", cwd=copy, NUMBA_CACHE_DIR=str(kept))

    assert "compiling" in here.stderr
    assert elsewhere.stdout.splitlines()[-1].startswith(str(copy))
    assert elsewhere.stderr == ""
    changed = copy / "defai" / "amm" / "limbs" / "ticks.py"
    changed.write_text(changed.read_text() + "\nCHANGED = True\n")
    asked = "from defai.amm.limbs.compiler import cache_directory; print(cache_directory().name)"
    names = {ran(asked, cwd=folder, NUMBA_CACHE_DIR=str(kept)).stdout for folder in (package.parent, copy)}
    assert len(names) == 2, "other sources are kept apart"


def test_where_nothing_can_be_kept_it_compiles_and_says_so(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    result = ran(TICKS, NUMBA_CACHE_DIR=str(in_the_way / "inside"))

    assert result.stdout == "[[0, 4294967296, 0]]\n"
    assert "not kept" in result.stderr
    assert list(tmp_path.iterdir()) == [in_the_way]


def test_machine_code_is_kept_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    assert cache_directory().parent.name == "kernel"
    assert "defai" in cache_directory().parts


def test_importing_the_kernel_loads_no_compiler() -> None:
    result = ran("import sys, defai.amm.kernel; print({'numba', 'llvmlite', 'scipy'} & set(sys.modules))")

    assert result.stdout == "set()\n"


def test_without_numba_the_reference_swaps() -> None:
    program = """
import logging
import sys
sys.modules["numba"] = None
logging.basicConfig(level="INFO")
from defai.amm import Pool
from defai.amm.kernel import FEW, SwapOrder, swap_many
pool = Pool(fee_pips=3000, tick_spacing=60)
print(swap_many(pool, [SwapOrder(True, 1)] * FEW)[-1].reason)
try:
    swap_many(pool, [SwapOrder(True, 1)], engine="kernel")
except ImportError:
    print("no numba")
"""
    result = ran(program)

    assert result.stdout == "LOK\nno numba\n"
    assert "Swaps run in plain integers" in result.stderr
    assert (
        "NUMBA_DISABLE_JIT"
        in ran(program.replace('sys.modules["numba"] = None', ""), NUMBA_DISABLE_JIT="1").stderr
    )


def test_few_swaps_take_the_reference_and_many_the_kernel(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = []

    class Counted(KernelPool):
        def __init__(self, pool: Pool) -> None:
            used.append(pool)
            super().__init__(pool)

    monkeypatch.setattr(kernel, "KernelPool", Counted)
    monkeypatch.setattr(kernel, "is_loaded", lambda: False)
    swap_many(pool, [SwapOrder(True, 1000)] * 100)
    assert used == []
    monkeypatch.setattr(kernel, "is_loaded", lambda: True)
    swap_many(pool, [SwapOrder(True, 1000)] * 10)
    assert used == []
    swap_many(pool, [SwapOrder(True, 1000)] * 100)
    assert used == [pool]


def test_a_pool_that_no_contract_could_hold_takes_the_reference(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel, "is_loaded", lambda: True)
    state = pool.tick_states[-600]
    pool.tick_states[-600] = state._replace(liquidity_net=1 << 127)
    outcomes = swap_many(pool, [SwapOrder(True, 1000)] * 100)

    assert all(isinstance(outcome, SwapResult) for outcome in outcomes)
    with pytest.raises(OverflowError):
        swap_many(pool, [SwapOrder(True, 1000)], engine="kernel")


def test_time_does_not_run_backwards(pool: Pool) -> None:
    before = pool.snapshot()
    for engine in ("kernel", "reference"):
        with pytest.raises(PoolStateError):
            swap_many(pool, [SwapOrder(True, 1, None, 2000), SwapOrder(True, 1, None, 1999)], engine=engine)
        with pytest.raises(PoolStateError):
            swap_many(pool, [SwapOrder(True, 1, None, 999)], engine=engine)
    with pytest.raises(PoolStateError):
        KernelPool(pool).swap(zero_for_one=[True], amounts=[1], timestamps=[999])

    assert pool.snapshot() == before


def test_columns_have_to_be_of_one_length(pool: Pool) -> None:
    with pytest.raises(ValueError, match="length"):
        KernelPool(pool).swap(zero_for_one=[True, False], amounts=[1])
    with pytest.raises(ValueError, match="length"):
        orders([True], [1], [None, None], np.zeros(1, dtype=np.int64))


def test_no_swaps_at_all(pool: Pool) -> None:
    assert swap_many(pool, [], engine="kernel") == []


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_packing_is_undone_by_unpacking(width: int) -> None:
    top = 1 << 64 * width
    signed = [0, 1, -1, top // 2 - 1, -top // 2]

    assert unpack(pack([0, 1, top - 1], width)) == [0, 1, top - 1]
    assert unpack(pack(signed, width, signed=True), signed=True) == signed
    with pytest.raises(OverflowError):
        pack([top], width)


def test_interpreted_it_swaps_too(pool: Pool) -> None:
    """The same code read by Python: what the compiler has to work with is right by itself."""
    pool.set_fee_protocol(4, 5)
    pool.mint("alice", -60, 60, 10**18)
    pool.increase_observation_cardinality_next(2)
    arrays, twin = load(pool), pool.copy()
    amounts = [10**16, -(10**16), 10**17, 0, 1 << 255, -(10**17), 10**19, 5, 10**20]
    times = np.array([1000, 1001, 1013, 1013, 1013, 1020, 1021, 1021, 1030], dtype=np.int64)
    directions = [True, True, False, True, True, True, False, False, True]
    limits = [
        None,
        None,
        None,
        None,
        None,
        None,
        get_sqrt_ratio_at_tick(700),
        get_sqrt_ratio_at_tick(800),
        None,
    ]
    asked = orders(directions, amounts, limits, times)
    answers = kernel.empty_answers(len(amounts))
    with np.errstate(over="ignore"):
        batches.run_orders(arrays, asked, answers, True)

    reference = swap_many(
        twin,
        [SwapOrder(*order) for order in zip(directions, amounts, limits, times.tolist(), strict=True)],
        engine="reference",
    )
    assert [
        outcome if isinstance(outcome, SwapResult) else outcome.reason
        for outcome in kernel.SwapBatch(answers)
    ] == [outcome if isinstance(outcome, SwapResult) else outcome.reason for outcome in reference]
