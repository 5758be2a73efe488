"""A round through another program: the frozen snapshot goes out, commands run, and what they make comes home.

All of it lies in `rounds/TASK-N` of the workspace, in folders that nnU-Net knows by these names. Every step can be
entered again: what is exported, what ran to its end and what is imported is not done twice.
"""

from __future__ import annotations

import gzip
import hashlib
import string
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from flaredb.catalog import cases, labels, models
from flaredb.catalog.cases import Case
from flaredb.catalog.models import Model
from flaredb.catalog.rounds import Round
from flaredb.errors import ConflictError, FlareError, NotFoundError
from flaredb.exchange.nnunet_results import DATASET, is_results
from flaredb.exchange.write import write_nifti
from flaredb.trainers.package import DOCUMENT
from flaredb.workflow.commands import Argv, Commands, Workbench
from flaredb.workflow.export.choice import ExportOptions
from flaredb.workflow.export.nnunet import NnunetName, export_nnunet
from flaredb.workflow.export.values import Part, Recipe, make
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.model.imports import model_import
from flaredb.workflow.results import Result
from flaredb.workflow.snapshot.file import snapshot_export
from flaredb.workspace import Workspace

_NUMBER = 501  # of the data set; every round has folders of its own, so that no other has it there
_EXPORTED = {"dataset", "id", "name"}


def train_outside(workspace: Workspace, turn: Round, commands: Commands) -> str:
    """Export the round's snapshot, run the training commands and import the model; its name."""
    with _bench(workspace, turn) as bench:
        asked = _placeholders(commands.train)
        if "file" in asked:
            _snapshot_file(workspace, turn, bench.places["file"])
        if "file" not in asked or asked & _EXPORTED:
            _export(workspace, turn, bench.folder / "nnUNet_raw")
        bench.run("train", commands.train)
        folder = bench.folder / bench.filled(commands.model) if commands.model else _trained(bench.places["results"])
        if not (folder / DOCUMENT).is_file() and not is_results(folder):
            raise NotFoundError(f"{_short(workspace, folder)}: the training commands left no model there")
        own = None if (folder / DOCUMENT).is_file() else turn.snapshot
        name = model_import(workspace, folder, snapshot=own).ids[0]
    with workspace.catalog.read() as connection:
        model = models.find(connection, name)
    if model.snapshot != turn.snapshot:
        raise ConflictError(f"{name} was trained from {model.snapshot or 'elsewhere'}, not from {turn.snapshot}")
    return name


def predict_outside(
    workspace: Workspace, turn: Round, model: Model, commands: Commands, names: Sequence[str]
) -> Result:
    """Hand over the scans that lack a prediction, run the commands, and take in what they wrote."""
    todo = unlabelled(workspace, turn, model, names)
    if not todo:
        return Result(None, unchanged=len(names))
    with _bench(workspace, turn, model) as bench:
        images, predictions = Path(bench.places["images"]), Path(bench.places["predictions"])
        _hand_over(workspace, images, todo)
        _drop_torn(predictions)
        handed = hashlib.sha256("\n".join(case.name for case in todo).encode()).hexdigest()
        bench.run("predict", commands.predict, handed)
        done = ingest_labels(workspace, predictions, stated("all", None, None), label_options(workspace, turn, model))
        missing = len(unlabelled(workspace, turn, model, names))
        if missing:  # so that the same command again asks the program again
            bench.forget("predict")
    return Result(done.operation, done.ids, done.added, done.unchanged, missing, done.findings)


def label_options(workspace: Workspace, turn: Round, model: Model) -> LabelOptions:
    """How predictions of a round come in: of its source and model, not accepted, in the codes of their program."""
    described = workspace.model_folder(model.name) / DATASET
    mapping = str(described) if described.is_file() else "identity"
    return LabelOptions(turn.name, "pseudo", mapping, False, model=model.name, layout="flat", turn=turn.name)


