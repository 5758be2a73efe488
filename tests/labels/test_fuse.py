"""Fused labels: what their parts settle on, what stays open, and which methods decide more."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import SimpleITK
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flaredb.errors import InvalidDataError
from flaredb.labels.combine import combine
from flaredb.labels.fuse import METHODS, Fused, Part, fuse
from flaredb.labels.labelset import Mode, Trust
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.mappings import identity
from flaredb.labels.structures import FLARE23, StructureSet
from flaredb.labels.votes import staple
from tests.builders import FLARE21, KIDNEYS, ORGANS, mapping, modes
from tests.strategies import label_lists, random_codes, seeds, spaces

SILENT = HealthCheck.too_slow, HealthCheck.data_too_large
COMPLETE = modes(*FLARE23.names)


def part(annotated: Mapping[str, Mode] | None = None, source: str = "a", codes: Codes | None = None) -> Part:
    """A generated label with FLARE's own codes, complete unless told otherwise."""
    return Part(source, codes or identity(FLARE23), COMPLETE if annotated is None else annotated)


def volume(*codes: int) -> NDArray[np.uint8]:
    """A volume of a single row."""
    return np.array(codes, np.uint8).reshape(1, 1, -1)


def said(fused: Fused) -> list[frozenset[str]]:
    """What each voxel of a fused label means; `?` where it says nothing at all."""
    known = {0: frozenset({"background"})} | fused.codes.table | fused.codes.doubts
    return [known.get(code, frozenset("?")) for code in fused.voxels.ravel().tolist()]


def names(*listed: str) -> list[frozenset[str]]:
    """`liver spleen` for a voxel that may be either."""
    return [frozenset(each.split()) for each in listed]


def states(space: StructureSet, fused: Fused) -> NDArray[np.unsignedinteger]:
    """The label sets that a fused label asserts."""
    about = frozenset(fused.annotated)
    trusted = Trust("case@fused@1", False, fused.codes, fused.annotated, about, about)
    return combine(space, [(trusted, fused.voxels)]).sets


def drawn_parts(trusted: list[Trust], seed: int) -> list[tuple[Part, NDArray[np.uint16]]]:
    """Drawn labels as parts, each with random voxels."""
    codes = random_codes(trusted, seed, 60)
    chosen = [{name: one.annotated[name] for name in one.structures} for one in trusted]
    parts = [Part(one.label, one.codes, own) for one, own in zip(trusted, chosen, strict=True)]
    return [(own, array.reshape(3, 4, 5)) for own, array in zip(parts, codes, strict=True)]


@settings(max_examples=60, deadline=None, suppress_health_check=SILENT)
@given(st.data(), spaces, seeds)
def test_agreement_excludes_nothing_that_its_parts_leave_possible(
    data: st.DataObject, space: StructureSet, seed: int
) -> None:
    """The set of every voxel holds what equals leave of it: their intersection, or all of them where that is empty."""
    trusted = [one._replace(human=False, won=frozenset()) for one in data.draw(label_lists(space, most=3))]
    labels = drawn_parts(trusted, seed)
    fused = fuse(space, labels)
    equals = [(one, codes) for one, (_, codes) in zip(trusted, labels, strict=True)]
    assert not (combine(space, equals).sets & ~states(space, fused)).any()
    assert fused.contradictions == combine(space, equals).within


@settings(max_examples=60, deadline=None, suppress_health_check=SILENT)
@given(st.data(), spaces, seeds, st.sampled_from(METHODS))
def test_the_order_of_labels_does_not_matter(data: st.DataObject, space: StructureSet, seed: int, method) -> None:
    """Parts in any order give the same voxels, codes and modes, by every method."""
    labels = drawn_parts(data.draw(label_lists(space, most=4)), seed)
    shuffled = data.draw(st.permutations(labels))
    weights = {own.source: dict.fromkeys(own.annotated, 0.25 * place) for place, (own, _) in enumerate(labels)}
    one, other = fuse(space, labels, method, weights), fuse(space, shuffled, method, weights)
    np.testing.assert_array_equal(one.voxels, other.voxels)
    assert one[1:] == other[1:]


