"""Tiny phantom cohorts, workspaces made of them, small networks, and the program run in this process or another."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from flaredb.cli import main
from flaredb.exchange.write import write_nifti
from flaredb.geometry import FileSpace
from flaredb.phantom import Cohort, make_case
from flaredb.progress import Reporter
from flaredb.trainers.config import Config, change
from flaredb.trainers.presets import load_config
from flaredb.workflow.demo.cohort import EXTERNAL, FOLDERS, TABLE, write_cohort
from flaredb.workflow.ingest.annotated import Statements, stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.results import Result
from flaredb.workspace import Workspace

PROGRAM = Path(sys.executable).with_name("flaredb")
COHORT = Cohort(seed=0, training=8, validation=2, test=1, spacing=(10.0, 10.0, 10.0))
NETWORK = {"channels": "4,8,16", "patch": "16,16,16", "stem": "1,1,1", "spacing": "10,10,10", "batch": "1"}
SPACE = FileSpace((6, 5, 4), (-2.0, 0, 0, 9, 0, -2.0, 0, 8, 0, 0, 3.0, -7, 0, 0, 0, 1), "int16", (2.0, 2.0, 3.0))
"""The space of files made by `scan` and `codes`: 6 × 5 × 4 voxels, axes LPS."""


@dataclass(frozen=True)
class Done:
    """What a run of the program came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


def flaredb(*arguments: object, workspace: Path | None = None) -> Done:
    """Run the program in this process, always with --json."""
    place = ["-w", str(workspace)] if workspace else []
    out, err = io.StringIO(), io.StringIO()
    argv = ["flaredb", *place, "--json", *(str(argument) for argument in arguments)]
    with mock.patch.object(sys, "argv", argv), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as leave:
            code = int(leave.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def process(*arguments: object, **options: Any) -> Done:
    """Run the program in a process of its own."""
    ran = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8", **options)
    return Done(ran.returncode, ran.stdout, ran.stderr)


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without a workspace, and with changes."""
    return {key: value for key, value in os.environ.items() if key != "FLAREDB_WORKSPACE"} | changes


def tiny(**changes: object) -> Config:
    """Settings of a network that learns nothing but costs nothing."""
    return change(load_config("tiny"), NETWORK | {"steps": "4"} | {key: str(value) for key, value in changes.items()})


def sets(**changes: object) -> list[str]:
    """The same as `--set` options."""
    pairs = NETWORK | {"steps": "4"} | {key: str(value) for key, value in changes.items()}
    return [part for key, value in pairs.items() for part in ("--set", f"{key}={value}")]


def write_files(root: Path, cohort: Cohort = COHORT) -> Path:
    """The cohort as files."""
    write_cohort(root, cohort, Reporter())
    return root


def fill(workspace: Workspace, files: Path) -> None:
    """Import a cohort's scans, human labels and external labels."""
    table = stated(None, None, files / TABLE)
    human = LabelOptions("flare23", "ground-truth")
    for name in ("imagesTr2200", "unlabeledTr1800"):
        if (files / name).exists():
            ingest_images(workspace, files / name)
    ingest_labels(workspace, files / "labelsTr2200", table, human)
    for split, folders in FOLDERS.items():
        if (files / folders.images).exists():
            ingest_images(workspace, files / folders.images, options=ImageOptions(split))
            ingest_labels(workspace, files / folders.labels, table, human)
    external = LabelOptions("flare21", "external", mapping="flare21")
    ingest_labels(workspace, files / EXTERNAL, stated("all", None, None), external)


def scan(path: Path, seed: int = 0, space: FileSpace = SPACE) -> Path:
    """Write a scan of noise in HU; another seed gives another scan."""
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(-900, 1200, space.grid.shape).astype(np.int16)
    write_nifti(path, voxels, space)
    return path


def codes(path: Path, array: NDArray[Any] | int, space: FileSpace = SPACE) -> Path:
    """Write a label: codes (z, y, x), or one code everywhere."""
    path.parent.mkdir(parents=True, exist_ok=True)
    full = np.broadcast_to(np.asarray(array), space.grid.shape)
    write_nifti(path, full, FileSpace(space.shape, space.affine, "uint16", space.pixdim))
    return path


def blocks(*values: int) -> NDArray[np.uint16]:
    """Codes (z, y, x) of `SPACE`: along x one column a value, then background."""
    array = np.zeros(SPACE.grid.shape, np.uint16)
    for column, value in enumerate(values):
        array[:, :, column] = value
    return array


def add_case(workspace: Workspace, folder: Path, name: str, seed: int = 0, split: str = "train") -> None:
    """Import a small scan of noise."""
    ingest_images(workspace, scan(folder / f"{name}_0000.nii.gz", seed), options=ImageOptions(split))


def add_label(
    workspace: Workspace,
    folder: Path,
    name: str,
    array: NDArray[Any] | int,
    annotated: str | Statements,
    options: LabelOptions,
    positive_only: str | None = None,
) -> Result:
    """Import a small label of a case; the result of the import."""
    path = codes(folder / f"{name}.nii.gz", array)
    statements = stated(annotated, positive_only, None) if isinstance(annotated, str) else annotated
    return ingest_labels(workspace, path, statements, options)


def rules(result: Result) -> list[str]:
    """The rules of a result's findings."""
    return [finding.rule for finding in result.findings]


def content(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """What a catalogue says of cases and labels, without numbers, times and names of models."""
    return {
        "cases": workspace.sql("SELECT name, image, split, file_sha256 FROM cases ORDER BY name"),
        "labels": workspace.sql(
            "SELECT p.label, p.structure, p.kind, p.annotated, p.voxels, p.accepted, l.volume FROM label_provenance p "
            'JOIN cases c ON c.name = p."case" JOIN sources s ON s.name = p.source JOIN labels l '
            "ON l.case_id = c.id AND l.source_id = s.id AND l.revision = p.revision ORDER BY p.label, p.structure"
        ),
    }


def phantom(index: int = 0, cohort: Cohort = COHORT) -> Any:
    """A case of the cohort as arrays."""
    return make_case(cohort, index)
