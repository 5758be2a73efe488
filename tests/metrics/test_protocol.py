import itertools

import numpy as np
import pytest

from flaredb.errors import InvalidDataError
from flaredb.geometry import FileSpace
from flaredb.metrics import PROTOCOLS, Score, StructureRule, score_case, score_structure
from flaredb.metrics.protocol import round_score
from tests.metrics.plain import plain_score

FLARE23 = PROTOCOLS["flare23"]
RULES = {rule.name: rule for rule in FLARE23.structures}
MM = (1.0, 1.0, 1.0)


def column(start, stop, shape=(30, 30, 30)):
    """A mask of a 6×6 column along z over the slices [start, stop)."""
    mask = np.zeros(shape, bool)
    mask[10:16, 10:16, start:stop] = True
    return mask


def aorta(reference, prediction, protocol="flare23"):
    return score_structure(reference, prediction, MM, RULES["aorta"], PROTOCOLS[protocol])


def test_tube_counts_only_where_the_reference_has_it():
    """An aorta predicted beyond the reference's slices scores fully; an organ of the same shape does not."""
    reference, prediction = column(5, 15), column(0, 30)
    assert aorta(reference, prediction) == Score(1.0, 1.0, True)
    assert score_structure(reference, prediction, MM, RULES["liver"], FLARE23) == Score(0.5, 0.7611, True)


def test_tube_loses_its_top_slice():
    """The highest slice of the reference is not looked at, the lowest is."""
    reference = column(5, 15)
    assert aorta(reference, column(5, 14)).dsc == 1.0
    assert aorta(reference, column(6, 15)).dsc < 1.0
    assert aorta(reference[:, :, ::-1], column(5, 14)[:, :, ::-1]).dsc < 1.0


def test_tube_predicted_only_on_the_dropped_slice():
    """A prediction that the slice cut leaves nothing of scores 0, 0."""
    assert aorta(column(5, 15), column(14, 20)) == Score(0.0, 0.0, True)


def test_tube_of_a_single_slice():
    """A tube of one slice, on which the official script fails, is scored on that slice and remarked upon."""
    score = aorta(column(7, 8), column(5, 9))
    assert (score.dsc, score.nsd, score.present) == (1.0, 1.0, True)
    assert [finding.rule for finding in score.findings] == ["single-slice-tube"]
    assert score.findings[0].severity == "warning"


def test_flare21_knows_no_tubes_no_floor_and_one_tolerance():
    """FLARE21 scores all slices, gives an NSD to any DSC, and uses 1 mm whatever the structure's own tolerance."""
    assert aorta(column(5, 15), column(0, 30), "flare21").dsc == 0.5
    reference, prediction = column(5, 6), column(0, 30)
    assert score_structure(reference, prediction, MM, RULES["liver"], FLARE23).nsd == 0.0
    low = score_structure(reference, prediction, MM, RULES["liver"], PROTOCOLS["flare21"])
    assert low.dsc < 0.2
    assert 0.0 < low.nsd < score_structure(column(5, 15), column(0, 30), MM, RULES["liver"], FLARE23).nsd


def test_floor_is_held_against_the_unrounded_dsc():
    """A DSC of exactly 0.2 has an NSD; one just below, which rounds to 0.2, has an NSD of 0."""
    reference, prediction = np.zeros((2, 100, 101, 1), bool)
    reference[:10, :100] = True
    prediction[:90, :100] = True
    rule = StructureRule(1, "any", 500)
    assert score_structure(reference, prediction, MM, rule, FLARE23) == Score(0.2, 1.0, True)
    prediction[0, 100] = True
    assert score_structure(reference, prediction, MM, rule, FLARE23) == Score(0.2, 0.0, True)


def test_empty_sides():
    """Absent from both: 1, 1; from one only: 0, 0; present tells whether the reference has it."""
    empty, full = column(0, 0), column(3, 9)
    for name in ("liver", "aorta"):
        for protocol in PROTOCOLS.values():
            rule = RULES[name]
            assert score_structure(empty, empty, MM, rule, protocol) == Score(1.0, 1.0, False)
            assert score_structure(full, empty, MM, rule, protocol) == Score(0.0, 0.0, True)
            assert score_structure(empty, full, MM, rule, protocol) == Score(0.0, 0.0, False)


def test_rounding_is_numpys():
    """A DSC of 0.12345 becomes 0.1234 (scaled, half to even) as in the official script, not Python's 0.1235."""
    assert round_score(0.12345) == 0.1234
    assert round(0.12345, 4) == 0.1235


