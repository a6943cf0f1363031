"""Finding strategies: what is there is found without importing it, what is wrong is said by name."""

import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from types import ModuleType

import pytest

from defai.errors import ConfigError, NotFoundError
from defai.strategy import registry
from defai.strategy.api import Strategy
from defai.strategy.registry import list_names, load, snake_case, strategies_folder

GOOD = '''
from defai.strategy.api import Annotated, Context, Field, Hold, Intent, Strategy

class Patient(Strategy):
    """Wait.

    And wait.
    """

    blocks: Annotated[int, Field(ge=1, le=10)] = 3
    edge: float = 1.5

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="patience")
'''
TWO = (
    GOOD
    + '''
class VeryImpatient(Strategy):
    """Don't."""

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="now")
'''
)
SHIPPED = {
    *("delta_hedged_lp", "fee_tier_arbitrage", "full_range", "hold", "just_recentre", "mean_reversion"),
    *("momentum", "pool_timing", "predictive_band", "static_band", "v2_v3_arbitrage", "volatility_band"),
    "volatility_exit",
}
Write = Callable[[str, str], Path]


def later(text: str, version: str = "9") -> str:
    return text.replace("    blocks:", f"    api_version = {version}\n    blocks:", 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "mine"
    path.mkdir()
    return path


@pytest.fixture
def write(folder: Path) -> Write:
    def write(name: str, text: str) -> Path:
        path = folder / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def install(**points: object) -> None:
        module = ModuleType("defai_test_plugins")
        found = []
        for name, content in points.items():
            setattr(module, name, content)
            found.append(EntryPoint(name, f"defai_test_plugins:{name}", registry.ENTRY_POINTS))
        monkeypatch.setitem(sys.modules, "defai_test_plugins", module)
        monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints(found).select(group=group))

    return install


def test_names_are_listed_without_importing_anything(folder: Path, write: Write) -> None:
    write("patient.py", 'raise SystemExit("imported")\n' + GOOD)
    write("pair.py", TWO)
    write("notes.txt", "not Python")
    write("nothing.py", "class Other: ...\n")
    found = list_names(folder)
    assert [(entry.name, entry.class_name, entry.summary) for entry in found] == [
        ("patient", "Patient", "Wait."),
        ("very_impatient", "VeryImpatient", "Don't."),
    ]


def test_a_name_that_is_there_twice_is_listed_once(folder: Path, write: Write) -> None:
    first = write("a_pair.py", TWO)
    write("patient.py", GOOD)
    (entry,) = [entry for entry in list_names(folder) if entry.name == "patient"]
    assert entry.origin == str(first)


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_are_there(folder: Path, write: Write) -> None:
    write("broken.py", "def (:\n")
    (folder / "latin.py").write_bytes(b"# \xff\xfe\n")
    (folder / "null.py").write_bytes(b"a = 1\0\n")
    write("patient.py", GOOD)
    (folder / "dangling.py").symlink_to(folder / "gone.py")
    problems = {entry.name: entry.problem for entry in list_names(folder)}
    assert problems.pop("patient") == ""
    assert set(problems) == {"broken", "latin", "null", "dangling"}
    assert problems["broken"].startswith("SyntaxError: ")
    assert problems["latin"].startswith("UnicodeDecodeError: ")
    assert load("patient", folder=folder).name == "patient"
    with pytest.raises(ConfigError, match=r"broken\.py cannot be used: SyntaxError"):
        load("broken", folder=folder)


def test_a_folder_in_the_folder_holds_the_strategy_of_its_name(folder: Path) -> None:
    for inside in (
        "patient/patient.py",
        "patient/test_patient.py",
        ".hidden/.hidden.py",
        "other/patient2.py",
    ):
        path = folder / inside
        path.parent.mkdir(exist_ok=True)
        path.write_text(GOOD, encoding="utf-8")
    (entry,) = list_names(folder)
    assert (entry.name, entry.file) == ("patient", str(folder / "patient" / "patient.py"))
    assert load("patient", folder=folder).name == "patient"


