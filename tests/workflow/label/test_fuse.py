"""Fused labels in a workspace: parents, recipe, revisions, who is let in, what descends from them, training, export."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest

from flaredb.catalog import labels
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.labels.fuse import METHODS
from flaredb.workflow.evaluate.labels import evaluate
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.nifti import export_nifti
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.label.fuse import FuseOptions, fuse
from flaredb.workflow.label.sources import decide_label, decide_source, withdraw_label, withdraw_source
from flaredb.workflow.provenance.lineage import label_lineage
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workspace import Workspace
from tests.builders import REAL_DATA
from tests.cohorts import add_case, add_label, blocks, flaredb, rules, tiny
from tests.postgres import Server

TRUTH = LabelOptions("truth", "ground-truth")
P, Q, R = (LabelOptions(name, "external", accepted=False) for name in "pqr")
COLUMN = 20  # voxels of a column of `blocks`


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    """An empty workspace in either database."""
    server: Server | None = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    address = {"catalog": server.database()} if server else {}
    with Workspace.create(tmp_path / "place", **address) as workspace:
        yield workspace


def two_cases(workspace: Workspace, folder: Path) -> None:
    """Cases a and b with labels of p and q, which differ in one column of each case."""
    for seed, name in enumerate("ab"):
        add_case(workspace, folder, name, seed)
        add_label(workspace, folder / "p", name, blocks(1, 1, 3), "liver,spleen", P)
    add_label(workspace, folder / "q", "a", blocks(1, 3, 3), "liver,spleen", Q)
    add_label(workspace, folder / "q", "b", blocks(1, 0, 3), "liver,spleen", Q)


def voxels(workspace: Workspace, name: str) -> list[str]:
    """What a label means along x, in the first row; `?` where it says nothing."""
    with workspace.catalog.read() as connection:
        label = labels.find(connection, name)
    codes = workspace.volumes.open(label.volume or "").read()[0, 0]
    known = {0: frozenset({"background"})} | label.codes.table | label.codes.doubts
    return [" ".join(sorted(known.get(code, "?"))) for code in codes.tolist()]


def test_labels_are_fused_with_parents_and_recipe(place: Workspace, tmp_path: Path) -> None:
    """A label of kind fused for each case, not accepted, with its parents; the recipe is kept with the source."""
    two_cases(place, tmp_path)
    done = fuse(place, ["q", "p"], "fused/x")
    assert (done.ids, done.added, done.failed) == (("a@fused/x@1", "b@fused/x@1"), 2, 0)
    assert voxels(place, "a@fused/x") == ["liver", "liver spleen", "spleen", "background", "background", "background"]
    assert voxels(place, "b@fused/x")[:3] == ["liver", "background liver", "spleen"]
    rows = place.sql(
        "SELECT label, kind, structure, annotated, voxels, accepted FROM label_provenance "
        "WHERE source = 'fused/x' AND \"case\" = 'a' ORDER BY structure"
    )
    assert [(row["kind"], row["structure"], row["annotated"], row["voxels"]) for row in rows] == [
        ("fused", "liver", "exhaustive", COLUMN),
        ("fused", "spleen", "exhaustive", COLUMN),
    ]
    assert not any(row["accepted"] for row in rows)
    edges = label_lineage(place, "a@fused/x")["edges"]
    assert {tuple(edge) for edge in edges} >= {("a@p@1", "a@fused/x@1"), ("a@q@1", "a@fused/x@1")}
    with place.catalog.read() as connection:
        recipe = labels.recipe_of(connection, "fused/x")
    assert recipe == '{"fused": "agreement", "sources": ["p", "q"], "structures": []}'
    assert fsck(place).problems == ()


def test_the_same_again_is_unchanged_and_a_newer_part_makes_a_revision(place: Workspace, tmp_path: Path) -> None:
    """Only where a part has a newer revision is there anything to do."""
    two_cases(place, tmp_path)
    fuse(place, ["p", "q"], "f")
    again = fuse(place, ["p", "q"], "f")
    assert (again.added, again.unchanged) == (0, 2)
    add_label(place, tmp_path / "q2", "b", blocks(1, 1, 3), "liver,spleen", Q)
    newer = fuse(place, ["p", "q"], "f")
    assert (newer.ids, newer.unchanged) == (("b@f@2",), 1)
    assert voxels(place, "b@f") == ["liver", "liver", "spleen", "background", "background", "background"]
    assert {tuple(e) for e in label_lineage(place, "b@f@2")["edges"]} >= {("b@q@2", "b@f@2"), ("b@p@1", "b@f@2")}


def test_a_revision_takes_part_in_what_it_annotates(empty: Workspace, tmp_path: Path) -> None:
    """A newer label of a source that speaks about the spleen alone leaves its older liver standing."""
    two_cases(empty, tmp_path)
    add_label(empty, tmp_path / "q2", "a", blocks(0, 0, 0, 3), "spleen", Q)
    fuse(empty, ["p", "q"], "f", FuseOptions(where="\"case\" = 'a'"))
    found = voxels(empty, "a@f")
    assert found[0] == "liver"
    assert found[3] == "background spleen"
    with empty.catalog.read() as connection:
        made = labels.find(connection, "a@f").id
    rows = empty.sql("SELECT parent_id FROM label_parents WHERE child_id = :made", made=made)
    assert len(rows) == 3


def test_withdrawn_and_rejected_labels_take_no_part(empty: Workspace, tmp_path: Path) -> None:
    """A withdrawn parent taints what was fused of it, and a label fused afterwards does without it."""
    two_cases(empty, tmp_path)
    add_label(empty, tmp_path / "r", "a", blocks(1, 1, 3), "liver,spleen", R)
    fuse(empty, ["p", "q", "r"], "f")
    shown = withdraw_label(empty, "a@q@1", "wrong patient")
    assert shown.would["tainted"]["labels"] == ["a@f@1"]
    withdraw_label(empty, "a@q@1", "wrong patient", yes=True)
    assert fuse(empty, ["p", "q", "r"], "f").ids == ("a@f@2",)
    assert "liver spleen" not in voxels(empty, "a@f")
    assert withdraw_source(empty, "q", "licence").would["tainted"]["labels"] == ["a@f@1", "b@f@1"]
    decide_label(empty, "b@p@1", "revoked", "unusable")
    with pytest.raises(InvalidDataError, match="no case has labels of two"):
        fuse(empty, ["p", "q", "r"], "g", FuseOptions(where="\"case\" = 'b'"))


def test_a_structure_withdrawn_from_a_part_is_not_taken_from_it(empty: Workspace, tmp_path: Path) -> None:
    """The same parts without one structure of one of them make another label."""
    two_cases(empty, tmp_path)
    fuse(empty, ["p", "q"], "f")
    withdraw_source(empty, "q", "its spleens are wrong", ["spleen"], yes=True)
    again = fuse(empty, ["p", "q"], "f")
    assert again.added == 2
    assert voxels(empty, "a@f")[:4] == ["liver", "?", "spleen", "background"]
    assert fuse(empty, ["p", "q"], "f").unchanged == 2


def test_fused_labels_count_when_asked(empty: Workspace, tmp_path: Path) -> None:
    """They wait until their source is accepted, newer ones of an accepted source too; with `accept` they count."""
    two_cases(empty, tmp_path)
    fuse(empty, ["p", "q"], "f")
    assert current(empty, "a") == {}
    decide_source(empty, "f", "accepted", "agreed")
    assert current(empty, "a") == {"liver": "a@f@1", "spleen": "a@f@1"}
    add_label(empty, tmp_path / "q2", "a", blocks(1, 1, 3), "liver,spleen", Q)
    fuse(empty, ["p", "q"], "f")
    assert current(empty, "a") == {"liver": "a@f@1", "spleen": "a@f@1"}
    assert fuse(empty, ["p", "q"], "f", FuseOptions(accept=True)).added == 0
    assert current(empty, "a") == {"liver": "a@f@2", "spleen": "a@f@2"}
    fuse(empty, ["p", "q"], "g", FuseOptions(accept=True))
    assert current(empty, "b") == {"liver": "b@g@1", "spleen": "b@g@1"}


def current(workspace: Workspace, case: str) -> dict[str, str]:
    """Structure → the label that is current."""
    rows = workspace.sql('SELECT structure, label FROM current_labels WHERE "case" = :case', case=case)
    return {row["structure"]: row["label"] for row in rows if row["label"]}


def test_training_sees_both_where_sources_disagree(empty: Workspace, tmp_path: Path) -> None:
    """The label sets of a case whose current label is fused; ground truth still wins with its negatives."""
    two_cases(empty, tmp_path)
    fuse(empty, ["p", "q"], "f", FuseOptions(accept=True))
    liver, spleen = (1 << empty.structures[name].value for name in ("liver", "spleen"))
    rest = sum(1 << place for place in range(14)) - liver - spleen
    assert empty.label_sets("a", "organ")[0, 0].tolist() == [liver, liver | spleen, spleen, rest, rest, rest]
    assert empty.label_sets("b", "organ")[0, 0].tolist() == [liver, liver | rest, spleen, rest, rest, rest]
    add_label(empty, tmp_path / "t", "b", blocks(1), "liver", TRUTH)
    assert empty.label_sets("b", "organ")[0, 0].tolist() == [liver, rest, spleen, rest, rest, rest]
    made = snapshot_create(empty, "organ")
    shown = flaredb("snapshot", "show", made.ids[0], workspace=empty.root).json
    used = {item["case"]: item["labels"] for item in shown["items"]}
    assert used["a"] == [{"label": "a@f@1", "structures": ["liver", "spleen"], "role": "won"}]


def test_fused_labels_are_exported(empty: Workspace, tmp_path: Path) -> None:
    """As they are with their codes explained; and as current labels, what is undecided as the ignored value."""
    two_cases(empty, tmp_path)
    fuse(empty, ["p", "q"], "f", FuseOptions(accept=True))
    export_nifti(empty, tmp_path / "own", ExportOptions(labels="f"))
    (path,) = (tmp_path / "own").rglob("a.nii.gz")
    own = np.asarray(nibabel.load(path).dataobj)[:, 0, 0].tolist()
    assert own[0] == 1
    assert own[1] > 14
    text = (tmp_path / "own" / "manifest.json").read_text(encoding="utf-8")
    assert '"possible_codes"' in text
    export_nifti(empty, tmp_path / "now", ExportOptions(labels="current", structures=("liver", "spleen")))
    (path,) = (tmp_path / "now").rglob("a.nii.gz")
    assert np.asarray(nibabel.load(path).dataobj)[:3, 0, 0].tolist() == [1, 15, 3]


@pytest.mark.parametrize("method", METHODS)
def test_people_can_take_part(empty: Workspace, tmp_path: Path, method) -> None:
    """Every method takes labels by people too; without a generated part nothing needs to be measured."""
    two_cases(empty, tmp_path)
    add_label(empty, tmp_path / "t", "a", blocks(1, 1), "liver", TRUTH)
    asked = FuseOptions(method, structures=("liver",), where="\"case\" = 'a'")
    if method == "weighted":
        add_case(empty, tmp_path, "v", 7, split="validation")
        add_label(empty, tmp_path / "t", "v", blocks(1, 1), "liver", TRUTH)
        with pytest.raises(InvalidDataError, match="flaredb evaluate --source p --split train"):
            fuse(empty, ["truth", "p"], "f", asked)
        evaluate(empty, "p", split="train")
    assert fuse(empty, ["truth", "p"], "f", asked).ids == ("a@f@1",)
    assert voxels(empty, "a@f")[:3] == ["liver", "liver", "background"]


def test_a_label_fused_of_the_truth_is_not_judged_by_it(empty: Workspace, tmp_path: Path) -> None:
    """It would be measured against itself: the case is left out, with a finding; alone it is refused."""
    for seed, name in enumerate("ab"):
        add_case(empty, tmp_path, name, seed, split="validation")
        add_label(empty, tmp_path / "t", name, blocks(1, 1), "liver", TRUTH)
        add_label(empty, tmp_path / "p", name, blocks(1), "liver", P)
    add_label(empty, tmp_path / "q", "a", blocks(1, 0), "liver", Q)
    fuse(empty, ["p", "truth"], "with", FuseOptions(where="\"case\" = 'b'"))
    with pytest.raises(ConflictError, match="cannot judge"):
        evaluate(empty, "with")
    fuse(empty, ["p", "q"], "without")
    assert evaluate(empty, "without").mean["liver"]["n"] == 1
    fuse(empty, ["without", "with", "p"], "mixed")
    found = evaluate(empty, "mixed")
    assert [row["case"] for row in found.cases] == ["a"]
    assert "learnt-from" in [finding.rule for finding in found.findings]


def test_weights_are_what_was_measured_on_training_cases(empty: Workspace, tmp_path: Path) -> None:
    """Validation does not count; the weights stay with the source; what is not measured is named."""
    for seed, name in enumerate("abv"):
        add_case(empty, tmp_path, name, seed, split="validation" if name == "v" else "train")
        for source, drawn in ((P, (1, 1, 1, 0)), (Q, (1, 0, 0, 0)), (R, (1, 0, 0, 0))):
            add_label(empty, tmp_path / source.source, name, blocks(*drawn), "liver", source)
    for name in "av":
        add_label(empty, tmp_path / "t", name, blocks(1, 1, 1, 1), "liver", TRUTH)
    weighted = FuseOptions("weighted")
    evaluate(empty, "p")
    with pytest.raises(InvalidDataError, match="p: liver; q: liver; r: liver"):
        fuse(empty, ["p", "q", "r"], "f", weighted)
    for source in "pqr":
        evaluate(empty, source, split="train")
    planned = fuse(empty, ["p", "q", "r"], "f", weighted, dry_run=True)
    expected = {"p": {"liver": 0.8571}, "q": {"liver": 0.4}, "r": {"liver": 0.4}}
    assert planned.would["weights"] == expected
    fuse(empty, ["p", "q", "r"], "f", weighted)
    assert voxels(empty, "b@f")[:4] == ["liver", "liver", "liver", "background"]
    fuse(empty, ["p", "q", "r"], "m", FuseOptions("majority"))
    assert voxels(empty, "b@m")[:4] == ["liver", "background", "background", "background"]
    add_label(empty, tmp_path / "t", "b", blocks(1), "liver", TRUTH)
    evaluate(empty, "p", split="train")
    again = fuse(empty, ["p", "q", "r"], "f", weighted, dry_run=True)
    assert (again.would["weights"], again.would["unchanged"]) == (expected, 3)


def test_weights_wait_for_cases_that_judge(empty: Workspace, tmp_path: Path) -> None:
    """Where no case is set aside the first round would judge by what the weights were measured on."""
    for seed, name in enumerate("abcdef"):
        add_case(empty, tmp_path, name, seed)
        for source, drawn in ((P, (1, 1, 1)), (Q, (1,))):
            add_label(empty, tmp_path / source.source, name, blocks(*drawn), "liver", source)
        add_label(empty, tmp_path / "t", name, blocks(1, 1), "liver", TRUTH)
    for source in "pq":
        evaluate(empty, source, split="train")
    with pytest.raises(InvalidDataError, match="set aside"):
        fuse(empty, ["p", "q"], "f", FuseOptions("weighted"))
    fuse(empty, ["p", "q"], "m", FuseOptions("majority"))
    round_start(empty, "organ", RoundOptions(tiny()))
    fuse(empty, ["p", "q"], "f", FuseOptions("weighted"))


def test_one_fuses_under_a_name_at_a_time(empty: Workspace, tmp_path: Path) -> None:
    """The name is held before anything is read: what another is about to change under it is not gone by."""
    two_cases(empty, tmp_path)
    nothing = FuseOptions("majority", where="\"case\" = 'none'")
    with Workspace.open(empty.root) as other, other.lock("source f"):
        with pytest.raises(ConflictError, match="source f"):
            fuse(empty, ["p", "q"], "f", nothing)
        assert fuse(empty, ["p", "q"], "f", FuseOptions("majority"), dry_run=True).would["labels"] == 2
    with pytest.raises(InvalidDataError, match="two of these"):
        fuse(empty, ["p", "q"], "f", nothing)


def test_what_cannot_be_fused_is_refused(empty: Workspace, tmp_path: Path) -> None:
    """One source, an unknown one, a circle, a source made otherwise; the message says what to do."""
    two_cases(empty, tmp_path)
    add_label(empty, tmp_path / "r", "a", blocks(1), "liver", R)
    fuse(empty, ["p", "q"], "f")
    with pytest.raises(InvalidDataError, match="two or more"):
        fuse(empty, ["p", "p"], "g")
    with pytest.raises(NotFoundError, match="no source 'x'"):
        fuse(empty, ["p", "x"], "g")
    with pytest.raises(ConflictError, match="fused by agreement of p q"):
        fuse(empty, ["p", "q"], "f", FuseOptions("majority"))
    with pytest.raises(ConflictError, match="not made by label fuse"):
        fuse(empty, ["f", "q"], "r")
    fuse(empty, ["f", "q"], "g")
    with pytest.raises(ConflictError, match="f would be fused of itself: f of g of f"):
        fuse(empty, ["g", "q"], "f")
    with pytest.raises(InvalidDataError, match="method 'mean'"):
        fuse(empty, ["p", "q"], "h", FuseOptions("mean"))  # type: ignore[arg-type]
    assert {row["name"] for row in empty.sql("SELECT name FROM sources")} == {"p", "q", "r", "f", "g"}


def test_a_damaged_part_fails_alone(empty: Workspace, tmp_path: Path) -> None:
    """The other cases are fused; the next run goes on with the one that failed."""
    two_cases(empty, tmp_path)
    with empty.catalog.read() as connection:
        volume = labels.find(connection, "a@q@1").volume or ""
    path = empty.volumes.open(volume).path
    moved = path.rename(path.with_name("elsewhere"))
    done = fuse(empty, ["p", "q"], "f")
    assert (done.ids, done.failed) == (("b@f@1",), 1)
    assert "not-fused" in rules(done)
    moved.rename(path)
    again = fuse(empty, ["p", "q"], "f")
    assert (again.ids, again.unchanged, again.failed) == (("a@f@1",), 1, 0)


def test_the_command_plans_and_fuses(empty: Workspace, tmp_path: Path) -> None:
    """`--dry-run` only counts; structures and cases can be chosen; a bad name ends with its code."""
    two_cases(empty, tmp_path)
    ask = ("label", "fuse", "--sources", "p,q", "--as", "f", "--structures", "liver")
    planned = flaredb(*ask, "--dry-run", workspace=empty.root)
    would = planned.json["would"]
    assert (would["labels"], would["structures"], would["parents"]) == (2, {"liver": 2}, {"p": 2, "q": 2})
    assert empty.sql("SELECT name FROM sources WHERE name = 'f'") == []
    done = flaredb(*ask, workspace=empty.root)
    assert (done.code, done.json["added"]) == (0, 2)
    assert flaredb("label", "show", "a@f", workspace=empty.root).json["annotated"] == {"liver": "exhaustive"}
    assert flaredb("label", "fuse", "--sources", "p,x", "--as", "g", workspace=empty.root).code == 3
    assert flaredb("label", "fuse", "--sources", "p,q", "--as", "p", workspace=empty.root).code == 4


def test_two_releases_of_a_real_model_are_fused(empty: Workspace) -> None:
    """Of a real scan: what both draw alike is kept, and every voxel on which they differ may be what either says."""
    folder = REAL_DATA / "totalseg"
    if not folder.exists():
        pytest.skip(f"{folder} is not on this machine")
    ingest_images(empty, folder / "ct_sm.nii.gz")
    for source, release in (("p", "2023-08-29"), ("q", "2025-04-15")):
        path = folder / "ct_sm_labels" / f"{release}.nii.gz"
        options = LabelOptions(source, "external", mapping="totalsegmentator-v2", accepted=False)
        ingest_labels(empty, path, stated("all", None, None), options, case="ct_sm")
    fuse(empty, ["p", "q"], "f")
    with empty.catalog.read() as connection:
        p, q, fused = (labels.find(connection, f"ct_sm@{source}") for source in "pqf")
    one, other = (values(empty, label) for label in (p, q))
    found = empty.volumes.open(fused.volume or "").read()
    np.testing.assert_array_equal(found[one == other], one[one == other])
    names = ("background", *empty.structures.names)
    differ = one != other
    assert differ.sum() > 1000
    both = {(names[a], names[b]) for a, b in zip(one[differ], other[differ], strict=True)}
    assert {fused.codes.doubts[code] for code in np.unique(found[differ])} == {frozenset(pair) for pair in both}


def values(workspace: Workspace, label: labels.Label) -> np.ndarray:
    """A label's voxels as the structures' own values."""
    codes = workspace.volumes.open(label.volume or "").read()
    table = np.zeros(int(codes.max()) + 1, np.uint8)
    for name in label.annotated:
        table[[code for code in label.codes.codes_of(name) if code < len(table)]] = workspace.structures[name].value
    return table[codes]
