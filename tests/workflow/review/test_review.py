"""The whole way of a review: chosen, exported, corrected by people, taken back; the right structures become truth."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from flaredb.exchange.read import read_image, read_label
from flaredb.exchange.segments import read_segments
from flaredb.exchange.write import write_nifti
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workspace import Workspace
from tests import slicer
from tests.builders import REAL_DATA
from tests.cohorts import SPACE, Done, add_case, add_label, blocks, flaredb
from tests.postgres import Server
from tests.slicer import Drawn

NAMES = {1: "liver", 3: "spleen", 4: "pancreas", 14: "tumor"}
PSEUDO = LabelOptions("aladdin5", "external")
CASES = ("a", "b", "c", "d")
SHOWN = blocks(1, 3, 4, 14)


@pytest.fixture(scope="module")
def queued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four cases, each with a pseudo label of three organs and the tumour, in a review `r`; not to be changed."""
    root = tmp_path_factory.mktemp("queued")
    with Workspace.create(root / "w") as workspace:
        fill(workspace, root / "data")
    return root / "w"


@pytest.fixture
def queue(queued: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it."""
    shutil.copytree(queued, tmp_path / "w")
    with Workspace.open(tmp_path / "w") as workspace:
        yield workspace


def fill(workspace: Workspace, folder: Path) -> Workspace:
    for seed, name in enumerate(CASES):
        add_case(workspace, folder, name, seed)
        add_label(workspace, folder / "labels", name, SHOWN, " ".join(NAMES.values()).replace(" ", ","), PSEUDO)
    done = flaredb(
        "review", "create", "--by", "slices > 1", "--name", "r", "--assignee", "Ada", workspace=workspace.root
    )
    assert (done.code, done.json["ids"]) == (0, ["r"])
    return workspace


def export(workspace: Workspace, folder: Path, program: str = "slicer") -> Path:
    done = flaredb("review", "export", "r", folder, "--for", program, workspace=workspace.root)
    assert (done.code, done.json["added"]) == (0, len(CASES)), done.err
    return folder


def take(workspace: Workspace, folder: Path) -> Done:
    return flaredb("review", "import", folder, workspace=workspace.root)


def say(folder: Path, *rows: str) -> None:
    (folder / "verdicts.csv").write_text("\n".join(["case,verdict,structures,comment", *rows]) + "\n")


def winners(workspace: Workspace, case: str) -> dict[str, str]:
    """Structure → the source whose label is current."""
    rows = flaredb("label", "current", case, workspace=workspace.root).json
    return {row["structure"]: row["source"] for row in rows if row["label"]}


def verdicts(workspace: Workspace, case: str) -> dict[str, str]:
    items = flaredb("review", "show", "r", workspace=workspace.root).json["items"]
    return {item["structure"]: item["verdict"] for item in items if item["case"] == case}


def correct(folder: Path, case: str, segments: Sequence[Drawn], crop: bool = True) -> None:
    """Save a case's segmentation as Slicer would."""
    slicer.save(folder / case / f"{case}.seg.nrrd", segments, SPACE.grid, crop)


def rules(done: Done) -> list[tuple[str, str]]:
    return sorted((finding["case"] or "-", finding["rule"]) for finding in done.json["findings"])


def test_slicer_round_trip(queue: Workspace, tmp_path: Path) -> None:
    """One structure changed, one file cropped, one segment redrawn under another value, one file untouched.

    Exactly what was changed becomes ground truth, wins, and has the pseudo label for a parent.
    """
    check_round_trip(queue, tmp_path / "out")


def test_the_round_trip_on_a_server(postgres: Server, tmp_path: Path) -> None:
    """The same on PostgreSQL."""
    with Workspace.create(tmp_path / "p", catalog=postgres.database()) as workspace:
        check_round_trip(fill(workspace, tmp_path / "data"), tmp_path / "out")


def check_round_trip(workspace: Workspace, folder: Path) -> None:
    export(workspace, folder)
    changed = SHOWN.copy()
    changed[0, 0, 5] = 1
    correct(folder, "a", slicer.masks(changed, NAMES))  # the liver grew
    cropped = SHOWN.copy()
    cropped[:, :, 0] = 0
    cropped[0, 0, 1] = 4
    cropped[1:3, 2:, 0] = 1
    cropped[:, 0, 3] = 0
    cropped[3, 4, 1] = 0
    correct(folder, "b", slicer.masks(cropped, NAMES))  # all four changed; the array's origin moved
    segments = [part for part in slicer.masks(SHOWN, NAMES) if part.name != "spleen"]
    redrawn = SHOWN == 3
    redrawn[0] = False
    segments += [Drawn("spleen", redrawn, 9, identity="Segment_1")]
    correct(folder, "c", segments)
    before = {case: winners(workspace, case) for case in CASES}
    assert set(before["a"].values()) == {"aladdin5"}

    done = take(workspace, folder)
    assert (done.code, done.json["findings"]) == (0, [])
    assert done.json["ids"] == ["a@review/r@1", "b@review/r@1", "c@review/r@1"]
    assert (done.json["added"], done.json["unchanged"]) == (3, 1)
    truth = dict.fromkeys(NAMES.values(), "review/r")
    assert winners(workspace, "a") == before["a"] | {"liver": "review/r"}
    assert winners(workspace, "b") == truth
    assert winners(workspace, "c") == before["c"] | {"spleen": "review/r"}
    assert winners(workspace, "d") == before["d"]
    assert np.array_equal(workspace.label("a@review/r@1").array, changed)
    assert np.array_equal(workspace.label("b@review/r@1").array, cropped)
    assert np.array_equal(workspace.label("c@review/r@1").array == 3, redrawn)

    rows = workspace.sql(
        "SELECT label, structure, kind, annotated, annotator FROM label_provenance WHERE source = 'review/r' "
        "AND label LIKE 'a%'"
    )
    assert [tuple(row.values()) for row in rows] == [
        ("a@review/r@1", "liver", "ground-truth", "exhaustive", "Ada"),
    ]
    explained = {row["structure"]: row for row in flaredb("label", "explain", "a", workspace=workspace.root).json}
    assert {c["source"]: c["outcome"] for c in explained["liver"]["candidates"]} == {
        "review/r": "won",
        "aladdin5": "outranked",
    }
    lineage = flaredb("label", "lineage", "a@review/r@1", workspace=workspace.root).json
    assert "a@aladdin5@1" in [node["name"] for node in lineage["nodes"]]
    assert verdicts(workspace, "a") == {
        "liver": "corrected",
        "spleen": "not looked at",
        "pancreas": "not looked at",
        "tumor": "not looked at",
    }
    again = take(workspace, folder)
    assert (again.code, again.json["added"], again.json["unchanged"]) == (0, 0, 4)
    assert fsck(workspace, voxels=True, history=True).problems == ()


def test_itksnap_round_trip(queue: Workspace, tmp_path: Path) -> None:
    """Values count as the saved label descriptions name them; the map keeps the scan's own axes."""
    folder = export(queue, tmp_path / "out", "itksnap")
    path = folder / "a" / "a_label.nii.gz"
    assert read_label(path).space == replace(SPACE, dtype="uint8")
    assert np.array_equal(read_label(path).voxels, SHOWN)
    renamed = np.where(SHOWN == 1, 21, SHOWN)
    renamed[0, 0, 5] = 21
    write_nifti(path, renamed, SPACE)
    table = folder / "labels.txt"
    table.write_text(table.read_text(encoding="utf-8").replace("\n    1 ", "\n   21 "))
    done = take(queue, folder)
    assert (done.code, done.json["ids"], done.json["findings"]) == (0, ["a@review/r@1"], [])
    assert {name for name, source in winners(queue, "a").items() if source == "review/r"} == {"liver"}
    assert (queue.label("a@review/r@1").array == 1).sum() == (SHOWN == 1).sum() + 1


def test_what_is_called_fine_becomes_truth(queue: Workspace, tmp_path: Path) -> None:
    """Without touching a file: all structures of one case, one of another; the voxels are those that were shown."""
    folder = export(queue, tmp_path / "out")
    say(folder, "a,fine,,", 'b,Fine,liver spleen,"good, both"', "c,not looked at,,")
    done = take(queue, folder)
    assert (done.code, done.json["ids"]) == (0, ["a@review/r@1", "b@review/r@1", "c"])
    assert set(winners(queue, "a").values()) == {"review/r"}
    assert {n for n, source in winners(queue, "b").items() if source == "review/r"} == {"liver", "spleen"}
    assert np.array_equal(queue.label("b@review/r@1").array, SHOWN)
    assert set(verdicts(queue, "c").values()) == {"not looked at"}
    done_with = flaredb("review", "create", "--by", "random", "--name", "next", workspace=queue.root)
    assert done_with.json["findings"][0]["message"].startswith("1 cases wait")  # d, about which nobody said a word
    assert rules(done) == [("b", "review-comment")]
    assert "good, both" in done.json["findings"][0]["message"]
    again = take(queue, folder)
    assert (again.json["added"], again.json["unchanged"]) == (0, 4)
    assert queue.sql("SELECT count(*) AS n FROM findings WHERE rule = 'review-comment'")[0]["n"] == 1


def test_the_mark_completed_confirms(queue: Workspace, tmp_path: Path) -> None:
    """Slicer's own status says of a segment that it is fine, also of an empty one; a flagged one is not taken."""
    folder = export(queue, tmp_path / "out")
    codes = np.where(SHOWN == 4, 0, SHOWN)
    codes[0, 0, 5] = 14
    marks = {"liver": "completed", "pancreas": "completed", "tumor": "flagged"}
    correct(
        folder, "a", [part._replace(status=marks.get(part.name, "notstarted")) for part in slicer.masks(codes, NAMES)]
    )
    done = take(queue, folder)
    assert rules(done) == [("a", "changed-not-looked-at")]
    assert {n for n, source in winners(queue, "a").items() if source == "review/r"} == {"liver", "pancreas"}
    assert verdicts(queue, "a")["pancreas"] == "corrected"
    assert not (queue.label("a@review/r@1").array == 4).any()


def test_unusable_labels_are_rejected(queue: Workspace, tmp_path: Path) -> None:
    """For the structures named; the label keeps the others, and nothing wins in its place by itself."""
    folder = export(queue, tmp_path / "out")
    say(folder, "a,unusable,tumor,", "b,unusable,,")
    done = take(queue, folder)
    assert (done.code, done.json["added"]) == (0, 2)
    assert set(winners(queue, "a")) == {"liver", "spleen", "pancreas"}
    assert winners(queue, "b") == {}
    assert verdicts(queue, "a")["tumor"] == "unusable"
    events = queue.sql("SELECT count(*) AS n FROM acceptances WHERE event = 'revoked'")[0]["n"]
    assert take(queue, folder).json["added"] == 0
    assert queue.sql("SELECT count(*) AS n FROM acceptances WHERE event = 'revoked'")[0]["n"] == events == 5


def test_absence_is_stated_never_guessed(queue: Workspace, tmp_path: Path) -> None:
    """A segment that is gone or empty is a remark; said to be fine by name, it is truth that nothing is there."""
    folder = export(queue, tmp_path / "out")
    without = [part for part in slicer.masks(SHOWN, NAMES) if part.name != "tumor"]
    correct(folder, "a", without)
    emptied = [*without, Drawn("tumor", np.zeros_like(SHOWN, bool), 14)]
    correct(folder, "b", emptied)
    done = take(queue, folder)
    assert rules(done) == [("a", "segment-missing"), ("b", "segment-missing")]
    assert (done.code, done.json["added"]) == (0, 0)
    say(folder, "a,fine,,", "b,fine,tumor,")
    done = take(queue, folder)
    assert rules(done) == [("a", "segment-missing")]
    assert {n for n, source in winners(queue, "a").items() if source == "review/r"} == {"liver", "spleen", "pancreas"}
    assert {n for n, source in winners(queue, "b").items() if source == "review/r"} == {"tumor"}
    row = queue.sql("SELECT kind, voxels, annotated FROM label_provenance WHERE label = 'b@review/r@1'")[0]
    assert tuple(row.values()) == ("tumor-only", 0, "exhaustive")
    assert not (queue.label_sets("b") & (1 << 14)).any()


def test_what_has_no_known_name_is_left_out(queue: Workspace, tmp_path: Path) -> None:
    """A helper segment is a finding and nothing is known where it lies; a structure not asked for wants a word."""
    folder = export(queue, tmp_path / "out")
    codes = SHOWN.copy()
    codes[:, :, 4] = 20
    codes[:, :, 5] = 11
    codes[0, 0, 0] = 0
    correct(folder, "a", slicer.masks(codes, NAMES | {20: "Segment_1", 11: "Stomach"}))
    done = take(queue, folder)
    assert rules(done) == [("a", "not-in-review"), ("a", "unknown-segment")]
    assert {n for n, source in winners(queue, "a").items() if source == "review/r"} == {"liver"}
    sets = queue.label_sets("a")
    assert (sets[:, :, 4] & 1 << 1).all()  # may be liver, for all that is known
    assert not (sets[:, :, 5] & 1 << 1).any()
    say(folder, "a,fine,stomach,")
    assert "not-in-review" not in [rule for _, rule in rules(take(queue, folder))]
    assert winners(queue, "a")["stomach"] == "review/r"


def test_what_is_painted_over_is_not_called_corrected(queue: Workspace, tmp_path: Path) -> None:
    """A tumour drawn into the liver says nothing else of the liver, nor a spleen drawn over a pancreas of the pancreas.

    The ground truth beats the pseudo label where it lies on it all the same.
    """
    folder = export(queue, tmp_path / "out")
    codes = SHOWN.copy()
    codes[0, 0, 0], codes[0, 0, 2], codes[1, 1, 3] = 14, 3, 1
    correct(folder, "a", slicer.masks(codes, NAMES))
    done = take(queue, folder)
    assert rules(done) == [("a", "painted-over")]
    assert {n for n, source in winners(queue, "a").items() if source == "review/r"} == {"tumor", "spleen"}
    assert queue.current("a").array[0, 0, 2] == 3


def test_a_lesion_may_lie_on_an_organ_in_a_layer_of_its_own(queue: Workspace, tmp_path: Path) -> None:
    """Overlap of tumour and liver is no change of the liver's map; overlap of two organs is refused."""
    folder = export(queue, tmp_path / "out")
    organs = slicer.masks(np.where(SHOWN == 14, 0, SHOWN), {v: n for v, n in NAMES.items() if v < 14})
    tumor = SHOWN == 14
    tumor[0, 0, 0] = True
    correct(folder, "a", [*organs, Drawn("tumor", tumor, 1, 1)])
    grown = SHOWN == 3
    grown[0, 0, 0] = True
    others = [part for part in slicer.masks(SHOWN, NAMES) if part.name != "spleen"]
    correct(folder, "b", [*others, Drawn("spleen", grown, 1, 1)])
    done = take(queue, folder)
    assert (done.code, rules(done)) == (1, [("b", "segments-overlap")])
    assert {n for n, source in winners(queue, "a").items() if source == "review/r"} == {"tumor"}
    assert queue.label("a@review/r@1").array[0, 0, 0] == 14


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ("a,perfect,,", "bad-verdict"),
        ("a,fine,livr,", "unknown-structure"),
        ("a,fine,,\na,unusable,,", "two-verdicts"),
        ("zzz,fine,,", "not-in-review"),
        ("a,fine,liver,much, too much", "bad-row"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(queue: Workspace, tmp_path: Path, rows: str, rule: str) -> None:
    """The finding names row and rule, the exit is 1, and nothing of the case is taken."""
    folder = export(queue, tmp_path / "out")
    say(folder, rows)
    done = take(queue, folder)
    assert done.code == 1
    assert [finding["rule"] for finding in done.json["findings"]] == [rule]
    assert done.json["findings"][0]["message"].startswith("row ")
    assert "review/r" not in winners(queue, "a").values()


def test_a_correction_under_another_name_is_said(queue: Workspace, tmp_path: Path) -> None:
    """It is not guessed whose it is; nor does a table without rows, or none, say anything."""
    folder = export(queue, tmp_path / "out")
    slicer.save(folder / "a" / "Segmentation.seg.nrrd", slicer.masks(SHOWN, NAMES), SPACE.grid)
    say(folder)
    done = take(queue, folder)
    assert [(f["rule"], f["path"]) for f in done.json["findings"]] == [("strange-file", "a/Segmentation.seg.nrrd")]
    (folder / "verdicts.csv").unlink()
    assert (take(queue, folder).code, done.json["unchanged"]) == (0, 4)
    assert queue.sql("SELECT count(*) AS n FROM findings WHERE rule = 'strange-file'")[0]["n"] == 1


def test_a_correction_undone_is_said(queue: Workspace, tmp_path: Path) -> None:
    """The earlier ground truth stays, because nobody said that it is wrong."""
    folder = export(queue, tmp_path / "out")
    codes = SHOWN.copy()
    codes[0, 0, 5] = 1
    correct(folder, "a", slicer.masks(codes, NAMES))
    take(queue, folder)
    correct(folder, "a", slicer.masks(SHOWN, NAMES))
    assert rules(take(queue, folder)) == [("a", "correction-undone")]
    assert winners(queue, "a")["liver"] == "review/r"


def test_a_label_that_does_not_lie_on_its_scan_is_refused(queue: Workspace, tmp_path: Path) -> None:
    """Another spacing, voxels drawn beyond the scan, a file that is no segmentation, no file; others are taken."""
    folder = export(queue, tmp_path / "out")
    grid = SPACE.grid
    moved = replace(grid, spacing=(3.0, 2.0, 1.9))
    slicer.save(folder / "a" / "a.seg.nrrd", slicer.masks(SHOWN, NAMES), moved)
    wider = replace(grid, shape=(4, 5, 7))
    beyond = np.pad(SHOWN, ((0, 0), (0, 0), (0, 1)), constant_values=1)
    slicer.save(folder / "b" / "b.seg.nrrd", slicer.masks(beyond, NAMES), wider)
    (folder / "c" / "c.seg.nrrd").write_bytes(b"NRRD0004\n\n")
    (folder / "d" / "d.seg.nrrd").unlink()
    done = take(queue, folder)
    assert (done.code, done.json["failed"], done.json["added"]) == (1, 4, 0)
    assert rules(done) == [
        ("a", "geometry-mismatch"),
        ("b", "label-outside-scan"),
        ("c", "unreadable"),
        ("d", "file-missing"),
    ]
    assert queue.sql("SELECT count(*) AS n FROM sources WHERE name = 'review/r'")[0]["n"] == 0


def test_export_goes_on_and_overwrites_nothing(queue: Workspace, tmp_path: Path) -> None:
    """Missing files are written again as they were; a changed one is left and the exit is 4."""
    folder = export(queue, tmp_path / "out")
    whole = (folder / "a" / "a.seg.nrrd").read_bytes()
    shutil.rmtree(folder / "b")
    say(folder, "a,fine,,")
    done = flaredb("review", "export", "r", folder, workspace=queue.root)
    assert (done.code, done.json["added"], done.json["unchanged"]) == (0, 1, 3)
    assert "fine" in (folder / "verdicts.csv").read_text(encoding="utf-8")
    (folder / "a" / "a.seg.nrrd").write_bytes(b"mine")
    (folder / "c" / "c.nii.gz").unlink()
    done = flaredb("review", "export", "r", folder, workspace=queue.root)
    assert (done.code, (folder / "a" / "a.seg.nrrd").read_bytes()) == (4, b"mine")
    assert "a/a.seg.nrrd" in done.err
    assert (folder / "c" / "c.nii.gz").exists()
    (folder / "a" / "a.seg.nrrd").write_bytes(whole)
    assert flaredb("review", "export", "r", folder, workspace=queue.root).json["unchanged"] == 4
    for wrong in (("r", folder, "--for", "itksnap"), ("r", tmp_path), ("r", folder / "review.json")):
        assert flaredb("review", "export", *wrong, workspace=queue.root).code == 4


def test_an_export_that_stopped_is_taken_up(queue: Workspace, tmp_path: Path) -> None:
    """A file written before its entry in review.json is known by its content; a strange one is not overwritten."""
    folder, second = export(queue, tmp_path / "out"), tmp_path / "second"
    second.mkdir()
    text = (folder / "review.json").read_text(encoding="utf-8")
    (second / "review.json").write_text(text[: text.index('"cases"')] + '"cases": []}')
    shutil.copytree(folder / "a", second / "a")
    (second / "b").mkdir()
    (second / "b" / "b.seg.nrrd").write_bytes(b"strange")
    done = flaredb("review", "export", "r", second, workspace=queue.root)
    assert (done.code, "b/b.seg.nrrd" in done.err) == (4, True)
    (second / "b" / "b.seg.nrrd").unlink()
    assert flaredb("review", "export", "r", second, workspace=queue.root).json["added"] == 1
    assert (second / "review.json").read_text(encoding="utf-8") == text
    assert not list(second.rglob(".*"))


def test_the_exported_segmentation_is_what_slicer_wants(queue: Workspace, tmp_path: Path) -> None:
    """Segments by name with value, colour and extent, on the scan's own lattice; a colour table beside it."""
    folder = export(queue, tmp_path / "out")
    found = read_segments(folder / "a" / "a.seg.nrrd")
    assert {segment.name: segment.value for segment in found.segments} == {name: v for v, name in NAMES.items()}
    assert found.grid.distance(SPACE.grid) < 1e-6
    assert np.array_equal(found.layers[0], SHOWN)
    header = (folder / "a" / "a.seg.nrrd").read_bytes().partition(b"\n\n")[0].decode()
    assert "Segment1_Extent:=1 1 0 4 0 3" in header
    assert "1 liver " in (folder / "structures.ctbl").read_text(encoding="utf-8")


@pytest.mark.parametrize("change", ["{", "[]", '{"format": 2}', '{"format": 1}', "\0"])
def test_a_damaged_review_file_is_refused(queue: Workspace, tmp_path: Path, change: str) -> None:
    """With the name of the file and what to do, before anything is read."""
    folder = export(queue, tmp_path / "out")
    (folder / "review.json").write_text(change)
    done = take(queue, folder)
    assert done.code == 5
    assert "review.json" in done.err


def test_a_path_out_of_the_folder_is_refused(queue: Workspace, tmp_path: Path) -> None:
    """Whatever review.json says."""
    folder = export(queue, tmp_path / "out")
    path = folder / "review.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"a/a.seg.nrrd"', '"../a.seg.nrrd"'))
    shutil.copy(folder / "a" / "a.seg.nrrd", tmp_path / "a.seg.nrrd")
    assert rules(take(queue, folder)) == [("-", "strange-file"), ("a", "outside-root")]


def test_a_folder_of_another_workspace_is_refused(queue: Workspace, tmp_path: Path) -> None:
    """A review of the same name that shows other labels is another review; an unknown one is not found."""
    folder = export(queue, tmp_path / "out")
    with Workspace.create(tmp_path / "other") as other:
        assert take(other, folder).code == 3
        add_case(other, tmp_path / "data", "a", 9)
        add_label(other, tmp_path / "more", "a", blocks(1), "liver", PSEUDO)
        assert flaredb("review", "create", "--by", "random", "--name", "r", workspace=other.root).code == 0
        assert take(other, folder).code == 4


def test_renamed_and_erased_cases(queue: Workspace, tmp_path: Path) -> None:
    """A case that got another name is found by its old one; one that was erased is a finding."""
    folder = export(queue, tmp_path / "out")
    say(folder, "a,fine,liver,", "b,fine,,")
    assert flaredb("case", "rename", "a", "z", workspace=queue.root).code == 0
    assert flaredb("case", "purge", "b", "--why", "x", "--yes", workspace=queue.root).code == 0
    done = take(queue, folder)
    assert done.json["ids"] == ["z@review/r@1"]
    assert rules(done) == [("-", "not-in-review"), ("-", "not-in-review")]
    assert not queue.sql("SELECT * FROM findings WHERE \"case\" = 'b' OR message LIKE '%''b''%'")


@pytest.mark.skipif(not (REAL_DATA / "totalseg").exists(), reason="no real data here")
def test_a_real_scan_there_and_back(empty: Workspace, tmp_path: Path) -> None:
    """A CT with labels of two models: cropped by ITK after a correction, only the spleen becomes ground truth."""
    folder = REAL_DATA / "totalseg"
    assert flaredb("ingest", "images", folder / "ct.nii.gz", "--case", "ct", workspace=empty.root).code == 0
    for name, mapping in (("2022-08-04_v1", "totalsegmentator-v1"), ("2026_fast_v2", "totalsegmentator-v2")):
        path, source = folder / "ct_labels" / f"{name}.nii.gz", f"model/{mapping[-2:]}"
        said = ("--source", source, "--kind", "external", "--mapping", mapping, "--annotated", "liver,spleen,aorta")
        assert flaredb("ingest", "labels", path, "--case", "ct", *said, workspace=empty.root).code == 0
    assert flaredb("review", "create", "--name", "r", workspace=empty.root).code == 0
    assert flaredb("review", "export", "r", tmp_path / "out", workspace=empty.root).code == 0
    exported = tmp_path / "out" / "ct"
    scan, original = read_image(exported / "ct.nii.gz"), read_image(folder / "ct.nii.gz")
    assert np.array_equal(scan.voxels, original.voxels)
    assert scan.space == original.space
    image = SimpleITK.ReadImage(str(exported / "ct.seg.nrrd"))
    codes = SimpleITK.GetArrayFromImage(image)
    spleen = np.argwhere(codes == 3)
    codes[tuple(spleen[len(spleen) // 2])] = 0
    places = np.argwhere(codes)
    low, size = places.min(axis=0)[::-1].tolist(), (np.ptp(places, axis=0) + 1)[::-1].tolist()
    corrected = SimpleITK.GetImageFromArray(codes)
    corrected.CopyInformation(image)
    corrected = SimpleITK.RegionOfInterest(corrected, size, low)
    for key in image.GetMetaDataKeys():
        if key.startswith("Segment"):
            corrected.SetMetaData(key, image.GetMetaData(key))
    SimpleITK.WriteImage(corrected, str(exported / "ct.seg.nrrd"), True)
    done = take(empty, tmp_path / "out")
    assert (done.code, done.json["ids"], done.json["findings"]) == (0, ["ct@review/r@1"], [])
    assert winners(empty, "ct") == {"liver": "model/v1", "spleen": "review/r", "aorta": "model/v1"}
    assert (empty.label("ct@review/r@1").array == 3).sum() == len(spleen) - 1
