import io
import json

import pytest

from defai.backtest.answering import Aside, Telling


def test_what_the_compiler_says_is_told_as_it_goes_and_does_not_take_the_runs_place(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telling, stderr = Telling(), io.StringIO()
    telling.say("running hold")
    print("defai: compiling the AMM kernel; this happens once ...", file=Aside(telling, stderr), flush=True)
    telling._told = float("-inf")
    telling.reached(0.5)

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    compiling = "compiling the AMM kernel; this happens once ..."
    assert [one["text"] for one in told] == ["running hold", compiling, "running hold"]
    assert [one["share"] for one in told] == [None, None, 0.5]
    assert stderr.getvalue() == f"defai: {compiling}\n"
