"""People's SQL reads and does nothing else, whatever is sent; mistakes are answered with what there is."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from flaredb.catalog import query
from flaredb.catalog import tables as t
from flaredb.catalog.database import Catalog
from flaredb.catalog.views import VIEWS
from flaredb.errors import InvalidDataError
from tests.builders import add_case, add_label, new_catalog
from tests.postgres import SUPERUSER, Server, database_of

WRITES = [
    "INSERT INTO patients (key) VALUES ('x')",
    "INSERT INTO patients (key) VALUES ('x') RETURNING id",
    "UPDATE structures SET name = 'x'",
    "UPDATE structures SET name = name || 'x' RETURNING name",
    "DELETE FROM policies",
    "DELETE FROM policies RETURNING id",
    "WITH old AS (SELECT id FROM policies) DELETE FROM policies WHERE id IN (SELECT id FROM old) RETURNING id",
    "WITH gone AS (DELETE FROM policies RETURNING id) SELECT * FROM gone",
    "DROP TABLE structures",
    "DROP VIEW case_facts",
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE mine (a int)",
    "CREATE TABLE mine AS SELECT 1",
    "ALTER TABLE structures ADD COLUMN mine TEXT",
    "VACUUM",
    "REINDEX",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "END",
    "COMMIT; DELETE FROM policies",
    "ROLLBACK; DELETE FROM policies",
    "SELECT 1; DELETE FROM policies",
    "SELECT 1; COMMIT; DELETE FROM policies; BEGIN",
    "SELECT 1) AS q; COMMIT; DROP TABLE structures; SELECT * FROM (SELECT 1",
    "SELECT 1 -- \n; DELETE FROM policies",
    "",
    ";",
]
SQLITE = [
    "ATTACH '{}' AS other",
    "VACUUM INTO '{}'",
    "SELECT writefile('{}', 'x')",
    "SELECT load_extension('{}')",
    "SELECT readfile('/etc/passwd')",
    "PRAGMA user_version = 7",
    "PRAGMA writable_schema = ON",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA query_only = OFF",
    "DETACH main",
    "SAVEPOINT s",
]
POSTGRESQL = [
    "COPY structures TO '{}'",
    "COPY (SELECT 1) TO PROGRAM 'touch {}'",
    "COPY patients FROM PROGRAM 'touch {}'",
    "SET transaction_read_only = off",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
    "SET ROLE postgres",
    "RESET ROLE",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT \"set_config\"('role', 'postgres', false)",
    "SELECT pg_catalog . SET_CONFIG ('role', 'postgres', false)",
    "SELECT pg_catalog.\"set_config\" /* */ ('role', 'postgres', false)",
    "SELECT U&\"set\\005fconfig\"('role', 'postgres', false)",
    "SELECT u&\"p!0067_sleep\" UESCAPE '!' (1)",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity",
    "SELECT pg_cancel_backend(1)",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_export(1, '{}')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('/etc/passwd')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_try_advisory_lock(1)",
    "SELECT pg_advisory_unlock_all()",
    "SELECT nextval('cases_id_seq')",
    "SELECT setval('cases_id_seq', 99)",
    "SELECT pg_notify('a', 'b')",
    "SELECT pg_sleep(1)",
    "SELECT query_to_xml('DELETE FROM policies', true, true, '')",
    "SELECT query_to_xml('SELECT pg_sl' || 'eep(1)', true, true, '')",
    "SELECT schema_to_xml('public', true, true, '')",
    "SELECT * FROM ts_stat('SELECT pg_sl' || 'eep(1)')",
    "SELECT pg_logical_emit_message(false, 'a', 'b')",
    "SELECT pg_export_snapshot()",
    "SELECT * INTO mine FROM policies",
    "SELECT * FROM policies FOR UPDATE",
    "EXPLAIN ANALYZE DELETE FROM policies",
    "DO $$ BEGIN DELETE FROM policies; END $$",
    "CALL nothing()",
    "PREPARE p AS DELETE FROM policies",
    "LISTEN a",
    "LOCK TABLE policies",
    "TRUNCATE policies CASCADE",
    "GRANT ALL ON policies TO PUBLIC",
    "SELECT 1 WHERE pg_sleep(1) IS NOT NULL",
]


@pytest.fixture
def catalog(fresh: Catalog) -> Catalog:
    """A catalogue with two cases and a label."""
    with fresh.run("test", {}) as run, run.write() as write:
        add_case(write)
        add_case(write, "case2")
        add_label(write)
    return fresh


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "superuser"])
def walled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalog]:
    """A catalogue that must be the same after every try, opened by its owner or by the server's superuser."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('walled')}/catalog.db"
    else:
        server: Server = request.getfixturevalue("postgres")
        url = server.database()
    new_catalog(url).close()
    opened = Catalog(server.url(database_of(url), SUPERUSER) if request.param == "superuser" else url)
    yield opened
    opened.close()


