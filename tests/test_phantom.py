"""The made-up cohort is the same every time, and looks enough like FLARE23 to be worth training on."""

import subprocess
import sys
from collections import Counter
from functools import cache
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.phantom import ANNOTATED, FIVE, ORGANS, STRUCTURES, Cohort, PhantomCase, make_case

MILLILITRES = {
    "liver": (600, 2100), "right_kidney": (50, 330), "spleen": (50, 330), "pancreas": (25, 190), "aorta": (25, 170),
    "inferior_vena_cava": (35, 220), "right_adrenal_gland": (0.8, 9), "left_adrenal_gland": (0.8, 12),
    "gallbladder": (6, 70), "esophagus": (1, 50), "stomach": (130, 750), "duodenum": (15, 180),
    "left_kidney": (50, 330), "tumor": (0.3, 400),
}  # fmt: skip


@cache
def cases() -> tuple[PhantomCase, ...]:
    return tuple(Cohort(seed=0))


def value(name: str) -> int:
    return STRUCTURES.index(name)


def digest(case: PhantomCase) -> str:
    arrays = [case.image, case.truth, case.label, case.external]
    return sha256(b"".join(b"none" if a is None else a.tobytes() for a in arrays)).hexdigest()


@settings(max_examples=4, deadline=None)
@given(order=st.permutations(range(60)))
def test_order_does_not_matter(order):
    """A case made alone or in any order is bit for bit the one that iteration gives."""
    for index in order[:2]:
        alone = make_case(Cohort(seed=0), index)
        assert digest(alone) == digest(cases()[index])
        assert (alone.name, alone.space, alone.annotated) == (
            cases()[index].name,
            cases()[index].space,
            cases()[index].annotated,
        )


def test_another_process_makes_the_same_case():
    """A fresh interpreter gives the same bytes."""
    code = "from tests.test_phantom import *; print(digest(make_case(Cohort(seed=0), 7)))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == digest(cases()[7])


def test_seeds_differ():
    """Another seed gives other patients and deals the annotations out differently."""
    assert digest(make_case(Cohort(seed=1), 0)) != digest(cases()[0])
    assert Cohort(seed=1).patterns != Cohort(seed=0).patterns


@pytest.mark.parametrize(
    ("training", "counts"), [(40, (9, 6, 5, 3, 17)), (4000, (888, 609, 453, 250, 1800)), (0, (0, 0, 0, 0, 0))]
)
def test_patterns_have_the_proportions_of_flare23(training, counts):
    """40 training cases hold 9/6/5/3/17 annotations, 4,000 hold FLARE23's own numbers."""
    dealt = Counter(Cohort(training=training).patterns[:training])
    assert tuple(dealt[p] for p in ("tumor", "five+tumor", "five", "thirteen", "none")) == counts


@given(seed=st.integers(0, 10**9), training=st.integers(0, 300), validation=st.integers(0, 9), test=st.integers(0, 9))
def test_any_size_is_a_cohort(seed, training, validation, test):
    """Names are unique, and names, splits and patterns agree in length, for any number of cases."""
    cohort = Cohort(seed, training, validation, test)
    assert len(set(cohort.names)) == len(cohort.splits) == len(cohort.patterns) == len(cohort)
    assert all(pattern == "complete" for pattern in cohort.patterns[training:])


def test_names_are_those_of_flare23():
    """Training, validation and test cases are named and found by index."""
    cohort = Cohort()
    assert [cohort.names[i] for i in (0, 39, 40, 48)] == [
        "FLARE23_0001",
        "FLARE23_0040",
        "FLARE23Ts_0001",
        "FLARE23Ts_1001",
    ]
    assert cohort.index("FLARE23Ts_0001") == 40
    assert [case.name for case in cases()] == list(cohort.names)
    with pytest.raises(NotFoundError, match="there are 60"):
        cohort.index("liver")


@pytest.mark.parametrize("index", [-1, 60])
def test_no_such_case(index):
    """An index outside the cohort is refused."""
    with pytest.raises(NotFoundError):
        make_case(Cohort(), index)


@pytest.mark.parametrize("bad", [{"seed": -1}, {"training": -2}, {"spacing": (0.0, 1.0, 1.0)}])
def test_a_senseless_cohort_is_refused(bad):
    """Negative numbers and impossible spacings are errors of the user."""
    with pytest.raises(InvalidDataError):
        Cohort(**bad)


def test_labels_hold_what_was_annotated():
    """A label agrees with the truth: tumours are holes where annotated, organ where not, and no more is drawn."""
    for case, pattern in zip(cases(), Cohort(seed=0).patterns, strict=True):
        assert case.annotated == ANNOTATED[pattern]
        if pattern == "none":
            assert case.label is None
            continue
        organs = [value(name) for name in case.annotated if name != "tumor"]
        drawn = np.isin(case.truth, organs)
        assert np.isin(case.label, [0, *(value(name) for name in case.annotated)]).all()
        assert np.array_equal(case.label[drawn], case.truth[drawn])
        tumor = case.truth == value("tumor")
        if "tumor" in case.annotated:
            assert np.array_equal(case.label == value("tumor"), tumor)
        assert not case.label[~drawn & ~tumor].any()
        if pattern == "complete":
            assert np.array_equal(case.label, case.truth)


