"""The state of a workspace at a glance: counts, coverage and patterns as plain counting gives them; what is wrong."""

from __future__ import annotations

from collections import Counter, defaultdict

from flaredb.catalog import labels
from flaredb.errors import Finding
from flaredb.labels.policy import HUMAN
from flaredb.workflow.findings import finding_ack
from flaredb.workflow.label.sources import withdraw_source
from flaredb.workflow.rounds.advance import RoundOptions, round_start
from flaredb.workflow.status import status
from flaredb.workspace import Workspace
from tests.cohorts import flaredb, tiny


def test_status_counts(workspace):
    """Cases, labels, coverage by kind and annotated patterns are those of the cohort."""
    found = status(workspace)
    assert (found["cases"], found["labels"], found["models"], found["rounds"]) == (11, 18, 0, [])
    assert found["coverage"]["tumor"] == {"tumor-only": 2, "ground-truth": 1 + 3}
    assert found["coverage"]["liver"] == {"ground-truth": 3 + 3, "external": 10}
    assert found["coverage"]["duodenum"] == {"ground-truth": 1 + 3}
    assert sum(pattern["cases"] for pattern in found["patterns"]) == 8
    assert {"structures": ["tumor"], "cases": 2} in found["patterns"]
    assert (found["schema"], found["problems"]) == ("head", [])


def plain(workspace: Workspace) -> tuple[dict[str, dict[str, int]], Counter[frozenset[str]]]:
    """Coverage and patterns counted label by label."""
    with workspace.catalog.read() as connection:
        every = labels.every(connection)
    cases: dict[tuple[str, str], set[str]] = defaultdict(set)
    human: dict[str, set[str]] = defaultdict(set)
    for label in every:
        for name in label.annotated:
            cases[name, label.kind].add(label.case)
        if label.kind in HUMAN:
            human[label.case] |= set(label.annotated)
    covered: dict[str, dict[str, int]] = {name: {} for name in workspace.structures.names}
    for (name, kind), found in cases.items():
        covered[name][kind] = len(found)
    return covered, Counter(frozenset(names) for names in human.values())


def test_coverage_is_plain_counting(after_round, tmp_path):
    """With predictions, announced labels and withdrawn ones: what there is, whether it is used or not."""
    table = tmp_path / "t.csv"
    table.write_text("case,source,kind,annotated\nFLARE23_0001,announced,ground-truth,aorta liver\n")
    assert flaredb("ingest", "table", table, workspace=after_round.root).code == 0
    withdraw_source(after_round, "flare21", "licence", yes=True)
    found, (covered, patterns) = status(after_round), plain(after_round)
    assert found["coverage"] == covered
    assert Counter({frozenset(row["structures"]): row["cases"] for row in found["patterns"]}) == patterns
    assert len(found["patterns"]) == len(patterns)
    assert [row["cases"] for row in found["patterns"]] == sorted((r["cases"] for r in found["patterns"]), reverse=True)
    assert {"pseudo", "external", "ground-truth"} <= set(found["coverage"]["liver"])
    (view,) = after_round.sql("SELECT cases FROM coverage WHERE structure = 'liver' AND kind = 'pseudo'")
    assert view["cases"] == found["coverage"]["liver"]["pseudo"]


def test_what_is_wrong_is_said(workspace):
    """Interrupted writes and errors nobody acknowledged, each with the command that shows or repairs it."""
    (workspace.volumes.root / "staging" / "1-dead").mkdir(parents=True)
    with workspace.run("test") as run, run.write() as write:
        remarks = [Finding(severity, None, "r", "m") for severity in ("error", "error", "warning", "info")]
        write.add_findings(remarks)
    assert status(workspace)["problems"] == [
        "1 interrupted writes; flaredb gc",
        "2 findings of errors nobody acknowledged; flaredb finding list --open",
    ]
    for row in workspace.sql("SELECT id FROM findings WHERE severity = 'error'"):
        finding_ack(workspace, row["id"], "seen")
    assert status(workspace)["problems"] == ["1 interrupted writes; flaredb gc"]


def test_rounds_are_listed(workspace):
    """With their state."""
    round_start(workspace, "organ", RoundOptions(tiny(), device="cpu"))
    assert status(workspace)["rounds"] == [{"round": "organ/1", "state": "open"}]


def test_an_empty_workspace_has_a_status(empty):
    """Nothing anywhere, every structure listed."""
    found = status(empty)
    assert (found["cases"], found["labels"], found["patterns"], found["problems"]) == (0, 0, [], [])
    assert found["coverage"] == {name: {} for name in empty.structures.names}
    done = flaredb("status", workspace=empty.root)
    keys = {"cases", "labels", "models", "rounds", "coverage", "patterns", "schema", "problems"}
    assert (done.code, set(done.json) >= keys) == (0, True)