@pytest.mark.parametrize("method", METHODS)
def test_a_label_fused_with_itself_is_itself(method) -> None:
    """The same voxels, structures and meanings; a structure that it leaves empty is positive-only."""
    codes = np.arange(15, dtype=np.uint8).reshape(1, 3, 5)
    fused = fuse(FLARE23, [(part(), codes), (part(source="b"), codes)], method)
    np.testing.assert_array_equal(fused.voxels, codes)
    assert (fused.annotated, fused.contradictions, fused.undecided) == (COMPLETE, 0, 0)
    assert fused.codes.table == identity(FLARE23).table
    half = fuse(FLARE23, [(part(), codes[:, :2]), (part(source="b"), codes[:, :2])], method)
    assert {name for name, mode in half.annotated.items() if mode.exhaustive} == set(FLARE23.names[:9])


def test_what_people_say_is_absent_is_absent() -> None:
    """An empty structure stays exhaustive where a label by people says so too."""
    drawn = part(modes("liver", "spleen"))._replace(human=True)
    fused = fuse(FLARE23, [(drawn, volume(0, 1)), (part(modes("liver", "spleen", "aorta"), "b"), volume(0, 1))])
    assert {name for name, mode in fused.annotated.items() if mode.exhaustive} == {"liver", "spleen"}


def test_disagreement_stays_a_set_of_both() -> None:
    """Liver against spleen, background or tumour is either, and nothing else."""
    fused = fuse(FLARE23, [(part(), volume(1, 1, 1, 1, 0)), (part(source="b"), volume(1, 3, 0, 14, 0))])
    expected = names("liver", "liver spleen", "background liver", "liver tumor", "background")
    assert said(fused) == expected
    assert (fused.contradictions, fused.undecided, fused.drawn) == (3, 3, 4)


def test_what_nobody_draws_is_not_undecided() -> None:
    """Only voxels that a part draws count: a positive-only aorta is open everywhere, as it was before."""
    positive = dict.fromkeys(("liver", "aorta"), Mode(exhaustive=False))
    fused = fuse(FLARE23, [(part(modes("liver")), volume(1, 0, 0)), (part(positive, "b"), volume(1, 0, 0))])
    assert said(fused) == names("liver", "background aorta", "background aorta")
    assert (fused.contradictions, fused.undecided, fused.drawn) == (0, 0, 1)


def test_organs_against_each_other_are_not_a_tumor() -> None:
    """Two labels that leave tumours open and draw liver and spleen do not agree on a tumour there."""
    organs = modes(*ORGANS)
    fused = fuse(
        FLARE23,
        [(part(organs), volume(1)), (part(organs, "b"), volume(3)), (part(modes("tumor"), "c"), volume(14))],
    )
    (found,) = said(fused)
    assert {"liver", "spleen", "tumor"} <= found


def test_labels_of_other_structures_fill_each_other_up() -> None:
    """Organs of one and tumours of another are no contradiction, and the tumour lies on its organ."""
    labels = [(part(modes(*ORGANS)), volume(1, 1, 3, 0)), (part(modes("tumor"), "b"), volume(14, 0, 0, 14))]
    for method in METHODS:
        fused = fuse(FLARE23, labels, method)
        assert said(fused) == names("tumor", "liver", "spleen", "tumor"), method
        assert fused.contradictions == 0


def test_modes_are_those_that_all_parts_bear() -> None:
    """Exhaustive where all who speak are, within the organs that all of them name."""
    one = {"liver": Mode(), "spleen": Mode(exhaustive=False), "tumor": Mode(True, ("liver", "spleen"))}
    other = {"liver": Mode(), "spleen": Mode(), "tumor": Mode(True, ("liver",)), "aorta": Mode()}
    fused = fuse(FLARE23, [(part(one), volume(1, 3, 5, 14)), (part(other, "b"), volume(1, 3, 5, 14))])
    assert fused.annotated == {
        "liver": Mode(),
        "spleen": Mode(exhaustive=False),
        "aorta": Mode(),
        "tumor": Mode(True, ("liver",)),
    }


