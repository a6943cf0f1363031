"""One implementation for deciding and for training, and no look at the future."""

from collections.abc import Callable
from dataclasses import replace
from linecache import checkcache
from pathlib import Path

import pytest

from defai.errors import ConfigError
from defai.features import FeatureSpec, Past, build_table, compute_row, definitions, feature, find_lookahead
from defai.features import spec as spec_module
from defai.features.library import swap_count
from defai.features.pipeline import FEATURE_LIMIT
from defai.market.window import Window
from defai.testing.histories import generated_history

EVERY_FEATURE = tuple(definition.name.format(n=9) for definition in definitions())


@pytest.fixture(autouse=True)
def own_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    monkeypatch.setattr(spec_module, "_DEFINITIONS", dict(spec_module._DEFINITIONS))


def test_deciding_and_training_see_the_same_integers() -> None:
    """Every feature there is, block by block through full windows, against the table."""
    main, other = generated_history(300, seed=1), generated_history(300, seed=2)
    spec = FeatureSpec.of(EVERY_FEATURE)
    table = build_table([main, other], spec)
    windows = Window(64), Window(64)
    for index, rows in enumerate(zip(main, other, strict=True)):
        for window, row in zip(windows, rows, strict=True):
            window.append(row)
        assert compute_row(windows, spec) == table[index]
    assert table[spec.warm_up - 2] is None
    assert table[spec.warm_up - 1] is not None


def test_a_window_as_short_as_the_warm_up_is_enough() -> None:
    history = generated_history(100)
    spec = FeatureSpec.of(("volatility_12", "return_3"))
    assert spec.warm_up == 13
    assert compute_row([history[-13:]], spec) == compute_row([history], spec)
    assert compute_row([history[-12:]], spec) is None


def test_a_gap_is_not_ready() -> None:
    history = generated_history(30)
    spec = FeatureSpec.of(("return_3",))
    del history[27]
    assert compute_row([history], spec) is None
    assert [row is None for row in build_table([history], spec)][-3:] == [False, True, True]


def test_windows_that_end_apart_are_refused() -> None:
    history = generated_history(30)
    with pytest.raises(ValueError, match="same block"):
        compute_row([history, history[:-1]], FeatureSpec.of(("spread",)))
    with pytest.raises(ConfigError, match="not of the same blocks"):
        build_table([history, history[:-1]], FeatureSpec.of(("spread",)))


def test_a_missing_second_pool_is_named() -> None:
    with pytest.raises(ConfigError, match=r"spread look at 2 pools, but 1 is given"):
        compute_row([generated_history(30)], FeatureSpec.of(("return_1", "spread")))


def test_features_saturate_at_the_chains_int32() -> None:
    row = replace(generated_history(1)[0], base_fee_wei=10**18)
    answer = compute_row([[row]], FeatureSpec.of(("base_fee",)))
    assert answer is not None
    assert answer.values == (FEATURE_LIMIT,)


def test_what_comes_with_the_program_sees_no_future() -> None:
    histories = [generated_history(200, seed=3), generated_history(200, seed=4)]
    assert find_lookahead(histories, FeatureSpec.of(EVERY_FEATURE), samples=40) == []


def next_move(past: Past) -> int:
    """Reads the next block."""
    rows = past._tape.rows
    return rows[min(past._end + 1, len(rows) - 1)].tick - past.now.tick


def rank_in_all(past: Past) -> int:
    """Scales on the whole set."""
    return past.now.tick - max(row.tick for row in past._tape.rows)


def last_of_all(past: Past) -> int:
    """Reads the last row there will be, and falls over where it is missing."""
    return past._tape.rows[199].tick


@pytest.mark.parametrize("leak", [next_move, rank_in_all, last_of_all])
def test_a_planted_leak_is_caught(leak: Callable[[Past], int]) -> None:
    feature("leak", version=1, unit="ticks", source="planted")(leak)
    found = find_lookahead([generated_history(200)], FeatureSpec.of(("return_1", "leak")), samples=40)
    assert {one.feature for one in found} == {"leak"}
    assert len(found) > 20


def test_looking_further_back_than_declared_fails() -> None:
    feature("deep", version=1, unit="ticks", source="planted", warm_up=3)(lookback)
    with pytest.raises(LookupError, match="may see 3 rows asked for the one 3 blocks ago"):
        compute_row([generated_history(30)], FeatureSpec.of(("deep",)))


def lookback(past: Past) -> int:
    """Three blocks back needs four rows."""
    return past.ago(3).tick


@pytest.mark.parametrize("blocks", [-1, 3])
def test_the_past_has_two_ends(blocks: int) -> None:
    def reach(past: Past) -> int:
        """Out of reach."""
        return past.move(blocks)

    def reach_sum(past: Past) -> int:
        """Out of reach, in a sum."""
        return past.total(swap_count, blocks)

    feature("reach", version=1, unit="ticks", source="planted", warm_up=3)(reach)
    feature("reach_sum", version=1, unit="swaps", source="planted", warm_up=3)(reach_sum)
    for name in ("reach", "reach_sum"):
        with pytest.raises(ConfigError, match=f"LookupError: .*asked for the one {blocks} blocks ago"):
            build_table([generated_history(30)], FeatureSpec.of((name,)))