def dump(catalog: Catalog) -> dict[str, list[Any]]:
    """Every row of every table."""
    with catalog.read() as connection:
        return {table.name: connection.execute(select(table)).all() for table in t.metadata.sorted_tables}


def refuses(catalog: Catalog, statement: str, target: Path) -> None:
    """Assert that a statement is refused, that no file was made, and that everything is as before."""
    before = dump(catalog)
    for _ in range(2):
        with pytest.raises(InvalidDataError, match="SQL"):
            query.ask(catalog, statement.replace("{}", str(target)), {})
        with catalog.read() as connection, pytest.raises(InvalidDataError, match="SQL"):
            query.rows(connection, statement.replace("{}", str(target)), {})
    assert dump(catalog) == before
    assert not target.exists()
    assert query.ask(catalog, "SELECT count(*) AS n FROM policies", {}) == [{"n": 1}]
    with catalog.run("test", {}) as run, run.write() as write:  # the writer still can
        add_case(write, f"later{write.operation}")


@pytest.mark.parametrize("statement", WRITES)
def test_a_user_cannot_write(walled: Catalog, tmp_path: Path, statement: str) -> None:
    """Whatever is sent as a query is refused, the data stay as they are, and so does the connection."""
    refuses(walled, statement, tmp_path / "made")


@pytest.mark.parametrize("walled", ["sqlite"], indirect=True)
@pytest.mark.parametrize("statement", SQLITE)
def test_sqlite_keeps_to_its_file(walled: Catalog, tmp_path: Path, statement: str) -> None:
    """No other file is read, attached or written, and no setting is changed."""
    refuses(walled, statement, tmp_path / "made")


@pytest.mark.parametrize("walled", ["postgresql", "superuser"], indirect=True)
@pytest.mark.parametrize("statement", POSTGRESQL)
def test_postgresql_keeps_its_walls(walled: Catalog, tmp_path: Path, statement: str) -> None:
    """No program, no file, no setting, no lock, no other session, no function with effects, however it is written.

    Neither for the owner of the database nor for a superuser, who could do anything.
    """
    refuses(walled, statement, tmp_path / "made")


@pytest.mark.parametrize("walled", ["superuser"], indirect=True)
def test_a_superuser_reads_as_a_reader(walled: Catalog) -> None:
    """The query runs as a role that may read every table and do nothing else."""
    asked = "SELECT current_user AS who, current_setting('is_superuser') AS super"
    assert query.ask(walled, asked, {}) == [{"who": "pg_read_all_data", "super": "off"}]
    assert len(query.ask(walled, "SELECT * FROM structures", {})) == 14


def test_a_query_may_read(catalog: Catalog) -> None:
    """Rows come as dictionaries, parameters by name; colons that name no parameter are colons."""
    asked = "SELECT value, name FROM structures WHERE name = :name AND name <> ':name'"
    assert query.ask(catalog, asked, {"name": "tumor"}) == [{"value": 14, "name": "tumor"}]
    recursive = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) AS s FROM n"
    assert query.ask(catalog, recursive, {}) == [{"s": 15}]
    assert query.ask(catalog, "SELECT 7 % 4 AS rest, 'a%b' AS text;", {}) == [{"rest": 3, "text": "a%b"}]


