"""Hypothesis for every test: the same examples every time, and no clock, since the machine may be busy.

Hypothesis also draws the numbers it finds in the sources of imported modules. Which those are depends on the order
of the tests, and so on the number of workers: here it draws none, so that what passes once passes again. To look for
new examples: `pytest --hypothesis-profile explore tests/property`.

What the shell's environment says to the program (`DEFAI_MODELS_RPC`, keys, settings) is not said to the tests, nor to
what they start; only where the real data is.
"""

import importlib
import os
import signal
import sys

from hypothesis import settings
from hypothesis.internal.conjecture import providers

providers._get_local_constants = lambda: providers._local_constants

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=3000)
settings.load_profile("repeatable")

for name in [one for one in os.environ if one.startswith("DEFAI_") and one != "DEFAI_REAL_DATA"]:
    del os.environ[name]

# A shell that began the tests behind it ignores ctrl-c for them, and their programs would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# eth_account imports what lets calls nest deeper than the stack is; in the program `defai.chain.keys` sees to that.
DEEPEST = sys.getrecursionlimit()
importlib.import_module("py_ecc")
sys.setrecursionlimit(DEEPEST)
