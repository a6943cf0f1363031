"""Models change while agents run on: only for the better, on the record, and back again."""

import asyncio
import errno
import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr
from dataclasses import replace
from itertools import pairwise
from multiprocessing import resource_tracker
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from defai.audit.amendment import Amendment
from defai.cli import logs, main
from defai.config import ModelSettings
from defai.domain.decisions import FeatureRow
from defai.domain.stream import Notice, StreamEvent
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.market.window import Observation
from defai.models.challenge import Challenge, Outcome, profile_of
from defai.models.drift import LEAST_ROWS, Profile
from defai.models.lineage import Lineage
from defai.models.registry import ModelRegistry
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.session.model_keeper import Chain, ModelKeeper
from defai.session.ratings import REACH, Rating, rate, ratings_in, row_weights
from defai.session.retraining import RowKeeper, Worker
from defai.session.served_model import ServedModel
from defai.testing.histories import generated_history
from tests.unit.agent.ports import Stand

FEATURES = ("return_1", "volatility_6", "volatility_30")
QUICK = Design(seed=5, rounds=20, folds=2)


@pytest.fixture(scope="module")
def wild() -> tuple[Observation, ...]:
    return tuple(generated_history(2_500, seed=11, clustering=0.12, start_tick=-50))


@pytest.fixture(scope="module")
def calm_model() -> TrainedModel:
    rows = generated_history(1_500, seed=3, clustering=0.0)
    return train({"main": rows}, feature_names=FEATURES, target=Target("volatility", 6), design=QUICK)


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logs, "default_directory", lambda: tmp_path / "log")
    yield
    logs.stop()


def failing(task: Challenge) -> Outcome:
    raise ConfigError(f"No rows of {sorted(task.histories)}.")


def dying(_task: Challenge) -> Outcome:
    raise SystemExit(3)


async def test_a_worker_answers_from_a_process_of_its_own(
    tmp_path: Path, wild: tuple[Observation, ...], calm_model: TrainedModel
) -> None:
    ModelRegistry(tmp_path).save(calm_model)
    ratings = row_weights([Rating("a", 1, "0x1", wild[900].block_number, "good")])
    design = replace(QUICK, row_weights=ratings)
    task = Challenge({"main": wild}, FEATURES, calm_model.digest, tmp_path, False, design)
    worker = Worker(task, started_at=7)
    await asyncio.wait_for(worker.wait(), 600)
    outcome = worker.outcome()
    assert outcome.takes_over
    assert re.search(
        r"the operator's ratings (make it (better|worse) by \S+ there|change nothing), so they (do not )?count",
        outcome.reason,
    )
    assert ModelRegistry(tmp_path).load(outcome.challenger).digest != calm_model.digest


class Shown(io.StringIO):
    """What a terminal puts in the place of stderr."""

    def fileno(self) -> int:
        return -1


@pytest.mark.parametrize(("work", "said"), [(failing, "No rows of"), (dying, "ended without an answer")])
async def test_a_worker_that_fails_says_so(tmp_path: Path, work: object, said: str) -> None:
    assert callable(work)
    tracker = resource_tracker._resource_tracker  # begun anew, as by the first worker of a session
    vars(type(tracker))["_stop"](tracker)
    with redirect_stderr(Shown()) as shown:
        worker = Worker(Challenge({}, FEATURES, "0x", tmp_path, False, QUICK), 0, work)
        assert sys.stderr is shown
    await asyncio.wait_for(worker.wait(), 600)
    with pytest.raises(DefaiError, match=said):
        worker.outcome()


