"""How long does it take to bring in a CT and its label, against nnU-Net's preprocessing of the same case?

flaredb: `ingest images` and `ingest labels` of one case into an empty workspace, start to end; every voxel is read
back and compared, files and rows are flushed to disk. Rival: nnU-Net 2.8.1's `DefaultPreprocessor.run_case_save` with
its own plans (3d_fullres), which does not flush. Both within a running process, on the same one core, files in the
page cache, in turns; figures are medians. Limit: what reading the two .nii.gz files to arrays takes.

    python benchmarks/ingest.py [--times 3]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rivals.beside import BENCH, DATA, finish, need, one_core, rival, row

CT, LABEL = DATA / "ircad_p01" / "ct.nii.gz", DATA / "ircad_p01" / "labels.nii.gz"
CODES = DATA / "ircad_p01" / "label_map.json"
ANNOTATED = ("liver", "right_kidney", "left_kidney", "spleen", "tumor")


def timed(work: Callable[[], Any]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def mapping_file(folder: Path) -> Path:
    """What the label's codes mean, as a mapping file."""
    from flaredb.labels.structures import FLARE23

    names = {structure.value: structure.name for structure in FLARE23.structures}
    codes = json.loads(CODES.read_text())["to_FLARE23"]
    lines = [f'{code} = "{names[value]}"' for code, value in codes.items()]
    place = folder / "ircad.toml"
    place.write_text("\n".join(["range = 513", "[codes]", *lines]))
    return place


def bring_in(root: Path, mapping: Path) -> dict[str, float]:
    """Import into a new workspace; seconds of the CT and of the label."""
    from flaredb.workflow.ingest.annotated import Statement, Statements
    from flaredb.workflow.ingest.images import ImageOptions, ingest_images
    from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
    from flaredb.workspace import Workspace

    said = Statements(default=Statement(ANNOTATED))
    options = LabelOptions("ircad", "ground-truth", mapping=str(mapping), workers=1)
    with Workspace.create(root) as workspace:
        spent = {
            "ct": timed(lambda: ingest_images(workspace, CT, "p01", ImageOptions(workers=1))),
            "label": timed(lambda: ingest_labels(workspace, LABEL, said, options, "p01")),
        }
        assert len(workspace.sql('SELECT DISTINCT "case" FROM current_labels WHERE label IS NOT NULL')) == 1
    return spent


def read_only() -> None:
    """Inflate both files and take their digests: nobody imports them without that."""
    for file in (CT, LABEL):
        packed = file.read_bytes()
        hashlib.sha256(packed)
        gzip.decompress(packed)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    arguments = parser.parse_args()
    need(BENCH, CT, LABEL, CODES)
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        mapping = mapping_file(root)
        ours, theirs, limit = [], [], []
        bring_in(root / "warm", mapping)
        with rival("nnunet.py", CT, LABEL, root / "nnunet") as other:
            for turn in range(arguments.times):
                ours.append(bring_in(root / f"study{turn}", mapping))
                theirs.append(other.ask("preprocess")["seconds"])
                limit.append(timed(read_only))
    report(ours, statistics.median(theirs), statistics.median(limit))


def report(ours: list[dict[str, float]], theirs: float, limit: float) -> None:
    """The claims."""
    both = statistics.median(sum(one.values()) for one in ours)
    parts = {f"{name}_s": round(statistics.median(one[name] for one in ours), 3) for name in ours[0]}
    name = "nnU-Net 2.8.1 preprocessing, 3d_fullres"
    claim = "import of a CT 512×512×129 and its label, read back and durable, one core"
    finish("ingest", [row(claim, both, theirs, name, "s", 4.0, limit=round(limit, 3), limit_name="gunzip", **parts)])


if __name__ == "__main__":
    main()
