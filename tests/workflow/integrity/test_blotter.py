"""Taking words out: none is left where it stood alone, and nothing else is touched."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flaredb.workflow.integrity.blotter import Blotter, blot_files

WORDS = {"case_1": "X", "scan (1).nii.gz": "X", "c+1.2": "Y"}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("case_1", "X"),
        ("a/case_1/b, case_1.", "a/X/b, X."),
        ("case_1_0000.nii.gz", "X_0000.nii.gz"),
        ("case_1@flare23@2", "X@flare23@2"),
        ("case_11 case_1a acase_1 0case_1 _case_1", "case_11 case_1a acase_1 0case_1 _case_1"),
        ("scan (1).nii.gz", "X"),
        ("c+1.2 c+112", "Y c+112"),
        ("Case_1", "Case_1"),
        ("", ""),
    ],
)
def test_a_word_goes_where_it_stands_alone(text, clean):
    """Not within another word; an underscore may follow, as before a channel's number."""
    assert Blotter(WORDS)(text) == clean


def test_names_that_hold_a_word_stay():
    """A kept name is found first, also with something after it."""
    blot = Blotter({"case_1": "X"}, ["case_1_b", "case_1-2", "other"])
    assert blot("case_1_b case_1_b_0000 case_1-2.nii case_1_c case_1") == "case_1_b case_1_b_0000 case_1-2.nii X_c X"


def test_documents_keep_their_form():
    """Keys and values, however deep; numbers and nothing stay, also where a word looks like a number."""
    document = {"1": [1, "1", {"x": "1 1.5", "n": None}], "b": True}
    assert Blotter({"1": "X"})(document) == {"X": [1, "X", {"x": "X X.5", "n": None}], "b": True}


def test_without_words_nothing_changes():
    """Nothing to take out, nothing taken."""
    assert Blotter({})({"a": "b"}) == {"a": "b"}


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,6}", fullmatch=True)


@given(
    words=st.frozensets(names, min_size=1, max_size=3),
    kept=st.frozensets(names, max_size=3),
    text=st.lists(st.one_of(names, st.sampled_from([" ", "/", "@", "_0000", ".nii.gz"])), max_size=8).map("".join),
)
def test_no_word_is_left_alone(words, kept, text):
    """In any text: after blotting, a word stands alone only within a name that is kept."""
    assume(not words & kept)
    clean = Blotter(dict.fromkeys(words, "\N{BULLET}"), kept)(text)
    rest = alone(kept).sub("\N{BULLET}", clean)
    assert not alone(words).search(rest)


def alone(found: frozenset[str]) -> re.Pattern[str]:
    """Any of the words where it stands alone, the longest first."""
    listed = "|".join(re.escape(word) for word in sorted(found, key=len, reverse=True))
    return re.compile(rf"(?<![A-Za-z0-9_])(?:{listed or '$^'})(?![A-Za-z0-9])")


def test_files_are_blotted_by_their_kind(tmp_path):
    """Texts are rewritten, JSON stays JSON, pages go, files named after a case go; data that is not ours stays."""
    for folder in ("volumes", "backups", "models/m-1", "out/case_1"):
        (tmp_path / folder).mkdir(parents=True)
    texts = {
        "flaredb.toml": "case_1",
        "catalog.db": "case_1",
        "volumes/case_1": "case_1",
        "backups/copy.json": "case_1",
        "models/m-1/case_1.json": '{"case": "case_1", "n": 1}',
        "models/m-1/page.html": "case_1",
        "page.html": "<b>case_1</b>",
        "other.html": "<b>case_2</b>",
        "out/case_1/seg.nii.gz": "",
        "out/case_1_0000.nii.gz": "",
        "out/case_2_0000.nii.gz": "",
        "out/manifest.json": json.dumps([{"case": "case_1"}, {"case": "case_2"}]),
        "lines.jsonl": '{"case": "case_1"}\n{"case": "case_2"}\n',
        "broken.json": "{case_1",
        "latin.txt": "",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.txt").write_bytes(b"M\xfcller case_1\n")
    blot_files(tmp_path, Blotter({"case_1": "X"}))
    left = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    for name in ("flaredb.toml", "catalog.db", "volumes/case_1", "backups/copy.json"):
        assert left.pop(name) == b"case_1"
    assert left.pop("latin.txt") == b"M\xfcller X\n"
    assert json.loads(left.pop("models/m-1/case_1.json")) == {"case": "X", "n": 1}
    assert json.loads(left.pop("out/manifest.json")) == [{"case": "X"}, {"case": "case_2"}]
    assert [json.loads(line) for line in left.pop("lines.jsonl").splitlines()] == [{"case": "X"}, {"case": "case_2"}]
    assert left == {
        "models/m-1/page.html": b"X",
        "other.html": b"<b>case_2</b>",
        "out/case_2_0000.nii.gz": b"",
        "broken.json": b"{X",
    }
    assert not (tmp_path / "out" / "case_1").exists()
