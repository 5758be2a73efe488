"""The policy: shown, tried, put in force; a trial says exactly what the real thing then changes."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flaredb.catalog import cases, scores
from flaredb.catalog import labels as label_rows
from flaredb.catalog.scores import NewScore
from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.workflow.case.events import case_exclude
from flaredb.workflow.ingest.labels import LabelOptions
from flaredb.workflow.integrity.fsck import fsck
from flaredb.workflow.label.policy import policy_apply, policy_diff, policy_show, read_policy
from flaredb.workflow.provenance.current import label_current
from flaredb.workspace import Workspace
from tests.cohorts import add_case, add_label, blocks, flaredb

SOURCES = ("p", "q", "r")
SCORES = {"p": 0.9, "q": 0.5, "r": None}


def build(workspace: Workspace, folder: Path) -> None:
    """Three cases; external labels of three sources, with scores; truth of one liver; an excluded case."""
    for seed, name in enumerate("abcd"):
        add_case(workspace, folder, name, seed)
        for place, source in enumerate(SOURCES):
            if (seed + place) % 3:
                options = LabelOptions(source, "external")
                add_label(workspace, folder / source, name, blocks(*[0] * place, 1, 3), "liver,spleen", options)
    add_label(workspace, folder / "t", "a", blocks(1), "liver", LabelOptions("truth", "ground-truth"))
    add_label(workspace, folder / "x", "b", blocks(9, 1), "liver", LabelOptions("p", "external"), "aorta")
    with workspace.run("test") as run, run.write() as write:
        found = label_rows.every(write.connection)
        new = [
            NewScore(label.id, label.id, structure, "agreement", value - 0.2 * (structure == "spleen"))
            for label in found
            for structure in label.annotated
            if (value := SCORES.get(label.source)) is not None
        ]
        scores.add(write, "reliability", new)
        write.touched.update(cases.find(write.connection, name).id for name in "abcd")
    case_exclude(workspace, "d", "for the test")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of these tests; not to be changed."""
    folder = tmp_path_factory.mktemp("policy")
    with Workspace.create(folder / "w") as workspace:
        build(workspace, folder)
    return folder / "w"


@pytest.fixture
def scored(template: Path, tmp_path: Path) -> Any:
    """A copy of it."""
    shutil.copytree(template, tmp_path / "w")
    with Workspace.open(tmp_path / "w") as workspace:
        yield workspace


def write(folder: Path, text: str) -> Path:
    (folder / "policy.toml").write_text(text)
    return folder / "policy.toml"


def winners(workspace: Workspace) -> dict[tuple[str, str], str | None]:
    """(case, structure) → the source that won it."""
    return {(row["case"], row["structure"]): row["source"] for row in label_current(workspace) if row["label"]}


def moved(before: dict[Any, Any], after: dict[Any, Any]) -> Counter[tuple[str, str | None, str | None]]:
    """(structure, source before, source after) → cases, by a plain comparison."""
    keys = before.keys() | after.keys()
    return Counter((k[1], before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k))


def trial(workspace: Workspace, path: Path) -> Counter[tuple[str, str | None, str | None]]:
    """The same as `policy diff` says it."""
    found = policy_diff(workspace, path)
    moves = Counter({(row["structure"], row["from"], row["to"]): row["cases"] for row in found["moves"]})
    assert found["changed"] == moves.total()
    assert len(moves) == len(found["moves"])
    return moves


policies = st.fixed_dictionaries(
    {
        "sources": st.lists(st.sampled_from(SOURCES), unique=True),
        "thresholds": st.dictionaries(
            st.sampled_from(["*", "liver", "spleen", "aorta"]), st.sampled_from([0.0, 0.35, 0.5, 0.8, 1.0])
        ),
        "require_score": st.booleans(),
    }
)


def toml(policy: dict[str, Any]) -> str:
    """A drawn policy as its TOML form."""
    lines = [f"sources = {policy['sources']!r}", f"require_score = {str(policy['require_score']).lower()}"]
    return "\n".join([*lines, "[thresholds]", *(f'"{k}" = {v}' for k, v in policy["thresholds"].items()), ""])


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=st.lists(policies, min_size=1, max_size=3))
def test_a_trial_says_what_applying_changes(template, tmp_path_factory, drawn):
    """Policy after policy: `diff` names every winner that `apply` then changes, from which source to which."""
    folder = tmp_path_factory.mktemp("trial")
    shutil.copytree(template, folder / "w")
    with Workspace.open(folder / "w") as workspace:
        for policy in drawn:
            path = write(folder, toml(policy))
            before, said = winners(workspace), trial(workspace, path)
            assert winners(workspace) == before
            policy_apply(workspace, path, "for the test")
            assert moved(before, winners(workspace)) == said
            assert trial(workspace, path) == Counter()
        assert fsck(workspace, history=True).problems == ()


