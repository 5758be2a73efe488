"""Models go out and come home: what is written is what was trained, and only what belongs here comes in."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.trainers.package import Package, model_name, read_package, write_package
from flaredb.workflow.integrity.purge import case_purge
from flaredb.workflow.label.sources import withdraw_source
from flaredb.workflow.model.card import model_card
from flaredb.workflow.model.export import model_export
from flaredb.workflow.model.imports import model_import
from flaredb.workflow.model.show import model_list, model_show, summary_of
from flaredb.workflow.predict.cases import predict
from flaredb.workflow.snapshot.create import snapshot_create
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workflow.train.model import train
from flaredb.workspace import Workspace
from tests.cohorts import flaredb, sets, tiny


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory, filled: Path) -> Path:
    """A workspace with one model, and that model as a folder beside it."""
    root = tmp_path_factory.mktemp("model")
    shutil.copytree(filled, root / "workspace")
    with Workspace.open(root / "workspace") as opened:
        name = train(opened, "organ", tiny()).model
        model_export(opened, name, root / "package")
    return root


@pytest.fixture
def trained(tmp_path: Path, trained_once: Path) -> Iterator[Workspace]:
    """A copy of it."""
    shutil.copytree(trained_once / "workspace", tmp_path / "trained")
    with Workspace.open(tmp_path / "trained") as opened:
        yield opened


@pytest.fixture
def package(trained_once: Path) -> Package:
    """The model as a package."""
    return read_package(trained_once / "package")


def elsewhere(package: Package, **changes: Any) -> Package:
    """A model of the same network that was trained on another host."""
    weights = {name: value + 0.5 for name, value in package.weights.items()}
    return replace(package, name=model_name("elsewhere"), weights=weights, **changes)


def test_an_export_is_the_model(trained: Workspace, package: Package) -> None:
    """Weights, losses, settings, structures in class order, snapshot and digest; the digest is the catalogue's."""
    (row,) = model_list(trained)
    shown = model_show(trained, row["name"])
    assert package.name == shown["name"]
    assert package.weights_sha256 == shown["checkpoint"]
    assert [structure.name for structure in package.structures] == shown["structures"]
    assert [structure.value for structure in package.structures] == list(range(1, 14))
    assert (package.snapshot, package.digest) == (shown["snapshot"], shown["learnt_from"]["digest"])
    assert summary_of(list(package.losses)) == shown["losses"]
    assert (len(package.losses), package.config) == (4, shown["config"])


def test_at_home_it_is_unchanged_and_other_weights_are_refused(
    trained: Workspace, package: Package, tmp_path: Path
) -> None:
    """What is here already stays as it is, whatever bears its name."""
    write_package(tmp_path / "same", package)
    assert model_import(trained, tmp_path / "same").unchanged == 1
    write_package(tmp_path / "other", replace(elsewhere(package), name=package.name))
    with pytest.raises(ConflictError, match="other weights"):
        model_import(trained, tmp_path / "other")
    assert len(model_list(trained)) == 1


def test_a_model_from_elsewhere_predicts_and_can_be_continued(
    trained: Workspace, package: Package, tmp_path: Path
) -> None:
    """It is trained as any other: shown, exported with the same digest, predicting, a start for the next; once."""
    made = elsewhere(package, parent=package.name)
    digest = write_package(tmp_path / "m", made)
    result = model_import(trained, tmp_path / "m")
    assert (result.ids, result.added) == ((made.name,), 1)
    assert model_import(trained, tmp_path / "m").unchanged == 1
    shown = model_show(trained, made.name)
    assert (shown["origin"], shown["state"], shown["checkpoint"]) == ("imported", "trained", digest)
    assert shown["provenance"] == {"folder": "m", "weights_sha256": digest}
    assert (shown["parents"], shown["losses"]["steps"]) == ([package.name], 4)
    assert model_export(trained, made.name, tmp_path / "again")["weights_sha256"] == digest
    assert predict(trained, made.name, "split = 'validation'").added == 2
    assert train(trained, "organ", tiny(), warm=made.name).steps == 4


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"snapshot": "s-" + "0" * 12}, NotFoundError, "does not know"),
        ({"digest": "0" * 64}, ConflictError, "other digests"),
        ({"parent": "m-" + "0" * 12}, NotFoundError, "import that one first"),
    ],
)
def test_what_does_not_belong_here_is_refused(
    trained: Workspace, package: Package, tmp_path: Path, changes: dict[str, str], error: type[Exception], said: str
) -> None:
    """Another snapshot, another digest of it, a parent that is not here; nothing is left behind."""
    write_package(tmp_path / "m", elsewhere(package, **changes))
    with pytest.raises(error, match=said):
        model_import(trained, tmp_path / "m")
    assert len(list(trained.root.glob("models/*"))) == len(model_list(trained)) == 1


