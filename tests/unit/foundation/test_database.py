"""Exact numbers and instants on SQLite, and the unit of work: one transaction, its messages, its once-only effects."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, sqlite
from sqlalchemy.exc import StatementError

from shared_code.foundation import clock, database
from shared_code.foundation.database import Fixed, Instant, Message, inbox, metadata, outbox, reading, transaction
from shared_code.foundation.settings import settings

NOON = datetime(2026, 10, 31, 12, 0, 0, 123456, tzinfo=UTC)

probe_metadata = sa.MetaData()
probe = sa.Table(
    "probe",
    probe_metadata,
    sa.Column("name", sa.Unicode(20), primary_key=True),
    sa.Column("amount", Fixed(19, 4)),
    sa.Column("rate", Fixed(18, 6)),
    sa.Column("at", Instant),
)


@pytest.fixture(autouse=True)
def app_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """A database file of the test's own, with the tables of the foundation and the probe."""
    monkeypatch.setenv("OPERATOR_NAME", "Meridian")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/app.sqlite")
    settings.cache_clear()
    database.engine.cache_clear()
    engine = database.engine()
    with engine.begin() as connection:
        metadata.create_all(connection, [outbox, inbox])
        probe_metadata.create_all(connection)
    yield engine
    engine.dispose()
    settings.cache_clear()
    database.engine.cache_clear()
    clock.set_clock(None)


def store(**values: object) -> None:
    with transaction() as work:
        work.connection.execute(probe.insert().values(values))


EXACT = ["0", "0.0001", "-0.0001", "0.1", "12.5", "-12.50", "99999999999999.9999", "1E+3", "0.10000"]


@pytest.mark.parametrize("text", EXACT)
def test_a_number_comes_back_exactly(text: str) -> None:
    store(name="a", amount=Decimal(text))

    with reading() as connection:
        assert connection.scalar(sa.select(probe.c.amount)) == Decimal(text)


MORE_DECIMALS = ["0.00001", "-1.23456", "0.10001", "0.1234000000000000000000000000001", "NaN", "Infinity"]


@pytest.mark.parametrize("text", MORE_DECIMALS)
def test_more_decimals_are_refused_and_never_rounded(text: str) -> None:
    """Rules R45. The last but two has more digits than decimal arithmetic keeps."""
    with pytest.raises((StatementError, OverflowError, ValueError)):
        store(name="a", amount=Decimal(text))

    with reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(probe)) == 0


def test_each_column_has_its_own_scale() -> None:
    store(name="a", amount=Decimal("1.2345"), rate=Decimal("1.234567"))

    with reading() as connection:
        row = connection.execute(sa.select(probe.c.amount, probe.c.rate)).one()
    assert (row.amount, row.rate) == (Decimal("1.2345"), Decimal("1.234567"))


def test_the_database_sums_exactly() -> None:
    with transaction() as work:
        work.connection.execute(
            probe.insert(), [{"name": str(place), "amount": Decimal("0.1")} for place in range(1000)]
        )

    with reading() as connection:
        assert connection.scalar(sa.select(sa.func.sum(probe.c.amount))) == Decimal(100)


def test_numbers_are_compared_and_ordered_as_numbers() -> None:
    for name, text in (("a", "9"), ("b", "10"), ("c", "-1")):
        store(name=name, amount=Decimal(text))

    with reading() as connection:
        found = connection.scalars(
            sa.select(probe.c.name).where(probe.c.amount > Decimal("-0.5")).order_by(probe.c.amount)
        )
        assert list(found) == ["a", "b"]


def test_nothing_stays_nothing() -> None:
    store(name="a")

    with reading() as connection:
        assert connection.execute(sa.select(probe.c.amount, probe.c.at)).one() == (None, None)


def test_sql_server_stores_decimals_and_instants_of_its_own() -> None:
    dialect = mssql.dialect()  # type: ignore[no-untyped-call]  # the dialect is not annotated
    ddl = str(sa.schema.CreateTable(probe).compile(dialect=dialect))

    assert "amount NUMERIC(19, 4)" in ddl
    assert "rate NUMERIC(18, 6)" in ddl
    assert "at DATETIME2(6)" in ddl.replace("[at]", "at")
    bind = Fixed(19, 4).process_bind_param
    assert bind(Decimal("1.5"), dialect) == Decimal("1.5")
    with pytest.raises(ValueError, match="more than 4 decimals"):
        bind(Decimal("1.23456"), dialect)


