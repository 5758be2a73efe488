"""What does a command take, by FLARE's own measure? Wall time, GPU memory (peak, and area under it), host memory.

    python benchmarks/resources.py [--gpu 0] -- flaredb predict --model DIR IN OUT

Measures a whole command, start-up included, as the challenge does for each case, and holds it against what FLARE23
tolerates: 15 s and 4 GB. Without a GPU its figures are null.
"""

from __future__ import annotations

import argparse
import sys

from rivals.beside import finish

from flaredb.metrics.resources import TOLERATED_MB, TOLERATED_S, measure_command


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpu", type=int, default=0, help="number of the device (default 0)")
    parser.add_argument("command", nargs="*", metavar="-- COMMAND", help="what to measure (default: flaredb --help)")
    asked = parser.parse_args()
    used = measure_command(asked.command or [sys.executable, "-m", "flaredb", "--help"], asked.gpu)
    facts = (
        ("wall time of the command", used.seconds, "s", TOLERATED_S),
        ("peak GPU memory", used.gpu_peak_mb, "MB", TOLERATED_MB),
        ("area under GPU memory over time", used.gpu_area_mb_s, "MB·s", None),
        ("peak host memory, all its processes", used.ram_peak_mb, "MB", None),
    )
    rows = [
        {"claim": claim, "flaredb": value, "rival": None, "rival_name": None, "unit": unit, "ratio": None,
         "target": target, "met": None if target is None or value is None else value <= target}
        for claim, value, unit, target in facts
    ]  # fmt: skip
    finish("resources", rows, command=asked.command, usage=used._asdict())


if __name__ == "__main__":
    main()
