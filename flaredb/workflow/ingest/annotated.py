"""What a label annotates: stated on the command line or in a table, never guessed from the values present."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from flaredb.errors import Finding, InvalidDataError
from flaredb.exchange.tables import Row, read_sheet
from flaredb.labels.labelset import Mode
from flaredb.labels.mappings import Mapping as Codes
from flaredb.labels.policy import KINDS
from flaredb.labels.structures import StructureSet

_HELP = (
    "say what the labels annotate: --annotated liver,spleen, --annotated all, or --annotated-from FILE.csv "
    "(columns case,annotated); structures a label is silent about must not be taken for absent"
)


@dataclass(frozen=True)
class Statement:
    """What was said of one case's label; `annotated` holds names, `all`, or `present`."""

    annotated: tuple[str, ...]
    positive_only: tuple[str, ...] = ()
    kind: str | None = None
    annotator: str = ""
    annotated_at: datetime | None = None


@dataclass(frozen=True)
class Statements:
    """Statements by case, with one for those not listed."""

    by_case: Mapping[str, Statement] = field(default_factory=dict)
    default: Statement | None = None

    def of(self, case: str) -> Statement:
        """The statement on a case; InvalidDataError if there is none."""
        found = self.by_case.get(case, self.default)
        if found is None:
            raise InvalidDataError(f"nobody says what {case} annotates; {_HELP}")
        return found


def stated(annotated: str | None, positive_only: str | None, table: Path | None) -> Statements:
    """From the options; InvalidDataError if nothing is stated."""
    if not (_names(annotated) or _names(positive_only) or table):
        raise InvalidDataError(_HELP)
    said = _names(annotated) or _names(positive_only)
    default = Statement(_names(annotated), _names(positive_only)) if said else None
    return Statements(read_table(table) if table else {}, default)


def read_table(path: Path) -> dict[str, Statement]:
    """A CSV with columns case, annotated and maybe positive_only, kind, annotator, date; names apart by spaces.

    InvalidDataError for a row with a date, kind or number of cells that cannot be, and for a case that stands twice.
    """
    found: dict[str, Statement] = {}
    for row in read_sheet(path, "case", "annotated").rows:
        case = row.get("case")
        try:
            statement = statement_of(row)
        except InvalidDataError as error:
            raise InvalidDataError(f"{path.name}: case {case}: {error}") from error
        if found.setdefault(case, statement) != statement:
            raise InvalidDataError(f"{path.name}: case {case} stands twice, with different things said of it")
    return found


def statement_of(row: Row) -> Statement:
    """What a row of a table says of a label; InvalidDataError for a cell that cannot be."""
    if row.surplus:
        raise InvalidDataError("more cells than columns; names in a list are kept apart by spaces")
    kind = row.get("kind") or None
    if kind not in (None, *KINDS):
        raise InvalidDataError(f"kind {kind!r}; one of: {' '.join(KINDS)}")
    return Statement(
        _names(row.get("annotated")),
        _names(row.get("positive_only")),
        kind,
        row.get("annotator"),
        _moment(row.get("date")),
    )


def resolve(statement: Statement, space: StructureSet, codes: Codes, present: Callable[[str], bool]) -> dict[str, Mode]:
    """Structure → mode. `present` tells whether the label holds a structure (asked for `present` alone)."""
    known = space.check(codes.structures)
    if statement.annotated == ("all",):
        names: Iterable[str] = known
    elif statement.annotated == ("present",):
        names = [name for name in known if present(name)]
    else:
        names = statement.annotated
    modes = dict(_mode(name, space, exhaustive=True) for name in names)
    modes |= dict(_mode(name, space, exhaustive=False) for name in statement.positive_only)
    beyond = [name for name in modes if name not in known]
    if beyond:
        raise InvalidDataError(
            f"{beyond[0]} is said to be annotated, but the mapping {codes.name} has no code for it; "
            f"it has: {' '.join(known)}"
        )
    return {name: modes[name] for name in space.names if name in modes}


def remarks(case: str, statement: Statement, absent: list[str], path: str) -> list[Finding]:
    """Findings on a statement: too many annotated structures absent; `present` takes values for annotation."""
    found = []
    if statement.annotated == ("present",):
        message = "annotated was taken from the values present; structures that are absent count as not annotated"
        found.append(Finding("warning", case, "annotated-present", message, path))
    if len(absent) > 2:
        message = f"{len(absent)} annotated structures are absent: {' '.join(absent)}; is the label complete?"
        found.append(Finding("warning", case, "annotated-absent", message, path))
    return found


def _mode(name: str, space: StructureSet, exhaustive: bool) -> tuple[str, Mode]:
    """`tumor`, or `tumor@liver+spleen` for a lesion annotated within those organs only."""
    structure, _, within = name.partition("@")
    organs = tuple(within.split("+")) if within else ()
    if within and space[structure].kind != "lesion":
        raise InvalidDataError(f"{name}: only a lesion can be annotated within organs")
    return space[structure].name, Mode(exhaustive, space.check(organs))


def _names(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").replace(",", " ").split())


def _moment(text: str) -> datetime | None:
    """A date, or a time; without a zone in UTC, so that it is the same on every machine."""
    try:
        moment = datetime.fromisoformat(text) if text else None
        return moment and (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise InvalidDataError(f"{text!r:.100} is not a date such as 2023-05-07") from error