def test_sources_in_order_and_thresholds(scored, tmp_path):
    """The first of the listed sources wins where several are equal; a threshold drops what falls short of it."""
    policy_apply(scored, write(tmp_path, 'sources = ["r", "q", "p"]'), "r is best")
    assert (winners(scored)["a", "spleen"], winners(scored)["b", "spleen"]) == ("r", "q")
    said = trial(scored, write(tmp_path, 'sources = ["r"]\n[thresholds]\nspleen = 0.5'))
    assert said == {("spleen", "q", "p"): 1}
    policy_apply(scored, tmp_path / "policy.toml", "spleens are bad")
    assert "q" not in {source for (_, structure), source in winners(scored).items() if structure == "spleen"}
    policy_apply(scored, write(tmp_path, "require_score = true"), "scored ones only")
    assert "r" not in winners(scored).values()
    assert winners(scored)["a", "liver"] == "truth"
    assert not [case for case, _ in winners(scored) if case == "d"]


def test_the_same_policy_is_unchanged(scored, tmp_path):
    """In whatever order and form it is written; each policy in force is kept with its reason."""
    first = policy_apply(scored, write(tmp_path, "[thresholds]\nliver = 1\nspleen = 0.5"), "one")
    assert (first.added, first.unchanged) == (1, 0)
    again = policy_apply(scored, write(tmp_path, "sources = []\n[thresholds]\nspleen = 0.5\nliver = 1.0"), "two")
    assert (again.added, again.unchanged) == (0, 1)
    assert policy_diff(scored, tmp_path / "policy.toml") == {"same": True, "changed": 0, "moves": []}
    shown = policy_show(scored)
    assert shown["thresholds"] == {"liver": 1.0, "spleen": 0.5}
    assert [row["why"] for row in shown["history"]] == ["the rules as they come", "one"]
    assert shown["digest"] == shown["history"][-1]["digest"]
    policy_apply(scored, write(tmp_path, ""), "back to the rules as they come")
    assert [row["digest"] for row in policy_show(scored)["history"]].count(shown["history"][0]["digest"]) == 2


BAD = {
    "sources = [": "policy.toml",
    "source = []": "unknown source; known: require_score sources thresholds",
    "sources = 'p'": "sources is a list",
    "sources = ['p', 'p']": "different names",
    "require_score = 1": "true or false",
    "thresholds = 0.5": "thresholds is a table",
    "[thresholds]\nliver = 1.01": "threshold of liver is 1.01; it lies between 0 and 1",
    "[thresholds]\nliver = -0.1": "between 0 and 1",
    "[thresholds]\nliver = nan": "between 0 and 1",
    "[thresholds]\nliver = true": "between 0 and 1",
    "[thresholds]\nliver = 'much'": "between 0 and 1",
}


@pytest.mark.parametrize("text", BAD, ids=repr)
def test_a_bad_policy_is_refused(scored, tmp_path, text):
    """With the rule it breaks; exit 5, and nothing is in force that was not."""
    with pytest.raises(InvalidDataError, match=BAD[text]):
        read_policy(scored, write(tmp_path, text))
    before = policy_show(scored)
    for command in (("diff",), ("apply", "--why", "x")):
        done = flaredb("policy", command[0], tmp_path / "policy.toml", *command[1:], workspace=scored.root)
        assert done.code == 5
    assert policy_show(scored) == before


@pytest.mark.parametrize("text", ['sources = ["nobody"]', "[thresholds]\nlever = 0.5"])
def test_what_is_not_there_is_not_found(scored, tmp_path, text):
    """An unknown source or structure is named; exit 3."""
    with pytest.raises(NotFoundError, match=r"nobody|lever"):
        read_policy(scored, write(tmp_path, text))
    assert flaredb("policy", "diff", tmp_path / "policy.toml", workspace=scored.root).code == 3
    assert flaredb("policy", "diff", tmp_path / "no.toml", workspace=scored.root).code == 3


def test_text_that_is_no_text_is_refused(scored, tmp_path):
    """Bytes that are not UTF-8."""
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidDataError, match=r"p\.toml"):
        read_policy(scored, tmp_path / "p.toml")


def test_the_program_tries_and_applies(scored, tmp_path):
    """The documents of `policy show`, `diff` and `apply`."""
    path = write(tmp_path, 'sources = ["r"]\nrequire_score = false')
    said = flaredb("policy", "diff", path, workspace=scored.root).json
    assert set(said) == {"same", "changed", "moves"}
    assert said["changed"] > 0
    assert flaredb("policy", "apply", path, workspace=scored.root).code == 2
    done = flaredb("policy", "apply", path, "--why", "x", workspace=scored.root).json
    assert (done["added"], done["would"]) == (1, None)
    assert flaredb("policy", "show", workspace=scored.root).json["sources"] == ["r"]
