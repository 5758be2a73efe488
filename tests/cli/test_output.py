"""What people see of rows and findings."""

from __future__ import annotations

import json
import re

import pytest

from flaredb.cli import output
from flaredb.errors import Finding

AT = "2026-11-24T12:49:33.859575+00:00"


def test_a_table_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Moments to the second, objects in words, nothing as a dash; exact where values are to be copied."""
    row = {"at": AT, "verdicts": {"fine": 2, "not looked at": 4}, "by": None, "dsc": 0.123456}
    output.print_table([row])
    shown = re.split("  +", capsys.readouterr().out.splitlines()[1].strip())
    assert shown == ["2026-11-24 12:49:33", "fine: 2, not looked at: 4", "-", "0.1235"]
    output.print_table([row], ["at"], exact=True)
    assert AT in capsys.readouterr().out
    output.print_json([row])
    assert json.loads(capsys.readouterr().out) == [row]


@pytest.mark.parametrize(
    ("case", "path", "line"),
    [
        (None, None, "info: two agree [fused]"),
        ("FLARE23_0001", None, "info: FLARE23_0001: two agree [fused]"),
        ("FLARE23_0001", "a.nii.gz", "info: FLARE23_0001 a.nii.gz: two agree [fused]"),
    ],
)
def test_a_finding_names_its_place(
    capsys: pytest.CaptureFixture[str], case: str | None, path: str | None, line: str
) -> None:
    """Where it has one."""
    output.print_findings([Finding("info", case, "fused", "two agree", path)])
    assert capsys.readouterr().err == line + "\n"
