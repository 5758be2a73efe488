"""Reliability end to end: rounds' labels that differ, figures in SQL, thresholds at promotion, what is current then."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flaredb.catalog import acceptances, labels, rounds, scores, snapshots, tables
from flaredb.catalog.scores import NewScore
from flaredb.catalog.snapshots import NewSnapshot
from flaredb.catalog.standing import RELIABILITY, policy_in_force
from flaredb.errors import ConflictError, InvalidDataError, NotFoundError
from flaredb.labels.policy import Demand
from flaredb.labels.tasks import find_task
from flaredb.workflow.ingest.annotated import stated
from flaredb.workflow.ingest.labels import LabelOptions, ingest_labels
from flaredb.workflow.label.reliability import label_reliability
from flaredb.workflow.provenance.current import label_current, label_explain
from flaredb.workflow.rounds.decide import promote, rollback
from flaredb.workflow.rounds.promotion_filter import Filter, demands, one_filter, read_filter
from flaredb.workflow.rounds.show import round_show
from flaredb.workflow.rounds.task_settings import task_settings
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, codes

CASES = tuple("abcdef")
PSEUDO = LabelOptions("x", "pseudo", accepted=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six scans of noise, and two rounds of labels of them: in case f everything moved, in e the spleen is missed."""
    folder = tmp_path_factory.mktemp("made")
    with Workspace.create(folder / "w") as workspace:
        for number, name in enumerate(CASES):
            add_case(workspace, folder, name, number)
        for source in ("organ/1", "organ/2"):
            for case in CASES:
                moved = source == "organ/2" and case == "f"
                drawn = blocks(3, 1, 1, 0) if moved else blocks(1, 1, 3, 3) if case != "e" else blocks(1, 1)
                path = codes(folder / source / f"{case}.nii.gz", drawn)
                ingest_labels(workspace, path, stated("liver spleen", None, None), PSEUDO._replace(source=source))
        with workspace.run("test") as run, run.write() as write:
            task = snapshots.task_number(write, "organ", find_task(workspace.structures, "organ").structures, "0")
            policy, _ = policy_in_force(write.connection)
            for letter, kind in (("a", "train"), ("b", "reference")):
                snapshots.add(write, NewSnapshot(12 * letter, kind, task, policy, ()))
        for number, state in ((1, "rejected"), (2, "evaluated")):
            _round(workspace, number, state)
    return folder / "w"


def _round(workspace: Workspace, number: int, state: str) -> None:
    """A round to which labels that are there already belong."""
    with workspace.run("test") as run, run.write() as write:
        turn = rounds.find(write.connection, rounds.add(write, "organ", "s-" + 12 * "a", "s-" + 12 * "b", {}))
        rounds.set_source(write, turn.id, labels.source_number(write.connection, f"organ/{number}"))
        rounds.move(write, turn, state, "test", {"structures": {}})
        write.connection.execute(tables.rounds.update().where(tables.rounds.c.id == turn.id).values(number=number))


@pytest.fixture
def workspace(made: Path, tmp_path: Path) -> Iterator[Workspace]:
    """A copy of it, to be changed."""
    shutil.copytree(made, tmp_path / "w")
    with Workspace.open(tmp_path / "w") as opened:
        yield opened


def figures(workspace: Workspace, metric: str, structure: str = "liver") -> dict[str, float]:
    """Case → value of a measure in organ/2."""
    rows = workspace.sql(
        "SELECT \"case\", value FROM label_reliability WHERE source = 'organ/2' AND metric = :metric "
        "AND structure = :structure",
        metric=metric,
        structure=structure,
    )
    return {row["case"]: row["value"] for row in rows}


def winners(workspace: Workspace, structure: str) -> dict[str, str | None]:
    """Case → source of what is current for a structure."""
    rows = [row for row in label_current(workspace) if row["structure"] == structure]
    return {row["case"]: row["source"] for row in rows}


def test_the_label_that_moved_is_the_least_reliable(workspace: Workspace) -> None:
    """Its agreement is that of the formula, the others' is 1; a second run finds nothing new."""
    done = label_reliability(workspace, "organ/2")
    assert (done.added, done.unchanged) == (6, 0)
    assert figures(workspace, "agreement") == dict.fromkeys("abcde", 1.0) | {"f": 0.0}
    # 4 of 5 columns differ (1 1 3 3 · against 3 1 1 · ·), of the 3 that are drawn: u is above 1
    assert figures(workspace, "whole_agreement")["f"] == 0
    told = figures(workspace, "combined")
    assert told["f"] < min(told[case] for case in "abcde")
    again = label_reliability(workspace, "organ/2")
    assert (again.added, again.unchanged) == (0, 6)


