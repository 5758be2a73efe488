"""Models from elsewhere in the catalogue: their people, their scores, and what they cannot do."""

from __future__ import annotations

import pytest

from flaredb.catalog import cycles, lineage, model_scores, models, scores, snapshots
from flaredb.catalog.database import Catalog
from flaredb.catalog.models import Brought, NewModel
from flaredb.catalog.scores import NewScore
from flaredb.errors import NotFoundError, UsageError
from tests.families import Family


def foreign(family: Family, *cases: str) -> int:
    """A model of another program that learnt from some cases."""
    task = snapshots.task_number(family.write, "organ", ("liver", "spleen"), "digest of organ")
    new = NewModel("m-0000000000aa", "", None, {}, 0, "nnunetv2", {})
    return models.bring(family.write, Brought(new, task, "0" * 64, 1, "nnunet", {"files": {"a.pth": "0"}}, cases))


def test_it_stands_among_the_others(fresh: Catalog) -> None:
    """Listed without a snapshot, found by name, never the latest; it runs nowhere here, and descends from nothing."""
    with fresh.run("test", {}) as run, run.write() as write:
        family = Family(write)
        number = foreign(family, family.case("a"), "elsewhere")
        label = family.label("b", "nn", ["liver"], model="m-0000000000aa")
        (found,) = models.every(write.connection)
        assert (found.id, found.snapshot, found.origin, found.state) == (number, "", "nnunet", "trained")
        assert models.cases_of(write.connection, number) == ["a", "elsewhere"]
        assert models.people(write.connection, [number]) == {"patient of a"}
        assert models.files_of(found) == ["a.pth"]
        with pytest.raises(NotFoundError):
            models.find(write.connection, "latest:organ")
        with pytest.raises(UsageError, match="nnUNetv2_predict"):
            models.refuse_foreign(found, "predict")
        made = lineage.ancestors(write.connection, [family._labels[label]])
        assert (made.models, made.snapshots) == ({number}, frozenset())
        assert list(cycles.cycles(write.connection)) == []


def test_scores_are_told_by_model(fresh: Catalog) -> None:
    """Of the labels a model made, and those that a model came with; of all models, or of one; cases here alone."""
    with fresh.run("test", {}) as run, run.write() as write:
        family = Family(write)
        number = foreign(family, family.case("a"))
        rows = [("a", "liver", "dsc", 0.5), ("elsewhere", "liver", "dsc", 0.7), ("a", "spleen", "dsc", 0.9)]
        assert model_scores.add(write, number, "nnunet", rows) == 2
        truth = family.label("a", "truth", ["liver"])
        own = family.model(family.snapshot({truth: ["liver"]}))
        made = family.label("a", "organ/1", ["liver"], model=own)
        score = NewScore(family._labels[made], family._labels[truth], "liver", "dsc", 0.25)
        scores.add(write, "flare23", [score, score._replace(metric="present", value=1.0)])
        told = model_scores.means(write.connection)
        ours = models.find(write.connection, own).id
        assert {model: [(r["source"], r["structure"], r["mean"]) for r in rows] for model, rows in told.items()} == {
            number: [(None, "liver", 0.5), (None, "spleen", 0.9)],
            ours: [("organ/1", "liver", 0.25)],
        }
        assert model_scores.means(write.connection, ours) == {ours: told[ours]}
