"""Settings: where they come from, what is refused, and that the sentence names the place."""

import re
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from defai.config import DEMO_AGENTS, Settings
from defai.config.settings import AgentSettings, ModelSettings
from defai.errors import ConfigError, NotFoundError
from defai.risk.limits import Limits

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))
AGENT = "[[agents]]\nname = 'lp-wide'\nstrategy = 'volatility_band'\n"
KEY = "0x" + "5a" * 32
PHRASE = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def write(folder: Path, text: str) -> Path:
    path = folder / "fleet.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder: Path, text: str, environment: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        Settings.load(write(folder, text), environment=environment or {})
    return caught.value


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_load(path: Path) -> None:
    assert Settings.load(path, environment={}).agents


def settings_of(section: type[BaseModel]) -> Iterator[str]:
    for name, field in section.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from settings_of(inner)
        else:
            yield name


def test_the_example_shows_every_setting() -> None:
    (path,) = (path for path in EXAMPLES if path.name == "fleet.toml")
    text = path.read_text(encoding="utf-8")
    names = {*settings_of(Settings), *settings_of(AgentSettings)} - {"agents"}
    assert [name for name in sorted(names) if not re.search(rf"\b{name} =", text)] == []
    uncommented = re.sub(r"^# (?=\w+ =)", "", text, flags=re.MULTILINE)
    raw = tomllib.loads(uncommented)
    assert set(raw["models"]) == set(ModelSettings.model_fields)
    assert set(raw["limits"]) == set(Limits.model_fields)


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    assert Settings.load(write(tmp_path, ""), environment={}) == Settings()


def test_the_demo_has_its_four_agents_on_the_stand_in() -> None:
    settings = Settings.demo(environment={})
    assert tuple((agent.name, agent.strategy) for agent in settings.agents) == DEMO_AGENTS
    assert settings.network.kind == "standin"
    assert {agent.usd for agent in settings.agents} == {Decimal(30_000)}


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().anchor_every_blocks = 3  # type: ignore[misc]  # that it is refused is the point


def test_the_command_line_beats_the_environment_beats_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[market]\nseed = 1\nwarm_up_blocks = 1\nliquidity_usd = 1\n")
    environment = {"DEFAI_MARKET__SEED": "2", "DEFAI_MARKET__WARM_UP_BLOCKS": "2"}
    market = Settings.load(path, {"market.seed": 3, "market.prices": None}, environment=environment).market
    assert (market.seed, market.warm_up_blocks, int(market.liquidity_usd)) == (3, 2, 1)


def test_an_empty_environment_variable_takes_a_key_back_to_its_default(tmp_path: Path) -> None:
    path = write(tmp_path, "[market]\nseed = 9\n")
    assert Settings.load(path, environment={"DEFAI_MARKET__SEED": ""}).market.seed == 1


def test_top_level_values_come_from_the_environment(tmp_path: Path) -> None:
    environment = {"DEFAI_RUN_DIR": "somewhere", "DEFAI_DEBUG": "1", "DEFAI_REAL_DATA": "elsewhere"}
    assert Settings.load(write(tmp_path, ""), environment=environment).run_dir == Path("somewhere")


@pytest.mark.parametrize("who", ["LP_WIDE", "0"])
def test_agents_come_from_the_environment_by_name_and_number(tmp_path: Path, who: str) -> None:
    environment = {
        f"DEFAI_AGENTS__{who}__PARAMETERS__SIGMAS": "2",
        f"DEFAI_AGENTS__{who}__BALANCES__USDC": "5.5",
        f"DEFAI_AGENTS__{who}__LIMITS__MAX_TRADE_USD": "7",
    }
    agent = Settings.load(write(tmp_path, AGENT), environment=environment).agents[0]
    assert agent.parameters == {"sigmas": "2"}
    assert agent.balances == {"USDC": Decimal("5.5")}
    assert agent.limits.max_trade_usd == 7


def test_an_agents_limits_stand_on_the_fleets(tmp_path: Path) -> None:
    text = "[limits]\nmax_gas_usd = 3\nmax_trade_usd = 100\n" + AGENT + "limits = { max_trade_usd = 5 }\n"
    limits = Settings.load(write(tmp_path, text), environment={}).agents[0].limits
    assert (int(limits.max_gas_usd), int(limits.max_trade_usd)) == (3, 5)


def test_paths_in_a_file_start_at_its_folder(tmp_path: Path) -> None:
    text = (
        "run_dir = 'run'\nstrategies_dir = 'mine'\n[market]\nprices = 'eth.csv'\n"
        "[[agents]]\nname = 'a'\nstrategy = 'mine.py:Mine'\n[[agents]]\nname = 'b'\nstrategy = 'b.py'\n"
    )
    settings = Settings.load(write(tmp_path, text), environment={})
    assert settings.run_dir == tmp_path / "run"
    assert settings.strategies_dir == tmp_path / "mine"
    assert settings.market.prices == tmp_path / "eth.csv"
    assert settings.agents[1].strategy == str(tmp_path / "b.py")
    assert settings.agents[0].strategy == f"{tmp_path / 'mine.py'}:Mine"


