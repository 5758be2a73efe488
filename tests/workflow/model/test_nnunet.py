"""A model of nnU-Net's comes in with plans, structures, cases and scores, and its weights are never opened."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from flaredb.catalog import labels, models
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError, UsageError
from flaredb.workflow.evaluate.labels import evaluate
from flaredb.workflow.evaluate.leaks import learnt_from, unfair
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.integrity.purge import case_purge
from flaredb.workflow.model.export import model_export
from flaredb.workflow.model.imports import model_import
from flaredb.workflow.model.show import model_list, model_show
from flaredb.workflow.predict.cases import predict
from flaredb.workflow.results import Result
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb, rules, tiny
from tests.nnunet_results import TRAINER, write_results

FOLD = {"train": ["a", "b", "elsewhere"], "val": ["c"]}
TRUTH = LabelOptions("flare23", "ground-truth")


@pytest.fixture
def cases(empty: Workspace, tmp_path: Path) -> Workspace:
    """Three cases: one to train, two to judge."""
    for seed, (name, split) in enumerate({"a": "train", "b": "validation", "c": "validation"}.items()):
        add_case(empty, tmp_path, name, seed, split)
        add_label(empty, tmp_path / "1", name, blocks(1, 3), "liver,spleen", TRUTH)
    return empty


def name_of(result: Result) -> str:
    """The one model that came in."""
    (name,) = result.ids
    return name


def test_what_the_folder_says_is_in_the_catalogue(cases: Workspace, tmp_path: Path) -> None:
    """Plans, structures, cases, scores of known cases and structures, steps, versions; no host, nothing absolute."""
    result = model_import(cases, write_results(tmp_path, [FOLD]))
    assert rules(result) == ["training-cases-elsewhere"]
    shown = model_show(cases, name_of(result))
    assert shown["structures"] == ["liver", "spleen", "tumor"]
    assert (shown["origin"], shown["state"], shown["steps"], shown["snapshot"]) == ("nnunet", "trained", 250000, None)
    assert shown["training_cases"] == ["a", "b", "elsewhere"]
    assert shown["config"]["nnunet"]["patch_size"] == [40, 48, 48]
    assert [(row["structure"], row["cases"], row["mean"]) for row in shown["scores"]] == [
        ("liver", 1, 0.5),
        ("spleen", 1, 0.51),
    ]
    assert shown["environment"] == {"torch_version": "2.8.0"}
    assert shown["provenance"]["folder"] == TRAINER
    text = json.dumps(shown)
    assert str(tmp_path) not in text
    assert "secret" not in text
    (row,) = model_list(cases)
    assert (row["name"], row["dsc"]) == (shown["name"], 0.505)


def test_again_it_is_unchanged(cases: Workspace, tmp_path: Path) -> None:
    """The same weights and documents, from the trainer's folder, its fold or the folder above."""
    trainer = write_results(tmp_path, [FOLD])
    name = name_of(model_import(cases, trainer))
    for folder in (trainer, trainer / "fold_0", trainer.parent):
        assert model_import(cases, folder).unchanged == 1
    assert [row["name"] for row in model_list(cases)] == [name]
    other = write_results(tmp_path / "other", [FOLD], weights=b"others")
    assert name_of(model_import(cases, other)) != name


class Trap:
    """Unpickled, it makes a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        """What a pickle of it runs."""
        return os.mkdir, ("trapped",)


def test_a_malicious_checkpoint_is_never_run(cases: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import, show, fsck, export: the pickle is copied byte for byte and never loaded."""
    monkeypatch.chdir(tmp_path)
    bomb = pickle.dumps(Trap())
    pickle.loads(bomb)
    (tmp_path / "trapped").rmdir()  # the trap works
    trainer = write_results(tmp_path, [FOLD], weights=bomb)
    name = name_of(model_import(cases, trainer))
    model_show(cases, name)
    assert not fsck(cases).problems
    model_export(cases, name, tmp_path / "out")
    with pytest.raises(UsageError):
        predict(cases, name)
    for kept in ("plans.json", "dataset.json", "fold_0/checkpoint_final.pth"):
        assert (tmp_path / "out" / kept).read_bytes() == (trainer / kept).read_bytes()
    assert not (tmp_path / "trapped").exists()


def test_predict_says_how(cases: Workspace, tmp_path: Path) -> None:
    """Exit 2, with nnU-Net's command and the import of what it makes; training on from it likewise."""
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD])))
    for arguments in (["predict", "--model", name], ["train", "--task", "organ", "--from", name]):
        done = flaredb(*arguments, workspace=cases.root)
        assert done.code == 2
        assert "nnUNetv2_predict" in done.json["error"]
        assert (
            f"ingest labels DIR --source NAME --kind external --mapping dataset.json --annotated … --model {name}"
            in (done.json["error"])
        )


