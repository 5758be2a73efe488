"""From decisions to the labels of a case, each trusted about what it won or contributes to."""

from typing import NamedTuple

from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import Mapping, identity
from flaredb.labels.policy import Policy, decide
from flaredb.labels.resolve import Entry, entries, trusts
from flaredb.labels.structures import FLARE23
from tests.builders import FLARE21, KIDNEYS, candidate, mapping, modes


class Facts(NamedTuple):
    """What is known of a label."""

    name: str
    kind: str
    codes: Mapping
    annotated: dict[str, Mode]


TRUTH = Facts("case@truth@1", "ground-truth", identity(FLARE23), modes("liver", "spleen"))
OLD = Facts("case@flare21@1", "ground-truth", mapping(FLARE21), modes("liver", *KIDNEYS, "spleen", "pancreas"))


def test_winners_and_contributors_become_entries() -> None:
    """One entry a label and role, its structures in order of value."""
    found = [
        decide("liver", [candidate("liver", number=1), candidate("liver", number=2, accepted=None)], Policy()),
        decide("spleen", [candidate("spleen", number=1)], Policy()),
        decide("right_kidney", [candidate("right_kidney", number=2, superset=True)], Policy()),
        decide("left_kidney", [], Policy()),
    ]
    assert entries(FLARE23, found, {1: TRUTH, 2: OLD}) == [
        Entry(1, "won", ("liver", "spleen")),
        Entry(2, "contributes", KIDNEYS),
    ]


def test_the_members_of_a_superset_are_trusted_together() -> None:
    """A label that contributes what it knows of one kidney is trusted about both."""
    (entry,) = entries(
        FLARE23, [decide("left_kidney", [candidate("left_kidney", number=2, superset=True)], Policy())], {2: OLD}
    )
    assert entry.structures == KIDNEYS


def test_only_winners_have_won() -> None:
    """A trust knows its label, its kind, and of its structures those it won."""
    won, contributes = trusts([(TRUTH, "won", ("liver",)), (OLD._replace(kind="pseudo"), "contributes", KIDNEYS)])
    assert (won.label, won.human, won.structures, won.won) == ("case@truth@1", True, {"liver"}, {"liver"})
    assert (contributes.human, contributes.structures, contributes.won) == (False, set(KIDNEYS), frozenset())
