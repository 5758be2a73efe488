"""The page about a workspace stands alone."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

from flaredb.workflow.report import report

VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags close in order; collects pictures, references and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[str] = []
        self.references: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for key, value in attrs:
            if key in ("src", "href", "action", "data", "poster"):
                (self.pictures if value.startswith("data:image/png;base64,") else self.references).append(value)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def parsed(path):
    page = Page()
    text = path.read_text(encoding="utf-8")
    page.feed(text)
    page.close()
    assert page.open == []
    assert "http" not in text.replace("http-equiv", "")
    assert page.references == []
    for picture in page.pictures:
        assert base64.b64decode(picture.split(",", 1)[1], validate=True).startswith(b"\x89PNG")
    return page


def test_a_report_of_a_round_stands_alone(after_round, tmp_path):
    """The page parses, needs nothing from elsewhere, and shows coverage, overlays and the gate of the round."""
    page = parsed(report(after_round, tmp_path / "deep" / "page.html"))
    assert len(page.pictures) >= 2
    assert "organ/1" in page.text
    assert "evaluated" in page.text
    assert not list(tmp_path.glob("deep/.*"))


def test_a_report_of_nothing(empty, tmp_path):
    """A new workspace has a page too."""
    page = parsed(report(empty, tmp_path / "page.html"))
    assert "0 cases" in page.text


def test_names_are_text_and_not_markup(empty, tmp_path):
    """A title with markup in it is shown as it is."""
    page = parsed(report(empty, tmp_path / "page.html", title="<script>alert(1)</script>"))
    assert "<script>alert(1)</script>" in page.text