def predicted(workspace: Workspace, folder: Path, model: str, *names: str, accepted: bool = False) -> None:
    """Labels that the model made with nnU-Net, brought in as its own; any beginning of its name names it."""
    for name in names:
        options = LabelOptions("nn", "external", accepted=accepted, model=model[:11])
        add_label(workspace, folder, name, blocks(1, 3), "liver,spleen", options)


def test_it_is_not_judged_on_what_it_learnt_from(cases: Workspace, tmp_path: Path) -> None:
    """By name or a name the case had, patient and scan; of the split that judges such cases are left out and told."""
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD])))
    predicted(cases, tmp_path / "2", name, "a", "b", "c")
    found = evaluate(cases, "nn")
    assert [row["case"] for row in found.cases] == ["c"]
    assert [finding.rule for finding in found.findings] == ["learnt-from", "training-cases-elsewhere"]
    train = evaluate(cases, "nn", split="train")
    assert [row["case"] for row in train.cases] == ["a"]
    assert [finding.rule for finding in train.findings] == ["learnt-from", "training-cases-elsewhere"]
    flaredb("case", "rename", "b", "renamed", workspace=cases.root)
    assert [row["case"] for row in evaluate(cases, "nn").cases] == ["c"]
    flaredb("case", "same", "b", "c", workspace=cases.root)
    with pytest.raises(ConflictError, match="learnt from all these cases"):
        evaluate(cases, "nn")


def test_its_labels_neither_teach_nor_win_where_it_learnt(cases: Workspace, tmp_path: Path) -> None:
    """A round that learns from its labels is refused when a case it learnt from judges; there they meet nobody."""
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD])))
    add_case(cases, tmp_path, "new", 8)
    predicted(cases, tmp_path / "2", name, "new", "b", "c", accepted=True)
    with cases.catalog.read() as connection:
        made = labels.of_source(connection, "nn")
        spoilt = unfair(connection, made)
    assert [label.case for label in made if label.id in spoilt] == ["b"]
    with pytest.raises(ConflictError, match=f"{name} learnt from patients who would judge"):
        round_start(cases, "organ", RoundOptions(tiny()))


def test_a_model_that_is_not_here_makes_no_labels(cases: Workspace, tmp_path: Path) -> None:
    """Said before anything is read, with the models there are."""
    with pytest.raises(NotFoundError, match="no model 'm-nothing'"):
        predicted(cases, tmp_path / "2", "m-nothing", "b")
    assert "nn" not in {row["source"] for row in cases.sql("SELECT source FROM source_usage")}


def test_a_case_that_comes_later_counts(cases: Workspace, tmp_path: Path) -> None:
    """The model's list is kept by name, so that a case imported after it is known to be one it learnt from."""
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD])))
    add_case(cases, tmp_path, "elsewhere", 9, "validation")
    add_label(cases, tmp_path / "1", "elsewhere", blocks(1, 3), "liver,spleen", TRUTH)
    predicted(cases, tmp_path / "2", name, "b", "c", "elsewhere")
    found = evaluate(cases, "nn")
    assert [row["case"] for row in found.cases] == ["c"]
    assert [finding.rule for finding in found.findings] == ["learnt-from"]


def test_without_splits_it_is_said_and_can_be_told_later(cases: Workspace, tmp_path: Path) -> None:
    """A warning at import and at every evaluation, until `--splits` tells."""
    trainer = write_results(tmp_path, [FOLD], splits=False)
    result = model_import(cases, trainer)
    assert rules(result) == ["training-cases-unknown"]
    predicted(cases, tmp_path / "2", name_of(result), "b", "c")
    assert [finding.rule for finding in evaluate(cases, "nn").findings] == ["training-cases-unknown"]
    (tmp_path / "splits.json").write_text(json.dumps([FOLD]))
    done = flaredb("model", "import", trainer, "--splits", tmp_path / "splits.json", workspace=cases.root)
    assert (done.code, done.json["added"]) == (0, 1)
    assert model_show(cases, name_of(result))["training_cases"] == ["a", "b", "elsewhere"]
    assert [row["case"] for row in evaluate(cases, "nn").cases] == ["c"]
    assert model_import(cases, trainer).unchanged == 1


def test_names_that_are_not_here_are_said_at_every_evaluation(cases: Workspace, tmp_path: Path) -> None:
    """A model that names only unknown cases may know these under other names; how many is told, and to the gate too."""
    fold = {"train": ["x", "y"], "val": ["z"]}
    name = name_of(model_import(cases, write_results(tmp_path, [fold])))
    predicted(cases, tmp_path / "2", name, "b", "c")
    (finding,) = evaluate(cases, "nn").findings
    assert (finding.severity, finding.rule) == ("warning", "training-cases-elsewhere")
    assert finding.message.startswith(f"2 cases that {name} learnt from")
    with cases.catalog.read() as connection:
        assert learnt_from(connection, labels.of_source(connection, "nn")).elsewhere == {name: 2}


