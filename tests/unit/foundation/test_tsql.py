"""The check that stands in for SQL Server: what it must find, what it must let pass, and that nothing escapes it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from localhost import sql_recorder
from localhost.sql_recorder import Finding, Recorder, examine, sql_server
from localhost.tsql import MOST_PARAMETERS, MOST_VALUES, WITH_TRIGGERS, problems
from shared_code.foundation import dialect
from shared_code.foundation.audit.tables import append_only
from shared_code.foundation.many import stored_rows
from tests.conftest import SqlCheck

REFUSED = [
    # words and signs of other databases
    ("SELECT a FROM t ORDER BY a LIMIT 3", "TOP"),
    ("DELETE FROM t LIMIT 3", "limit on UPDATE or DELETE"),
    ("SELECT a || b FROM t", "||"),
    ("SELECT count(*) FILTER (WHERE a = 1) FROM t", "sum a CASE"),
    ("SELECT json_extract(a, '$.x') FROM t", "json_extract()"),
    ("SELECT a -> 'x' FROM t", "->"),
    ("SELECT a ->> 'x' FROM t", "->>"),
    ("SELECT group_concat(a) FROM t", "group_concat()"),
    ("SELECT strftime('%Y', a) FROM t", "strftime()"),
    ("SELECT substr(a, 1, 2) FROM t", "SUBSTRING"),
    ("SELECT ifnull(a, 0) FROM t", "COALESCE"),
    ("SELECT length(a) FROM t", "LEN"),
    ("SELECT rowid FROM t", "use the key"),
    ("INSERT INTO t (a) VALUES (1) ON CONFLICT DO NOTHING", "no ON CONFLICT"),
    ("INSERT INTO t (a) VALUES (1) RETURNING a", "OUTPUT"),
    ("INSERT OR IGNORE INTO t (a) VALUES (1)", "INSERT OR"),
    ("REPLACE INTO t VALUES (1)", "is not T-SQL"),
    ("SELECT TRUE", "no boolean literals"),
    ("UPDATE t SET a = false", "no boolean literals"),
    ("SELECT a FROM t WHERE a IS TRUE", "no boolean literals"),
    ("SELECT a FROM t WHERE a ILIKE 'x'", "lower-case"),
    ("SELECT a FROM t WHERE a REGEXP 'x'", "match in Python"),
    ("SELECT a FROM t WHERE a GLOB 'x'", "use LIKE"),
    ("SELECT a FROM t WHERE a == 1", "== is ="),
    ("SELECT a FROM t ORDER BY a NULLS LAST", "NULLS FIRST"),
    ("SELECT a::integer FROM t", "use CAST"),
    ("SELECT a FROM t WHERE a = :x", "named parameter"),
    ("SELECT a FROM t FOR UPDATE", "dialect.claimed()"),
    ("WITH RECURSIVE x AS (SELECT 1 AS a) SELECT a FROM x", "WITH alone"),
    ("SELECT `a` FROM t", "is not T-SQL"),
    ("CREATE TABLE t (a BOOLEAN)", "BIT"),
    ("CREATE TABLE IF NOT EXISTS t (a INTEGER)", "IF NOT EXISTS"),
    ("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)", "IDENTITY"),
    ("PRAGMA table_info(t)", "command of SQLite"),
    ("SELEC a", "no statement"),
    ("SELECT a FROM t WHERE (a = 1", "is not T-SQL"),
    # predicates are no values, and values no predicates
    ("SELECT (a > 1) AS x FROM t", "in the place of a value"),
    ("SELECT a = ? AS x FROM t", "in the place of a value"),
    ("SELECT EXISTS (SELECT 1) AS x", "in the place of a value"),
    ("SELECT sum(a > 1) FROM t", "in the place of a value"),
    ("SELECT CASE WHEN a = 1 THEN b > 2 ELSE 0 END FROM t", "in the place of a value"),
    ("UPDATE t SET a = (b > 1)", "in the place of a value"),
    ("SELECT b FROM t GROUP BY b ORDER BY b > 1", "in the place of a value"),
    ("SELECT a FROM t WHERE a", "in the place of a condition"),
    ("SELECT a FROM t WHERE a = 1 AND ?", "in the place of a condition"),
    ("SELECT a FROM t WHERE NOT (b)", "in the place of a condition"),
    # rows of columns
    ("SELECT a FROM t WHERE (a, b) IN ((1, 2), (3, 4))", "no rows of columns"),
    ("SELECT a FROM t WHERE (a, b) > (1, 2)", "no rows of columns"),
    # pages and orders
    ("SELECT a FROM t OFFSET 5 ROWS", "without ORDER BY"),
    ("SELECT TOP 5 a FROM t", "without ORDER BY"),
    ("SELECT TOP 5 a FROM t ORDER BY a OFFSET 3 ROWS", "TOP and OFFSET"),
    ("SELECT a FROM t ORDER BY a FETCH NEXT 5 ROWS ONLY", "FETCH needs OFFSET"),
    ("SELECT a FROM (SELECT a FROM t ORDER BY a) AS x", "subquery has ORDER BY"),
    ("SELECT a FROM t WHERE a IN (SELECT b FROM u ORDER BY b)", "subquery has ORDER BY"),
    ("SELECT a FROM t ORDER BY a, b, a DESC", "twice in ORDER BY"),
    ("SELECT DISTINCT a FROM t ORDER BY b", "does not select"),
    # groups, aggregates, windows
    ("SELECT left(a, ?), count(*) FROM t GROUP BY left(a, ?)", "GROUP BY holds a parameter"),
    ("SELECT a FROM t GROUP BY 1", "GROUP BY holds a number"),
    ("SELECT sum((SELECT max(b) FROM u)) FROM t", "subquery or another aggregate"),
    ("SELECT max(sum(a)) FROM t GROUP BY b", "subquery or another aggregate"),
    ("SELECT max(a, b) FROM t", "function of SQLite"),
    ("SELECT count(DISTINCT a, b) FROM t", "several columns at once"),
    ("SELECT row_number() OVER (PARTITION BY a) FROM t", "needs ORDER BY"),
    ("SELECT a FROM t WHERE row_number() OVER (ORDER BY a) = 1", "window function"),
    ("SELECT a, b FROM t GROUP BY a", "neither grouped nor"),
    ("SELECT a, count(*) FROM t", "neither grouped nor"),
    ("SELECT * FROM t GROUP BY a", "neither grouped nor"),
    ("SELECT t.a FROM t JOIN u ON t.a = u.a GROUP BY u.a", "t.a is neither"),
    ("SELECT a + b FROM t GROUP BY a", "neither grouped nor"),
    ("SELECT a FROM t GROUP BY a HAVING b > 1", "neither grouped nor"),
    ("SELECT a FROM t GROUP BY a ORDER BY b", "neither grouped nor"),
    ("SELECT a, sum(b) OVER (ORDER BY a) FROM t GROUP BY a", "b is neither"),
    ("SELECT a FROM t WHERE count(*) > 1", "stands in WHERE"),
    ("DELETE FROM t WHERE a = max(a)", "stands in WHERE"),
    # calls and tests
    ("SELECT round(a) FROM t", "number of decimals"),
    ("SELECT a FROM t WHERE a IS b", "IS with NULL alone"),
    ("SELECT a FROM t WHERE a IS NOT ?", "IS with NULL alone"),
    ("SELECT a FROM t WHERE a IN ()", "IN needs a value"),
    ("SELECT mod(a, 2) FROM t", "the sign %"),
    ("SELECT ceil(a) FROM t", "CEILING"),
    ("SELECT char_length(a) FROM t", "LEN"),
    ("SELECT strpos(a, 'x') FROM t", "CHARINDEX"),
    ("SELECT extract(year FROM a) FROM t", "DATEPART"),
    ("SELECT substring(a FROM 1 FOR 2) FROM t", "SUBSTRING(text, start, length)"),
    # tables
    ("SELECT t.a FROM t JOIN u USING (a)", "USING"),
    ("SELECT t.a FROM t NATURAL JOIN u", "NATURAL JOIN"),
    ("UPDATE t AS x SET a = 1", "table's own name"),
    ("DELETE FROM t AS x WHERE x.a = 1", "table's own name"),
    ("SELECT a FROM (SELECT a FROM t)", "needs an alias"),
    ("SELECT t.a FROM t JOIN (SELECT a FROM u) ON 1 = 1", "needs an alias"),
    ("SELECT x.n FROM (SELECT count(*) FROM t) AS x", "column without a name"),
    ("INSERT INTO audit_event (body) OUTPUT inserted.sequence VALUES (?)", "which has a trigger"),
    # sizes and shapes
    ("SELECT CAST(a AS NVARCHAR) FROM t", "30 characters"),
    ("SELECT y.a FROM (SELECT t.a, u.a FROM t, u) AS y", "two columns of one name"),
    ("SELECT y.a FROM (WITH x AS (SELECT 1 AS a) SELECT a FROM x) AS y", "beginning only"),
    ("INSERT INTO t (a) VALUES (0)" + ", (1)" * MOST_VALUES, "VALUES has 1001 rows"),  # noqa: S608 - never run
    ("SELECT a AS " + "x" * 129 + " FROM t", "longer than 128"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_what_sql_server_refuses_is_found(sql: str, reason: str) -> None:
    assert any(reason in problem for problem in problems(sql)), problems(sql)


PASSED = [
    "SELECT TOP 500 a FROM outbox WITH (UPDLOCK, READPAST, ROWLOCK) WHERE a IS NULL ORDER BY a",
    "SELECT a FROM t ORDER BY a OFFSET ? ROWS FETCH NEXT ? ROWS ONLY",
    "SELECT [limit], t.offset, [date] FROM t WHERE a = N'LIMIT || TRUE :x' AND b <> ''",
    "SELECT sum(CASE WHEN (a = 1 AND b > 2) THEN 1 ELSE 0 END) AS n FROM t",
    "SELECT t.a FROM t JOIN u ON t.a = u.a AND u.b = ? WHERE EXISTS (SELECT 1 FROM v WHERE v.a = t.a)",
    "SELECT count(*) FROM t WHERE NOT (EXISTS (SELECT * FROM u WHERE u.a = t.a)) OR a IN (?, ?) AND b LIKE ? + '%'",
    "SELECT x.a FROM (SELECT a, row_number() OVER (PARTITION BY a ORDER BY b DESC) AS p FROM t) AS x WHERE x.p = 1",
    "SELECT b, sum(sum(a)) OVER (ORDER BY b) FROM t GROUP BY b HAVING count(*) > ?",
    "SELECT a FROM t WHERE a IN (SELECT 1 WHERE 1!=1)",
    "SELECT DISTINCT t.a FROM t ORDER BY t.a",
    "SELECT t.b FROM t ORDER BY CASE WHEN (t.b IS NULL) THEN 1 ELSE 0 END, t.b",
    "SELECT t.a, b, count(*) + 1 AS n FROM t GROUP BY a, t.b HAVING sum(c) > 1 ORDER BY n, a",
    "SELECT a % 2 AS half, (SELECT max(u.b) FROM u) AS m FROM t GROUP BY a % 2",
    "SELECT a, sum(b) OVER (PARTITION BY c) FROM t",
    "SELECT CASE WHEN count(*) > 1 THEN 1 ELSE 0 END FROM t WHERE a IN (SELECT max(b) FROM u)",
    "SELECT round(a, 2), substring(b, 1, 2) FROM t WHERE a IS NOT NULL AND NOT (b IS NULL)",
    "SELECT x.n FROM (SELECT count(*) FROM t) AS x(n) CROSS JOIN (SELECT substring(a, 1, 2) AS a FROM t) AS y",
    "UPDATE x SET a = 1 FROM t AS x WHERE x.a = 2",
    "INSERT INTO audit_event (body) VALUES (?)",
    "SELECT CAST(a AS NVARCHAR(100)) FROM t WHERE a BETWEEN ? AND ?",
    "WITH x AS (SELECT a FROM t) SELECT a FROM x",
    "INSERT INTO t (a) OUTPUT inserted.b VALUES (?)",
    "INSERT INTO t (a, b) SELECT a, ? FROM u GROUP BY a",
    "INSERT INTO t (a) VALUES (0)" + ", (1)" * (MOST_VALUES - 1),
    "UPDATE t SET a = ?, b = b + 1 WHERE c = ? AND (d IS NULL OR d < ?)",
    "DELETE FROM t WHERE a = ?",
    "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET t.b = u.b;",
    "CREATE TABLE t (a INTEGER NOT NULL IDENTITY, day DATE NULL, CONSTRAINT c CHECK (a > 1), PRIMARY KEY (a))",
    "CREATE TABLE t (a AS (CAST(JSON_VALUE(b, '$.x') AS NVARCHAR(9)) COLLATE Latin1_General_BIN2) PERSISTED)",
    "CREATE UNIQUE INDEX i ON t (a) WHERE a IS NOT NULL",
    "ALTER TABLE t ADD a NVARCHAR(9) NULL",
    "DROP INDEX i ON t",
]  # fmt: skip


@pytest.mark.parametrize("sql", PASSED)
def test_what_sql_server_takes_passes(sql: str) -> None:
    assert problems(sql, MOST_PARAMETERS) == []


def test_the_check_knows_the_tables_with_triggers() -> None:
    made = [re.search(r"CREATE TRIGGER \w+ ON (\w+)", statement) for statement in append_only("mssql")]

    assert {match.group(1) for match in made if match} == WITH_TRIGGERS


def test_a_statement_has_no_more_parameters_than_the_server_takes() -> None:
    assert problems("SELECT 1", MOST_PARAMETERS + 1) == ["2001 parameters; a statement takes 2000"]


# -- expressions --------------------------------------------------------------------------------------------------

probe = sa.Table("probe", sa.MetaData(), sa.Column("a", sa.Unicode(9)), sa.Column("n", sa.Integer))
a, n = probe.c.a, probe.c.n

# What compiles for SQL Server without a word and is refused by it: the reason for this check.
UNSEEN = [
    (sa.select(sa.func.group_concat(a)), "group_concat()"),
    (sa.select(sa.func.count().filter(n > 1)), "sum a CASE"),
    (sa.select(a).where(sa.tuple_(a, n).in_([("x", 1)])), "no rows of columns"),
    (sa.select(sa.func.json_extract(a, "$.x")), "json_extract()"),
    (sa.select((n > 1).label("x")), "in the place of a value"),
    (sa.select(sa.exists().where(n > 1).label("x")), "in the place of a value"),
    (sa.select(a.op("||")(a)), "||"),
    (sa.select(a).order_by(a.nulls_last()), "NULLS FIRST"),
    (sa.select(sa.func.left(a, 2), sa.func.count()).group_by(sa.func.left(a, 2)), "GROUP BY holds a parameter"),
    (sa.select(a).limit(1), "without ORDER BY"),
    (sa.select(a).order_by(a, a), "twice in ORDER BY"),
    (sa.select(a).with_for_update(skip_locked=True), "vanishes"),
    (sa.select(a).where(n.in_(range(2_001))), "2001 parameters"),
    (sa.insert(probe).values([{"n": place} for place in range(1_001)]), "VALUES has 1001 rows"),
]  # fmt: skip


@pytest.mark.parametrize(("element", "reason"), UNSEEN)
def test_compiling_alone_misses_what_the_check_finds(element: sa.sql.expression.Executable, reason: str) -> None:
    sql, found = examine(element, sql_server())

    assert sql  # it compiled
    assert any(reason in problem for problem in found), (sql, found)


REFUSED_BY_THE_COMPILER = [
    sa.select(a).where(a.regexp_match("x")),
    sqlite.insert(probe).values(a="x").on_conflict_do_nothing(),
    sa.select(a).offset(5).limit(5),  # OFFSET needs ORDER BY
]


@pytest.mark.parametrize("element", REFUSED_BY_THE_COMPILER)
def test_what_does_not_even_compile_is_a_finding_too(element: sa.sql.expression.Executable) -> None:
    _, (problem,) = examine(element, sql_server())

    assert problem.startswith("does not compile for SQL Server")


WRITTEN_FOR_BOTH = [
    sa.select(a).where(a.in_([])),
    sa.select(a).where(sa.true(), sa.or_(n > 1, sa.false())),
    sa.select(a).where(n.in_(range(2_000))),
    sa.select(a).order_by(a).offset(5).limit(5),
    sa.select(a + sa.literal(" / ") + a).where(a.like("x%")),
    sa.select(sa.case((n > 1, 1), else_=0)),
    sa.select(dialect.claimed(sa.select(a), probe).order_by(a).limit(3).subquery().c.a),
    sa.insert(probe).from_select(["n"], sa.select(sa.func.max(n))),
    sa.update(probe).values(n=n + 1).where(a == sa.select(sa.func.max(a)).scalar_subquery()),
    sa.delete(probe).where(n == 1),
    sa.schema.CreateTable(probe),
]


@pytest.mark.parametrize("element", WRITTEN_FOR_BOTH)
def test_expressions_for_both_databases_pass(element: sa.sql.expression.Executable) -> None:
    assert examine(element, sql_server())[1] == []


# -- the recorder -------------------------------------------------------------------------------------------------


@pytest.fixture
def engine() -> sa.Engine:
    engine = sa.create_engine("sqlite://")
    probe.create(engine)
    return engine


def test_a_bad_statement_of_any_test_is_found_with_its_text_and_reason(engine: sa.Engine, sql_check: SqlCheck) -> None:
    with engine.connect() as connection:
        connection.execute(sa.select(sa.func.group_concat(a)))

    (finding,) = sql_check.take()
    assert "group_concat(probe.a)" in finding.sql
    assert "STRING_AGG" in str(finding)


def test_a_statement_is_looked_at_once_and_its_hints_count(engine: sa.Engine) -> None:
    found: list[Finding] = []
    recorder = Recorder(found.append)
    recorder.start(engine)
    other = sa.create_engine("sqlite://")
    probe.create(other)
    recorder.start(other)

    for place in (engine, other):
        with place.connect() as connection:
            for number in range(3):
                connection.execute(sa.select(a).where(n == number))
    assert recorder.statements == 1

    with engine.connect() as connection:  # the text for SQLite is the same, the one for SQL Server is not
        connection.execute(dialect.claimed(sa.select(a).where(n == 1), probe))
    assert (recorder.statements, found) == (2, [])


_NUMBERS: sa.BindParameter[Any] = sa.bindparam("numbers", (), expanding=True)
MANY: list[tuple[Callable[[], Any], int]] = [
    (lambda: sa.select(a).where(n.in_(range(2_000))), 0),
    (lambda: sa.select(a).where(n.in_(range(2_001))), 1),
]


@pytest.mark.parametrize(("statement", "findings"), MANY)
def test_parameters_are_counted_at_each_execution(
    engine: sa.Engine, sql_check: SqlCheck, statement: Callable[[], Any], findings: int
) -> None:
    """A list in IN is one statement for the cache, whatever its length."""
    with engine.connect() as connection:
        connection.execute(sa.select(a).where(n.in_([1, 2])))
        connection.execute(statement())

    assert len(sql_check.take()) == findings


@pytest.mark.parametrize(
    ("statement", "findings"),
    [
        (sa.select(a).where(n.in_(_NUMBERS)), 0),
        (sa.select(a).where(n.in_(_NUMBERS)).with_for_update(), 1),  # SQLite's text does not show it
        (sa.select(sa.func.ifnull(n, 1)).where(n.in_(_NUMBERS)), 1),
        (probe.update().where(n.in_(_NUMBERS)).values(a="x").returning(n), 0),  # SQL Server has OUTPUT for it
    ],
)
def test_queries_that_the_product_writes_itself_are_looked_at_as_what_they_are_made_of(
    engine: sa.Engine, sql_check: SqlCheck, statement: sa.Executable, findings: int
) -> None:
    with engine.connect() as connection:
        for numbers in ([], [1, 2], [1]):
            stored_rows(connection, statement, {"numbers": numbers})

    assert len(sql_check.take()) == findings


def test_one_of_which_no_text_for_sql_server_can_be_made_is_refused_here_too(engine: sa.Engine) -> None:
    """T-SQL has TOP, whose number SQLAlchemy writes at the execution."""
    with engine.connect() as connection, pytest.raises(ValueError, match="TOP"):
        stored_rows(connection, sa.select(a).order_by(a).limit(2), {})


def test_their_parameters_are_counted_too(engine: sa.Engine, sql_check: SqlCheck) -> None:
    with engine.connect() as connection:
        stored_rows(connection, sa.select(a).where(n.in_(_NUMBERS)), {"numbers": range(2_001)})

    assert len(sql_check.take()) == 1


def test_rows_of_one_insert_are_not_counted_together(engine: sa.Engine, sql_check: SqlCheck) -> None:
    with engine.begin() as connection:
        connection.execute(probe.insert(), [{"a": "x", "n": place} for place in range(3_000)])

    assert sql_check.take() == []


def test_texts_of_tests_may_speak_sqlite_and_those_of_the_product_may_not(
    engine: sa.Engine, sql_check: SqlCheck, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT a FROM probe LIMIT 1"))
        connection.exec_driver_sql("SELECT a FROM probe LIMIT 2")
        assert sql_check.take() == []

        monkeypatch.setattr(sql_recorder, "PRODUCT", str(Path(__file__).parent))  # as if this file were the product
        connection.execute(sa.text("SELECT a FROM probe LIMIT 3"))
        connection.exec_driver_sql("SELECT a FROM probe LIMIT 4")
        connection.exec_driver_sql("PRAGMA table_info(probe)")

    assert [finding.sql[-7:] for finding in sql_check.take()] == ["LIMIT 3", "LIMIT 4"]


def test_a_process_appends_its_findings_to_a_file(engine: sa.Engine, sql_check: SqlCheck, tmp_path: Path) -> None:
    path = tmp_path / "findings"
    recorder = sql_recorder.install(path)
    try:
        with engine.connect() as connection:
            connection.execute(sa.select(sa.func.ifnull(n, 1)))
            connection.execute(sa.select(sa.func.coalesce(n, 1)))
    finally:
        recorder.stop()
    sql_check.take()

    (line,) = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["problems"] == ["ifnull(): COALESCE"]
