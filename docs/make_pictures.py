"""Take the README's pictures out of a demo's report: python docs/make_pictures.py demo/report.html."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).with_name("pictures")
WANTED = {"progress": "mean DSC of each structure", "coverage": "coverage by kind", "overlay": "overlays of"}


def main(report: Path) -> None:
    """Write one PNG a name: the first picture whose description begins as wanted."""
    page = report.read_text(encoding="utf-8")
    FOLDER.mkdir(exist_ok=True)
    for name, beginning in WANTED.items():
        found = re.search(rf'alt="{beginning}[^"]*" src="data:image/png;base64,([^"]+)"', page)
        if found is None:
            raise SystemExit(f"{report} has no picture of {beginning}")
        (FOLDER / f"{name}.png").write_bytes(base64.b64decode(found[1]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