@pytest.mark.parametrize(
    ("text", "sentence", "hint"),
    [
        (
            "[limits]\nmax_slipage_bps = 3\n" + AGENT,
            "limits has no key 'max_slipage_bps'",
            "max_slippage_bps?",
        ),
        ("[netwrk]\n", "there is no key 'netwrk'", "network?"),
        ("[[agents]]\nname = 'a'\nstrateggy = 'x'\n", "agents[0] has no key 'strateggy'", "strategy?"),
        ("[[agents]]\nname = 'a'\n", "agents[0].strategy is missing", ""),
        ("[limits]\nmax_slippage_bps = 9000\n", "limits.max_slippage_bps: input should be less", ""),
        ("[network]\nkind = 'forkk'\n", "network.kind: input should be 'standin', 'fork'", ""),
        ("[network]\nkind = 'fork'\n", "a fork needs network.fork_url", ""),
        ("[network]\nkind = 'live'\n", "the network 'live' needs network.rpc_url", ""),
        ("[network]\nfork_url = 'ftp://x'\n", "network.fork_url: an endpoint starts with http://", ""),
        ("[network]\nblock_time_s = inf\n", "network.block_time_s: input should be", ""),
        ("network = 3\n", "network: should be a table, not 3", ""),
        ("agents = 3\n", "agents: should be a list of [[tables]]", ""),
        (AGENT + AGENT, "two agents are called 'lp-wide'", ""),
        (AGENT + "usd = 1\nbalances = { USDC = '1' }\n", "starts with either usd or balances", ""),
        ("[[agents]]\nname = 'no spaces'\nstrategy = 'x'\n", "agents[0].name: string should match", ""),
        ("x = \n", "is not TOML", ""),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, sentence: str, hint: str) -> None:
    error = refusal(tmp_path, text)
    assert sentence in error.sentence
    assert "fleet.toml" in error.sentence
    assert hint in error.hint
    assert error.exit_code == 4


def test_a_wrong_key_of_the_fleet_is_told_once_however_many_agents_there_are(tmp_path: Path) -> None:
    assert refusal(tmp_path, "[limits]\nmax_gas = 3\n" + AGENT).hint.count("\n") == 0


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("DEFAI_NETWORK__FRK_URL", "DEFAI_NETWORK__FORK_URL"),
        ("DEFAI_RUN_DR", "DEFAI_RUN_DIR"),
        ("DEFAI_AGENTS__NOBODY__USD", "lp-wide"),
        ("DEFAI_AGENTS__LP_WIDE__USDD", "usd"),
        ("DEFAI_NETWORK__KIND__MORE", ""),
    ],
)
def test_a_misspelt_environment_variable_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    error = refusal(tmp_path, AGENT, {name: "1"})
    assert name in error.sentence
    assert hint in error.hint


def test_a_wrong_value_is_blamed_on_where_it_came_from(tmp_path: Path) -> None:
    error = refusal(tmp_path, "", {"DEFAI_NETWORK__FORK_BLOCK": "soon"})
    assert error.sentence.startswith("DEFAI_NETWORK__FORK_BLOCK: network.fork_block")


@pytest.mark.parametrize(
    "line",
    [
        f"private_key = '{KEY}'",
        "password = 'hunter2'",
        f"note = '{KEY}'",
        f"note = '{KEY[2:]}'",
        f"note = '{PHRASE}'",
        "api_key = 'abc'",
        f"list = [['{KEY}']]",
    ],
)
@pytest.mark.parametrize("table", ["", "[network]\n", AGENT + "[agents.parameters]\n"])
def test_secrets_are_refused_and_not_repeated(tmp_path: Path, table: str, line: str) -> None:
    error = refusal(tmp_path, f"{table}{line}\n")
    assert "secret" in error.sentence
    assert KEY[2:] not in str(error)
    assert PHRASE not in str(error)
    assert "hunter2" not in str(error)


def test_what_is_shown_of_settings_has_no_credentials(tmp_path: Path) -> None:
    text = "[network]\nkind = 'fork'\nfork_url = 'https://me:pass@node.example/v3/0123456789abcdef0123'\n"
    shown = Settings.load(write(tmp_path, text), environment={}).public()
    assert shown["network"]["fork_url"] == "https://***@node.example/v3/***"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no configuration file .*nowhere\.toml"):
        Settings.load(tmp_path / "nowhere.toml")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Settings.load(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        Settings.load(tmp_path / "binary.toml")