def test_spacing_is_taken_as_the_header_has_it():
    """Five voxels of 0.4 mm are more than 2 mm apart, because a header's 0.4 is the float32 0.4000000059."""
    reference, prediction = np.zeros((2, 20, 4, 4), bool)
    reference[3:10] = True
    prediction[3:15] = True
    rule = RULES["gallbladder"]
    from_python = score_structure(reference, prediction, (0.4, 1, 1), rule, FLARE23)
    from_header = score_structure(reference, prediction, (float(np.float32(0.4)), 1, 1), rule, FLARE23)
    assert from_python == from_header
    assert from_python.nsd < 1.0


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, float("nan"))])
def test_spacing_must_be_positive(spacing):
    """A header without a voxel size is refused."""
    with pytest.raises(InvalidDataError, match="spacing"):
        score_structure(column(1, 5), column(1, 5), spacing, RULES["liver"], FLARE23)


def test_shapes_must_match():
    """A prediction of another shape is refused, for masks and for labels."""
    with pytest.raises(InvalidDataError, match="shape"):
        score_structure(column(1, 5), column(1, 5, (30, 30, 29)), MM, RULES["liver"], FLARE23)
    with pytest.raises(InvalidDataError, match="shape"):
        score_case(np.ones((2, 3, 4), int), np.ones((4, 3, 2), int), MM, FLARE23)


def test_only_what_is_asked_for():
    """Structures are the protocol's unless the caller names some; values nobody asks for change nothing."""
    labels = np.zeros((6, 6, 6), np.uint16)
    labels[1:3], labels[4] = 1, 513
    assert list(score_case(labels, labels, MM, FLARE23)) == list(RULES)
    assert list(score_case(labels, labels, MM, PROTOCOLS["flare21"])) == ["liver", "kidneys", "spleen", "pancreas"]
    assert len(PROTOCOLS["flare22"].structures) == 13
    asked = (RULES["spleen"], StructureRule(513, "vessel", 2))
    scores = score_case(labels, labels, MM, FLARE23, asked)
    assert scores == {"spleen": Score(1.0, 1.0, False), "vessel": Score(1.0, 1.0, True)}
    with pytest.raises(InvalidDataError, match="start at 1"):
        score_case(labels, labels, MM, FLARE23, [StructureRule(0, "background", 1)])


def test_values_are_truncated_to_integers():
    """Labels stored as floating point are cut to integers, as the official script does."""
    labels = np.full((3, 3, 3), 1.9)
    assert score_case(labels, np.ones((3, 3, 3), np.int16), MM, FLARE23)["liver"] == Score(1.0, 1.0, True)


def blocks(random):
    """Two small label arrays of values 0 to 14 in blocks, the second a moved and disturbed copy of the first."""
    shape = random.integers(3, 9, 3)
    reference = np.zeros(shape, np.uint8)
    for _ in range(random.integers(0, 9)):
        corner = [random.integers(0, n) for n in shape]
        reference[tuple(slice(c, c + random.integers(1, 8)) for c in corner)] = random.choice(VALUES)
    prediction = np.roll(reference, random.integers(-2, 3), axis=random.integers(0, 3))
    noise = random.random(shape) < random.choice([0.0, 0.02, 0.2])
    prediction[noise] = random.choice(VALUES, tuple(shape))[noise]
    return reference, prediction


VALUES = (0, 1, 2, 4, 5, 6, 10, 12, 14)
SPACINGS = (0.4, 0.7, 0.8, 1.0, 2.0, 2.5, 3.0, 5.0)
ORIENTATIONS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS, ids=str)
def test_same_as_a_plain_reading(name, axes, signs):
    """Every structure scores as in a literal, slow reading, however the file stores its axes; four pairs each way.

    The arrays are those that a volume kept as (z, y, x) gives in the axes of such a file.
    """
    random = np.random.default_rng([*axes, *(sign > 0 for sign in signs), sorted(PROTOCOLS).index(name)])
    protocol = PROTOCOLS[name]
    for pair in (blocks(random) for _ in range(4)):
        spacing = tuple(np.float32(random.choice(SPACINGS, 3)).tolist())
        affine = np.eye(4)
        affine[:3, :3] = np.eye(3)[list(axes)] * signs * spacing
        space = FileSpace(pair[0].shape, tuple(affine.ravel().tolist()), "uint8", spacing)
        kept = [np.ascontiguousarray(space.to_lps(labels)) for labels in pair]
        scores = score_case(*(space.from_lps(labels) for labels in kept), spacing, protocol)
        for rule in protocol.structures:
            score = scores[rule.name]
            assert (score.dsc, score.nsd) == plain_score(*pair, spacing, rule.value, name), rule.name
            assert score.present == bool((pair[0] == rule.value).any())


def test_threads_change_nothing():
    """Structures spread over threads score the same, in the same order."""
    pair = blocks(np.random.default_rng(3))
    one = score_case(*pair, MM, FLARE23)
    many = score_case(*pair, MM, FLARE23, threads=3)
    assert list(many.items()) == list(one.items())