def test_what_is_missed_twice_is_not_reliable(workspace: Workspace) -> None:
    """Both rounds leave the spleen out in e and agree perfectly; absent it is nowhere else, so it is not plausible."""
    label_reliability(workspace, "organ/2")
    assert figures(workspace, "agreement", "spleen")["e"] == 1
    assert figures(workspace, "combined", "spleen")["e"] == figures(workspace, "plausibility", "spleen")["e"] < 0.2


def test_a_share_becomes_a_threshold_that_stays(workspace: Workspace, tmp_path: Path) -> None:
    """The worst sixth is left; a case that comes later changes nobody's labels; a figure computed again counts."""
    label_reliability(workspace, "organ/2")
    promote(workspace, "organ/2", "looked at", ["liver"], force=True, asked=read_filter("17%"))
    assert winners(workspace, "liver") == dict.fromkeys("abcde", "organ/2") | {"f": None}
    outcome = {c["outcome"]: c["reason"] for c in label_explain(workspace, "f")[0]["candidates"]}
    assert "which its acceptance asks for" in outcome["below-threshold"]
    before = workspace.sql("SELECT structure, measure, threshold FROM acceptances WHERE threshold IS NOT NULL")
    assert [(row["structure"], row["measure"]) for row in before] == [(1, "combined")]
    add_case(workspace, tmp_path, "g", 9)
    assert label_reliability(workspace, "organ/2").added == 0
    assert winners(workspace, "liver") == dict.fromkeys("abcde", "organ/2") | {"f": None, "g": None}
    with workspace.run("test") as run, run.write() as write:
        worse = labels.find(write.connection, "a@organ/2@1").id
        scores.add(write, RELIABILITY, [NewScore(worse, worse, "liver", "combined", 0.001)])
    assert winners(workspace, "liver")["a"] is None


def test_flare22_leaves_whole_cases(workspace: Workspace) -> None:
    """The preset goes by the whole map; of six cases 77 in 2,000 are none, of a quarter of them one."""
    label_reliability(workspace, "organ/2")
    with workspace.catalog.read() as connection:
        preset = one_filter(None, None, "flare22")
        assert preset is not None
        assert demands(connection, "organ/2", ["liver"], preset) == {}  # the lowest of six is 0: none is below it
        asked = demands(connection, "organ/2", ["liver", "spleen"], preset._replace(share=0.25))
    assert asked == dict.fromkeys(["liver", "spleen"], Demand("whole_agreement", 1.0))


def test_rollback_takes_the_threshold_along(workspace: Workspace) -> None:
    """Promoted again without one, every label counts."""
    label_reliability(workspace, "organ/2")
    promote(workspace, "organ/2", "looked at", ["liver"], force=True, asked=Filter("combined", least=0.5))
    assert winners(workspace, "liver")["f"] is None
    rollback(workspace, "organ/2", "too strict")
    assert set(winners(workspace, "liver").values()) == {None}
    promote(workspace, "organ/2", "as it is", ["liver"], force=True)
    assert set(winners(workspace, "liver").values()) == {"organ/2"}


def test_a_label_accepted_by_itself_is_not_asked(workspace: Workspace) -> None:
    """Somebody looked at it."""
    label_reliability(workspace, "organ/2")
    promote(workspace, "organ/2", "looked at", ["liver"], force=True, asked=Filter("combined", least=0.5))
    with workspace.run("test") as run, run.write() as write:
        number = labels.find(write.connection, "f@organ/2@1").id
        acceptances.record(write, ("label", number), ["liver"], "accepted", "seen")
    assert winners(workspace, "liver")["f"] == "organ/2"


def test_agreement_with_an_external_label(workspace: Workspace, tmp_path: Path) -> None:
    """Dice with what others drew; kidneys that they do not tell apart are compared as one."""
    for case in CASES:
        add_label(
            workspace, tmp_path / "flare21", case, blocks(1, 2), "all", LabelOptions("them", "external", "flare21")
        )
        path = codes(tmp_path / "both" / f"{case}.nii.gz", blocks(1, 2, 13))
        options = PSEUDO._replace(source="ours")
        ingest_labels(workspace, path, stated("liver right_kidney left_kidney", None, None), options)
    label_reliability(workspace, "ours")
    rows = workspace.sql(
        "SELECT structure, value FROM label_reliability WHERE source = 'ours' AND metric = 'external_agreement' "
        "AND \"case\" = 'a'"
    )
    found = {row["structure"]: row["value"] for row in rows}
    assert found == {"liver": 1.0, "right_kidney": pytest.approx(2 / 3), "left_kidney": pytest.approx(2 / 3)}