def test_other_structures_and_weights_are_refused(trained: Workspace, package: Package, tmp_path: Path) -> None:
    """Fewer structures than the snapshot's, other values, weights of another network."""
    first, *rest = package.structures
    wrong = {
        "fewer": elsewhere(package, structures=package.structures[:-1]),
        "moved": elsewhere(package, structures=(first._replace(value=99), *rest)),
        "small": replace(elsewhere(package), weights={"a": torch.zeros(2)}),
    }
    for name, made in wrong.items():
        write_package(tmp_path / name, made)
        with pytest.raises(InvalidDataError):
            model_import(trained, tmp_path / name)
    assert len(list(trained.root.glob("models/*"))) == 1


def test_altered_weights_do_not_go_out(trained: Workspace, tmp_path: Path) -> None:
    """Exit 6, and nothing is written."""
    (row,) = model_list(trained)
    weights = trained.model_folder(row["name"]) / "weights.safetensors"
    held = bytearray(weights.read_bytes())
    held[-1] ^= 1
    weights.write_bytes(held)
    done = flaredb("model", "export", row["name"], tmp_path / "out", workspace=trained.root)
    assert (done.code, (tmp_path / "out").exists()) == (6, False)


def test_what_happened_to_its_labels_is_told(trained: Workspace) -> None:
    """Withdrawn sources taint it, purged cases leave a gap; list, show and card say so."""
    (row,) = model_list(trained)
    assert (row["tainted"], row["lost"]) == (False, 0)
    held = model_show(trained, row["name"])["learnt_from"]["cases"]
    first = trained.sql("SELECT min(c.name) AS case_name FROM snapshot_items i JOIN cases c ON c.id = i.case_id")
    case_purge(trained, first[0]["case_name"], "asked for", yes=True)
    withdraw_source(trained, "flare23", "not to be trusted", yes=True)
    (row,) = model_list(trained)
    assert row["tainted"]
    assert row["lost"] > 0
    shown = model_show(trained, row["name"])
    assert (shown["learnt_from"]["cases"], shown["tainted"]) == (held - 1, True)
    text = model_card(trained, row["name"])
    assert "are withdrawn now" in text
    assert "erased since" in text


def test_a_card_says_what_the_catalogue_says(after_round: Workspace) -> None:
    """Data with sources and licences, structures, scores, gate and settings, as Markdown and as LaTeX."""
    (row,) = model_list(after_round)
    assert (row["round"], row["gate"]) == ("organ/1", "evaluated")
    shown = model_show(after_round, row["name"])
    text = model_card(after_round, row["name"])
    for heading in ("What it is", "Training data", "Structures", "Scores", "Gate", "Settings"):
        assert f"## {heading}\n" in text
    assert shown["checkpoint"] in text
    assert shown["snapshot"] in text
    assert "| flare23 | ground-truth |" in text
    assert "| learning_rate | 1e-06 |" in text
    scores = {(s["structure"], s["metric"]): s["mean"] for s in shown["scores"]}
    assert (
        f"| liver | flare23 | validation | organ/1 | 2 | {scores['liver', 'dsc']:.4f} | {scores['liver', 'nsd']:.4f} |"
        in (text)
    )
    tex = model_card(after_round, row["name"], latex=True)
    assert r"learning\_rate & 1e-06 \\" in tex
    assert tex.count(r"\begin{tabular}") == tex.count(r"\end{tabular}") == 5
    done = flaredb("model", "card", row["name"], "--latex", workspace=after_round.root)
    assert done.json == {"model": row["name"], "card": tex}


def test_trained_from_a_file_it_comes_home(trained: Workspace, tmp_path: Path) -> None:
    """Without the catalogue, by the program, and back: the same snapshot, ready to predict."""
    (snapshot,) = snapshot_create(trained, "tumor").ids
    snapshot_export(trained, snapshot, tmp_path / "s.json")
    places = ["--snapshot", tmp_path / "s.json", "--volumes", trained.volumes.root, "--out", tmp_path / "out"]
    done = flaredb("train", *places, "--preset", "tiny", *sets(), "--device", "cpu")
    assert done.code == 0, done.err
    result = model_import(trained, tmp_path / "out")
    shown = model_show(trained, *result.ids)
    assert (shown["snapshot"], shown["task"], shown["origin"], shown["steps"]) == (snapshot, "tumor", "imported", 4)
    assert json.loads((tmp_path / "out" / "model.json").read_text(encoding="utf-8"))["name"] == shown["name"]