def test_a_second_pool_has_to_be_declared() -> None:
    def undeclared(past: Past) -> int:
        """Looks over the fence."""
        return past.other.now.tick

    feature("undeclared", version=1, unit="ticks", source="planted")(undeclared)
    with pytest.raises(LookupError, match="declare it with pools=2"):
        compute_row([generated_history(3), generated_history(3)], FeatureSpec.of(("undeclared",)))


def test_a_feature_must_give_an_integer() -> None:
    def half(past: Past) -> int:
        """Half a tick."""
        return past.now.tick / 2  # type: ignore[return-value]  # the mistake this test is about

    feature("half", version=1, unit="ticks", source="planted")(half)
    with pytest.raises(TypeError, match="half gave float, not int"):
        compute_row([generated_history(3)], FeatureSpec.of(("half",)))


def test_an_unknown_feature_gets_a_hint() -> None:
    with pytest.raises(ConfigError, match=r"no feature called volatilty_12\. Did you mean volatility_12"):
        FeatureSpec.of(("volatilty_12",))


@pytest.mark.parametrize("name", ["return", "return_0", "return_{n}", "base_fee_3", "return_99999", ""])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ConfigError, match="no feature called"):
        FeatureSpec.of((name,))


def test_a_specification_names_each_feature_once() -> None:
    with pytest.raises(ConfigError, match="return_1 is named twice"):
        FeatureSpec.of(("return_1", "base_fee", "return_1"))
    with pytest.raises(ConfigError, match="at least one"):
        FeatureSpec.of(())


def test_the_digest_knows_order_and_version() -> None:
    digest = FeatureSpec.of(("return_1", "base_fee")).digest
    assert digest == FeatureSpec.of(("return_1", "base_fee")).digest
    assert digest != FeatureSpec.of(("base_fee", "return_1")).digest
    definition = spec_module._DEFINITIONS["base_fee"]
    spec_module._DEFINITIONS["base_fee"] = replace(definition, version=2)
    assert digest != FeatureSpec.of(("return_1", "base_fee")).digest


def own_function(path: Path, body: str) -> Callable[[Past], int]:
    """What loading an author's file gives."""
    path.write_text(body)
    scope: dict[str, Callable[[Past], int]] = {}
    exec(compile(body, str(path), "exec"), scope)  # noqa: S102  stands for an author's file
    checkcache(str(path))
    return scope["own"]


def test_a_name_belongs_to_one_file(tmp_path: Path) -> None:
    """An author's file may be loaded again, or a copy of it; another file may not take its names."""
    source = 'def own(past):\n    """Nothing."""\n    return 0\n'
    for name in ("one.py", "one.py", "copy.py"):
        feature("own", version=1, unit="-", source="planted")(own_function(tmp_path / name, source))
    with pytest.raises(ConfigError, match=r"own is taken by .*copy\.py"):
        feature("own", version=1, unit="-", source="planted")(
            own_function(tmp_path / "two.py", source.replace("0", "1"))
        )


OWN = """
STEP = 3


def half(number):
    return number // 2


def unused(number):
    return number


def own(past):
    'Half of some step.'
    return half(STEP) + (lambda: past.now.tick)()
"""


def test_the_digest_knows_an_authors_code_with_all_it_uses(tmp_path: Path) -> None:
    def digest(name: str, source: str) -> str:
        spec_module._DEFINITIONS.pop("own", None)
        feature("own", version=1, unit="-", source="planted")(own_function(tmp_path / name, source))
        return FeatureSpec.of(("own", "return_1")).digest

    first = digest("a.py", OWN)
    assert digest("b.py", OWN.replace("return number\n", "return 7\n")) == first
    assert digest("c.py", OWN.replace("number // 2", "number // 4")) != first
    assert digest("d.py", OWN.replace("STEP = 3", "STEP = 5")) != first
    assert digest("e.py", OWN.replace("past.now.tick", "past.now.swaps")) != first


def test_a_function_without_a_file_is_refused() -> None:
    scope: dict[str, Callable[[Past], int]] = {}
    exec("def own(past):\n    'Nothing.'\n    return 0\n", scope)  # noqa: S102  code from nowhere
    with pytest.raises(ConfigError, match="source of the feature function own can't be read"):
        feature("own", version=1, unit="-", source="planted")(scope["own"])


def test_a_feature_says_what_it_measures() -> None:
    with pytest.raises(ConfigError, match="has no docstring"):
        feature("mute", version=1, unit="-", source="planted")(lambda _: 0)


def test_every_feature_is_documented() -> None:
    for definition in definitions():
        assert definition.unit
        assert definition.source
        assert definition.description.endswith(".")
