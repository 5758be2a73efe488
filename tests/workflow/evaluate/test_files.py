"""Plain files scored as FLARE scores them: names matched, what is missing said, every file's own axes kept."""

from __future__ import annotations

import json

import numpy as np
import pytest

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.geometry import FileSpace
from flaredb.workflow.demo.cohort import EXTERNAL
from flaredb.workflow.evaluate.files import ScoreOptions, score_files
from tests.cohorts import blocks, codes, flaredb, process


def folder(path, **labels):
    """A folder of labels by name: codes (z, y, x), or one code everywhere."""
    for name, values in labels.items():
        codes(path / f"{name}.nii.gz", values)
    return path


def test_truth_against_itself(files):
    """Truth against truth is 1 everywhere, and the command prints what the function gives."""
    found = score_files(files / "val-gt", files / "val-gt")
    assert all(means["dsc"] == means["nsd"] == 1.0 for means in found.mean.values())
    done = flaredb("score", files / "val-gt", files / "val-gt")
    assert (done.code, done.json["failed"], done.json["findings"]) == (0, 0, [])
    assert done.json["mean"] == json.loads(json.dumps(found.mean))
    assert set(done.json) >= {"protocol", "cases", "mean", "organ_mean", "tumor"}


def test_workers_change_nothing(files):
    """Several cases at a time, or several structures of one, give the same figures in the same order."""
    one = score_files(files / EXTERNAL, files / EXTERNAL)
    assert score_files(files / EXTERNAL, files / EXTERNAL, ScoreOptions(workers=3)) == one


def test_a_missing_prediction_fails_alone(tmp_path):
    """The case without a prediction is an error finding and counted; the means are over the others; exit code 1."""
    truth = folder(tmp_path / "t", a=blocks(1, 3), b=blocks(1, 3))
    guess = folder(tmp_path / "p", a=blocks(1))
    found = score_files(guess, truth)
    assert [row["case"] for row in found.cases] == ["a"]
    assert found.mean["liver"]["n"] == 1
    assert found.failed == 1
    assert [(f.severity, f.case, f.rule) for f in found.findings] == [("error", "b", "missing-prediction")]
    done = flaredb("score", guess, truth)
    assert (done.code, done.json["failed"], done.json["findings"][0]["case"]) == (1, 1, "b")


def test_another_shape_fails_alone(tmp_path):
    """A prediction of another shape is an error finding of its case, which names both shapes."""
    truth = folder(tmp_path / "t", a=blocks(1, 3), b=blocks(1, 3))
    guess = folder(tmp_path / "p", a=blocks(1), b=blocks(1, 3))
    small = FileSpace((4, 5, 6), (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1), "uint8", (1, 1, 1))
    codes(guess / "b.nii.gz", np.ones((6, 5, 4), np.uint8), small)
    found = score_files(guess, truth)
    assert (found.failed, [row["case"] for row in found.cases]) == (1, ["a"])
    (finding,) = found.findings
    assert (finding.case, finding.rule) == ("b", "score-shape")
    assert "(4, 5, 6)" in finding.message


def test_a_damaged_file_fails_alone(tmp_path):
    """A file that cannot be read is an error finding of its case."""
    truth = folder(tmp_path / "t", a=blocks(1), b=blocks(1))
    guess = folder(tmp_path / "p", a=blocks(1))
    (guess / "b.nii.gz").write_bytes(b"no image")
    found = score_files(guess, truth)
    assert (found.failed, {f.case for f in found.findings}) == (1, {"b"})


def test_names_may_carry_the_channel_and_strangers_are_passed_over(tmp_path):
    """`a_0000` is case a; a prediction without a reference is a warning, not a failure."""
    truth = folder(tmp_path / "t", a=blocks(1))
    guess = folder(tmp_path / "p", a_0000=blocks(1), other=blocks(1))
    found = score_files(guess, truth)
    assert (found.failed, found.mean["liver"]["dsc"]) == (0, 1.0)
    assert [(f.severity, f.case, f.rule) for f in found.findings] == [("warning", "other", "no-reference")]


def test_two_files_need_no_common_name(tmp_path):
    """A file against a file is one case, named after the reference."""
    truth, guess = folder(tmp_path / "t", a=blocks(1)), folder(tmp_path / "p", mine=blocks(1))
    found = score_files(guess / "mine.nii.gz", truth / "a.nii.gz")
    assert [row["case"] for row in found.cases] == ["a"]


