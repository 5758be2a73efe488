"""The cohort of a seed in a workspace, and the same volumes for the methods that need no catalogue."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from partial.cohort import Case, Stored

from flaredb.catalog import cases, labels
from flaredb.phantom import Cohort
from flaredb.workflow.demo.cohort import FOLDERS, TABLE, write_cohort
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.images import ImageOptions, ingest_images
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workspace import CONFIG, Workspace
from looping.plan import CASES, TEST, VALIDATION

HUMAN = "flare23"


class Cases(NamedTuple):
    """Cases that people annotated, and all of them; of those without annotation the label is empty."""

    annotated: Stored
    all: Stored


def open_workspace(folder: Path, seed: int, small: bool) -> Workspace:
    """The workspace of a seed with scans and labels; made if it is not there, gone on with if it is."""
    sizes = (16, 4, 4) if small else (CASES, VALIDATION, TEST)
    files, home = folder / "cohort", folder / "workspace"
    workspace = Workspace.open(home) if (home / CONFIG).exists() else Workspace.create(home)
    write_cohort(files, Cohort(seed, *sizes), workspace.reporter)
    table, human = stated(None, None, files / TABLE), LabelOptions(HUMAN, "ground-truth")
    for name in ("imagesTr2200", "unlabeledTr1800"):
        ingest_images(workspace, files / name, options=ImageOptions("train"))
    ingest_labels(workspace, files / "labelsTr2200", table, human)
    for split, folders in FOLDERS.items():
        ingest_images(workspace, files / folders.images, options=ImageOptions(split))
        ingest_labels(workspace, files / folders.labels, table, human)
    return workspace


def volumes(workspace: Workspace) -> Cases:
    """The cases as the methods without a catalogue take them."""
    store = workspace.volumes
    with workspace.catalog.read() as connection:
        every = list(cases.every(connection))
        drawn = {label.case: label for label in labels.of_source(connection, HUMAN)}
    found = []
    for case in every:
        assert case.image is not None
        label = drawn.get(case.name)
        grid = store.open(case.image).grid
        volume = label.volume if label else store.put_label(np.zeros(grid.shape, np.uint8), grid).volume
        assert volume is not None
        found.append(Case(case.name, case.split, case.image, volume, tuple(label.annotated) if label else ()))
    test = tuple(case for case in found if case.split == "test")
    training = tuple(case for case in found if case.split == "train")
    return Cases(Stored(store, tuple(case for case in training if case.annotated), test), Stored(store, training, test))
