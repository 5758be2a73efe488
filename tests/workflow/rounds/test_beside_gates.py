"""What happens beside a gate, before it and after it: nobody is displaced who was not compared."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from flaredb.catalog import current
from flaredb.errors import ConflictError
from flaredb.phantom import make_case
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.label.fuse import FuseOptions, fuse
from flaredb.workflow.label.sources import decide_label, decide_source
from flaredb.workflow.review.create import ReviewOptions, review_create
from flaredb.workflow.review.export import review_export
from flaredb.workflow.review.imports import review_import
from flaredb.workflow.rounds import contests
from flaredb.workflow.rounds.decide import promote, rollback
from flaredb.workflow.rounds.show import round_show
from flaredb.workspace import Workspace
from tests.planted import COHORT, Codes, cohort, exact, planted, rough, write_prediction

ORGANS = range(1, 14)


@pytest.fixture
def workspace(made, tmp_path):
    """A workspace after organ/1, everything a voxel off, was promoted."""
    shutil.copytree(made, tmp_path / "workspace")
    with Workspace.open(tmp_path / "workspace") as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The same, not to be changed."""
    folder = tmp_path_factory.mktemp("beside")
    cohort(folder / "workspace")
    with Workspace.open(folder / "workspace") as opened:
        assert planted(opened, folder, "organ", rough)["state"] == "promoted"
    return folder / "workspace"


