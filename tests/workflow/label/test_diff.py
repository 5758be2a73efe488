"""Two labels of a case, and a source against the others: Dice and voxels as plain counting gives them."""

from __future__ import annotations

import numpy as np
import pytest

from flaredb.errors import ConflictError, NotFoundError
from flaredb.metrics.overlap import dice
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.label.diff import label_agreement, label_diff
from flaredb.workspace import Workspace
from tests.cohorts import SPACE, add_case, add_label, blocks, flaredb

COLUMN = int(np.prod(SPACE.grid.shape[:2]))
"""Voxels of one column of `blocks`."""


@pytest.fixture
def pair(empty, tmp_path):
    """Two cases with labels of the sources p, q and the superset f, none of them alike."""
    for seed, name in enumerate("ab"):
        add_case(empty, tmp_path, name, seed)
    p, q = LabelOptions("p", "external"), LabelOptions("q", "external")
    add_label(empty, tmp_path / "1", "a", blocks(1, 1, 3), "liver,spleen,aorta", p)
    add_label(empty, tmp_path / "2", "a", blocks(1, 3, 3, 3), "liver,spleen,pancreas,aorta", q)
    add_label(empty, tmp_path / "3", "a", blocks(1, 2), "all", LabelOptions("f", "external", mapping="flare21"))
    add_label(empty, tmp_path / "4", "b", blocks(1), "liver", p)
    add_label(empty, tmp_path / "5", "b", blocks(1), "liver", q)
    return empty


def rows(found: dict) -> dict[str, dict]:
    return {row["structure"]: row for row in found["structures"]}


def test_structures_are_compared(pair):
    """Voxels of both, Dice, and what only one has; both empty is 1; null where one is silent."""
    found = label_diff(pair, "a@p@1", "a@q")
    assert (found["first"], found["second"], found["same_voxels"]) == ("a@p@1", "a@q@1", False)
    assert rows(found) == {
        "liver": line("liver", 2, 1, 2 / 3, 1, 0),
        "spleen": line("spleen", 1, 3, 2 / 4, 0, 2),
        "aorta": line("aorta", 0, 0, 1.0, 0, 0),
        "pancreas": line("pancreas", None, 0, None, None, None),
    }
    back = rows(label_diff(pair, "a@q@1", "a@p@1"))
    assert (back["spleen"]["only_first"], back["spleen"]["only_second"]) == (2 * COLUMN, 0)


def line(name: str, first: int | None, second: int | None, score: float | None, one: int | None, other: int | None):
    """A row in columns of `blocks`."""
    counted = [None if value is None else value * COLUMN for value in (first, second, one, other)]
    return {
        "structure": name,
        "first": counted[0],
        "second": counted[1],
        "dice": score,
        "only_first": counted[2],
        "only_second": counted[3],
    }


def test_a_superset_is_not_compared(pair):
    """FLARE21's kidney is neither the right nor the left one; its liver is compared."""
    found = rows(label_diff(pair, "a@f@1", "a@p@1"))
    assert not {"right_kidney", "left_kidney"} & set(found)
    assert found["liver"]["dice"] == pytest.approx(2 / 3)


def test_a_label_is_equal_to_itself(pair):
    """Dice 1 everywhere, nothing only on one side."""
    found = label_diff(pair, "a@p@1", "a@p@1")
    assert found["same_voxels"]
    assert {row["dice"] for row in found["structures"]} == {1.0}
    assert {row["only_first"] for row in found["structures"]} == {0}


def test_it_is_the_plain_dice(workspace):
    """On phantoms the Dice is that of the masks."""
    found = rows(label_diff(workspace, "FLARE23Ts_0001@flare23", "FLARE23Ts_0001@flare21"))
    truth, external = workspace.label("FLARE23Ts_0001@flare23").array, workspace.label("FLARE23Ts_0001@flare21").array
    expected = dice(truth == 1, external == 1)
    assert found["liver"]["dice"] == pytest.approx(expected)
    assert 0 < expected <= 1


def test_labels_of_two_cases_are_not_compared(pair):
    """A conflict; a label that is not there is not found."""
    with pytest.raises(ConflictError, match="different cases"):
        label_diff(pair, "a@p@1", "b@p@1")
    with pytest.raises(NotFoundError):
        label_diff(pair, "a@p@1", "a@nobody")
    assert flaredb("label", "diff", "a@p@1", "b@p@1", workspace=pair.root).code == 4
    assert flaredb("label", "diff", "a@p@1", "a@q@9", workspace=pair.root).code == 3
    assert flaredb("label", "diff", "a@p@1", "a@q@1", workspace=pair.root).json == label_diff(pair, "a@p@1", "a@q@1")


def test_announced_labels_have_nothing_to_compare(pair, tmp_path):
    """They have no voxels: not found, with what brings them; agreement goes without them."""
    table = tmp_path / "t.csv"
    table.write_text("case,source,kind,annotated\na,announced,external,liver\n")
    assert flaredb("ingest", "table", table, workspace=pair.root).code == 0
    with pytest.raises(NotFoundError, match="announced without voxels"):
        label_diff(pair, "a@announced@1", "a@p@1")
    assert label_agreement(pair, "announced") == []
    assert "announced" not in {row["source"] for row in label_agreement(pair, "p")}


def agreement(workspace: Workspace, source: str) -> dict[tuple[str, str], tuple[int, float]]:
    return {
        (row["source"], row["structure"]): (row["cases"], row["dice"]) for row in label_agreement(workspace, source)
    }


def test_agreement_is_the_mean_over_shared_cases(pair, tmp_path):
    """By source and structure, over the cases where both annotate it; newest labels only; symmetric."""
    found = agreement(pair, "p")
    assert found == {
        ("q", "liver"): (2, round((2 / 3 + 1) / 2, 4)),
        ("q", "spleen"): (1, 0.5),
        ("q", "aorta"): (1, 1.0),
        ("f", "liver"): (1, 0.6667),
        ("f", "spleen"): (1, 0.0),
    }
    assert {key: value for key, value in agreement(pair, "q").items() if key[0] == "p"} == {
        ("p", structure): value for (source, structure), value in found.items() if source == "q"
    }
    add_label(pair, tmp_path / "6", "b", blocks(0, 1), "liver", LabelOptions("q", "external"))
    assert agreement(pair, "p")["q", "liver"] == (2, 0.3333)
    with pytest.raises(NotFoundError):
        label_agreement(pair, "nobody")
    done = flaredb("label", "agreement", "--source", "p", workspace=pair.root)
    assert (done.code, done.json) == (0, label_agreement(pair, "p"))
    assert flaredb("label", "agreement", "--source", "nobody", workspace=pair.root).code == 3
