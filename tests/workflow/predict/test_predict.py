"""Many cases predicted: each once, whatever interrupts; the same alone, by several processes, and from a folder."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flaredb.catalog import cases, labels, models
from flaredb.errors import ConflictError, InvalidDataError, UsageError
from flaredb.exchange.read import read_label
from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.model.export import model_export
from flaredb.workflow.predict.cases import PredictOptions, predict
from flaredb.workflow.predict.files import predict_files
from flaredb.workflow.predict.postprocess import choose_recipe
from flaredb.workflow.train.model import train
from flaredb.workspace import Workspace
from tests.cohorts import PROGRAM, add_case, add_label, environment, flaredb, tiny

SPACE = FileSpace((22, 24, 20), (-8.0, 0, 0, 9, 0, -8.0, 0, 8, 0, 0, 12.0, -7, 0, 0, 0, 1), "int16", (8.0, 8.0, 12.0))
CASES = 40


def smooth(seed: int) -> np.ndarray:
    """HU of blobs, (z, y, x)."""
    coarse = np.random.default_rng(seed).integers(-400, 500, (5, 6, 6))
    z, y, x = SPACE.grid.shape
    return coarse.repeat(4, 0).repeat(4, 1).repeat(4, 2)[:z, :y, :x].astype(np.int16)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A workspace with forty scans, one of them labelled, and a model."""
    folder = tmp_path_factory.mktemp("predict")
    with Workspace.create(folder / "study") as workspace:
        for number in range(CASES):
            path = folder / "scans" / f"case_{number:03d}_0000.nii.gz"
            path.parent.mkdir(exist_ok=True)
            write_nifti(path, smooth(number), SPACE)
        assert flaredb("ingest", "images", folder / "scans", workspace=folder / "study").code == 0
        truth = np.digitize(smooth(0), [-200, 0, 200]).astype(np.uint8)
        write_nifti(folder / "case_000.nii.gz", truth, SPACE)
        said = ("--source", "people", "--kind", "ground-truth", "--annotated", "liver,right_kidney,spleen")
        assert flaredb("ingest", "labels", folder / "case_000.nii.gz", *said, workspace=folder / "study").code == 0
        train(workspace, "organ", tiny(steps=6))
    return folder


@pytest.fixture
def opened(prepared, tmp_path) -> Iterator[Workspace]:
    """A copy of it, open."""
    shutil.copytree(prepared / "study", tmp_path / "study")
    with Workspace.open(tmp_path / "study") as workspace:
        yield workspace


def made(root: Path) -> dict[str, str]:
    """Case → volume of every pseudo label; twice the same case is an error."""
    with sqlite3.connect(root / "catalog.db") as connection:
        rows = connection.execute(
            "SELECT c.name, l.volume FROM labels l JOIN cases c ON c.id = l.case_id WHERE l.kind = 'pseudo'"
        ).fetchall()
    assert len({case for case, _ in rows}) == len(rows)
    return dict(rows)


FEW = "\"case\" < 'case_004'"


def test_predicting_is_recorded_and_done_once(opened):
    """Labels, how they were made, and how sure they are; again all is unchanged."""
    options = PredictOptions("cpu", mirror=(0,), postprocess="largest liver")
    first = predict(opened, "latest:organ", FEW, options=options)
    assert (first.added, first.failed) == (4, 0)
    again = predict(opened, "latest:organ", FEW, options=options)
    assert (again.added, again.unchanged) == (0, 4)
    (source,) = opened.sql("SELECT recipe FROM sources WHERE recipe IS NOT NULL")
    told = json.loads(source["recipe"])
    assert (told["mirror"], told["postprocess"]) == ("z", "largest liver")
    scored = opened.sql("SELECT metric, value, label_id, reference_id FROM scores WHERE protocol = 'prediction'")
    assert {row["metric"] for row in scored} == {"confidence", "expected_dice", "mirror_disagreement"}
    assert all(0 <= row["value"] <= 1 and row["label_id"] == row["reference_id"] for row in scored)
    run = opened.sql("SELECT arguments FROM runs WHERE command = 'predict'")[0]["arguments"]
    assert '"engine":"torch"' in run.replace(" ", "")
    assert '"precision":"bf16"' in run.replace(" ", "")


def test_another_way_wants_another_source(opened):
    """Labels made in two ways never share a source unnoticed."""
    predict(opened, "latest:organ", FEW, options=PredictOptions("cpu"))
    with pytest.raises(ConflictError, match="--as"):
        predict(opened, "latest:organ", options=PredictOptions("cpu", mirror=(2,)))
    same = predict(opened, "latest:organ", FEW, options=PredictOptions("cpu", mirror=(2,)))
    assert (same.unchanged, [finding.rule for finding in same.findings]) == (4, ["made-otherwise"])
    other = predict(opened, "latest:organ", FEW, "mirrored", PredictOptions("cpu", mirror=(2,)))
    assert other.added == 4


