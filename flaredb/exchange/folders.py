"""What the folders and names of a collection tell: which layout it has, what is a scan and what a label.

The nearest folder that says something decides. Folder names are those in which FLARE21, 22 and 23, nnU-Net and the
Medical Segmentation Decathlon are distributed, and common ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from flaredb.exchange.casenames import CHANNEL, stem

Role = Literal["image", "label"]

LAYOUTS = ("auto", "flat", "flare21", "flare22", "flare23", "nnunet", "msd", "dicom")
_IMAGE = re.compile(
    r"images?((tr|ts|val)\d*)?|imgs?|trainingimg|unlabel.*|(val|validation|test)([-_]?(images?|imgs?))?|scans?", re.I
)
_LABEL = re.compile(
    r"labels?((tr|ts|val)\d*)?|trainingmask|masks?|seg(mentation)?s?|gt|ground[-_]?truth"
    r"|(val|validation|test)[-_]?(gt|labels?|masks?)([-_].*)?|.*[-_](gt|labels?|masks?)|.*pseudo.*",
    re.I,
)
_PSEUDO = re.compile(r".*pseudo.*", re.I)
_FIX = re.compile(r"(\d{8}[-_]?)?(fix|fixed|corrected|correction)s?", re.I)
_SPLITS = (
    ("validation", re.compile(r"val|validation|imagesval|(val|validation)[-_]?(images?|imgs?)", re.I)),
    ("test", re.compile(r"test|imagests|(test)[-_]?(images?|imgs?)", re.I)),
)
_FLARE = (
    ("flare23", r"(images|labels)Tr2200.*|unlabel(ed)?Tr1800|.*FLARE23.*", r"FLARE23(Ts)?_\d{4}(_0000)?"),
    ("flare22", r".*FLARE22.*", r"(FLARE22_Tr_\d{4}|FLARETs_\d{4}|Case_?\d+)(_0000)?"),
    ("flare21", r"TrainingImg|TrainingMask|.*FLARE21.*", r"(train|validation)_\d{3}(_0000)?"),
)


class Place(NamedTuple):
    """What the folders above a file say of it; None for what they do not say.

    `below` tells whether a folder below the root said the role, else the root's own name did. `collection` is that
    folder, or the topmost one of generated labels (`pseudo`); `fix` says that the file lies among corrections.
    """

    role: Role | None
    below: bool
    split: str | None
    collection: str
    fix: bool
    pseudo: bool


def place(below: PurePosixPath, root: str) -> Place:
    """Where a file lies, from its path below the root and the root's own name."""
    folders = [root, *below.parts[:-1]]
    fix = any(_FIX.fullmatch(name) for name in folders)
    pseudo = next((depth for depth, name in enumerate(folders) if _PSEUDO.fullmatch(name)), None)
    speaking = next((depth for depth in range(len(folders) - 1, -1, -1) if _role(folders[depth])), None)
    if speaking is None:
        return Place(None, False, None, root, fix, False)
    name = folders[speaking]
    split = next((split for split, names in _SPLITS if names.fullmatch(name)), None)
    top = speaking if pseudo is None else pseudo
    return Place(_role(name), speaking > 0, split, "/".join(folders[1 : top + 1]) or root, fix, pseudo is not None)


def recognise(root: Path, belows: Sequence[PurePosixPath], dicom: bool) -> str:
    """The layout that names and folders show; `flat` if none. `dicom` says that all found are folders of slices."""
    if dicom:
        return "dicom"
    folders = {root.resolve().name, *(part for below in belows for part in below.parts[:-1])}
    stems = [stem(Path(below.name)) for below in belows]
    for name, folder, file in _FLARE:
        named = sum(bool(re.fullmatch(file, each)) for each in stems)
        if any(re.fullmatch(folder, each) for each in folders) or (named and named * 2 > len(stems)):
            return name
    if not any(re.fullmatch(r"(images|labels)(Tr|Ts)", each) for each in folders):
        return "flat"
    images = [each for each, below in zip(stems, belows, strict=True) if place(below, root.name).role == "image"]
    second = _described(root) or _described(root.parent)
    return "nnunet" if second or any(each.endswith(CHANNEL) for each in images) else "msd"


def channels(paths: Iterable[Path]) -> set[Path]:
    """Files of a further channel: `X_0001` beside `X_0000`."""
    everything = list(paths)
    first = {(path.parent, stem(path).removesuffix(CHANNEL)) for path in everything if stem(path).endswith(CHANNEL)}
    return {
        path
        for path in everything
        if re.fullmatch(r".*_\d{4}", stem(path))
        and not stem(path).endswith(CHANNEL)
        and (path.parent, stem(path)[:-5]) in first
    }


def _role(name: str) -> Role | None:
    if _IMAGE.fullmatch(name):
        return "image"
    return "label" if _LABEL.fullmatch(name) else None


def _described(folder: Path) -> bool:
    """Whether there is a `dataset.json` of nnU-Net's second version; the first one's looks like the decathlon's."""
    try:
        document = json.loads((folder / "dataset.json").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and ("channel_names" in document or "file_ending" in document)