def test_a_superset_is_told_apart_by_who_can() -> None:
    """A kidney of either side is the right one where another label says so, and stays a superset where none does."""
    either = part(modes("liver", *KIDNEYS), codes=mapping(FLARE21))
    fused = fuse(FLARE23, [(either, volume(1, 2, 2)), (part(modes(*KIDNEYS), "b"), volume(0, 2, 13))])
    assert said(fused) == names("liver", "right_kidney", "left_kidney")
    assert fused.codes.superset("right_kidney") == {"right_kidney"}
    both = fuse(FLARE23, [(either, volume(1, 2)), (either._replace(source="b"), volume(1, 2))])
    assert said(both) == names("liver", "right_kidney left_kidney")
    assert both.codes.superset("right_kidney") == set(KIDNEYS)
    assert both.codes.codes_of("liver") == [1]


def test_who_says_nothing_settles_nothing() -> None:
    """A voxel that one label ignores is as the others have it; one that all ignore stays open."""
    codes = mapping(dict(enumerate(FLARE23.names, start=1)), ignored=[99])
    labels = [(part(codes=codes), volume(99, 99)), (part(source="b", codes=codes), volume(1, 99))]
    assert said(fuse(FLARE23, labels)) == names("liver", "?")


def test_a_fused_label_can_be_fused() -> None:
    """What it leaves undecided another label decides; what that denies altogether is a contradiction."""
    first = fuse(FLARE23, [(part(), volume(1, 1, 1)), (part(source="b"), volume(3, 3, 1))])
    again = part(first.annotated, "first", first.codes)
    fused = fuse(FLARE23, [(again, first.voxels), (part(source="c"), volume(3, 4, 1))])
    assert said(fused) == names("spleen", "liver spleen pancreas", "liver")
    assert fused.contradictions == 1


def test_most_of_three() -> None:
    """Two of three decide; three ways stay open; a voter who does not speak about the structure does not count."""
    a, b, c = volume(1, 1, 0, 0, 14), volume(1, 3, 0, 1, 14), volume(3, 0, 1, 1, 1)
    fused = fuse(FLARE23, [(part(), a), (part(source="b"), b), (part(source="c"), c)], "majority")
    assert said(fused) == names("liver", "background liver spleen", "background", "liver", "tumor")
    two_and_tumor = [(part(), volume(1)), (part(source="b"), volume(0)), (part(modes("tumor"), "c"), volume(0))]
    (open_still,) = said(fuse(FLARE23, two_and_tumor, "majority"))
    assert {"background", "liver"} <= open_still


def test_votes_can_be_weighted() -> None:
    """One who was measured better outvotes two who were not; by structure."""
    labels = [(part(), volume(1, 3)), (part(source="b"), volume(0, 0)), (part(source="c"), volume(0, 0))]
    weights = {
        "a": {"liver": 0.9, "spleen": 0.3},
        "b": {"liver": 0.4, "spleen": 0.4},
        "c": {"liver": 0.4, "spleen": 0.4},
    }
    assert said(fuse(FLARE23, labels, "weighted", weights)) == names("liver", "background")
    assert said(fuse(FLARE23, labels, "majority")) == names("background", "background")


def test_disagreement_as_background_by_name() -> None:
    """As the published scripts do it: every contradiction is background, and what agrees stays."""
    fused = fuse(FLARE23, [(part(), volume(1, 1, 14, 3)), (part(source="b"), volume(3, 0, 1, 3))], "background")
    assert said(fused) == names("background", "background", "background", "spleen")
    assert (fused.contradictions, fused.undecided) == (3, 0)