def test_splits_of_another_training_are_not_believed(cases: Workspace, tmp_path: Path) -> None:
    """Found nearby they are passed over, and the cases unknown; given by hand they are refused with the case."""
    trainer = write_results(tmp_path, [FOLD])
    splits = tmp_path / "nnUNet_preprocessed" / "Dataset601_workspace" / "splits_final.json"
    splits.write_text(json.dumps([{"train": ["a", "c"], "val": ["b"]}]))
    with pytest.raises(InvalidDataError, match="fold_0 was scored on c"):
        model_import(cases, trainer, splits)
    result = model_import(cases, trainer)
    assert rules(result) == ["training-cases-unknown"]
    assert not model_show(cases, name_of(result))["training_cases"]


def test_five_folds_tell_each_others_cases(cases: Workspace, tmp_path: Path) -> None:
    """Where every fold was validated, each learnt from the cases of the others; together from all."""
    names = ["a", "b", "c", "d", "e"]
    folds = [{"train": [n for n in names if n != name], "val": [name]} for name in names]
    result = model_import(cases, write_results(tmp_path, folds, splits=False))
    shown = model_show(cases, name_of(result))
    assert shown["training_cases"] == names
    assert {fold["training"] for fold in shown["provenance"]["folds"].values()} == {4}


def test_regions_and_other_names(cases: Workspace, tmp_path: Path) -> None:
    """Regions are read as nnU-Net writes them; a name of several organs is no score of one."""
    named = {"background": 0, "Liver": [1, 2], "kidney": 3, "Lesion": 2}
    shown = model_show(cases, name_of(model_import(cases, write_results(tmp_path, [FOLD], labels=named))))
    assert shown["structures"] == ["liver", "tumor"]
    assert [row["structure"] for row in shown["scores"]] == ["liver"]


def test_a_purge_takes_the_names(cases: Workspace, tmp_path: Path) -> None:
    """What it learnt from goes on being counted, under a number; its scores on the case go."""
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD])))
    for case in ("a", "c"):
        case_purge(cases, case, "asked for", yes=True)
    shown = model_show(cases, name)
    assert "a" not in shown["training_cases"]
    assert len(shown["training_cases"]) == 3
    assert shown["scores"] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plans.json", "{"),
        ("plans.json", "[]"),
        ("plans.json", '{"dataset_name": "x", "configurations": {}}'),
        ("dataset.json", '{"labels": []}'),
        ("dataset.json", '{"labels": {"background": 0, "wing": 1}}'),
        ("fold_0/validation/summary.json", "[]"),
        ("fold_0/validation/summary.json", '{"metric_per_case": [{}]}'),
        ("../../../nnUNet_preprocessed/Dataset601_workspace/splits_final.json", '[{"train": "a"}]'),
    ],
)
def test_documents_that_are_off_are_refused(cases: Workspace, tmp_path: Path, name: str, text: str) -> None:
    """Cut, of another kind, or without what is needed; nothing is left behind."""
    trainer = write_results(tmp_path, [FOLD])
    (trainer / name).write_text(text)
    with pytest.raises(InvalidDataError):
        model_import(cases, trainer)
    assert model_list(cases) == []
    assert not list(cases.root.glob("models/*"))


def test_folders_that_are_none(cases: Workspace, tmp_path: Path) -> None:
    """Nothing there, nothing in it, two trainers in it, a training that is not finished."""
    with pytest.raises(NotFoundError, match="no such folder"):
        model_import(cases, tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(NotFoundError):
        model_import(cases, tmp_path / "bare")
    trainer = write_results(tmp_path, [FOLD])
    write_results(tmp_path / "other", [FOLD]).rename(trainer.with_name("nnUNetTrainer__nnUNetPlans__3d_lowres"))
    with pytest.raises(UsageError, match="give one of them"):
        model_import(cases, trainer.parent)
    (trainer / "fold_0" / "checkpoint_final.pth").unlink()
    with pytest.raises(InvalidDataError, match="came to its end"):
        model_import(cases, trainer)


def test_its_model_is_no_start_and_not_the_latest(cases: Workspace, tmp_path: Path) -> None:
    """`latest:TASK` means what can predict here."""
    named = {name: place for place, name in enumerate(["background", *cases.structures.organs])}
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD], labels=named)))
    assert model_show(cases, name)["task"] == "organ"
    with cases.catalog.read() as connection, pytest.raises(NotFoundError):
        models.find(connection, "latest:organ")


def test_weights_that_are_gone_or_altered_are_noticed(cases: Workspace, tmp_path: Path) -> None:
    """By fsck and by export."""
    name = name_of(model_import(cases, write_results(tmp_path, [FOLD])))
    path = cases.model_folder(name) / "fold_0" / "checkpoint_final.pth"
    path.write_bytes(b"other")
    done = flaredb("model", "export", name, tmp_path / "out", workspace=cases.root)
    assert done.code == 6
    assert not (tmp_path / "out").exists()
    path.unlink()
    assert [problem["kind"] for problem in fsck(cases).problems] == ["model-without-weights"]
