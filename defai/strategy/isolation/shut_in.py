"""`python -m defai.strategy.isolation.shut_in MODULE PATH...`: runs a module of ours as a program that is shut in.

It may read what strategies may and the paths. What protects from it then is its one argument. Where nothing protects
from something it does not run: the exit code is `NOT_RUN`, and what lacks stands on standard error.
"""

import runpy
import sys
from typing import Final

from defai.strategy.isolation.sandbox import shut

NOT_RUN: Final = 77


def main() -> None:
    """Shut in, then run."""
    module, *readable = sys.argv[1:]
    in_force = shut(readable)
    if in_force.lacks:
        sys.stderr.write(", ".join(in_force.lacks))
        sys.exit(NOT_RUN)
    sys.argv = [module, str(in_force)]
    runpy.run_module(module, run_name="__main__")


if __name__ == "__main__":
    main()