def test_what_cannot_be_had_is_refused_before_anything_is_written(opened):
    """A wrong recipe, precision or model leaves no source behind."""
    with pytest.raises(InvalidDataError, match="no structure 'tumor'"):
        predict(opened, "latest:organ", options=PredictOptions("cpu", postprocess="largest tumor"))
    with pytest.raises(UsageError, match="fp16"):
        predict(opened, "latest:organ", options=PredictOptions("cpu", precision="fp16"))
    with pytest.raises(InvalidDataError, match="--as"):
        predict(opened, "latest:organ,latest:organ", options=PredictOptions("cpu"))
    assert opened.sql("SELECT name FROM sources WHERE default_kind = 'pseudo'") == []


def test_a_model_twice_is_itself(opened):
    """The mean of a model with itself gives its labels."""
    alone = predict(opened, "latest:organ", FEW, options=PredictOptions("cpu"))
    both = predict(opened, "latest:organ,latest:organ", FEW, "both", PredictOptions("cpu"))
    assert alone.added == both.added == 4
    rows = opened.sql(
        'SELECT c.name AS "case", COUNT(DISTINCT l.volume) AS volumes FROM labels l JOIN cases c ON c.id = l.case_id '
        "WHERE l.kind = 'pseudo' GROUP BY c.name"
    )
    assert [row["volumes"] for row in rows] == [1] * 4


def test_models_of_other_data_join_only_behind_one_that_knows_it(opened, tmp_path):
    """A label names its first model: what another learnt from, that one must have learnt from, too."""
    with opened.catalog.read() as connection:
        first = models.find(connection, "latest:organ").name
    truth = np.digitize(smooth(1), [-200, 0, 200]).astype(np.uint8)
    write_nifti(tmp_path / "case_001.nii.gz", truth, SPACE)
    said = ("--source", "people", "--kind", "ground-truth", "--annotated", "liver,right_kidney,spleen")
    assert flaredb("ingest", "labels", tmp_path / "case_001.nii.gz", *said, workspace=opened.root).code == 0
    second = train(opened, "organ", tiny(steps=2), warm=first).model
    with pytest.raises(ConflictError, match=f"{second} learnt from data that {first} did not"):
        predict(opened, f"{first},{second}", FEW, "both", PredictOptions("cpu"))
    assert predict(opened, f"{second},{first}", FEW, "both", PredictOptions("cpu")).added == 4


def test_several_processes_make_the_same(opened):
    """Two workers give the labels that one gives; a scan that is lost is a finding, and the others are predicted."""
    with opened.catalog.read() as connection:
        lost = cases.find(connection, "case_002").image
    wanted = predict(opened, "latest:organ", FEW, "alone", PredictOptions("cpu"))
    (volume,) = (path for path in (opened.root / "volumes").rglob("*") if path.name.startswith(lost or "-"))
    shutil.rmtree(volume)
    found = predict(opened, "latest:organ", FEW, "many", PredictOptions("cpu", workers=2))
    assert (wanted.added, found.added, found.failed) == (4, 3, 1)
    assert [finding.rule for finding in found.findings] == ["not-predicted"]
    with opened.catalog.read() as connection:
        one, many = (
            {label.case: label.volume for label in labels.of_source(connection, name)} for name in ("alone", "many")
        )
    assert many == {case: volume for case, volume in one.items() if case != "case_002"}


def test_the_largest_component_is_chosen_where_it_helps(opened, tmp_path):
    """On held-out cases with people's labels: yes for the organ whose pieces are wrong, no for the one where right."""
    with opened.catalog.read() as connection:
        model = models.find(connection, "latest:organ")
    with pytest.raises(InvalidDataError, match="first"):
        choose_recipe(opened, model)
    add_case(opened, tmp_path, "held", 1, "validation")
    truth = np.zeros((4, 5, 6), np.uint8)
    truth[0, :2, :2], truth[2, :2, :2], truth[2, 4, 4:] = 1, 3, 3
    add_label(opened, tmp_path, "held", truth, "liver,spleen", LabelOptions("people", "ground-truth"))
    guess = truth.copy()
    guess[3, 4, :2] = 1
    pseudo = LabelOptions("plain", "pseudo", accepted=False, model=model.name)
    add_label(opened, tmp_path, "held", guess, "liver,spleen", pseudo)
    assert choose_recipe(opened, model) == "largest liver"
    outcome = predict(opened, model.name, FEW, "tidied", PredictOptions("cpu", postprocess="auto"))
    assert outcome.added == 4
    with opened.catalog.read() as connection:
        assert json.loads(labels.recipe_of(connection, "tidied") or "")["postprocess"] == "largest liver"