def test_a_configured_folder_comes_first(folder: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("hold.py", GOOD)
    monkeypatch.setenv(registry.FOLDER_VARIABLE, str(folder))
    assert strategies_folder() == folder
    assert type(load("hold").strategy).__name__ == "Patient"
    assert load("volatility_band").name == "volatility_band", "the others are there all the same"
    monkeypatch.delenv(registry.FOLDER_VARIABLE)
    assert type(load("hold", first=folder).strategy).__name__ == "Patient", "as the settings say it"
    assert type(load("hold").strategy).__name__ == "HoldTokens"


def test_one_for_another_version_of_the_api_says_so_before_it_is_imported(folder: Path, write: Write) -> None:
    path = write("later.py", "from defai.strategy.api import NotYetThere\n" + later(GOOD))
    sentence = "Patient was written for version 9 of the strategy API, and this defai offers 1"
    (entry,) = list_names(folder)
    assert entry.problem == sentence
    for reference in ("later", str(path), f"{path}:Patient"):
        with pytest.raises(ConfigError, match=sentence):
            load(reference, folder=folder)


def test_a_version_that_takes_an_import_to_know_is_looked_at_then(folder: Path, write: Write) -> None:
    path = write("later.py", "VERSION = 8 + 1\n" + later(GOOD, "VERSION"))
    assert [entry.problem for entry in list_names(folder)] == [""]
    with pytest.raises(ConfigError, match="for version 9 of the strategy API"):
        load(str(path))


def test_a_file_with_one_strategy_names_it(write: Write) -> None:
    assert load(str(write("patient.py", GOOD))).name == "patient"
    with pytest.raises(ConfigError, match=r"pair\.py has several strategies") as caught:
        load(str(write("pair.py", TWO)))
    assert caught.value.hint.endswith("pair.py:Patient.")
    with pytest.raises(NotFoundError, match="has no strategy in it"):
        load(str(write("none.py", "x = 1\n")))
    with pytest.raises(ConfigError, match=r"broken\.py cannot be used: SyntaxError"):
        load(str(write("broken.py", "def (:\n")))


def test_plugins_are_read_without_importing_them(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "defai_test_package"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    (package / "good.py").write_text(GOOD, encoding="utf-8")
    (package / "late.py").write_text(later(GOOD), encoding="utf-8")
    (package / "broken.py").write_text("def (:\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    points = [
        EntryPoint(name, f"defai_test_package.{name}:Patient", registry.ENTRY_POINTS)
        for name in ("good", "late", "broken", "gone")
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints(points).select(group=group))
    found = {entry.name: entry for entry in list_names(folder)}
    assert found["good"].summary == "Wait."
    assert [one.name for one in found["good"].parameters] == ["blocks", "edge"]
    assert "version 9" in found["late"].problem
    assert found["broken"].problem.startswith("SyntaxError")
    assert (found["gone"].file, found["gone"].problem) == ("", "")
    with pytest.raises(ConfigError, match=r"'good'.*cannot be imported: SystemExit"):
        load("good", folder=folder)
    with pytest.raises(ConfigError, match="version 9"):
        load("late", folder=folder)


def test_an_unknown_name_is_answered_with_a_near_one(folder: Path, write: Write) -> None:
    write("patient.py", GOOD)
    write("broken.py", "def (:\n")
    with pytest.raises(NotFoundError) as caught:
        load("patiant", folder=folder)
    assert caught.value.sentence == "There is no strategy called 'patiant'."
    assert caught.value.hint == "Did you mean patient?"
    with pytest.raises(NotFoundError) as caught:
        load("xyz", folder=folder)
    assert caught.value.hint == "There are: patient."


def test_an_empty_folder_has_none(folder: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        load("patient", folder=folder)
    assert caught.value.hint == "There are: none."


def test_parameters_are_given_and_the_rest_keep_their_defaults(folder: Path, write: Write) -> None:
    path = write("patient.py", GOOD)
    loaded = load("patient", {"blocks": 7}, folder)
    assert loaded.strategy.model_dump() == {"blocks": 7, "edge": 1.5}
    assert loaded.source == path.read_bytes()
    assert loaded.origin == str(path)
    assert load("patient", folder=folder).strategy.model_dump()["blocks"] == 3


def test_an_unknown_parameter_is_answered_with_a_near_one(folder: Path, write: Write) -> None:
    write("patient.py", TWO)
    with pytest.raises(ConfigError) as caught:
        load("patient", {"block": 1}, folder)
    assert str(caught.value) == "Patient has no parameter 'block'. Did you mean blocks?"
    with pytest.raises(ConfigError) as caught:
        load("patient", {"zzz": 1}, folder)
    assert caught.value.hint == "It has: blocks, edge."
    with pytest.raises(ConfigError) as caught:
        load("very_impatient", {"zzz": 1}, folder)
    assert caught.value.hint == "It has: none."


@pytest.mark.parametrize("value", [0, 11, "many", None])
def test_a_parameter_that_does_not_fit_is_named_with_its_value(
    folder: Path, write: Write, value: object
) -> None:
    write("patient.py", GOOD)
    with pytest.raises(
        ConfigError, match=r"^Patient: parameter 'blocks': Input should be .*, not "
    ) as caught:
        load("patient", {"blocks": value}, folder)
    assert caught.value.sentence.endswith(f"not {value!r}.")


def test_a_class_is_named_by_its_file(write: Write) -> None:
    path = write("pair.py", TWO)
    loaded = load(f"{path}:VeryImpatient")
    assert loaded.name == "very_impatient"
    assert type(loaded.strategy).__name__ == "VeryImpatient"


@pytest.mark.parametrize(
    ("class_name", "hint"),
    [("Patiant", "Did you mean Patient?"), ("Zzz", "It has: Patient, VeryImpatient."), ("", "It has: ")],
)
def test_a_class_that_is_not_there(write: Write, class_name: str, hint: str) -> None:
    path = write("pair.py", TWO)
    with pytest.raises(NotFoundError) as caught:
        load(f"{path}:{class_name}")
    assert caught.value.sentence == f"{path} has no strategy class called '{class_name}'."
    assert caught.value.hint.startswith(hint)


def test_a_class_that_is_no_strategy(write: Write) -> None:
    path = write("other.py", "class Other: ...\n")
    with pytest.raises(NotFoundError) as caught:
        load(f"{path}:Other")
    assert caught.value.hint == "It has: none."


def test_a_class_without_decide_says_what_it_lacks(write: Write) -> None:
    path = write(
        "half.py", "from defai.strategy.api import Strategy\nclass Half(Strategy):\n    x: int = 1\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(f"{path}:Half")
    assert caught.value.sentence == "Half is not a whole strategy: it has no decide."


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no strategy file .*gone\.py"):
        load(f"{tmp_path / 'gone.py'}:Gone")


@pytest.mark.parametrize(
    "fault", ["1 / 0", "import nowhere_to_be_found", "raise SystemExit(3)", "import sys; sys.exit()"]
)
def test_a_file_that_cannot_be_imported_is_named_with_the_reason(write: Write, fault: str) -> None:
    path = write("faulty.py", GOOD + fault + "\n")
    with pytest.raises(ConfigError, match=r"faulty\.py cannot be imported: \w+: ") as caught:
        load(f"{path}:Patient")
    assert str(path) in caught.value.sentence
    assert not [name for name in sys.modules if name.startswith("defai_strategy_faulty")]


def test_a_file_is_imported_once_and_anew_when_it_changed(write: Write) -> None:
    path = write("patient.py", GOOD)
    first, again = load(f"{path}:Patient"), load(f"{path}:Patient")
    assert type(first.strategy) is type(again.strategy)
    path.write_text(GOOD.replace("= 3", "= 4"), encoding="utf-8")
    changed = load(f"{path}:Patient")
    assert changed.strategy.model_dump()["blocks"] == 4, (
        "what runs is what the digest is of, not cached bytecode"
    )
    assert changed.source == path.read_bytes()
    assert not (path.parent / "__pycache__").exists()


def test_the_shipped_strategies_are_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert {entry.name for entry in list_names()} == SHIPPED
    assert load("hold").name == "hold"
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "hold.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "strategies" / "patient.py").write_text(GOOD, encoding="utf-8")
    assert strategies_folder() == tmp_path / "strategies"
    assert {entry.name for entry in list_names()} == {*SHIPPED, "patient"}
    assert type(load("hold").strategy).__name__ == "Patient", "an author's own file comes first"
    assert load("volatility_band").name == "volatility_band"


def test_every_shipped_strategy_loads_with_its_defaults() -> None:
    for name in SHIPPED:
        loaded = load(name)
        assert loaded.strategy.pools()
        assert (loaded.strategy.target() is None) == (not loaded.strategy.features())


class Plugged(Strategy):
    """From a package."""

    def decide(self, ctx: object) -> None:  # type: ignore[override]  # nobody asks it
        """Never."""


def test_an_installed_plugin_is_listed_and_loaded(folder: Path, plugins: Callable[..., None]) -> None:
    plugins(plugged=Plugged)
    (entry,) = list_names(folder)
    assert (entry.name, entry.class_name, entry.installed) == ("plugged", "plugged", True)
    loaded = load("plugged", folder=folder)
    assert type(loaded.strategy) is Plugged
    assert b"class Plugged(Strategy)" in loaded.source


def test_a_file_comes_before_a_plugin_of_its_name(
    folder: Path, write: Write, plugins: Callable[..., None]
) -> None:
    plugins(patient=Plugged)
    write("patient.py", GOOD)
    assert type(load("patient", folder=folder).strategy).__name__ == "Patient"


def test_a_plugin_that_is_no_strategy_or_is_not_there(
    folder: Path, plugins: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins(odd=dict)
    with pytest.raises(ConfigError, match=r"'odd' \(defai_test_plugins:odd\) is no Strategy"):
        load("odd", folder=folder)
    monkeypatch.setitem(sys.modules, "defai_test_plugins", ModuleType("empty"))
    with pytest.raises(ConfigError, match=r"'odd'.*cannot be imported: AttributeError"):
        load("odd", folder=folder)


def test_snake_case() -> None:
    assert [snake_case(name) for name in ("Hold", "VolatilityBand", "A1B", "ABTest")] == [
        "hold", "volatility_band", "a1_b", "abtest",
    ]  # fmt: skip
