"""A package is whole or not there, says what it is, and is refused when it is anything else."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.labels.structures import FLARE23
from flaredb.trainers.config import Config
from flaredb.trainers.package import Package, model_name, read_package, write_package

ROOT = Path(__file__).parents[2]


def made(**changes: Any) -> Package:
    """A package of a network with two tensors."""
    package = Package(
        name=model_name("made"),
        task="all",
        structures=FLARE23.structures,
        config=json.loads(json.dumps(asdict(Config()))),
        snapshot="s-0123456789ab",
        digest="0123456789ab" + "0" * 52,
        steps=2,
        losses=(1.5, 0.25),
        code_version="0",
        environment={"torch": "2"},
        seed=3,
        parent=None,
        weights={"b": torch.arange(6.0).reshape(2, 3).T, "a": torch.ones(2, dtype=torch.bfloat16)},
    )
    return replace(package, **changes)


def test_a_package_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Every field and every tensor, whatever its type and strides; the folder holds two files."""
    digest = write_package(tmp_path / "m", made())
    found = read_package(tmp_path / "m")
    assert replace(found, weights={}) == replace(made(), weights={}, weights_sha256=digest)
    assert all(torch.equal(found.weights[name], value) for name, value in made().weights.items())
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["model.json", "weights.safetensors"]
    assert found.lesions == ("tumor",)
    assert found.settings == Config()


def test_the_same_again_changes_nothing_and_another_is_refused(tmp_path: Path) -> None:
    """A folder holds one model; what is there stays as it is."""
    write_package(tmp_path, made())
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_package(tmp_path, made())
    with pytest.raises(ConflictError, match="another folder"):
        write_package(tmp_path, made(seed=4))
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_an_interrupted_package_is_none(tmp_path: Path) -> None:
    """Killed before the document is in place, the folder is no package; writing again makes it one."""
    script = (
        "import os, pathlib, sys; from tests.trainers.test_package import *; from flaredb.trainers import package\n"
        "real = package.settle\n"
        "package.settle = lambda part, final: os._exit(9) if final.suffix == '.json' else real(part, final)\n"
        "write_package(pathlib.Path(sys.argv[1]), made())"
    )
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT)
    assert killed.returncode == 9
    assert (tmp_path / "weights.safetensors").exists()
    with pytest.raises(NotFoundError, match="holds no model"):
        read_package(tmp_path)
    write_package(tmp_path, made())
    assert read_package(tmp_path).seed == 3


@pytest.mark.parametrize("place", [10, -1])
def test_a_changed_byte_of_the_weights_is_noticed(tmp_path: Path, place: int) -> None:
    """In the header or in a value."""
    write_package(tmp_path, made())
    held = bytearray((tmp_path / "weights.safetensors").read_bytes())
    held[place] ^= 1
    (tmp_path / "weights.safetensors").write_bytes(held)
    with pytest.raises(InvalidDataError, match="not the file that"):
        read_package(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", "other", "format other"),
        ("version", 2, "this version reads"),
        ("name", "m-../../etc", "name is"),
        ("name", None, "name is"),
        ("snapshot", "s-1", "snapshot is"),
        ("digest", "0", "digest is no"),
        ("steps", True, "steps is"),
        ("losses", ["a"], "losses are not"),
        ("structures", [], "structures are none"),
        ("structures", [{"value": 0, "name": "liver"}], "from 1 to 255"),
        ("structures", [{"value": 1, "label": "liver"}], "label"),
        ("config", {"depth": 3}, "depth"),
        ("config", {"patch": [7, 7, 7]}, "multiples"),
    ],
)
def test_a_document_that_is_off_is_refused(tmp_path: Path, key: str, value: Any, said: str) -> None:
    """The error names the file and what is wrong with it."""
    write_package(tmp_path, made())
    document = json.loads((tmp_path / "model.json").read_text(encoding="utf-8"))
    (tmp_path / "model.json").write_text(json.dumps(document | {key: value}))
    with pytest.raises(InvalidDataError, match=said):
        read_package(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"format": "flaredb-model"}'])
def test_what_is_no_document_is_refused(tmp_path: Path, text: str) -> None:
    """Cut off, empty, or of another kind."""
    write_package(tmp_path, made())
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(InvalidDataError, match="not a model that flaredb wrote"):
        read_package(tmp_path)


class Trap:
    """Unpickled, it makes a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        """What a pickle of it runs."""
        return os.mkdir, ("trapped",)


def test_a_pickle_is_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one whose digest the document names."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(pickle.dumps(Trap()))
    (tmp_path / "trapped").rmdir()  # the trap works
    write_package(tmp_path / "m", made())
    weights = tmp_path / "m" / "weights.safetensors"
    torch.save(Trap(), weights)
    document = json.loads((tmp_path / "m" / "model.json").read_text(encoding="utf-8"))
    document["weights_sha256"] = hashlib.sha256(weights.read_bytes()).hexdigest()
    (tmp_path / "m" / "model.json").write_text(json.dumps(document))
    with pytest.raises(InvalidDataError, match="holds no weights"):
        read_package(tmp_path / "m")
    assert not (tmp_path / "trapped").exists()


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    """A loss that is no number, a name that is none: refused before anything is in place."""
    for wrong in (made(losses=(float("nan"),)), made(name="model")):
        with pytest.raises(InvalidDataError, match="cannot be written"):
            write_package(tmp_path / "m", wrong)
        assert not (tmp_path / "m").exists()


def test_no_catalogue_is_loaded_for_a_package() -> None:
    """A host without one needs none of its libraries."""
    script = "import sys, flaredb.trainers.package; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
