"""Mappings: those that come with flaredb, and files that people write."""

import json
from pathlib import Path

import pytest
from hypothesis import given

from flaredb.errors import InvalidDataError, NotFoundError
from flaredb.labels.mappings import Mapping, available, load_mapping
from flaredb.labels.structures import FLARE23, StructureSet
from tests.builders import FLARE21, REAL_DATA, TWO_LESIONS, mapping
from tests.strategies import mappings, spaces

BUILTIN = ["btcv", "flare21", "kits19", "kits23", "totalsegmentator-v1", "totalsegmentator-v2"]


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_these_come_with_flaredb() -> None:
    """The manual's list of mappings is what there is."""
    assert available() == BUILTIN


@pytest.mark.parametrize("name", ["identity", *BUILTIN])
@pytest.mark.parametrize("space", [FLARE23, TWO_LESIONS], ids=["FLARE23", "two lesions"])
def test_every_mapping_loads(name: str, space: StructureSet) -> None:
    """Each reads for any structure set, speaks only of structures the set has, and keeps a range."""
    loaded = load_mapping(name, space)
    assert loaded.structures <= set(space.names)
    assert loaded.top >= max(loaded.table)


def test_identity_is_the_structures_own_values() -> None:
    """Code 14 is the tumour, every structure has exactly its value."""
    loaded = load_mapping("identity", FLARE23)
    assert loaded.table == {s.value: {s.name} for s in FLARE23.structures}
    assert loaded.top == 14


@pytest.mark.parametrize("version", ["V1", "V2"])
def test_totalsegmentator_is_as_its_class_map(version: str) -> None:
    """Codes agree with TotalSegmentator's own class map, and the range is all of its classes."""
    path = REAL_DATA / "totalseg" / "class_maps.json"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    maps = json.loads(path.read_text(encoding="utf-8"))
    loaded = load_mapping(f"totalsegmentator-{version.lower()}", FLARE23)
    names = dict(zip(range(1, 15), FLARE23.names, strict=True))
    assert loaded.table == {int(code): {names[value]} for code, value in maps["to_FLARE23"][version].items()}
    assert loaded.top == {"V1": 104, "V2": 117}[version]


def test_flare21_cannot_tell_the_kidneys() -> None:
    """Either kidney stands for both, the liver for itself."""
    loaded = load_mapping("flare21", FLARE23)
    assert loaded.superset("left_kidney") == {"right_kidney", "left_kidney"}
    assert loaded.superset("liver") == {"liver"}
    assert loaded.codes_of("liver") == [1]
    assert loaded.codes_of("left_kidney") == []


def test_a_file_may_say_everything_a_mapping_can(tmp_path: Path) -> None:
    """Structures, supersets, background, ignore and a range."""
    text = 'range = 9\n[codes]\n1 = "liver"\n2 = ["right_kidney", "left_kidney"]\n3 = "background"\n5 = "ignore"\n'
    loaded = load_mapping(write(tmp_path, text), FLARE23)
    assert loaded.table == {1: {"liver"}, 2: set(FLARE21[2]), 3: set()}
    assert loaded.ignored == {5}
    assert loaded.top == 9
    assert loaded.name == "mine"


# Fails for `range = true` (a bool is an int) and for 01 beside 1 (the second silently replaces the first).
def test_a_code_may_leave_open_what_it_is(tmp_path: Path) -> None:
    """Such a code decides nothing, and does not make its structures a superset; the mapping's text keeps it."""
    text = '[codes]\n1 = "liver"\n3 = "spleen"\n[possible]\n20 = ["liver", "background"]\n21 = ["liver", "spleen"]\n'
    loaded = load_mapping(write(tmp_path, text), FLARE23)
    assert loaded.doubts == {20: {"liver", "background"}, 21: {"liver", "spleen"}}
    assert (loaded.ignored, loaded.top, loaded.superset("liver")) == ({20, 21}, 21, {"liver"})
    assert Mapping.from_text(loaded.name, loaded.text) == loaded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "codes"),
        ("[codes]\n", "codes"),
        ("codes = 3\n", "codes"),
        ('[codes]\n1 = "heart"\n', "code 1 .*'heart'"),
        ('[codes]\n1 = "liver"\nx2 = "spleen"\n', "'x2'"),
        ('[codes]\n-1 = "liver"\n', "'-1'"),
        ('[codes]\n70000 = "liver"\n', "'70000'"),
        ("[codes]\n7 = 3\n", "code 7"),
        ("[codes]\n7 = []\n", "code 7"),
        ("[codes]\n7 = [1, 2]\n", "code 7"),
        ('[codes]\n7 = ["liver", "tumor"]\n', "code 7"),
        ('[codes]\n7 = ["liver", "heart"]\n', "code 7 .*'heart'"),
        ('range = 3\n[codes]\n7 = "liver"\n', "range"),
        ('range = "all"\n[codes]\n7 = "liver"\n', "range"),
        ('range = true\n[codes]\n1 = "liver"\n', "range"),
        ('range = 65536\n[codes]\n7 = "liver"\n', "range"),
        ('[codes]\n1 = "liver"\n01 = "spleen"\n', "'01'"),
        ('[codes]\n1 = "liver"\n1 = "spleen"\n', "TOML"),
        ("[codes\n", "TOML"),
        ('possible = 3\n[codes]\n1 = "liver"\n', "possible"),
        ('[codes]\n1 = "liver"\n[possible]\n7 = "spleen"\n', "7 must be a list"),
        ('[codes]\n1 = "liver"\n[possible]\n7 = ["spleen", "heart"]\n', "7 names 'heart'"),
        ('[codes]\n1 = "liver"\n[possible]\n1 = ["spleen", "background"]\n', "code 1 stands twice"),
    ],
)
def test_a_bad_file_is_refused_and_the_key_named(tmp_path: Path, text: str, said: str) -> None:
    """Whatever is wrong, the error is about data and names what to mend."""
    with pytest.raises(InvalidDataError, match=said):
        load_mapping(write(tmp_path, text), FLARE23)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are invalid data, not a crash."""
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidDataError, match=r"mine\.toml"):
        load_mapping(str(path), FLARE23)


@pytest.mark.parametrize("name", ["flare20", "../maps/btcv", "missing.toml", ""])
def test_an_unknown_mapping_is_not_found(name: str) -> None:
    """The error lists the mappings there are."""
    with pytest.raises(NotFoundError, match=r"identity btcv"):
        load_mapping(name, FLARE23)


@given(spaces.flatmap(mappings))
def test_text_and_back(drawn: Mapping) -> None:
    """The catalogue's text gives the same mapping back, and equal mappings have equal digests whatever their name."""
    again = Mapping.from_text(drawn.name, drawn.text)
    assert again == drawn
    assert Mapping.from_text("other", drawn.text).digest == drawn.digest


def test_different_mappings_have_different_digests() -> None:
    """Codes, ignored codes and the range all count."""
    made = [mapping({1: "liver"}), mapping({2: "liver"}), mapping({1: "liver"}, [2]), mapping({1: "liver"}, top=2)]
    assert len({m.digest for m in made}) == 4