def test_a_lesion_outside_every_organ_is_not_plausible(workspace: Workspace, tmp_path: Path) -> None:
    """One at the liver is; the organs are those of the label itself."""
    drawn = {case: blocks(1, 14, 0, 0) for case in CASES} | {"f": blocks(0, 0, 0, 14)}
    for case, array in drawn.items():
        outside = array.copy()
        if case == "f":
            outside[:] = 0
            outside[0, 0, 0], outside[-1, -1, -1] = 1, 14
        path = codes(tmp_path / "all" / f"{case}.nii.gz", outside)
        ingest_labels(workspace, path, stated("liver tumor", None, None), PSEUDO._replace(source="both"))
    label_reliability(workspace, "both")
    rows = workspace.sql(
        "SELECT \"case\", value FROM label_reliability WHERE source = 'both' AND metric = 'plausibility' "
        "AND structure = 'tumor'"
    )
    told = {row["case"]: row["value"] for row in rows}
    assert told["f"] == 0
    assert min(told[case] for case in "abcde") > 0.5


def test_what_cannot_be_asked(workspace: Workspace, tmp_path: Path) -> None:
    """People's labels, unknown sources, shares that are none, measures that nobody computed: each says what to do."""
    add_label(workspace, tmp_path / "truth", "a", blocks(1), "liver", LabelOptions("truth", "ground-truth"))
    with pytest.raises(InvalidDataError, match="no generated labels"):
        label_reliability(workspace, "truth")
    with pytest.raises(NotFoundError):
        label_reliability(workspace, "nobody")
    for text in ("120%", "100%", "-1", "best", "1.5"):
        with pytest.raises(InvalidDataError, match="flare22"):
            read_filter(text)
    with pytest.raises(InvalidDataError, match="not for two"):
        one_filter("0.6", "4%", None)
    with pytest.raises(InvalidDataError, match="label reliability --source organ/2"):
        promote(workspace, "organ/2", "too early", ["liver"], force=True, asked=Filter("combined", least=0.5))
    assert winners(workspace, "liver")["b"] is None
    with pytest.raises(ConflictError):
        promote(workspace, "organ/2", "nothing passed")


def test_rounds_and_figures_stay_numbers(workspace: Workspace) -> None:
    """Every figure lies in [0, 1]."""
    label_reliability(workspace, "organ/1")
    label_reliability(workspace, "organ/2")
    values = np.array([row["value"] for row in workspace.sql("SELECT value FROM label_reliability")])
    assert values.size > 40
    assert ((values >= 0) & (values <= 1)).all()
    first = workspace.sql(
        "SELECT count(*) AS n FROM label_reliability WHERE source = 'organ/1' AND metric = 'agreement'"
    )
    assert first[0]["n"] == 0


def test_a_round_started_with_a_share_promotes_with_it(workspace: Workspace) -> None:
    """What the round was started with holds where nothing else is asked, and the event tells the thresholds."""
    label_reliability(workspace, "organ/2")
    with workspace.run("test") as run, run.write() as write:
        write.connection.execute(tables.rounds.update().values(settings={"reliability": "17%"}))
    promote(workspace, "organ/2", "looked at", ["liver"], force=True)
    assert winners(workspace, "liver")["f"] is None
    assert "liver combined >= " in round_show(workspace, "organ/2")["events"][-1]["why"]


def test_a_tasks_first_round_can_pass_a_setting_that_compares_rounds(workspace: Workspace) -> None:
    """Nothing can be asked of its labels, and the event says so; asked for by hand it is still refused."""
    label_reliability(workspace, "organ/1")
    with workspace.run("test") as run, run.write() as write:
        write.connection.execute(tables.rounds.update().values(settings={"reliability": "flare22"}, state="rejected"))
        own = tables.rounds.c.number == 1
        write.connection.execute(tables.rounds.update().where(own).values(state="evaluated"))
    with pytest.raises(InvalidDataError, match="there is none before"):
        promote(workspace, "organ/1", "asked", ["liver"], force=True, asked=read_filter("flare22"))
    promote(workspace, "organ/1", "looked at", ["liver"], force=True)
    assert winners(workspace, "liver")["b"] is not None
    assert "there is none before" in round_show(workspace, "organ/1")["events"][-1]["why"]


def test_a_tasks_table_says_what_its_promotions_ask(workspace: Workspace) -> None:
    """As text or number; what cannot be read is told with the file and the table."""
    workspace.settings["task"] = {"organ": {"reliability": "4%"}}
    assert task_settings(workspace, "organ").reliability == "4%"
    workspace.settings["task"] = {"organ": {"reliability": 0.6}}
    assert read_filter(task_settings(workspace, "organ").reliability) == Filter("combined", least=0.6)
    workspace.settings["task"] = {"organ": {"reliability": "most"}}
    with pytest.raises(InvalidDataError, match=r"flaredb.toml, \[task.organ\]"):
        task_settings(workspace, "organ")
