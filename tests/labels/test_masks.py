"""What masks of one structure each mean together."""

from __future__ import annotations

import pytest

from flaredb.errors import InvalidDataError
from flaredb.labels.mappings import Mapping, load_mapping
from flaredb.labels.masks import contradictions, expected, joined, load_naming
from flaredb.labels.structures import FLARE23

NAMES = """
other_names = ["lung"]
[names]
liver = "liver"
liver_tumor = "tumor"
kidneys = ["right_kidney", "left_kidney"]
kidney_left = "left_kidney"
spleen = "spleen"
fat = "background"
combined = "ignore"
"""


@pytest.fixture
def naming(tmp_path):
    (tmp_path / "own.toml").write_text(NAMES)
    return load_naming(str(tmp_path / "own.toml"), FLARE23)


@pytest.mark.parametrize(
    ("names", "meaning"),
    [
        (("liver",), {"liver"}),
        (("liver", "liver_tumor"), {"tumor"}),
        (("lung", "liver_tumor"), {"tumor"}),
        (("lung", "liver"), {"liver"}),
        (("lung", "fat"), set()),
        (("kidneys", "kidney_left"), {"left_kidney"}),
        (("kidneys",), {"right_kidney", "left_kidney"}),
        (("liver", "spleen", "liver_tumor"), {"tumor"}),
    ],
)
def test_what_overlapping_masks_mean(naming, names, meaning):
    """A lesion is the lesion wherever it lies; organs are what they have in common; background gives way."""
    assert joined(naming, {1: names}, FLARE23.lesions).table == {1: frozenset(meaning)}


def test_organs_that_contradict_each_other_say_nothing(naming):
    """Two organs in one voxel are a code that is ignored, and can be told; no organ becomes a superset by it."""
    codes = joined(naming, {1: ("liver",), 2: ("spleen",), 3: ("liver", "spleen")}, FLARE23.lesions)
    assert codes.ignored == {3}
    assert contradictions(codes) == {3: ("liver", "spleen")}
    assert codes.superset("liver") == {"liver"}


def test_the_table_of_combinations_is_kept(naming):
    """The mapping's text gives the combinations back, so that the masks can be told apart later."""
    codes = joined(naming, {1: ("liver",), 2: ("liver_tumor",), 3: ("liver", "liver_tumor")}, FLARE23.lesions)
    assert Mapping.from_text(codes.name, codes.text) == codes
    assert dict(codes.masks)[3] == ("liver", "liver_tumor")


def test_a_mapping_without_names_takes_the_structures_own():
    """`identity`, and mappings of codes alone, know files named as the structures are."""
    assert load_naming("identity", FLARE23).known == set(FLARE23.names)
    assert load_naming("btcv", FLARE23).meanings["liver"] == {"liver"}


def test_totalsegmentators_names_are_known():
    """Its 117 files are known by name; those of no structure are background; one left alone is in none of the codes."""
    naming = load_naming("totalsegmentator-v2", FLARE23)
    assert len(naming.known) == 117
    assert naming.meanings["kidney_left"] == {"left_kidney"}
    assert naming.meanings["vertebrae_L5"] == frozenset()
    assert len(load_naming("totalsegmentator-v1", FLARE23).known) == 104
    assert expected(naming, ["liver", "heart"]).structures == {"liver"}


def test_names_of_unknown_structures_are_refused(tmp_path):
    """A user's own file may name nothing that the workspace lacks."""
    (tmp_path / "own.toml").write_text('[names]\nx = "livr"\n')
    with pytest.raises(InvalidDataError, match="livr"):
        load_naming(str(tmp_path / "own.toml"), FLARE23)


def described(tmp_path, labels):
    (tmp_path / "dataset.json").write_text('{"labels": %s}' % labels)  # noqa: UP031  braces all over
    return load_mapping(str(tmp_path / "dataset.json"), FLARE23)


def test_a_dataset_json_is_a_mapping(tmp_path):
    """Both versions of nnU-Net's: names written otherwise, both kidneys, what is not kept, and regions."""
    first = described(tmp_path, '{"0": "background", "1": "Liver", "2": "kidney", "3": "left kidney", "4": "cancer"}')
    assert first.table == {
        0: frozenset(), 1: {"liver"}, 2: {"right_kidney", "left_kidney"}, 3: {"left_kidney"}, 4: {"tumor"},
    }  # fmt: skip
    second = described(tmp_path, '{"background": 0, "kidney": [1, 2, 3], "masses": [2, 3], "tumor": 2, "ignore": 4}')
    assert second.table == {0: frozenset(), 1: {"right_kidney", "left_kidney"}, 2: {"tumor"}}
    assert second.ignored == {3, 4}
    assert second.left_out == ("3 masses (says nothing)",)
    third = described(tmp_path, '{"background": 0, "spleen": 1, "bladder": 2, "liver tumour": 3}')
    assert (third.table[2], third.ignored) == (frozenset(), {3})
    assert third.left_out == ("2 bladder (background)", "3 liver tumour (says nothing)")


@pytest.mark.parametrize("labels", ["[]", "{}", '{"liver": "x"}', '{"liver": -1}', '{"liver": []}', "3", '{"a": true}'])
def test_a_dataset_json_that_says_nothing_is_refused(tmp_path, labels):
    """Labels that are no table of names and codes are an error that names the file."""
    with pytest.raises(InvalidDataError, match=r"dataset\.json"):
        described(tmp_path, labels)
