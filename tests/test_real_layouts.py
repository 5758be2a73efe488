"""Real labels by pattern, by folder of masks and by revision: what comes in, what is refused, what is current."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from tests.builders import REAL_DATA
from tests.cohorts import Done, flaredb

pytestmark = pytest.mark.skipif(not REAL_DATA.exists(), reason=f"{REAL_DATA} is not on this machine")

KIDNEYS = ("--annotated", "right_kidney,left_kidney,tumor")
BTCV = "spleen,right_kidney,left_kidney,gallbladder,liver,stomach,pancreas"
ATLAS = """
range = 25
[codes]
1 = "aorta"
2 = "gallbladder"
3 = "left_kidney"
4 = "right_kidney"
5 = "liver"
6 = "pancreas"
7 = "inferior_vena_cava"
8 = "spleen"
9 = "stomach"
10 = "left_adrenal_gland"
11 = "right_adrenal_gland"
15 = "duodenum"
16 = "esophagus"
[names]
liver_tumor = "tumor"
pancreas_tumor = "tumor"
colon_tumor = "tumor"
kidney_cyst = ["right_kidney", "left_kidney"]
combined_labels = "ignore"
"""


def bring(root: Path, folder: str, source: str, *more: object, kind: str = "ground-truth") -> Done:
    """Import labels of a folder of the real data."""
    common = ("--source", source, "--kind", kind, "--grid-from-label")
    return flaredb("ingest", "labels", REAL_DATA / folder, *common, *more, workspace=root)


def outcome(done: Done) -> tuple[int, int, int, int]:
    """Exit code and the three counts."""
    return done.code, done.json["added"], done.json["unchanged"], done.json["failed"]


def rules(done: Done) -> set[tuple[str, str]]:
    """Case and rule of the findings."""
    return {(f["case"], f["rule"]) for f in done.json["findings"]}


def rows(root: Path, case: str) -> dict[str, dict[str, Any]]:
    """Structure → what is current."""
    return {row["structure"]: row for row in flaredb("label", "current", case, workspace=root).json}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A new workspace."""
    assert flaredb("init", tmp_path / "w").code == 0
    return tmp_path / "w"


def test_kits_by_version(root):
    """One pattern a version: the wrong axis is refused, the same voxels in another type are unchanged, two revised."""
    fixed = bring(root, "kits", "kits", "--pattern", "{case}/v2.nii.gz", "--mapping", "kits23", *KIDNEYS)
    assert (outcome(fixed), fixed.json["ids"]) == ((0, 1, 0, 0), ["case_00402@kits@1"])
    first = bring(root, "kits", "kits", "--pattern", "{case}/v1.nii.gz", "--mapping", "kits19", *KIDNEYS)
    assert (outcome(first), first.json["ids"]) == ((1, 2, 0, 1), ["case_00004@kits@1", "case_00015@kits@1"])
    assert ("case_00402", "wrong-axis") in rules(first)
    third = bring(root, "kits", "kits", "--pattern", "{case}/v3.nii.gz", "--mapping", "kits23", *KIDNEYS)
    assert (outcome(third), third.json["ids"]) == ((0, 2, 1, 0), ["case_00004@kits@2", "case_00015@kits@2"])
    current = rows(root, "case_00015")
    assert current["tumor"]["label"] == "case_00015@kits@2"
    assert (current["left_kidney"]["label"], current["left_kidney"]["contributors"]) == (None, ["case_00015@kits@2"])


def test_btcv_second_version_adds_the_aorta(root):
    """The second version wins all and adds the aorta, of which the first said nothing; lost geometry is remarked."""
    mapping = ("--mapping", REAL_DATA / "btcv" / "btcv8.toml")
    first = bring(root, "btcv", "btcv", "--pattern", "label{case}_v1.nii.gz", *mapping, "--annotated", BTCV)
    assert outcome(first) == (0, 4, 0, 0)
    lost = {(case, "geometry-lost") for case in ("0001", "0002", "0003", "0023")}
    assert rules(first) == {*lost, (None, "not-matched")}
    assert rows(root, "0001")["aorta"]["label"] is None
    second = bring(root, "btcv", "btcv", "--pattern", "label{case}_v2.nii.gz", *mapping, "--annotated", f"{BTCV},aorta")
    assert (outcome(second)[:2], second.json["ids"][0]) == ((0, 4), "0001@btcv@2")
    assert {row["label"] for row in rows(root, "0001").values()} == {"0001@btcv@2", None}
    absent = rows(root, "0023")["gallbladder"]
    assert (absent["label"], absent["exhaustive"]) == ("0023@btcv@2", True)
    query = "SELECT voxels FROM label_provenance WHERE label = '0023@btcv@2' AND structure = 'gallbladder'"
    assert flaredb("sql", query, workspace=root).json == [{"voxels": 0}]


def test_one_file_a_structure(root):
    """The folder of thirteen masks is one label, named by the mapping, voxel for voxel; again it is unchanged."""
    assert flaredb("ingest", "images", REAL_DATA / "totalseg" / "ct_sm.nii.gz", workspace=root).code == 0
    more = ("--case", "ct_sm", "--mapping", "totalsegmentator-v2", "--annotated", "all")
    done = bring(root, "totalseg/ct_sm_organs", "organs", *more, kind="external")
    assert (outcome(done), done.json["ids"]) == ((0, 1, 0, 0), ["ct_sm@organs@1"])
    assert outcome(bring(root, "totalseg/ct_sm_organs", "organs", *more, kind="external")) == (0, 0, 1, 0)
    query = "SELECT structure, voxels FROM label_provenance WHERE label = 'ct_sm@organs@1'"
    voxels = {row["structure"]: row["voxels"] for row in flaredb("sql", query, workspace=root).json}
    assert len(voxels) == 13
    mask = nibabel.load(REAL_DATA / "totalseg" / "ct_sm_organs" / "kidney_left.nii.gz")
    assert voxels["left_kidney"] == np.count_nonzero(mask.get_fdata())


def test_overlapping_tumors(root, tmp_path):
    """Float masks of tumours and cysts come in as one label; where they overlap, the tumour stands."""
    mapping = tmp_path / "atlas.toml"
    mapping.write_text(ATLAS)
    masks = ("--pattern", "{case}_{structure}.nii.gz", "--mapping", mapping, "--annotated", "tumor")
    done = bring(root, "abdomenatlas", "atlas-tumors", *masks, kind="external")
    assert (outcome(done), done.json["ids"]) == ((0, 1, 0, 0), ["BDMAP_00000006@atlas-tumors@1"])
    files = (REAL_DATA / "abdomenatlas").glob("*_tumor.nii.gz")
    whole = np.any([nibabel.load(file).get_fdata() > 0 for file in files], axis=0)
    query = "SELECT structure, voxels FROM label_provenance"
    assert flaredb("sql", query, workspace=root).json == [{"structure": "tumor", "voxels": int(whole.sum())}]
    organs = ("--case", "BDMAP_00000006", "--mapping", mapping, "--annotated", "all")
    done = bring(root, "abdomenatlas/BDMAP_00000006_combined_labels.nii.gz", "atlas", *organs, kind="external")
    assert outcome(done) == (0, 1, 0, 0)
    assert all(row["label"] for row in rows(root, "BDMAP_00000006").values())
