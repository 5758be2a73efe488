"""A model as a folder that stands by itself: `weights.safetensors`, and `model.json` with all that was known of it.

Whoever has the folder can predict, and start from it, without a catalogue. `model.json` comes last and names the
digest of the weights: a folder without it is no package, and one whose weights are others is refused. Nothing in it is
ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from flaredb.durable import settle
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.labels.structures import Structure
from flaredb.trainers.config import Config, change, from_document

WEIGHTS = "weights.safetensors"
DOCUMENT = "model.json"
_FORMAT = "flaredb-model"
_VERSION = 1
_HEX = {"name": re.compile(r"m-[0-9a-f]{12}"), "snapshot": re.compile(r"s-[0-9a-f]{12}")}
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "task": str,
    "structures": list,
    "config": dict,
    "snapshot": str,
    "digest": str,
    "steps": int,
    "losses": list,
    "code_version": str,
    "environment": dict,
    "seed": int,
    "parent": (str, type(None)),
    "weights_sha256": str,
}


@dataclass(frozen=True)
class Package:
    """A trained model outside a catalogue.

    `structures`: those of the task, in the order of the network's classes 1, 2, 3 …; `value` is the code to write.
    `snapshot` and `digest`: what it was trained from. `losses`: of every step, or empty where they are not known.
    `weights_sha256`: of the file, filled in by writing and reading.
    """

    name: str
    task: str
    structures: tuple[Structure, ...]
    config: dict[str, Any]
    snapshot: str
    digest: str
    steps: int
    losses: tuple[float, ...]
    code_version: str
    environment: dict[str, str]
    seed: int
    parent: str | None
    weights: dict[str, Tensor]
    weights_sha256: str = ""

    @property
    def settings(self) -> Config:
        """Its configuration; settings that came later than it have their defaults."""
        return from_document(self.config)

    @property
    def lesions(self) -> tuple[str, ...]:
        """Names of the structures that are lesions."""
        return tuple(structure.name for structure in self.structures if structure.kind == "lesion")


def model_name(*content: str) -> str:
    """`m-` and twelve digits that follow from what a model was made of."""
    return "m-" + hashlib.sha256("\n".join(content).encode()).hexdigest()[:12]


def write_package(folder: Path, package: Package) -> str:
    """Write a package into a folder, made if need be; the SHA-256 of its weights.

    The same package again changes nothing. ConflictError if the folder holds another one, InvalidDataError for a
    package that could not be read.
    """
    _document(package, "0" * 64)
    folder.mkdir(parents=True, exist_ok=True)
    stage = folder / f".{WEIGHTS}.part"
    save_file({name: value.detach().cpu().contiguous() for name, value in package.weights.items()}, stage)
    digest = _sha256(stage)
    text = _document(package, digest)
    mark = folder / DOCUMENT
    if mark.exists():
        stage.unlink()
        if mark.read_text(encoding="utf-8") == text and (folder / WEIGHTS).is_file():
            return digest
        raise ConflictError(f"{folder} holds a model already; give another folder")
    settle(stage, folder / WEIGHTS)
    part = folder / f".{DOCUMENT}.part"
    part.write_text(text, encoding="utf-8")
    settle(part, mark)
    return digest


def read_package(folder: Path) -> Package:
    """Read a package; NotFoundError if the folder holds none, InvalidDataError if it is not what it says."""
    document = read_document(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        raise InvalidDataError(f"{folder.name} lacks {WEIGHTS}; copy the whole folder again")
    if _sha256(path) != document["weights_sha256"]:
        raise InvalidDataError(f"{folder.name}/{WEIGHTS} is not the file that {DOCUMENT} names; copy the folder again")
    try:
        weights = load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise InvalidDataError(f"{folder.name}/{WEIGHTS} holds no weights: {error}") from error
    fields = {key: document[key] for key in _KINDS}
    fields["structures"] = tuple(Structure(**each) for each in document["structures"])
    fields["losses"] = tuple(document["losses"])
    return Package(**fields, weights=weights)


def read_document(folder: Path) -> dict[str, Any]:
    """What `model.json` of a folder says, checked, without the weights."""
    path = folder / DOCUMENT
    if not path.is_file():
        raise NotFoundError(f"{folder} holds no model ({DOCUMENT}); flaredb model export ID DIR writes one")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        _check(document)
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidDataError(f"{folder.name}/{DOCUMENT} is not a model that flaredb wrote: {error}") from error
    return dict(document)


def check_weights(package: Package) -> None:
    """Put the weights into the network that the configuration describes; InvalidDataError if they do not fit."""
    from flaredb.trainers.networks import build_network  # slow to import, and only who imports a model needs it

    network = build_network(package.settings, len(package.structures) + 1)
    try:
        network.load_state_dict(package.weights)
    except RuntimeError as error:
        message = f"the weights of {package.name} are not of the network that its settings describe"
        raise InvalidDataError(message) from error


def _document(package: Package, digest: str) -> str:
    own = {key: value for key, value in vars(package).items() if key != "weights"}
    own |= {"structures": [structure._asdict() for structure in package.structures], "weights_sha256": digest}
    try:
        text = json.dumps({"format": _FORMAT, "version": _VERSION, **own}, indent=1, allow_nan=False)
        _check(json.loads(text))
    except (TypeError, ValueError) as error:
        raise InvalidDataError(f"model {package.name} cannot be written: {error}") from error
    return text


def _check(document: dict[str, Any]) -> None:
    """ValueError, TypeError or KeyError that says what is wrong with a document."""
    if document["format"] != _FORMAT or document["version"] != _VERSION:
        raise ValueError(f"format {document['format']} {document['version']}; this version reads {_FORMAT} {_VERSION}")
    for key, kind in _KINDS.items():
        if not isinstance(document[key], kind) or isinstance(document[key], bool):
            raise ValueError(f"{key} is {document[key]!r:.40}")
    for key, pattern in _HEX.items():
        if not pattern.fullmatch(document[key]):
            raise ValueError(f"{key} is {document[key]!r:.40}")
    for key in ("digest", "weights_sha256"):
        if not _DIGEST.fullmatch(document[key]):
            raise ValueError(f"{key} is no SHA-256")
    _check_structures([Structure(**each) for each in document["structures"]])
    if not all(isinstance(loss, int | float) for loss in document["losses"]):
        raise ValueError("losses are not numbers")
    change(from_document(document["config"]), {})


def _check_structures(structures: list[Structure]) -> None:
    if len({s.name for s in structures}) != len(structures) or not structures:
        raise ValueError("structures are none, or named twice")
    if any(s.kind not in ("organ", "lesion") or not 0 < s.value < 256 for s in structures):
        raise ValueError("a structure is neither organ nor lesion, or its value is not from 1 to 255")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