def _bench(workspace: Workspace, turn: Round, model: Model | None = None) -> Workbench:
    """The round's folder with its places."""
    folder = workspace.round_folder(turn.name)
    name = f"Dataset{_NUMBER}_{_title(turn)}"
    places = {
        "round": turn.name,
        "task": turn.task,
        "number": str(turn.number),
        "snapshot": turn.snapshot,
        "id": str(_NUMBER),
        "name": name,
        "folder": str(folder),
        "file": str(folder / "snapshot.json"),
        "dataset": str(folder / "nnUNet_raw" / name),
        "preprocessed": str(folder / "nnUNet_preprocessed"),
        "results": str(folder / "nnUNet_results"),
        "images": str(folder / "images"),
        "predictions": str(folder / "predictions"),
        "model": str(workspace.model_folder(model.name)) if model else "",
    }
    return Workbench(workspace.root, folder, places, f"flaredb round advance {turn.name}", workspace.reporter)


def _title(turn: Round) -> str:
    return f"{turn.task}-{turn.number}"


def _placeholders(commands: Iterable[Argv]) -> set[str]:
    formatter = string.Formatter()
    return {field for argv in commands for word in argv for _, field, _, _ in formatter.parse(word) if field}


def _export(workspace: Workspace, turn: Round, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    done = export_nnunet(workspace, place, ExportOptions(snapshot=turn.snapshot), NnunetName(_NUMBER, _title(turn)))
    if done.failed:
        raise ConflictError(f"{done.failed} cases of {turn.snapshot} could not be exported; flaredb fsck says why")


def _snapshot_file(workspace: Workspace, turn: Round, place: str) -> None:
    if not Path(place).exists():
        snapshot_export(workspace, turn.snapshot, Path(place))


def _trained(results: str) -> Path:
    """The one model under a folder: a package of flaredb's, or what nnU-Net leaves of a trainer."""
    root = Path(results)
    found = {path.parent for path in root.rglob(DOCUMENT)}
    found |= {path.parent for path in root.rglob("plans.json") if (path.parent / DATASET).is_file()}
    if len(found) != 1:
        names = " ".join(sorted(str(path.relative_to(root)) for path in found)) or "none"
        raise ConflictError(f'one model is looked for under {{results}}, there are: {names}; name it: model = "…"')
    return found.pop()


def unlabelled(workspace: Workspace, turn: Round, model: Model, names: Sequence[str]) -> list[Case]:
    """The cases that have no prediction of this round's model yet."""
    with workspace.catalog.read() as connection:
        known = {case.name: case for case in cases.every(connection)}
        there: set[str] = set()
        with suppress(NotFoundError):
            there = {label.case for label in labels.of_source(connection, turn.name) if label.model == model.name}
    return [known[name] for name in names if name not in there]


def _hand_over(workspace: Workspace, folder: Path, todo: Sequence[Case]) -> None:
    """Exactly the scans of these cases, as they came in; those that are there are not written again."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {f"{case.name}_0000.nii.gz": case for case in todo}
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()
    missing = [(folder / name, case) for name, case in wanted.items() if not (folder / name).exists()]
    for path, case in workspace.reporter.track(missing, "scans", len(missing)):
        if case.image is None or case.space is None:
            raise FlareError(
                f"case {case.name} has no scan file to hand over; flaredb case exclude {case.name} --why …"
            )
        made = make(workspace, Recipe((Part(case.image),), case.space))
        write_nifti(path, made.array, made.space)


def _drop_torn(folder: Path) -> None:
    """Take away what a program was writing when it was killed: it would take the file for done."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.nii.gz"):
        try:
            with gzip.open(path) as stream:
                while stream.read(1 << 20):
                    pass
        except (OSError, EOFError, zlib.error):
            path.unlink()


def _short(workspace: Workspace, path: Path) -> str:
    return str(path.relative_to(workspace.root)) if path.is_relative_to(workspace.root) else path.name
