"""The import table of architecture.md: one package, one room; no arrow goes up; no cycle; modules of readable size.

Imports anywhere in a module count, inside functions and under TYPE_CHECKING too.
"""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "flaredb"
LONGEST = 400
FORBIDDEN_NAMES = {"utils", "helpers", "common", "core", "base", "misc"}

# Foreign package → the rooms that may import it; numpy is everywhere, anything else must be listed.
ROOMS = {
    "sqlalchemy": {"catalog"},
    "alembic": {"catalog"},
    "tensorstore": {"volumes"},
    "zarr": {"volumes"},
    "SimpleITK": {"exchange"},
    "nibabel": {"exchange"},
    "isal": {"exchange"},
    "pydicom": {"exchange"},
    "highdicom": {"exchange"},
    "torch": {"trainers"},
    "monai": {"trainers"},
    "safetensors": {"trainers"},
    "openvino": {"trainers"},
    "tensorboard": {"trainers"},
    "click": {"cli"},
    "rich": {"cli"},
    "edt": {"metrics"},
    "scipy": {"metrics"},
    "surface_distance": {"metrics"},
    "cc3d": {"metrics"},
    "matplotlib": {"workflow"},
    "jinja2": {"workflow", "web"},
    "dask": {"workflow"},
    "cronsim": {"workflow"},
    "pyarrow": {"workflow"},
}
EVERYWHERE = {"numpy"}

# Room → the rooms or modules it may import, besides its own.
GROUND = {"durable", "errors", "geometry", "progress", "version"}
ARROWS = {
    "flaredb": {"workspace", "version"},
    "__main__": {"cli"},
    "cli": {"workflow", "workspace", "catalog", "trainers.config", "trainers.presets", *GROUND},
    "workflow": {
        "workspace", "catalog", "volumes", "labels", "trainers", "exchange", "metrics", "phantom", *GROUND,
    },
    "workspace": {"catalog", "volumes", "labels", *GROUND},
    "catalog": {"labels", *GROUND},
    "trainers": {"labels", "volumes", *GROUND},
    "volumes": GROUND,
    "exchange": GROUND,
    "metrics": GROUND,
    "phantom": {"errors", "geometry"},
    "labels": {"errors"},
    "geometry": {"errors"},
    "progress": {"errors"},
    "durable": set(),
    "errors": set(),
    "version": set(),
}  # fmt: skip


class Import(NamedTuple):
    """An import of a module as written somewhere in another."""

    module: str
    line: int
    imported: str