def ball(generator: np.random.Generator, shape: tuple[int, ...], wrong: float) -> tuple[NDArray, NDArray]:
    """A ball, and a rater who errs at a share of the voxels."""
    axes = np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij")
    truth = sum(axis**2 for axis in axes) < 0.5
    return truth, truth ^ (generator.random(shape) < wrong)


def dice(one: NDArray, other: NDArray) -> float:
    """Of two masks."""
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_staple_is_the_filters() -> None:
    """Probabilities by pattern are those of ITK's filter on the voxels."""
    generator = np.random.default_rng(0)
    for _ in range(3):
        shape = (6, 16, 16)
        raters = [ball(generator, shape, wrong)[1] for wrong in generator.uniform(0.02, 0.3, 3)]
        itk = SimpleITK.STAPLEImageFilter()
        itk.SetForegroundValue(1)
        expected = itk.Execute([SimpleITK.GetImageFromArray(rater.astype(np.uint8)) for rater in raters])
        pattern = sum(rater.astype(int) << place for place, rater in enumerate(raters))
        yes = (np.arange(8)[:, None] >> np.arange(3)) & 1 == 1
        found = staple(yes, ~yes, np.bincount(pattern.ravel(), minlength=8).astype(float))
        np.testing.assert_allclose(found[pattern], SimpleITK.GetArrayFromImage(expected), atol=1e-3)


def test_staple_is_better_than_bad_raters_and_than_most() -> None:
    """Of three raters two of whom are bad it listens to the good one, which a majority does not."""
    generator = np.random.default_rng(1)
    shape = (12, 24, 24)
    drawn = [ball(generator, shape, wrong) for wrong in (0.05, 0.3, 0.3)]
    truth, bad = drawn[0][0], [rater for _, rater in drawn[1:]]
    raters = enumerate(rater for _, rater in drawn)
    labels = [(part(modes("liver"), str(place)), rater.astype(np.uint8)) for place, rater in raters]
    found = {method: dice(fuse(FLARE23, labels, method).voxels == 1, truth) for method in ("staple", "majority")}
    assert found["staple"] > found["majority"] + 0.1
    assert found["staple"] > max(dice(rater, truth) for rater in bad) + 0.3


def test_staple_of_several_structures_keeps_each() -> None:
    """Each voxel is one of them: the likeliest organ, or a tumour on it."""
    liver, spleen = volume(*[1] * 6, *[3] * 6, 0, 0), volume(*[1] * 5, *[3] * 7, 0, 0)
    labels = [(part(source="a"), liver), (part(source="b"), liver), (part(source="c"), spleen)]
    fused = fuse(FLARE23, labels, "staple")
    np.testing.assert_array_equal(fused.voxels, liver)
    assert fused.undecided == 0


def test_labels_that_do_not_fit_are_refused() -> None:
    """Different shapes, and labels that speak about nothing."""
    with pytest.raises(InvalidDataError, match="differ in shape"):
        fuse(FLARE23, [(part(), volume(1)), (part(source="b"), volume(1, 1))])
    with pytest.raises(InvalidDataError, match="speaks about"):
        fuse(FLARE23, [(part({}), volume(1)), (part({}, "b"), volume(1))])


def test_codes_are_the_same_from_case_to_case() -> None:
    """Pairs have the same codes whatever is met, within eight bits; larger sets come after them."""
    fused = [
        fuse(FLARE23, [(part(), volume(*one)), (part(source="b"), volume(*other))])
        for one, other in (((1, 2), (3, 4)), ((1, 0), (14, 13)))
    ]
    assert fused[0].codes == fused[1].codes
    assert fused[0].voxels.dtype == np.uint8
    three = fuse(FLARE23, [(part(source=str(code)), volume(code, 1)) for code in (1, 3, 4)])
    assert three.codes.top > fused[0].codes.top
    assert dict(fused[0].codes.possible).items() <= dict(three.codes.possible).items()
    assert Codes.from_text("fused", three.codes.text) == three.codes
