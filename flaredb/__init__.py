"""flaredb: every scan, label version, training set, model and promotion of a segmentation project, in one place.

A *workspace* is a folder with a catalogue (a database), volumes (voxels, stored once) and models. Open one with
`Workspace.open(path)`; every command of the `flaredb` program is a function of `flaredb.workflow` that takes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flaredb.version import __version__

if TYPE_CHECKING:
    from flaredb.workspace import Workspace

__all__ = ["Workspace", "__version__"]


def __getattr__(name: str) -> Any:
    """Import `Workspace` on first use, so that `flaredb --help` loads no database."""
    if name == "Workspace":
        from flaredb.workspace import Workspace

        return Workspace
    raise AttributeError(f"module 'flaredb' has no attribute {name!r}")
