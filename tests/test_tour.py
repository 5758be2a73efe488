"""The README's tour and the command reference are what the program does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_readme_tour_runs_as_it_stands(tmp_path: Path) -> None:
    """Every line of the README that starts with `$ ` works, in order, in an empty folder."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("<!-- tour -->", 1)[1]
    lines = re.findall(r"^\$ (.*)$", text, re.MULTILINE)
    assert len(lines) > 12
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment.pop("FLAREDB_WORKSPACE", None)
    script = "\n".join(["set -e", *lines])
    done = subprocess.run(["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "annotated.csv" in done.stdout
    assert "0 problems" in done.stdout


def test_readme_python_example_runs(tmp_path: Path) -> None:
    """The Python lines of the README work on the tour's workspace."""
    program = [sys.executable, "-m", "flaredb"]
    for arguments in (
        ["tour-files", "files"],
        ["init", "study"],
        ["-w", "study", "ingest", "images", "files/imagesTr2200"],
    ):
        subprocess.run([*program, *arguments], cwd=tmp_path, check=True, capture_output=True)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_command_reference_is_the_help() -> None:
    """docs/commands.md is what docs/make_commands.py writes."""
    program = "import runpy, sys; print(runpy.run_path(sys.argv[1])['reference'](), end='')"
    script = ROOT / "docs" / "make_commands.py"
    written = subprocess.run([sys.executable, "-c", program, script], capture_output=True, text=True, check=True)
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == written.stdout
