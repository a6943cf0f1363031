"""One thread or two, of folds, of LightGBM and of the linear algebra beneath: the same model to the last bit."""

import json
import os
import subprocess
import sys

ONE_AND_TWO = """
import json, sys
from types import MappingProxyType

from defai.models import lightgbm
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.walking import study, trained_model
from defai.testing.histories import generated_history

threads = int(sys.argv[1])
lightgbm._SETTLED = MappingProxyType({**lightgbm._SETTLED, "num_threads": threads})
rows = {"main": generated_history(5_000, seed=5, clustering=0.12)}
design = Design(folds=2, rounds=12, workers=threads)
names = ("return_1", "log_parkinson_6", "log_parkinson_24", "time_of_day")
said = {}
for target in (Target("volatility", 6), Target("return", 6)):
    done = study(rows, feature_names=names, target=target, design=design)
    model = trained_model(done, source="generated")
    said[target.kind] = [model.digest, repr(model.card.metrics)]
print(json.dumps(said))
"""


def trained_with(threads: int) -> dict[str, list[str]]:
    counts = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    ran = subprocess.run(
        [sys.executable, "-c", ONE_AND_TWO, str(threads)],
        env=os.environ | counts,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said: dict[str, list[str]] = json.loads(ran.stdout)
    return said


def test_the_number_of_threads_changes_nothing() -> None:
    assert trained_with(1) == trained_with(2)