@pytest.mark.parametrize("value", [1, True, 1.5, "1.5"])
def test_only_an_exact_number_is_stored_as_one(value: object) -> None:
    with pytest.raises(AttributeError):
        Fixed(19, 4).bind_processor(sqlite.dialect())(value)


def test_a_number_that_is_stored_as_a_fraction_is_not_read_as_an_exact_one() -> None:
    with transaction() as work:
        work.connection.exec_driver_sql("INSERT INTO probe (name, amount) VALUES ('a', 0.5)")

    with reading() as connection, pytest.raises(TypeError):
        connection.scalar(sa.select(probe.c.amount))


INSTANTS = [
    (NOON, NOON),
    (datetime(2026, 10, 31, 8, 0, tzinfo=timezone(timedelta(hours=-4))), datetime(2026, 10, 31, 12, 0, tzinfo=UTC)),
]


@pytest.mark.parametrize(("given", "stored"), INSTANTS)
def test_an_instant_comes_back_in_utc(given: datetime, stored: datetime) -> None:
    store(name="a", at=given)

    with reading() as connection:
        found = connection.scalar(sa.select(probe.c.at))
    assert found == stored
    assert found is not None
    assert found.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(StatementError, match="carries its zone"):
        store(name="a", at=NOON.replace(tzinfo=None))


def message(key: str, body: str = "{}") -> Message:
    return Message(key, "run-progress", body, "c-1")


def written() -> list[str]:
    with reading() as connection:
        return list(connection.scalars(sa.select(outbox.c.message_id).order_by(outbox.c.message_id)))


def test_a_message_is_written_with_its_effect() -> None:
    clock.set_clock(lambda: NOON)
    with transaction() as work:
        work.connection.execute(probe.insert().values(name="a"))
        work.send([message("m-1", '{"run": 1}')])

    with reading() as connection:
        row = connection.execute(sa.select(outbox)).one()
        assert connection.scalar(sa.select(probe.c.name)) == "a"
    assert (row.message_id, row.queue, row.body, row.correlation_id) == ("m-1", "run-progress", '{"run": 1}', "c-1")
    assert (row.created_at, row.published_at) == (NOON, None)


def test_a_rollback_leaves_neither_effect_nor_message_nor_record() -> None:
    def fail() -> None:
        with transaction() as work:
            assert work.first("chunks", "k")
            work.connection.execute(probe.insert().values(name="a"))
            work.send([message("m-1")])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert written() == []
    with reading() as connection:
        assert connection.scalar(sa.select(probe.c.name)) is None
    with transaction() as work:
        assert work.first("chunks", "k")


def test_the_same_message_is_one_effect() -> None:
    with transaction() as work:
        work.send([message("m-1"), message("m-1"), message("m-2")])
        assert [m.message_id for m in work.messages] == ["m-1", "m-2"]
    with transaction() as work:
        work.send([message("m-2"), message("m-3")])
        work.send([])
        assert [m.message_id for m in work.messages] == ["m-3"]

    assert written() == ["m-1", "m-2", "m-3"]


def test_more_messages_than_a_statement_takes_parameters() -> None:
    everyone = [message(f"m-{place:05d}") for place in range(2500)]
    for _ in range(2):
        with transaction() as work:
            work.send(everyone)

    assert len(written()) == 2500


def test_an_effect_is_recorded_once_per_consumer() -> None:
    with transaction() as work:
        assert work.first("chunks", "k")
        assert not work.first("chunks", "k")
        assert work.first("documents", "k")
    with transaction() as work:
        assert not work.first("chunks", "k")


def test_the_folder_of_the_database_file_is_made(tmp_path: Path) -> None:
    engine = database.create_database(f"sqlite:///{tmp_path}/new/folder/app.sqlite")
    with engine.connect() as connection:
        assert connection.scalar(sa.text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(sa.text("PRAGMA foreign_keys")) == 1
    engine.dispose()