def test_tumors_unannotated_are_drawn_as_organ():
    """Among the organ annotations some tumour lies under an organ's label, and no organ-only label shows a 14."""
    hidden = [
        np.isin(case.label[case.truth == value("tumor")], range(1, 14)).any()
        for case in cases()
        if case.annotated in (ORGANS, FIVE)
    ]
    assert any(hidden)


@pytest.mark.parametrize("seed", [0, 3])
def test_tumor_annotations_show_a_tumor(seed):
    """Every tumour-only case has a tumour; half to six in seven of all cases have one."""
    cohort = Cohort(seed=seed)
    made = cases() if seed == 0 else [make_case(cohort, i) for i, p in enumerate(cohort.patterns) if p == "tumor"]
    assert all((case.truth == value("tumor")).any() for case in made if case.annotated == ("tumor",))
    if seed == 0:
        assert 0.5 <= np.mean([(case.truth == value("tumor")).any() for case in made]) <= 0.85


@pytest.mark.parametrize("name", STRUCTURES[1:])
def test_organs_are_there_and_of_plausible_size(name):
    """Each organ is in at least 85 % of the cases, larger than a crumb and within its range in ml."""
    low, high = MILLILITRES[name]
    voxels = np.array([np.count_nonzero(case.truth == value(name)) for case in cases()])
    volumes = [n * case.grid.voxel_ml for n, case in zip(voxels, cases(), strict=True) if n]
    if name != "tumor":
        assert np.mean(voxels > 0) >= 0.85
        assert np.median(voxels) >= 10
    assert low <= min(volumes)
    assert max(volumes) <= high


def test_gallbladders_are_missing_sometimes():
    """About 9 % of patients have no gallbladder, and their labels still say it was looked for."""
    missing = [case for case in cases() if not (case.truth == value("gallbladder")).any()]
    assert 1 <= len(missing) <= 12


def test_left_is_left():
    """Right kidney, liver and IVC lie at smaller x than left kidney, spleen and aorta; the liver dome is above."""

    def centre(case, name, axis):
        return np.nonzero(case.truth == value(name))[axis].mean()

    for case in cases():
        assert centre(case, "right_kidney", 2) < centre(case, "left_kidney", 2)
        assert centre(case, "liver", 2) < centre(case, "spleen", 2)
        assert centre(case, "inferior_vena_cava", 2) < centre(case, "aorta", 2)
        assert centre(case, "liver", 0) > centre(case, "right_kidney", 0)


def test_images_are_hu():
    """There is air outside, bone inside, and an enhanced aorta brighter than fat."""
    for case in cases():
        assert case.image.dtype == np.int16
        assert case.image.min() < -800
        assert case.image.max() > 250
        assert case.image[case.truth == value("aorta")].mean() > 0


def test_external_labels_speak_flare21_and_err():
    """External labels hold 0–4 on every training and validation case, resemble the truth and differ from it."""
    for case in cases():
        if case.split == "test":
            assert case.external is None
            continue
        assert set(np.unique(case.external)) == {0, 1, 2, 3, 4}
        liver, theirs = case.truth == value("liver"), case.external == 1
        dice = 2 * np.count_nonzero(liver & theirs) / (liver.sum() + theirs.sum())
        assert 0.5 < dice < 0.99


def test_files_and_arrays_have_one_geometry():
    """The file's own grid is the case's, and turning an array into the file's axes and back changes nothing."""
    assert {case.space.orientation for case in cases()} == {"LPS", "RAS", "LAS", "PSR"}
    for case in cases():
        stored = case.space.from_lps(case.image)
        assert case.space.grid == case.grid
        assert stored.shape == case.space.shape
        assert case.image.shape == case.truth.shape == case.grid.shape
        assert np.array_equal(case.space.to_lps(stored), case.image)


def test_spacing_renders_the_same_patient_finer():
    """Another spacing shows the same organs in the same places with about the same volumes."""
    fine = make_case(Cohort(seed=0, spacing=(4.0, 3.0, 3.0)), 0)
    coarse = cases()[0]
    for name in ("liver", "spleen", "left_kidney", "stomach"):
        one = np.count_nonzero(fine.truth == value(name)) * fine.grid.voxel_ml
        other = np.count_nonzero(coarse.truth == value(name)) * coarse.grid.voxel_ml
        assert one == pytest.approx(other, rel=0.08)


def test_slabs_leave_no_trace(monkeypatch):
    """Painting in slabs of one slice gives the same case as painting all at once."""
    monkeypatch.setattr("flaredb.phantom.cohort._SLAB", 1)
    assert digest(make_case(Cohort(seed=0), 2)) == digest(cases()[2])
