"""The process that meets the inputs: the real program, one command after another, in a bounded address space.

`python -m tests.mutation.worker WORKSPACE INPUTS.jsonl NOTES.jsonl MIB`: reads one list of arguments a line, and notes
one line when a command begins and one when it ends, so that whoever waits knows which one never did.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from flaredb.workspace import Workspace
from tests.cohorts import flaredb


def main() -> None:
    """Run the commands."""
    root, inputs, notes = map(Path, sys.argv[1:4])
    lines = inputs.read_text(encoding="utf-8").splitlines()
    flaredb("ingest", "images", "/nowhere", workspace=root)  # everything is loaded before memory is bounded
    limit = _now() + int(sys.argv[4]) * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with notes.open("a", buffering=1) as out:
        for line in lines:
            number, command = json.loads(line)
            out.write(json.dumps({"number": number}) + "\n")
            begun = time.monotonic()
            done = flaredb(*command, workspace=root)
            with Workspace.open(root) as workspace:
                staged = len(workspace.volumes.staged())
            told = {"code": done.code, "out": done.out, "err": done.err, "staged": staged}
            told |= {"seconds": time.monotonic() - begun, "peak_mib": _peak()}
            out.write(json.dumps({"number": number, **told}) + "\n")


def _now() -> int:
    """Bytes of address space in use."""
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0]) * resource.getpagesize()


def _peak() -> float:
    """The most memory this program ever held, MiB; what its parent held before it began does not count."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
