"""What file system a folder is on: SQLite's log works on one machine's own disks only."""

from __future__ import annotations

from pathlib import Path

from flaredb.errors import UsageError

NETWORK = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "beegfs", "ceph", "fuse.ceph", "fuse.glusterfs", "fuse.sshfs",
    "glusterfs", "gpfs", "lustre",
}  # fmt: skip
_MOUNTS = Path("/proc/mounts")
_ESCAPES = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}


def filesystem(folder: Path, mounts: str | None = None) -> str:
    """The type of the file system that holds a folder (which need not exist); `unknown` if the system does not say.

    `mounts` is the text of /proc/mounts.
    """
    if mounts is None:
        mounts = _MOUNTS.read_text(encoding="utf-8") if _MOUNTS.exists() else ""
    found, depth = "unknown", -1
    for line in mounts.splitlines():
        _, place, kind, *_ = line.split(" ")
        for escape, character in _ESCAPES.items():
            place = place.replace(escape, character)
        if folder.is_relative_to(place) and len(Path(place).parts) >= depth:  # a later mount hides an earlier one
            found, depth = kind, len(Path(place).parts)
    return found


def refuse_network(folder: Path, mounts: str | None = None) -> None:
    """UsageError if SQLite would be on a disk that several machines share."""
    kind = filesystem(folder, mounts)
    if kind in NETWORK:
        raise UsageError(
            f"{folder.name} is on {kind}, where SQLite can lose data; make the workspace on a local disk, "
            "or keep its catalogue in PostgreSQL: flaredb init DIR --catalog postgresql://HOST/NAME"
        )
