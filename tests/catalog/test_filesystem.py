"""The file system under a folder, from the text of /proc/mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from flaredb.catalog.filesystem import filesystem, refuse_network
from flaredb.errors import UsageError

MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
proc /proc proc rw 0 0
server:/home /home nfs4 rw 0 0
/dev/sdb1 /home/local xfs rw 0 0
//server/share /mnt/our\040share cifs rw 0 0
/dev/sdc1 /data ext4 rw 0 0
me@host:/data /data fuse.sshfs rw 0 0
""".lstrip("\n")


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/workspace", "ext4"),
        ("/home/me/workspace", "nfs4"),
        ("/home/local/workspace", "xfs"),
        ("/home/locality", "nfs4"),
        ("/mnt/our share/a/b", "cifs"),
        ("/data/x", "fuse.sshfs"),
    ],
)
def test_the_nearest_mount_counts(folder: str, kind: str) -> None:
    """The deepest one above the folder, the later of two at one place; names may hold spaces."""
    assert filesystem(Path(folder), MOUNTS) == kind


def test_a_system_that_does_not_say() -> None:
    """Nothing is refused on a guess."""
    assert filesystem(Path("/home/me"), "") == "unknown"
    refuse_network(Path("/home/me"), "")


@pytest.mark.parametrize("folder", ["/home/me/study", "/mnt/our share/study", "/data/study"])
def test_network_disks_are_refused_with_advice(folder: str) -> None:
    """SQLite's log does not work there; PostgreSQL does."""
    with pytest.raises(UsageError, match="--catalog postgresql://"):
        refuse_network(Path(folder), MOUNTS)


def test_this_machine_says() -> None:
    """The real table of mounts can be read."""
    assert filesystem(Path("/proc/self")) == "proc"
