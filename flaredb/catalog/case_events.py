"""What happens to a case after it came in: kept out of use, renamed, of the same patient as another or not."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import select

from flaredb.catalog import tables as t
from flaredb.catalog.cases import Case, patient_id
from flaredb.catalog.database import Write
from flaredb.errors import ConflictError

Event = Literal["excluded", "included", "renamed", "described", "same", "distinct"]


def record(write: Write, case: int, event: Event, why: str, detail: str = "") -> None:
    """Append an event of a case."""
    values = {"case_id": case, "event": event, "detail": detail, "why": why, "operation_id": write.operation}
    write.connection.execute(t.case_events.insert().values(values))


def set_excluded(write: Write, case: Case, excluded: bool, why: str) -> bool:
    """Keep a case out of use, or take it back; False if it is so already."""
    if case.excluded == excluded:
        return False
    write.connection.execute(t.cases.update().where(t.cases.c.id == case.id).values(excluded=excluded))
    record(write, case.id, "excluded" if excluded else "included", why)
    write.touched.add(case.id)
    return True


def describe(write: Write, case: int, facts: dict[str, Any], why: str) -> None:
    """Set columns of a case and append the event; `facts` may hold `patient`, a key, besides columns."""
    columns = {name: value for name, value in facts.items() if name != "patient"}
    if "patient" in facts:
        columns["patient_id"] = patient_id(write, facts["patient"])
    write.connection.execute(t.cases.update().where(t.cases.c.id == case).values(columns))
    told = ", ".join(f"{name} {value}" for name, value in facts.items())
    record(write, case, "described", why, told)


def rename(write: Write, case: Case, name: str, why: str) -> None:
    """Give a case another name; the old one goes on finding it. ConflictError if the name is taken."""
    connection = write.connection
    taken = connection.execute(select(t.cases.c.id).where(t.cases.c.name == name)).scalar()
    alias = connection.execute(select(t.case_aliases.c.case_id).where(t.case_aliases.c.alias == name)).scalar()
    if taken is not None or alias not in (None, case.id):
        raise ConflictError(f"{name} is the name of another case, or was; choose another")
    connection.execute(t.case_aliases.delete().where(t.case_aliases.c.alias == name))
    values = {"case_id": case.id, "alias": case.name, "operation_id": write.operation}
    connection.execute(t.case_aliases.insert().values(values))
    connection.execute(t.cases.update().where(t.cases.c.id == case.id).values(name=name))
    record(write, case.id, "renamed", why, case.name)


def join(write: Write, first: Case, second: Case, why: str) -> bool:
    """Two cases, and all that belong to their patients, are of one patient; False if they are already."""
    if first.patient == second.patient:
        return False
    connection = write.connection
    kept, gone = patient_id(write, first.patient), patient_id(write, second.patient)
    of_both = select(t.cases.c.split).where(t.cases.c.patient_id.in_([kept, gone])).distinct()
    splits = set(connection.execute(of_both).scalars())
    if len(splits) > 1:
        raise ConflictError(
            f"the patient of {first.name} and {second.name} would be in two splits: {' '.join(sorted(splits))}; "
            "flaredb case describe moves a case to another split"
        )
    connection.execute(t.cases.update().where(t.cases.c.patient_id == gone).values(patient_id=kept))
    connection.execute(t.patients.delete().where(t.patients.c.id == gone))
    record(write, first.id, "same", why, second.name)
    record(write, second.id, "same", why, first.name)
    return True


def part(write: Write, first: Case, second: Case, key: str, why: str) -> bool:
    """The second case is of a patient of its own, with a new key; False if the two are apart already."""
    if first.patient != second.patient:
        return False
    own = {"patient_id": patient_id(write, key)}
    write.connection.execute(t.cases.update().where(t.cases.c.id == second.id).values(own))
    record(write, first.id, "distinct", why, second.name)
    record(write, second.id, "distinct", why, first.name)
    return True