def half(truth: Codes) -> Codes:
    """Better than `rough`: half of the slices are right."""
    drawn = np.roll(truth, 1, axis=2)
    drawn[: len(truth) // 2] = truth[: len(truth) // 2]
    return drawn


def now(workspace: Workspace, structure: str) -> Counter[str | None]:
    """Sources that are current for a structure, and in how many cases."""
    with workspace.catalog.read() as connection:
        spoken = [one for each in current.now(connection).values() for one in each if one.structure == structure]
    return Counter(one.winner.source if one.winner else None for one in spoken)


def drawn(workspace: Workspace, folder: Path, source: str, kind: str, cases: int, structures: str) -> None:
    """Labels of the truth for the first cases of the cohort."""
    for index in range(cases):
        case = make_case(COHORT, index)
        write_prediction(folder / f"{case.name}.nii.gz", case.truth, case, list(ORGANS))
    options = LabelOptions(source, kind, accepted=kind == "ground-truth")
    ingest_labels(workspace, folder, stated(structures, None, None), options)


def test_who_is_accepted_while_the_gate_scores_is_not_displaced(workspace, tmp_path, monkeypatch):
    """A better round, promoted while another was being scored, was not compared: the other is refused."""
    planted(workspace, tmp_path, "all", exact, gate="ask")
    scored, left = contests.score_pairs, ["all/1"]

    def meanwhile(*arguments):
        if left:
            promote(workspace, left.pop(), "meanwhile")
        return scored(*arguments)

    monkeypatch.setattr(contests, "score_pairs", meanwhile)
    workspace.settings["events"] = {"command": ["sh", "-c", f"cat >> '{tmp_path}/told'"], "on": ["needs-decision"]}
    with pytest.raises(ConflictError, match=r"since organ/2 was judged, other labels of .*aorta"):
        planted(workspace, tmp_path, "organ", half)
    assert round_show(workspace, "organ/2")["state"] == "evaluated"
    assert now(workspace, "aorta")["organ/2"] == 0
    assert now(workspace, "aorta")["all/1"] > 0
    told = json.loads((tmp_path / "told").read_text(encoding="utf-8"))
    assert (told["event"], told["round"]) == ("needs-decision", "organ/2")
    assert "since organ/2 was judged" in told["why"]


def test_a_source_without_references_is_not_displaced_by_who_beat_its_forerunner(workspace, tmp_path):
    """Published labels of training cases, accepted after organ/1, were compared with nobody: they are kept."""
    drawn(workspace, tmp_path / "files", "blackbean", "external", COHORT.training, "aorta,liver")
    decide_source(workspace, "blackbean", "accepted", "better by eye")
    before = now(workspace, "aorta")
    rows = planted(workspace, tmp_path, "organ", half)["gate"]["structures"]
    assert "blackbean" in before
    assert rows["aorta"]["decision"] == "keep"
    assert "blackbean is accepted and has no label" in rows["aorta"]["reason"]
    assert rows["stomach"]["decision"] == "promote"
    assert now(workspace, "aorta") == before


def test_references_made_of_a_models_labels_are_told(workspace, tmp_path):
    """Labels of organ/1 that somebody called fine judge organ/2: the report says whom they favour."""
    review_create(workspace, ReviewOptions(by="split = 'validation'", source="organ/1", name="r", assignee="Ada"))
    review_export(workspace, "r", tmp_path / "review", "itksnap")
    names = sorted(path.name for path in (tmp_path / "review").iterdir() if path.is_dir())
    verdicts = "".join(f"{name},fine,aorta,\n" for name in names)
    (tmp_path / "review" / "verdicts.csv").write_text(f"case,verdict,structures,comment\n{verdicts}")
    review_import(workspace, tmp_path / "review")
    gate = planted(workspace, tmp_path, "organ", exact)["gate"]
    assert gate["structures"]["aorta"]["champion"] == 1.0
    assert gate["drawn_from"] == {"champion": names, "challenger": []}
    assert any("made of labels of the champion" in reason for reason in gate["reasons"])


def test_a_round_that_learnt_from_what_was_undone_is_not_promoted_unasked(workspace, tmp_path):
    """all/1 trained on organ/1; when that is rolled back all/1 is rejected, and comes back by `--force` alone."""
    planted(workspace, tmp_path, "all", exact, gate="ask")
    assert set(rollback(workspace, "organ/1", "kidneys", cascade=True).ids) == {"organ/1", "all/1"}
    with pytest.raises(ConflictError, match="all/1 learnt from organ/1, since rolled back"):
        promote(workspace, "all/1", "forgot", structures=["tumor"])
    promote(workspace, "all/1", "checked by eye", structures=["tumor"], force=True)
    assert round_show(workspace, "all/1")["state"] == "promoted"


def test_a_rollback_takes_what_was_fused_of_it(workspace):
    """Fused labels of the round are named first, and count no more afterwards."""
    fuse(workspace, ["organ/1", "flare21"], "fused/x", FuseOptions(accept=True))
    before = now(workspace, "liver")
    assert before["fused/x"] > 0
    told = rollback(workspace, "organ/1", "bad").would
    assert (told["trained on it"], told["made of it"], told["then"]) == ([], ["fused/x"], "--cascade")
    assert now(workspace, "liver") == before
    rollback(workspace, "organ/1", "bad", cascade=True)
    after = now(workspace, "liver")
    assert after["fused/x"] == after["organ/1"] == 0
    assert after["flare21"] > 0


def test_labels_by_people_do_not_stop_a_promotion(workspace, tmp_path):
    """The gate compares generated labels: a corrected case that comes in meanwhile changes nothing about that."""
    planted(workspace, tmp_path, "organ", exact, gate="ask")
    drawn(workspace, tmp_path / "files", "ada", "ground-truth", 1, "liver,aorta")
    decide_source(workspace, "ada", "accepted", "again, not by import")
    assert promote(workspace, "organ/2", "better").added == 13


def test_one_label_accepted_by_itself_stops_a_promotion(workspace, tmp_path):
    """It would be displaced unseen; the structure is named, and no other."""
    planted(workspace, tmp_path, "all", exact, gate="ask")
    planted(workspace, tmp_path, "organ", exact, gate="ask")
    label = workspace.sql("SELECT label FROM label_provenance WHERE source = 'all/1' ORDER BY label LIMIT 1")[0][
        "label"
    ]
    decide_label(workspace, label, "accepted", "checked by eye", ["liver"])
    with pytest.raises(ConflictError, match="other labels of liver were accepted"):
        promote(workspace, "organ/2", "better")
