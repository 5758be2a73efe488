"""Six releases of a real model on a real crop as six rounds: what changed, and what was current when."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.image
import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from flaredb.labels.mappings import load_mapping
from flaredb.labels.structures import FLARE23
from flaredb.workspace import Workspace
from tests.cohorts import flaredb
from tests.planted import cohort, exact, planted
from tests.test_real_data import DATA, SMALL
from tests.test_real_data import pytestmark as pytestmark

CASE = "ct_sm"
RELEASES = [*SMALL, "2026_liver_only"]
ORGANS = FLARE23.organs
Map = NDArray[np.uint8]


class Played(NamedTuple):
    """The workspace after six rounds, their maps by FLARE23's values, and the operation of each promotion."""

    root: Path
    maps: list[Map]
    promoted: list[int]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """Rounds of the organ task; what judges them are made-up cases, predicted as they are."""
    folder = tmp_path_factory.mktemp("six")
    root = folder / "workspace"
    cohort(root)
    place = DATA / "totalseg"
    assert flaredb("ingest", "images", place / "ct_sm.nii.gz", "--case", CASE, workspace=root).code == 0
    maps, promoted = [], []
    for release in RELEASES:
        file = place / "ct_sm_labels" / f"{release}.nii.gz"
        prediction = folder / f"{release}.nii.gz"
        maps.append(translated(file, prediction, only="liver" if "liver_only" in release else None))
        with Workspace.open(root) as workspace:
            shown = planted(workspace, folder, "organ", exact, gate="ask", more={CASE: prediction})
        named = ("--structures", ",".join(ORGANS), "--force", "--why", release)
        done = flaredb("round", "promote", shown["round"], *named, workspace=root)
        assert done.code == 0, done.err
        promoted.append(done.json["operation"])
    return Played(root, maps, promoted)


def translated(file: Path, destination: Path, only: str | None) -> Map:
    """A release's file in FLARE23's values; its voxels (z, y, x)."""
    codes = load_mapping("totalsegmentator-v2", FLARE23)
    image = nibabel.nifti1.load(file)
    found = np.asarray(image.dataobj)
    values = np.zeros_like(found, dtype=np.uint8)
    for name in [only] if only else ORGANS:
        values[np.isin(found, codes.codes_of(name))] = FLARE23[name].value
    nibabel.nifti1.save(nibabel.nifti1.Nifti1Image(values, image.affine), destination)
    return values.transpose()


def change(before: Map, after: Map, value: int) -> float:
    """u of a pair, as the winner of FLARE22 had it, for one structure."""
    old, new = before == value, after == value
    return float((old != new).sum() / new.sum()) if new.any() else float(old.any())


def test_agreement_is_the_published_one(played):
    """What the catalogue holds of each round and organ is 1 - min(1, u) over the last three releases."""
    query = (
        "SELECT source, structure, value FROM label_reliability"
        f" WHERE \"case\" = '{CASE}' AND metric = 'agreement' ORDER BY source, structure"
    )
    rows = flaredb("sql", query, workspace=played.root).json
    stored = {(row["source"], row["structure"]): row["value"] for row in rows}
    assert len(stored) == 5 * len(ORGANS)
    for number in range(2, 7):
        last = played.maps[max(0, number - 3) : number]
        for name in ORGANS:
            changes = [change(a, b, FLARE23[name].value) for a, b in itertools.pairwise(last)]
            u = sum(changes) / len(changes)
            assert stored[f"organ/{number}", name] == pytest.approx(1 - min(1.0, u), abs=1e-5)
    assert stored["organ/6", "liver"] > 0.9
    assert stored["organ/6", "spleen"] < 0.6  # the last release has the liver alone


def current(played: Played, operation: int) -> dict[str, dict[str, Any]]:
    """Structure → who is current once an operation is done."""
    rows = flaredb("label", "current", CASE, "--as-of", operation, workspace=played.root).json
    return {row["structure"]: row for row in rows}


def test_each_date_has_its_current_label(played):
    """After each promotion that round is current; the release of the liver alone takes the liver and no more."""
    for number, operation in enumerate(played.promoted, start=1):
        now = current(played, operation)
        drawn = {name for name in ORGANS if (played.maps[number - 1] == FLARE23[name].value).any()}
        assert {name: now[name]["label"] for name in drawn} == dict.fromkeys(drawn, f"{CASE}@organ/{number}@1")
        assert now["tumor"]["label"] is None
    last = current(played, played.promoted[-1])
    assert {name: row["label"] for name, row in last.items() if row["label"]} == {
        name: f"{CASE}@organ/{6 if name == 'liver' else 5}@1"
        for name in ORGANS
        if (played.maps[4] == FLARE23[name].value).any()
    }


def test_what_changed_is_drawn(played, tmp_path):
    """Two releases side by side, and what only one of them has, over the scan."""
    picture = tmp_path / "changes.png"
    names = (f"{CASE}@organ/1@1", f"{CASE}@organ/4@1")
    found = flaredb("label", "diff", *names, "--picture", picture, workspace=played.root).json
    liver = next(row for row in found["structures"] if row["structure"] == "liver")
    first, second = (played.maps[i] == FLARE23["liver"].value for i in (0, 3))
    assert (liver["only_first"], liver["only_second"]) == ((first & ~second).sum(), (second & ~first).sum())
    drawn = matplotlib.image.imread(picture)
    assert drawn[..., :3].std() > 0.05
