"""What a voxel may be, asked of a workspace: the examples of the label-set rules, and which label is current."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from flaredb.labels.structures import FLARE23
from flaredb.workflow.ingest.annotated import Statement, Statements
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.label.sources import decide_label, decide_source
from flaredb.workflow.provenance.current import label_current, label_explain
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks

VALUE = {name: FLARE23[name].value for name in FLARE23.names}
ORGANS = ",".join(FLARE23.organs)
TRUTH = LabelOptions("flare23", "ground-truth")
EXTERNAL = LabelOptions("flare21", "external", mapping="flare21")
EVERYTHING = (1 << 15) - 1


def bits(*names: str) -> int:
    """A label set of the task `all`: bit 0 background, bit k the structure with value k."""
    return sum(1 << (0 if name == "background" else VALUE[name]) for name in names)


def but(*names: str) -> int:
    """Everything except these."""
    return EVERYTHING & ~bits(*names)


def columns(workspace: Workspace, case: str = "a", task: str = "all") -> list[int]:
    """The label set of each column along x; a column has one."""
    sets = workspace.label_sets(case, task)
    assert (sets == sets[:1, :1]).all()
    return [int(value) for value in sets[0, 0]]


@pytest.fixture
def one(empty, tmp_path):
    """A workspace with one case, `a`."""
    add_case(empty, tmp_path, "a")
    return empty


def test_thirteen_organs_leave_the_tumor_open(one, tmp_path):
    """Thirteen organs annotated: liver may be liver or tumour there, background may be background or tumour."""
    add_label(one, tmp_path / "l", "a", blocks(1, 13), ORGANS, TRUTH)
    assert columns(one) == [
        bits("liver", "tumor"),
        bits("left_kidney", "tumor"),
        *[bits("background", "tumor")] * 4,
    ]


def test_thirteen_organs_are_plain_for_the_organ_task(one, tmp_path):
    """Seen by the task `organ`, which drops the lesion, the same label is its plain map."""
    add_label(one, tmp_path / "l", "a", blocks(1, 13), ORGANS, TRUTH)
    assert columns(one, task="organ") == [1 << 1, 1 << 13, 1, 1, 1, 1]
    classes = one.current("a", "organ").array
    assert list(classes[0, 0]) == [1, 13, 0, 0, 0, 0]


def test_tumor_only_says_nothing_of_organs(one, tmp_path):
    """Tumour only: the drawn is tumour, the rest is anything but tumour."""
    add_label(one, tmp_path / "l", "a", blocks(14), "tumor", TRUTH)
    assert columns(one) == [bits("tumor"), *[but("tumor")] * 5]
    assert columns(one, task="organ") == [(1 << 14) - 1] * 6
    assert columns(one, task="tumor") == [2, 1, 1, 1, 1, 1]


def test_a_superset_is_one_of_its_members(one, tmp_path):
    """FLARE21's kidney is the right or the left one, with the lesion open; the annotated others are excluded."""
    add_label(one, tmp_path / "l", "a", blocks(2, 1, 4), "all", EXTERNAL)
    kidney = bits("right_kidney", "left_kidney", "tumor")
    rest = but("liver", "right_kidney", "left_kidney", "spleen", "pancreas")
    assert columns(one) == [kidney, bits("liver", "tumor"), bits("pancreas", "tumor"), rest, rest, rest]


def test_five_organs_and_tumor_leave_the_other_organs_open(one, tmp_path):
    """Where five organs and the tumour were annotated, background is background or one of the eight others."""
    five = "liver,right_kidney,spleen,pancreas,left_kidney,tumor"
    add_label(one, tmp_path / "l", "a", blocks(1, 14), five, TRUTH)
    rest = but(*five.split(","))
    assert columns(one) == [bits("liver"), bits("tumor"), rest, rest, rest, rest]


def test_positive_only_says_where_it_is_and_not_where_not(one, tmp_path):
    """A positive-only tumour is tumour where drawn and open elsewhere; it wins nothing and contributes."""
    add_label(one, tmp_path / "l", "a", blocks(1, 14), "liver", TRUTH, positive_only="tumor")
    assert columns(one) == [bits("liver", "tumor"), bits("tumor"), *[but("liver")] * 4]
    rows = {row["structure"]: row for row in label_current(one, "a")}
    assert (rows["tumor"]["label"], rows["tumor"]["contributors"]) == (None, ["a@flare23@1"])
    assert rows["tumor"]["exhaustive"] is False


def test_without_labels_everything_is_possible(one):
    """A case nobody labelled is open everywhere, has null for every structure, and no class is decided."""
    assert columns(one) == [EVERYTHING] * 6
    assert {row["label"] for row in label_current(one, "a")} == {None}
    assert (one.current("a").array == 255).all()