def test_nothing_to_score(tmp_path):
    """When no case can be scored, or nothing is there, it is invalid data; an unknown protocol or metric not found."""
    truth, guess = folder(tmp_path / "t", a=blocks(1)), folder(tmp_path / "p", b=blocks(1))
    with pytest.raises(InvalidDataError, match="no prediction"):
        score_files(guess, truth)
    with pytest.raises(NotFoundError, match="flare22"):
        score_files(truth, truth, ScoreOptions("flare20"))
    with pytest.raises(NotFoundError, match="detection"):
        score_files(truth, truth, ScoreOptions(measures=("hd100",)))
    assert flaredb("score", guess, truth).code == 5
    assert flaredb("score", tmp_path / "nowhere", truth).code == 3


def test_voxels_are_compared_as_stored(tmp_path):
    """A prediction whose axes are stored the other way round is compared as stored, as FLARE does, and remarked."""
    flipped = FileSpace((6, 6, 6), (-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1), "uint8", (1, 1, 1))
    straight = FileSpace((6, 6, 6), (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1), "uint8", (1, 1, 1))
    body = np.zeros((6, 6, 6), np.uint8)
    body[:, :, :2] = 1
    codes(tmp_path / "t" / "a.nii.gz", body, straight)
    codes(tmp_path / "p" / "a.nii.gz", body, flipped)
    found = score_files(tmp_path / "p", tmp_path / "t")
    assert found.mean["liver"]["dsc"] == 0.0
    assert [f.rule for f in found.findings] == ["other-orientation"]


def test_a_tube_of_a_single_slice_is_remarked(tmp_path):
    """It is scored on that slice, and the case is named in a warning; nothing has failed."""
    tube = np.zeros((6, 5, 4), np.uint8)
    tube[2, 1:4, 1:3] = 5
    space = FileSpace((4, 5, 6), (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1), "uint8", (1, 1, 1))
    codes(tmp_path / "a.nii.gz", tube, space)
    found = score_files(tmp_path, tmp_path)
    assert found.mean["aorta"]["dsc"] == 1.0
    assert [(f.severity, f.case, f.rule) for f in found.findings] == [("warning", "a", "single-slice-tube")]
    assert found.failed == 0


def test_measures_on_request(tmp_path):
    """Distance, volume and lesions found come with every structure they are of, and in the means."""
    truth, guess = np.zeros((2, 8, 8, 8), np.uint8)
    truth[1:3, 1:3, 1:3] = truth[5:7, 5:7, 5:7] = 14
    guess[1:3, 1:3, 1:3] = guess[5, 1, 1] = 14
    space = FileSpace((8, 8, 8), (1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1), "uint8", (1, 1, 1))
    for name, array in (("t", truth), ("p", guess)):
        codes(tmp_path / name / "a.nii.gz", array, space)
    done = flaredb("score", tmp_path / "p", tmp_path / "t", "--metrics", "hd95,volume,detection")
    (row,) = done.json["cases"]
    tumor = row["structures"]["tumor"]
    assert (tumor["lesions"], tumor["detected"], tumor["false_positives"]) == (2, 1, 1)
    assert (tumor["reference_ml"], tumor["volume_error"]) == (0.016, 0.4375)
    assert tumor["hd95"] > 5
    assert done.json["tumor"]["more"]["detection_rate"] == 0.5
    assert "lesions" not in row["structures"]["liver"]
    assert "detection_rate" in process("score", tmp_path / "p", tmp_path / "t", "--metrics", "detection").out
    assert row["structures"]["liver"]["volume_error"] is None


def test_people_get_a_table_with_deviations(tmp_path):
    """Without --json: mean ± deviation of each structure, intervals of the means, failures on stderr."""
    truth = folder(tmp_path / "t", a=blocks(1, 3), b=blocks(1, 3), c=blocks(1))
    guess = folder(tmp_path / "p", a=blocks(1, 3), b=blocks(1))
    done = process("score", guess, truth)
    assert done.code == 1
    assert "0.5000 ± 0.7071" in done.out
    assert "organs: DSC" in done.out
    assert "missing-prediction" in done.err
