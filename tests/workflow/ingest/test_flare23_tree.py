"""A FLARE23 collection as it is distributed comes in by four commands; what is told is what was planted."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests import flare23_tree as tree
from tests.cohorts import Done, flaredb

PSEUDO = ("--kind", "external", "--annotated", "all")


def commands(root: Path) -> list[tuple[object, ...]]:
    """One import of scans and three of labels."""
    truth = ("--source", "flare23", "--kind", "ground-truth", "--annotated-from", root / tree.TABLE)
    return [
        ("images", root),
        ("labels", root, *truth),
        ("labels", root / tree.ALADDIN, "--source", "aladdin5", *PSEUDO),
        ("labels", root / tree.BLACKBEAN, "--source", "blackbean", *PSEUDO),
    ]


def told(done: Done) -> Counter[tree.Planted]:
    """The findings of a command."""
    return Counter(tree.Planted(f["severity"], f["case"], f["rule"]) for f in done.json["findings"])


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[Done]]:
    """The workspace, the collection, and what each command said."""
    folder = tmp_path_factory.mktemp("flare23")
    root = tree.write_tree(folder / "FLARE23")
    assert flaredb("init", folder / "w").code == 0
    return folder / "w", root, [flaredb("ingest", *c, workspace=folder / "w") for c in commands(root)]


def test_the_findings_are_those_planted(brought):
    """Each command tells what was planted for it, no more and no less, and the catalogue keeps the same."""
    workspace, _, done = brought
    planted = [tree.IMAGE_FINDINGS, tree.TRUTH_FINDINGS, tree.ALADDIN_FINDINGS, tree.BLACKBEAN_FINDINGS]
    assert [told(each) for each in done] == [Counter(each) for each in planted]
    kept = flaredb("finding", "list", workspace=workspace).json
    assert Counter((f["severity"], f["case"], f["rule"]) for f in kept) == sum(map(Counter, planted), Counter())
    assert not any(str(f["path"] or "").startswith("/") for each in done for f in each.json["findings"])


def test_everything_that_can_come_in_is_in(brought):
    """60 scans in their splits; every label but the refused ones; all recognised as FLARE23, the rest left and said."""
    workspace, _, done = brought
    refused = sum(f.severity == "error" for f in tree.TRUTH_FINDINGS)
    assert [each.json["added"] for each in done] == [60, 31 + 2 + 5 - refused, 10, 21]
    assert [each.json["failed"] for each in done] == [0, refused, 0, 0]
    assert [each.json["layout"] for each in done] == ["flare23"] * 4
    assert sum(done[0].json["left"].values()) == 31 + 2 + 5 + 10 + 23
    splits = flaredb("sql", "SELECT split, count(*) AS n FROM cases GROUP BY split ORDER BY split", workspace=workspace)
    assert {row["split"]: row["n"] for row in splits.json} == {"train": 50, "validation": 10}


def winners(workspace: Path, case: str) -> dict[str, Any]:
    rows = flaredb("label", "current", case, workspace=workspace).json
    return {row["structure"]: row["label"] for row in rows if row["label"]}


def test_the_corrected_file_is_the_newer_revision(brought):
    """Both files of a corrected case are there, and the correction is current."""
    workspace, _, done = brought
    assert {"FLARE23_0003@flare23@1", "FLARE23_0003@flare23@2"} <= set(done[1].json["ids"])
    assert "FLARE23_0003@flare23@2" in winners(workspace, "FLARE23_0003").values()
    assert "FLARE23_0003@flare23@1" not in winners(workspace, "FLARE23_0003").values()


def test_names_and_masks_find_their_cases(brought):
    """`Case1` labels `Case_00001`; a folder of masks is one label of its case."""
    workspace, _, _ = brought
    assert winners(workspace, "Case_00001")["liver"] == "Case_00001@blackbean@1"
    rows = flaredb("label", "list", "FLARE23_0028", workspace=workspace).json
    (row,) = [row for row in rows if "blackbean" in row["name"]]
    assert set(row["annotated"]) == {"liver", "spleen", "tumor"}


def test_again_everything_is_unchanged(brought):
    """The same commands again: all that came in is unchanged, what was refused is refused, no note is told twice."""
    workspace, root, done = brought
    again = [flaredb("ingest", *c, workspace=workspace) for c in commands(root)]
    assert [each.json["added"] for each in again] == [0] * 4
    assert [each.json["unchanged"] for each in again] == [each.json["added"] for each in done]
    errors = {f for f in tree.TRUTH_FINDINGS if f.severity == "error"}
    assert [told(each) for each in again] == [Counter(), Counter(errors), Counter(), Counter()]


def test_a_dry_run_tells_the_same_and_changes_nothing(brought, tmp_path):
    """In an empty workspace `--dry-run` lists what would come in and whether it fits; in a full one what is known."""
    full, root, _ = brought
    workspace = tmp_path / "w"
    flaredb("init", workspace)
    would = flaredb("ingest", "images", root, "--dry-run", workspace=workspace).json["would"]
    assert (len(would["cases"]), would["layout"]) == (60, "flare23")
    assert 0 < would["bytes"]["needed"] < would["bytes"]["free"]
    assert would["inodes"]["needed"] >= 60
    assert flaredb("case", "list", workspace=workspace).json == []
    again = flaredb("ingest", *commands(root)[1], "--dry-run", workspace=full).json["would"]
    assert Counter(row["outcome"] for row in again["files"])["unchanged"] == 38 - 9


def test_what_people_drew_may_be_in_pieces(brought, tmp_path):
    """The same files as ground truth raise no doubt about pieces and numbers, only about the lung."""
    workspace, root, _ = brought
    own = tmp_path / "w"
    shutil.copytree(workspace, own)
    said = ("--source", "people", "--kind", "ground-truth", "--annotated", "all", "--case")
    rules = []
    for name in ("FLARE23_2202", "FLARE23_2203", "FLARE23_2204"):
        done = flaredb("ingest", "labels", root / tree.BLACKBEAN / f"{name}.nii.gz", *said, name, workspace=own)
        rules.append([finding["rule"] for finding in done.json["findings"]])
    assert rules == [[], [], ["lesion-in-lung"]]
