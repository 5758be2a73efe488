"""`verdicts.csv`: what people say about the labels of a review beside what they draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flaredb.catalog.reviews import NOT_LOOKED_AT
from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.tables import Row, read_sheet, refused_row
from flaredb.labels.structures import StructureSet

FINE, UNUSABLE = "fine", "unusable"
VERDICTS = (FINE, UNUSABLE, NOT_LOOKED_AT)


@dataclass
class Said:
    """What was said of a case: of all its structures, of single ones (which goes before), and comments."""

    overall: str | None = None
    named: dict[str, str] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    refused: list[Finding] = field(default_factory=list)
    """Rows that make no sense; a case with such a row is not taken back before the row is put right."""

    def of(self, structure: str) -> str | None:
        """The verdict on a structure, or None."""
        return self.named.get(structure, self.overall)


def read_verdicts(path: Path, space: StructureSet, names: Mapping[str, str]) -> tuple[dict[str, Said], list[Finding]]:
    """Case → what was said, from a CSV with columns case, verdict and maybe structures (apart by spaces), comment.

    `names` is every name a row may call a case by → the case. Rows without verdict and comment say nothing. Rows about
    other cases come back as findings. Nothing is said if there is no such file.
    """
    said: dict[str, Said] = {}
    stray: list[Finding] = []
    if not path.exists() or _is_header_alone(path):
        return said, stray
    for row in read_sheet(path, "case", "verdict").rows:
        if not row.get("verdict") and not row.get("comment"):
            continue
        case = names.get(row.get("case"))
        if case is None:
            error = _problem("not-in-review", "the review holds no such case")
            stray.append(refused_row(path, row, "", error))  # no name: that of an erased case must not come back
            continue
        own = said.setdefault(case, Said())
        try:
            _add(own, row, space)
        except InvalidDataError as refusal:
            own.refused.append(refused_row(path, row, case, refusal))
    return said, stray


def _is_header_alone(path: Path) -> bool:
    """Whether somebody deleted every row: then nothing is said."""
    first, *others = path.read_text(encoding="utf-8-sig", errors="replace").splitlines() or [""]
    return {"case", "verdict"} <= {cell.strip() for cell in first.split(",")} and not any(map(str.strip, others))


def _add(said: Said, row: Row, space: StructureSet) -> None:
    verdict = " ".join(row.get("verdict").lower().split())
    if row.surplus:
        raise _problem("bad-row", "more cells than the header; separate structures by spaces, quote a comment's commas")
    if verdict and verdict not in VERDICTS:
        raise _problem("bad-verdict", f"verdict {verdict[:40]!r}; one of: {', '.join(VERDICTS)}")
    structures = row.get("structures").replace(";", " ").split()
    unknown = [name for name in structures if name not in space.names]
    if unknown:
        raise _problem("unknown-structure", f"no structure {unknown[0][:80]!r}; there are: {' '.join(space.names)}")
    before = [said.named.get(name) for name in structures] if structures else [said.overall]
    if verdict and any(other not in (None, verdict) for other in before):
        raise _problem("two-verdicts", f"{verdict!r} here and another verdict in a row above")
    if verdict and structures:
        said.named |= dict.fromkeys(structures, verdict)
    elif verdict:
        said.overall = verdict
    if row.get("comment"):
        about = f" ({' '.join(structures)})" if structures else ""
        said.comments.append(f"{verdict or 'comment'}{about}: {row.get('comment')}")


def _problem(rule: str, message: str) -> InvalidDataError:
    return InvalidDataError(message, [Finding("error", None, rule, message)])
