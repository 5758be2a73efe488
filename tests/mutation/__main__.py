"""Try damaged inputs and print what came of it; the exit code is 1 if anything was wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from random import SystemRandom

from tests.mutation.trial import run


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="how many inputs")
    parser.add_argument("--seed", type=int, default=None, help="what decides which; drawn and printed if none")
    parser.add_argument("--keep", type=Path, help="a new folder to leave everything in")
    options = parser.parse_args()
    seed = SystemRandom().randrange(2**32) if options.seed is None else options.seed
    sys.stdout.write(f"seed {seed}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="flaredb-mutation-") as name:
        trial = run(options.keep or Path(name) / "trial", options.count, seed)
    sys.stdout.write(f"{trial}\n")
    return 1 if trial.problems else 0


if __name__ == "__main__":
    sys.exit(main())