def modules(package: Path) -> dict[str, Path]:
    """Dotted name → file of every module."""
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = ("flaredb", *file.relative_to(package).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(package: Path) -> Iterator[Import]:
    """Every import of every module; `from package import module` is an import of the module."""
    known = modules(package)
    for module, file in known.items():
        for node in import_nodes(file.read_text(encoding="utf-8")):
            if isinstance(node, ast.Import):
                yield from (Import(module, node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                source = absolute(module, file, node)
                for alias in node.names:
                    inner = f"{source}.{alias.name}"
                    yield Import(module, node.lineno, inner if inner in known else source)
            else:
                yield Import(module, node.lineno, "importlib.import_module")


@cache
def import_nodes(text: str) -> tuple[ast.stmt | ast.expr, ...]:
    """The nodes of a module's text that import something; the same text is read once."""
    nodes = ast.walk(ast.parse(text))
    return tuple(n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom) or is_import_call(n))


def absolute(module: str, file: Path, node: ast.ImportFrom) -> str:
    """The module that a possibly relative `from` names."""
    if not node.level:
        return node.module or ""
    parents = module.split(".")
    kept = parents[: len(parents) - node.level + (file.name == "__init__.py")]
    return ".".join([*kept, *([node.module] if node.module else [])])


def is_import_call(node: ast.AST) -> bool:
    """Whether this is `__import__(…)` or `import_module(…)`, which would pass by the table."""
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in ("__import__", "import_module")


def room(module: str) -> str:
    """`flaredb.labels.policy` is in the room `labels`; `flaredb` is a room of its own."""
    return module.split(".")[1] if "." in module else module


def violations(package: Path) -> list[str]:
    """Every breach of the table, the sizes and the names; one line each."""
    found = [breach for each in imports(package) if (breach := forbidden(each))]
    found += [f"cycle: {' → '.join(cycle)}" for cycle in cycles(package)]
    for module, file in modules(package).items():
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > LONGEST and ".versions." not in module:  # a released migration is frozen, whatever its length
            found.append(f"{module} has {lines} lines")
        if set(module.split(".")) & FORBIDDEN_NAMES:
            found.append(f"{module} has a name that says nothing")
    return found


def forbidden(each: Import) -> str | None:
    """What is wrong with an import, or None."""
    own, top = room(each.module), each.imported.split(".")[0]
    where = f"{each.module}:{each.line} imports {each.imported}"
    if each.imported == "importlib.import_module":
        return f"{each.module}:{each.line} imports by a call, past this table"
    if top == "flaredb":
        target = room(each.imported)
        allowed = ARROWS.get(own, set())
        fits = target == own or target in allowed or each.imported.removeprefix("flaredb.") in allowed
        return None if fits else f"{where}: no arrow from {own} to {target}"
    if top in sys.stdlib_module_names or top in EVERYWHERE:
        return None
    if top not in ROOMS:
        return f"{where}: a package without a room"
    return None if own in ROOMS[top] else f"{where}: its room is {' or '.join(sorted(ROOMS[top]))}"


def cycles(package: Path) -> list[list[str]]:
    """One cycle of imports for each module that starts one, shortest first; every cycle once."""
    graph: dict[str, set[str]] = {module: set() for module in modules(package)}
    for each in imports(package):
        if each.imported in graph and each.imported != each.module:
            graph[each.module].add(each.imported)
    found: dict[frozenset[str], list[str]] = {}
    for start in graph:
        path = way_back(graph, start)
        if path:
            found.setdefault(frozenset(path), path)
    return sorted(found.values(), key=len)


def way_back(graph: dict[str, set[str]], start: str) -> list[str]:
    """The shortest way from a module back to itself, or nothing."""
    ways = [[start]]
    seen = set()
    for way in ways:  # grows while it is walked
        for after in sorted(graph[way[-1]]):
            if after == start:
                return [*way, start]
            if after not in seen:
                seen.add(after)
                ways.append([*way, after])
    return []


def test_the_code_keeps_the_table() -> None:
    """Every import of every module follows an arrow or stays in its room; no cycle, no long module, no empty name."""
    found = violations(PACKAGE)
    assert not found, "\n".join(found)


def test_every_room_is_in_the_table() -> None:
    """A new room is entered here before it is used."""
    assert {room(module) for module in modules(PACKAGE)} <= set(ARROWS)


def folder(module: str) -> str | None:
    """`flaredb.workflow.ingest.images` is in the folder `ingest`; a module beside the folders is in none."""
    parts = module.split(".")
    return parts[2] if parts[1:2] == ["workflow"] and len(parts) > 3 else None


def test_folders_of_the_workflow_do_not_lean_on_each_other() -> None:
    """What imports go between the folders of verbs form no cycle."""
    ways = {(folder(each.module), folder(each.imported)) for each in imports(PACKAGE)}
    between = {(own, other) for own, other in ways if own and other and own != other}
    graph = {name: {other for own, other in between if own == name} for pair in between for name in pair}
    assert ("rounds", "train") in between
    assert not [way for name in graph if (way := way_back(graph, name))]


def test_the_walk_sees_the_code() -> None:
    """Not vacuous: it finds every module, and imports inside functions and under TYPE_CHECKING."""
    found = {(each.module, each.imported) for each in imports(PACKAGE)}
    assert len(modules(PACKAGE)) > 60
    assert ("flaredb.labels.combine", "flaredb.labels.labelset") in found
    assert ("flaredb.cli.case", "flaredb.catalog.cases") in found
    assert ("flaredb", "flaredb.workspace") in found
    assert ("flaredb.catalog.database", "sqlalchemy") in found


PLANTED = [
    ("labels/x.py", "import torch\n", "labels.x:1 imports torch"),
    ("labels/x.py", "def f():\n    from flaredb.catalog import tables\n", "labels.x:2 imports flaredb.catalog.tables"),
    ("labels/x.py", "from flaredb.geometry import Grid\n", "no arrow from labels to geometry"),
    ("volumes/x.py", "from flaredb.catalog import tables\n", "no arrow from volumes to catalog"),
    ("volumes/x.py", "from ..catalog import tables\n", "no arrow from volumes to catalog"),
    ("volumes/x.py", "from .. import metrics\n", "no arrow from volumes to metrics"),
    (
        "metrics/x.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from flaredb.volumes.store import VolumeStore\n",
        "no arrow from metrics to volumes",
    ),
    ("exchange/x.py", "import sqlalchemy.orm\n", "its room is catalog"),
    ("catalog/x.py", "import zarr\n", "its room is volumes"),
    ("catalog/x.py", "from flaredb.workspace import Workspace\n", "no arrow from catalog to workspace"),
    ("trainers/x.py", "from flaredb.catalog import labels\n", "no arrow from trainers to catalog"),
    ("workflow/x.py", "import torch\n", "its room is trainers"),
    ("workflow/x.py", "from flaredb.cli import output\n", "no arrow from workflow to cli"),
    ("cli/x.py", "from flaredb.trainers import loop\n", "no arrow from cli to trainers"),
    ("cli/x.py", "from flaredb.labels import policy\n", "no arrow from cli to labels"),
    ("phantom/x.py", "import scipy.ndimage\n", "its room is metrics"),
    ("errors.py", "import flaredb.geometry\n", "no arrow from errors to geometry"),
    ("labels/x.py", "import pandas\n", "a package without a room"),
    ("labels/x.py", "import importlib\nimportlib.import_module('torch')\n", "imports by a call"),
    ("labels/x.py", "__import__('torch')\n", "imports by a call"),
    ("newroom/x.py", "from flaredb import errors\n", "no arrow from newroom to errors"),
    ("labels/x.py", "def f():\n    from flaredb.labels import y\n", "cycle: flaredb.labels.x → flaredb.labels.y"),
    ("labels/utils.py", "", "labels.utils has a name that says nothing"),
    ("labels/x.py", "\n" * 401, "labels.x has 401 lines"),
]


@pytest.mark.parametrize(("place", "code", "said"), PLANTED, ids=[said for _, _, said in PLANTED])
def test_a_planted_breach_is_reported(tmp_path: Path, place: str, code: str, said: str) -> None:
    """In a copy of the tree with one wrong line, the check says which; without it, it does not."""
    copy = tmp_path / "flaredb"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = violations(copy)
    assert not any(said in line for line in before)
    file = copy / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(code)
    (copy / "labels" / "y.py").write_text("from flaredb.labels import x\n")
    assert any(said in line for line in violations(copy))


HEAVY = {
    "torch", "monai", "SimpleITK", "nibabel", "zarr", "tensorstore", "sqlalchemy", "alembic", "scipy", "matplotlib",
    "jinja2", "edt", "surface_distance", "safetensors",
}  # fmt: skip
HELP = """
import runpy, sys
sys.argv = ["flaredb", "--help"]
try:
    runpy.run_module("flaredb", run_name="__main__")
finally:
    print("LOADED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_help_loads_nothing_heavy() -> None:
    """`flaredb --help` answers without loading a database, an image library or a network."""
    done = subprocess.run([sys.executable, "-c", HELP], cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert "Usage:" in done.stdout
    loaded = set(done.stdout.rpartition("LOADED")[2].split())
    assert {"flaredb", "click"} <= loaded
    assert not loaded & HEAVY