def files_open() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_where_no_worker_can_be_started_the_model_stays(
    tmp_path: Path, wild: tuple[Observation, ...], calm_model: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    told: list[StreamEvent] = []
    stand = Stand()
    settings = ModelSettings(live_retrain_hours=1)
    keeper = ModelKeeper(settings, tmp_path, stand.market, told.append, None, run=None, lock_step=True)
    keeper.serve(stand.agent, "key", calm_model, None)
    (place,) = keeper._places
    place.trained_at = stand.market.head.timestamp - 3_600
    keeper._rows.add(dict.fromkeys(place.pools, wild))
    monkeypatch.setattr(SpawnProcess, "start", refused)
    open_before = files_open()
    await keeper._retrain(place)
    (notice,) = told
    assert isinstance(notice, Notice)
    assert "stays: No process could be started for the retraining" in notice.sentence
    assert place.worker is None
    assert files_open() == open_before
    keeper.close()


def test_rows_are_kept_as_long_as_they_are_needed(wild: tuple[Observation, ...]) -> None:
    step = wild[1].timestamp - wild[0].timestamp
    keeper = RowKeeper(period_seconds=100 * step)
    for end in range(50, 300):
        keeper.add({"main": wild[:end]})
    kept = keeper.of(("main",))["main"]
    assert kept == wild[198:299]
    keeper.add({"main": wild[:290]})  # blocks were rolled back
    assert keeper.of(("main",))["main"] == wild[198:290]


def test_drift_of_features_is_noticed_and_ends_with_a_new_model(
    wild: tuple[Observation, ...], calm_model: TrainedModel
) -> None:
    names = calm_model.spec.names
    still = (3,) * (len(names) - 1)
    profile = Profile.of(names, [(value % 97, *still) for value in range(3_000)])
    served = ServedModel("key", calm_model, profile)
    for number in range(LEAST_ROWS):
        row = FeatureRow(number, names, (50_000, *still), calm_model.spec.digest)
        served.predict(row)
    assert "return_1 has a stability index" in served.drift
    served.switch(calm_model, None)
    assert served.drift == ""
    assert profile_of([wild], calm_model).names == names


def test_outcomes_are_held_against_their_bands(
    wild: tuple[Observation, ...], calm_model: TrainedModel
) -> None:
    """A model of calm times in wild ones: its bands fail."""
    narrow = replace(calm_model, band_x24=1)
    names = calm_model.spec.names
    nothing = (0,) * len(names)
    same = Profile.of(names, [nothing] * 10)
    served = ServedModel("key", narrow, same)
    judged = []
    for end in range(100, 400):
        newest = wild[end - 1]
        served.predict(FeatureRow(newest.block_number, names, nothing, narrow.spec.digest))
        judged.append(served.observe(wild[:end]))
    assert "outcomes left their band" in served.drift
    told = [one for one in judged if one is not None]
    horizon = narrow.target.horizon_blocks
    assert all(one.block_number - one.decided_block == horizon for one in told)
    assert all(before.block_number <= one.decided_block for before, one in pairwise(told))
    assert all(one.low is not None and one.low <= one.value for one in told)
    unwatched = ServedModel("key", narrow, None)
    unwatched.predict(FeatureRow(wild[99].block_number, names, nothing, narrow.spec.digest))
    last = unwatched.observe(wild[: 100 + horizon])
    assert last == told[0], "what came of it is told where nobody watches, too"


def decided(run: Path) -> None:
    lines = [
        {"agent": "a", "sequence": number, "digest": f"0x{number}", "block_number": 100 + number}
        for number in range(3)
    ]
    (run / "decisions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_a_decision_is_rated_and_the_last_word_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    decided(tmp_path)
    assert main.run(["rate", "a:2", "bad", "--why", "too late", "--run", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ratings"][0]["why"] == "too late"
    rate(tmp_path, "a", 2, "good")
    rate(tmp_path, "a", 0, "bad")
    assert [(rating.sequence, rating.verdict) for rating in ratings_in(tmp_path)] == [(2, "good"), (0, "bad")]
    assert main.run(["rate", "--run", str(tmp_path)]) == 0
    assert "a:2  block 102  good" in capsys.readouterr().out
    assert main.run(["rate", "a:7", "bad", "--run", str(tmp_path)]) == 2
    assert main.run(["rate", "a", "bad", "--run", str(tmp_path)]) == 4
    with pytest.raises(NotFoundError, match=r"There is no decisions\.jsonl"):
        rate(tmp_path / "nowhere", "a", 1, "good")


def test_a_rating_that_was_cut_short_is_none_and_what_is_no_rating_is_said(tmp_path: Path) -> None:
    decided(tmp_path)
    rate(tmp_path, "a", 2, "good")
    with (tmp_path / "ratings.jsonl").open("a") as file:
        file.write('{"agent": "a", "seq')
    rate(tmp_path, "a", 0, "bad")
    assert [(rating.sequence, rating.verdict) for rating in ratings_in(tmp_path)] == [(2, "good"), (0, "bad")]
    with (tmp_path / "ratings.jsonl").open("a") as file:
        file.write('{"agent": "a"}\n')
    with pytest.raises(ConfigError, match=r"Line 4 of .*ratings\.jsonl is no rating"):
        ratings_in(tmp_path)


def test_a_start_that_failed_is_not_the_newest_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    runs = tmp_path / "defai" / "runs"
    (runs / "20260102").mkdir(parents=True)
    (runs / "20260102" / "events.jsonl").touch()
    assert main.run(["rate"]) == 2
    (runs / "20260101").mkdir()
    decided(runs / "20260101")
    assert main.run(["rate", "a:2", "good"]) == 0
    assert "a:2  block 102  good" in capsys.readouterr().out


def test_ratings_weigh_rows_near_their_block() -> None:
    weights = row_weights([Rating("a", 1, "0x1", 500, "good"), Rating("a", 2, "0x2", 900, "bad")])
    assert weights[500] == 2
    assert weights[900] == 0.5
    assert 1 < weights[500 - REACH] < weights[499] < 2
    assert 500 - REACH - 1 not in weights
    many = row_weights([Rating("a", number, str(number), 500, "good") for number in range(9)])
    assert many[500] == 8


async def test_the_keeper_switches_and_follows_the_registry(
    tmp_path: Path, wild: tuple[Observation, ...], calm_model: TrainedModel
) -> None:
    folder, model = tmp_path, calm_model
    registry = ModelRegistry(folder)
    registry.save(model, key="key")
    told: list[StreamEvent] = []
    recorded = []

    async def record(changed: TrainedModel, switch: object) -> None:
        recorded.append((changed.digest, switch))

    announced = []

    async def amend(notices: Mapping[str, bytes]) -> None:
        announced.append({name: Amendment.decode(notice) for name, notice in notices.items()})

    stand = Stand()
    market = stand.market
    settings = ModelSettings(live_retrain_hours=1, watch_drift=True)
    chain = Chain(record, amend)
    keeper = ModelKeeper(settings, folder, market, told.append, chain, run=None, lock_step=True)
    keeper.serve(stand.agent, "key", model, None)
    assert stand.agent.mandate.model is not None
    better = train({"main": wild}, feature_names=FEATURES, target=model.target, design=QUICK)
    registry.save(better)
    outcome = Outcome(
        better.digest, model.digest, True, 1.0, 0.5, 1.5, 500, profile_of([wild], better), "it is better"
    )
    (place,) = keeper._places
    await keeper._judge(place, outcome)
    assert place.served.model == better
    assert registry.keys()["key"] == better.digest
    assert [digest for digest, _ in recorded] == [better.digest]
    await keeper._judge(place, replace(outcome, takes_over=False))
    assert len(recorded) == 1
    Lineage(registry).roll_back("key", "it lost money")
    await keeper._follow_the_registry(place)
    assert place.served.model == model
    assert [digest for digest, _ in recorded] == [better.digest, model.digest]
    await keeper._amend(place)
    assert announced == [], "what is announced holds again"
    keeper._tell_drift(place)
    keeper._tell_drift(place)
    place.holds = "model drift"
    await keeper._amend(place)
    await keeper._amend(place)
    head = market.head.number
    assert announced == [
        {"a": Amendment(agent_id=7, upon=head, model_digest=model.digest, holds="model drift")}
    ]
    sentences = [event.sentence for event in told if isinstance(event, Notice)]
    assert any("it lost money" in sentence for sentence in sentences)
    assert sum("Nobody watches the model of a for drift" in sentence for sentence in sentences) == 1
    keeper.close()
