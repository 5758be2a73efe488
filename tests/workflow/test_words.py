"""The words: `flaredb words` and the manual show the same table."""

from __future__ import annotations

from pathlib import Path

from flaredb.workflow.words import WORDS
from tests.cohorts import flaredb

MANUAL = Path(__file__).parents[2] / "docs" / "concepts.md"


def table(text: str) -> list[tuple[str, str]]:
    """The rows of the first table of a Markdown text."""
    lines = text[text.index("| word | meaning |") :].partition("\n\n")[0].splitlines()[2:]
    return [(word.strip(), meaning.strip()) for word, meaning in (line.strip("|").split("|", 1) for line in lines)]


def test_the_manual_and_the_program_say_the_same() -> None:
    """Word by word, in the same order."""
    assert table(MANUAL.read_text(encoding="utf-8")) == list(WORDS.items())


def test_the_words_are_printed(tmp_path: Path) -> None:
    """As a list of objects, and without a workspace."""
    done = flaredb("words")
    assert done.code == 0
    assert done.json == [{"word": word, "meaning": meaning} for word, meaning in WORDS.items()]
