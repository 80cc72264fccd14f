"""Many rows by one statement: the same as SQLAlchemy writes, and the same refusals."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from localhost.sql_recorder import sql_server
from shared_code.foundation.database import Fixed, Instant
from shared_code.foundation.many import named_rows, stored_rows, write_many

NOON = datetime(2026, 10, 31, 12, 0, 0, 123456, tzinfo=UTC)
MIDNIGHT = NOON.replace(hour=0, microsecond=0, tzinfo=None)
probe = sa.Table(
    "probe",
    sa.MetaData(),
    sa.Column("name", sa.Unicode(20), primary_key=True),
    sa.Column("amount", Fixed(19, 4)),
    sa.Column("day", sa.Date),
    sa.Column("at", Instant),
    sa.Column("state", sa.Unicode(20), server_default="new"),
)
ROWS: list[dict[str, Any]] = [
    {"name": "a", "amount": Decimal("12.5"), "day": date(2026, 10, 31), "at": NOON},
    {"name": "b", "amount": None, "day": None, "at": None},
]
INSERT = probe.insert()
CLOSE = (
    probe.update()
    .where(probe.c.name == sa.bindparam("of_name"), probe.c.state == "new")
    .values(amount=sa.bindparam("to_amount"), state="closed", at=sa.bindparam("instant", type_=Instant()))
)


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        probe.metadata.create_all(connection)
        yield connection
    engine.dispose()


def stored(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(sa.select(probe).order_by(probe.c.name))]


def test_rows_are_stored_as_their_columns_say(connection: Connection) -> None:
    write_many(connection, INSERT, ROWS)

    assert stored(connection) == [
        ("a", Decimal("12.5000"), date(2026, 10, 31), NOON, "new"),
        ("b", None, None, None, "new"),
    ]


def test_it_writes_what_the_toolkit_writes(connection: Connection) -> None:
    connection.execute(INSERT, ROWS)
    by_toolkit = stored(connection)
    connection.execute(probe.delete())

    write_many(connection, INSERT, [dict(reversed(row.items())) for row in ROWS])

    assert stored(connection) == by_toolkit


def test_an_update_takes_values_from_rows_and_from_itself(connection: Connection) -> None:
    write_many(connection, INSERT, [*ROWS, {"name": "c", "amount": None, "day": None, "at": None}])
    connection.execute(probe.update().where(probe.c.name == "b").values(state="kept"))

    write_many(
        connection,
        CLOSE,
        [{"of_name": name, "to_amount": Decimal(number), "instant": NOON} for number, name in enumerate("abc")],
    )

    assert [(name, amount, state) for name, amount, _, _, state in stored(connection)] == [
        ("a", Decimal(0), "closed"),
        ("b", None, "kept"),
        ("c", Decimal(2), "closed"),
    ]


def test_what_rows_have_in_common_is_given_once(connection: Connection) -> None:
    write_many(connection, INSERT, [{"name": "a"}, {"name": "b"}], {"amount": Decimal("0.5"), "at": NOON})
    write_many(connection, CLOSE, [{"of_name": "b"}], {"to_amount": Decimal(7), "instant": None})

    assert stored(connection) == [
        ("a", Decimal("0.5000"), None, NOON, "new"),
        ("b", Decimal("7.0000"), None, None, "closed"),
    ]


def test_no_rows_are_no_statement(connection: Connection) -> None:
    write_many(connection, INSERT, [])

    assert stored(connection) == []


REFUSED = [
    (INSERT, [ROWS[0], {"name": "b"}], KeyError, "amount"),
    (CLOSE, [{"of_name": "a", "to_amount": Decimal(1)}], KeyError, "instant"),  # never a silent NULL
    (INSERT, [{"name": "a", "colour": "red"}], KeyError, "colour"),
    (INSERT, [{"name": "a", "amount": Decimal("0.00001")}], ValueError, "more than 4 decimals"),
    (INSERT, [ROWS[0], ROWS[0]], sa.exc.IntegrityError, "UNIQUE"),
]


@pytest.mark.parametrize(("statement", "rows", "fault", "words"), REFUSED)
def test_what_is_refused(
    connection: Connection,
    statement: sa.Insert | sa.Update,
    rows: list[dict[str, object]],
    fault: type[Exception],
    words: str,
) -> None:
    with pytest.raises(fault, match=words):
        write_many(connection, statement, rows)


def test_a_value_that_rows_have_themselves_is_not_said_for_all_of_them(connection: Connection) -> None:
    with pytest.raises(KeyError, match="name"):
        write_many(connection, INSERT, ROWS, {"name": "b"})


class Driver:
    """Keeps what reaches the driver of SQL Server, which cannot be had here."""

    dialect = sql_server()

    def exec_driver_sql(self, sql: str, values: Any, **_options: Any) -> Any:
        self.sql, self.values = sql, values
        return SimpleNamespace(cursor=None)


def test_sql_server_gets_its_own_forms() -> None:
    driver = Driver()

    write_many(driver, INSERT, ROWS)  # type: ignore[arg-type]  # as much of a connection as is asked for

    assert driver.sql == "INSERT INTO probe (name, amount, day, at) VALUES (?, ?, ?, ?)"
    assert driver.values[0] == ("a", Decimal("12.5"), MIDNIGHT, NOON.replace(tzinfo=None))


AMONG: sa.BindParameter[Any] = sa.bindparam("names", (), expanding=True)
STATES: sa.BindParameter[Any] = sa.bindparam("states", ("new", "closed"), expanding=True)
FOUND = sa.union_all(
    sa.select(probe.c.name, probe.c.amount, probe.c.day, probe.c.at).where(probe.c.name.in_(AMONG)),
    sa.select(probe.c.name, probe.c.amount, probe.c.day, probe.c.at).where(
        probe.c.name.not_in(sa.bindparam("others", expanding=True)), probe.c.state == sa.bindparam("state", "of none")
    ),
    sa.select(probe.c.name, probe.c.amount, probe.c.day, probe.c.at).where(
        probe.c.day.in_(sa.bindparam("days", (), expanding=True)), probe.c.state.in_(STATES), probe.c.at == NOON
    ),
    sa.select(probe.c.name, probe.c.amount, probe.c.day, probe.c.at).where(
        probe.c.amount.in_(sa.bindparam("amounts", (), expanding=True))
    ),
)
ASKED: list[dict[str, Any]] = [
    {"names": []},
    {"state": "new"},
    {"state": "new", "others": ["a"]},
    {"names": ["a"]},
    {"names": ["b", "a", "of nobody"]},
    {"names": ("a", "b"), "days": [date(2026, 10, 31)]},
    {"days": [date(2026, 10, 31), date(2026, 11, 1)], "states": ["new"]},
    {"days": [date(2026, 10, 31)], "states": ["closed"]},
    {"names": [f"n{number}" for number in range(1_500)] + ["b"]},
    {"amounts": [Decimal("12.50"), Decimal(3)]},
]


@pytest.mark.parametrize("asked", ASKED)
def test_it_reads_what_the_toolkit_reads(connection: Connection, asked: dict[str, Any]) -> None:
    write_many(connection, INSERT, ROWS)
    asked = {"others": []} | asked

    assert [tuple(row) for row in named_rows(connection, FOUND, asked)] == [
        tuple(row) for row in connection.execute(FOUND, asked)
    ]


def test_rows_have_names_and_exact_values_or_are_as_the_driver_gives_them(connection: Connection) -> None:
    write_many(connection, INSERT, ROWS)

    (named,) = named_rows(connection, FOUND, {"names": ["a"], "others": []})
    (plain,) = stored_rows(connection, FOUND, {"names": ["a"], "others": []})

    assert (named.name, named.amount, named.day, named.at) == ("a", Decimal("12.5000"), date(2026, 10, 31), NOON)
    assert plain == ("a", 125000, "2026-10-31", "2026-10-31 12:00:00.123456")


def test_a_change_tells_the_rows_that_it_has_changed(connection: Connection) -> None:
    write_many(connection, INSERT, ROWS)
    changed = probe.update().where(probe.c.name.in_(AMONG)).values(state="seen").returning(probe.c.name, probe.c.state)

    assert stored_rows(connection, changed, {"names": ["b", "c"]}) == [("b", "seen")]


@pytest.mark.parametrize(
    ("statement", "asked", "named"),
    [
        (FOUND, {"name": ["a"], "others": []}, "name"),  # a slip of the pen would read as: nothing is among no names
        (FOUND, {"names": ["a"]}, "others"),
        (sa.select(probe).where(probe.c.name == sa.bindparam("wanted")), {}, "wanted"),
    ],
)
def test_values_that_a_query_does_not_know_or_misses_are_refused(
    connection: Connection, statement: sa.Executable, asked: dict[str, Any], named: str
) -> None:
    with pytest.raises(KeyError, match=named):
        stored_rows(connection, statement, asked)


def test_a_value_that_is_known_at_the_execution_only_is_refused(connection: Connection) -> None:
    late = sa.select(probe.c.name).where(probe.c.name == sa.bindparam("late", callable_=lambda: "a"))

    with pytest.raises(ValueError, match="cannot be told"):
        stored_rows(connection, late, {})


def test_sql_server_gets_a_mark_for_each_value_of_a_list() -> None:
    driver = Driver()
    query = sa.select(probe.c.name).where(
        probe.c.name.in_(AMONG), probe.c.day.in_(sa.bindparam("days", expanding=True))
    )

    stored_rows(driver, query, {"names": ["a", "b"], "days": []})  # type: ignore[arg-type]  # as much as is asked for

    assert (
        " ".join(driver.sql.split())
        == "SELECT probe.name FROM probe WHERE probe.name IN (?, ?) AND probe.day IN (SELECT NULL WHERE 1 != 1)"
    )
    assert driver.values == ("a", "b")