def test_ground_truth_beats_the_others_including_its_negatives(one, tmp_path):
    """A pseudo liver outside the annotated liver goes, without becoming background; its spleen stays."""
    add_label(one, tmp_path / "1", "a", blocks(1), "liver", TRUTH)
    add_label(one, tmp_path / "2", "a", blocks(0, 1, 3), "liver,spleen", LabelOptions("p", "pseudo"))
    assert columns(one) == [
        bits("liver", "tumor"),
        but("liver", "spleen"),
        bits("spleen", "tumor"),
        *[but("liver", "spleen")] * 3,
    ]


def test_a_pseudo_tumor_lies_on_an_organ_without_tumor_annotation_only(one, tmp_path):
    """An accepted pseudo tumour may lie on a ground-truth organ, but not where a person says there is none."""
    add_case(one, tmp_path, "b", 7)
    tumor = LabelOptions("p", "pseudo")
    for case, annotated in (("a", "liver"), ("b", "liver,tumor")):
        add_label(one, tmp_path / "1", case, blocks(1, 1), annotated, TRUTH)
        add_label(one, tmp_path / "2", case, blocks(0, 14), "tumor", tumor)
    assert columns(one, "a")[:2] == [bits("liver"), bits("tumor")]
    assert columns(one, "b")[:2] == [bits("liver"), bits("liver")]


def test_two_external_sources_that_differ_leave_both(one, tmp_path):
    """Where equals disagree, both remain possible and nothing else; the conflict is counted."""
    add_label(one, tmp_path / "1", "a", blocks(1), "liver", LabelOptions("p", "external"))
    add_label(one, tmp_path / "2", "a", blocks(3), "spleen", LabelOptions("q", "external"))
    combined = one.combined("a")
    assert columns(one)[0] == bits("liver", "spleen", "tumor")
    assert combined.within == int(np.prod(combined.sets.shape)) // 6


def test_the_newest_person_wins_unless_told_otherwise(one, tmp_path):
    """Among people's labels the date decides, `--supersedes` comes before it, and no pseudo label wins."""

    def dated(year: int) -> Statements:
        return Statements(default=Statement(("liver",), annotated_at=datetime(year, 1, 1, tzinfo=UTC)))

    add_label(one, tmp_path / "1", "a", blocks(1), dated(2020), LabelOptions("one", "ground-truth"))
    add_label(one, tmp_path / "2", "a", blocks(0, 1), dated(2010), LabelOptions("two", "ground-truth"))
    add_label(one, tmp_path / "3", "a", blocks(0, 0, 1), "liver", LabelOptions("p", "pseudo"))
    liver = label_current(one, "a")[0]
    assert (liver["label"], liver["kind"]) == ("a@one@1", "ground-truth")
    outcomes = {c["label"]: c["outcome"] for c in label_explain(one, "a")[0]["candidates"]}
    assert outcomes == {"a@one@1": "won", "a@two@1": "outranked", "a@p@1": "outranked"}
    older = LabelOptions("three", "ground-truth", supersedes="one")
    add_label(one, tmp_path / "4", "a", blocks(0, 0, 0, 1), dated(2000), older)
    assert label_current(one, "a")[0]["label"] == "a@three@1"


def test_events_decide_and_can_be_undone(one, tmp_path):
    """Accepting, revoking, withdrawing and restoring change what is current; the narrower event wins."""
    add_label(one, tmp_path / "1", "a", blocks(1), "liver", LabelOptions("p", "external"))
    add_label(one, tmp_path / "2", "a", blocks(0, 1), "liver", LabelOptions("q", "external", accepted=False))

    def liver() -> str | None:
        return label_current(one, "a")[0]["label"]

    assert liver() == "a@p@1"
    decide_source(one, "q", "accepted", "better")
    assert liver() == "a@q@1"
    decide_label(one, "a@q@1", "revoked", "not here")
    assert liver() == "a@p@1"
    decide_source(one, "q", "accepted", "still better")
    assert liver() == "a@p@1"
    decide_source(one, "p", "withdrawn", "licence", ["liver"])
    assert liver() is None
    decide_source(one, "p", "restored", "licence found", ["liver"])
    assert liver() == "a@p@1"
    decide_label(one, "a@q@1", "accepted", "seen")
    assert liver() == "a@q@1"


def test_a_label_lies_on_the_lattice_of_its_scan(workspace, files):
    """Label sets, current classes and images of a case have one shape and grid, in LPS, whatever the file's axes."""
    for case in ("FLARE23_0001", "FLARE23Ts_0001"):
        image = workspace.image(case)
        assert workspace.label_sets(case).shape == image.array.shape
        current = workspace.current(case)
        assert current.grid == image.grid
    truth = workspace.label("FLARE23Ts_0001@flare23").array
    np.testing.assert_array_equal(workspace.current("FLARE23Ts_0001").array, truth)