def test_both_databases_give_the_same_values(catalog: Catalog) -> None:
    """Times as text in UTC, averages as numbers, bytes as hex."""
    (row,) = query.ask(catalog, "SELECT annotated_at FROM labels", {})
    assert row == {"annotated_at": "2023-01-01T00:00:00.000000+00:00"}
    (row,) = query.ask(catalog, "SELECT avg(value) AS mean, max(value) AS top FROM structures", {})
    assert (row, type(row["mean"])) == ({"mean": 7.5, "top": 14}, float)
    blob = "x'00ff'" if catalog.on_sqlite else "'\\x00ff'\\:\\:bytea".replace("\\:", ":")
    assert query.ask(catalog, f"SELECT {blob} AS b", {}) == [{"b": "00ff"}]


@pytest.mark.parametrize(
    ("condition", "value", "names"),
    [
        ("value > :x", "12", {"left_kidney", "tumor"}),
        ("value + 0 > :x", "12", {"left_kidney", "tumor"}),
        ("nsd_tolerance_mm > :x", "6.5", {"duodenum"}),
        ("name = :x", "liver", {"liver"}),
        ("name = :x", "42", set()),
        ("length(name) + value < :x", "7", {"liver"}),
    ],
)
def test_values_given_as_text(catalog: Catalog, condition: str, value: str, names: set[str]) -> None:
    """Numbers compare as numbers with columns and expressions, text as text."""
    given = query.values(catalog, {"x": value})
    found = query.ask(catalog, f"SELECT name FROM structures WHERE {condition}", given)
    assert {row["name"] for row in found} == names


def test_functions_of_the_owners_own_count_too(postgres: Server) -> None:
    """One that writes is refused by its name, however it is spelt; one that only computes is not."""
    url = postgres.copy_of_made()
    for name, kind in (('"Wipe"', "VOLATILE"), ("twice", "IMMUTABLE")):
        postgres.sql(f"CREATE FUNCTION {name}(i int) RETURNS int LANGUAGE sql {kind} AS 'SELECT i * 2'", url)
    opened = Catalog(url)
    assert query.ask(opened, "SELECT twice(21) AS n", {}) == [{"n": 42}]
    with pytest.raises(InvalidDataError, match=r"Wipe.*effects"):
        query.ask(opened, 'SELECT "Wipe"(1)', {})
    opened.close()


def test_what_a_number_is() -> None:
    """Text that is written as that number is; a name with leading zeros is not."""
    texts = ["5", "-5", "2.5", "0042", "1_000", " 5", "nan", "inf", "", "x"]
    assert [query._number(text) for text in texts] == [5, -5, 2.5, *texts[3:]]


ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i > 0) SELECT "


@pytest.mark.parametrize("what", ["count(*) FROM n", "i % 2 AS i FROM n"])
def test_a_query_has_a_time_limit(catalog: Catalog, what: str) -> None:
    """Whether it computes without end or returns rows without end."""
    begun = time.monotonic()
    with pytest.raises(InvalidDataError, match="--time-limit"):
        query.ask(catalog, ENDLESS + what, {}, 0.5)
    assert time.monotonic() - begun < 5
    assert not math.isclose(len(query.ask(catalog, "SELECT 1", {}, 0.5)), 0)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("SELECT * FROM case_fact", "did you mean case_facts"),
        ("SELECT * FROM nonsense", "views: .*label_provenance"),
        ("SELECT slice FROM case_facts", "did you mean slices.*spacing_z_mm"),
        ("SELECT c.slice FROM case_facts c", "did you mean slices"),
        ("SELEC 1", "syntax"),
        ("SELECT :missing", "missing"),
        ("DROP TABLE cases", "only queries are allowed here"),
        ("UPDATE cases SET split = 'test'", "only queries are allowed here"),
        ("COMMIT", "only queries are allowed here"),
    ],
)
def test_a_mistake_is_answered_with_what_there_is(catalog: Catalog, asked: str, said: str) -> None:
    """The error names the table or column, the nearest one, and all there are, on one line."""
    with pytest.raises(InvalidDataError, match=f"SQL: .*{said}") as caught:
        query.ask(catalog, asked, {})
    assert "\n" not in str(caught.value)


def test_the_schema_is_told(catalog: Catalog) -> None:
    """Every view with every column and its type."""
    lines = query.schema(catalog)
    assert {line["view"] for line in lines} == set(VIEWS)
    assert {"case", "patient", "slices"} <= {line["column"] for line in lines if line["view"] == "case_facts"}
    assert all(set(line) == {"view", "column", "type", "description"} for line in lines)