def test_killed_in_the_middle_it_goes_on(prepared, tmp_path):
    """kill -9 among forty cases: the same command completes; each case once, as in an undisturbed run."""
    for name in ("killed", "whole"):
        shutil.copytree(prepared / "study", tmp_path / name)
    command = ["predict", "--model", "latest:organ", "--device", "cpu", "--engine", "torch", "--precision", "fp32"]
    program = [PROGRAM, "-w", tmp_path / "killed", "--json", *command]
    running = subprocess.Popen(program, stdout=subprocess.DEVNULL, env=environment(OMP_NUM_THREADS="1"))
    deadline = time.monotonic() + 120
    while len(made(tmp_path / "killed")) < CASES // 4 and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    assert running.wait() == -signal.SIGKILL
    before = made(tmp_path / "killed")
    assert CASES // 4 <= len(before) < CASES
    resumed = flaredb(*command, workspace=tmp_path / "killed")
    assert resumed.code == 0
    assert resumed.json["unchanged"] == len(before)
    assert resumed.json["added"] == CASES - len(before)
    assert flaredb(*command, workspace=tmp_path / "whole").json["added"] == CASES
    assert made(tmp_path / "killed") == made(tmp_path / "whole")
    assert len(set(made(tmp_path / "whole").values())) > CASES // 2


APART = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("sqlalchemy", "alembic"):
            raise ImportError(f"{name} is not here")
sys.meta_path.insert(0, Refuse())
from flaredb.cli import main
sys.argv = ["flaredb", *sys.argv[1:]]
main()
"""


def test_an_exported_model_predicts_alone(opened, prepared, tmp_path):
    """Without sqlalchemy, folder in and folder out: the catalogue's labels voxel for voxel, in the scans' geometry."""
    model_export(opened, "latest:organ", tmp_path / "model")
    assert (tmp_path / "model" / "predict.sh").read_text(encoding="utf-8").startswith("#!/bin/sh")
    how = ("--device", "cpu", "--engine", "torch", "--precision", "fp32", "--postprocess", "at-least 8 liver")
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(3):
        shutil.copy(prepared / "scans" / f"case_{number:03d}_0000.nii.gz", scans)
    program = [sys.executable, "-c", APART, "--json", "predict", "--model", str(tmp_path / "model"), *how]
    done = subprocess.run([*program, scans, tmp_path / "out"], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["added"] == 3
    inside = flaredb("predict", "--model", "latest:organ", "--where", FEW, *how, workspace=opened.root)
    assert inside.json["added"] == 4
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"case_{n:03d}.nii.gz" for n in range(3)]
    for name in inside.json["ids"][:3]:
        found = read_label(tmp_path / "out" / f"{name.split('@')[0]}.nii.gz")
        np.testing.assert_array_equal(found.voxels, opened.label(name).array)
        assert found.space.affine == SPACE.affine
        assert found.space.shape == SPACE.shape
    assert found.voxels.any()


def test_folders_are_predicted_once_and_bad_files_told(opened, prepared, tmp_path):
    """What is there is left alone unless asked for; an unreadable file is a finding and does not stop the others."""
    model_export(opened, "latest:organ", tmp_path / "model")
    scans, out = tmp_path / "scans", tmp_path / "out"
    scans.mkdir()
    shutil.copy(prepared / "scans" / "case_001_0000.nii.gz", scans)
    (scans / "case_002_0000.nii.gz").write_bytes(b"no scan")
    models = [tmp_path / "model"]
    first = predict_files(models, scans, out, PredictOptions("cpu"))
    assert (first.added, first.failed, len(first.findings)) == (1, 1, 1)
    assert first.findings[0].case == "case_002"
    (out / "case_001.nii.gz").write_bytes(b"corrected by hand")
    assert predict_files(models, scans, out, PredictOptions("cpu")).unchanged == 1
    assert (out / "case_001.nii.gz").read_bytes() == b"corrected by hand"
    assert predict_files(models, scans, out, PredictOptions("cpu"), overwrite=True).added == 1
    assert read_label(out / "case_001.nii.gz").voxels.shape == SPACE.grid.shape
    scan = scans / "case_001_0000.nii.gz"
    for taken, place in ((scans, scans), (scans, scans / "predictions"), (scan, scans), (tmp_path, scans)):
        with pytest.raises(InvalidDataError, match="among the scans"):
            predict_files(models, taken, place, PredictOptions("cpu"), overwrite=True)
    with pytest.raises(InvalidDataError, match="auto needs a workspace"):
        predict_files(models, scans, out, PredictOptions("cpu", postprocess="auto"))
    (out / "case_001.nii.gz").unlink()
    env = environment()
    env["PATH"] = f"{PROGRAM.parent}:{env['PATH']}"
    script = ["sh", tmp_path / "model" / "predict.sh"]
    assert subprocess.run([*script, scans, out, "--engine", "torch"], capture_output=True, env=env).returncode == 1
    assert (out / "case_001.nii.gz").exists()
    assert subprocess.run([*script, scans], capture_output=True, env=env).returncode == 2
    assert flaredb("predict", "--model", tmp_path / "model", scans).code == 2


def test_workers_end_with_their_parent():
    """A worker whose parent is killed ends, too: nobody is left waiting for work."""
    program = (
        "import multiprocessing, time\n"
        "from flaredb.workflow.executors import end_with_parent\n"
        "if __name__ == '__main__':\n"
        "    child = multiprocessing.get_context('spawn').Process(target=end_with_parent)\n"
        "    child.start()\n"
        "    print(child.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        time.sleep(0.2)
        assert Path(f"/proc/{child}").exists()
        parent.kill()
    deadline = time.monotonic() + 30
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
