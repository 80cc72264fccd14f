"""Lists: pages by key in any declared order, filters and orders that there are, cursors that nobody can forge."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow, Instant, money, text
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import Listing, PageRequest, SortField, one_of

THING = sa.Table(
    "thing",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", text(20), nullable=False),
    sa.Column("total", money(), nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
FIELDS = {
    "name": SortField(THING.c.name, str),
    "total": SortField(THING.c.total, Decimal),
    "createdAt": SortField(THING.c.created_at, datetime),
    "number": SortField(THING.c.number, int),
}
THINGS = Listing(columns=(THING,), fields=FIELDS, default="name", key=FIELDS["number"])
START = datetime(2026, 10, 1, tzinfo=UTC)
ORDERS = [direction + field for field in FIELDS for direction in ("", "-")]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as opened:
        THING.create(opened)
        yield opened
    engine.dispose()


def store(connection: Connection, rows: list[dict[str, Any]]) -> None:
    connection.execute(THING.delete())
    if rows:
        connection.execute(THING.insert(), rows)


def thing(number: int, name: str = "a", total: str = "0", seconds: int = 0) -> dict[str, Any]:
    return {
        "number": number,
        "name": name,
        "total": Decimal(total),
        "created_at": START + timedelta(microseconds=seconds),
    }


def every(connection: Connection, sort: str | None, limit: int) -> list[AnyRow]:
    found: list[AnyRow] = []
    cursor = None
    while True:
        page = THINGS.page(connection, PageRequest(limit, cursor, sort))
        found.extend(page.items)
        cursor = page.next_cursor
        if cursor is None:
            return found


# Few different values, so that most rows tie and the key must settle their order.
ROWS = st.lists(
    st.builds(
        thing,
        number=st.integers(1, 2**31 - 1),
        name=st.sampled_from(["a", "B", "é", "", "a|b", '"']),
        total=st.sampled_from(["0", "-0.0001", "12.34", "99999999999999.9999"]),
        seconds=st.sampled_from([0, 1, 1_000_000]),
    ),
    unique_by=lambda row: row["number"],
    max_size=12,
)


@given(rows=ROWS, sort=st.sampled_from(ORDERS), limit=st.integers(1, 5))
@settings(max_examples=150, deadline=None)
def test_pages_make_the_list_whatever_it_is_sorted_by_and_however_many_values_tie(
    connection: Connection, rows: list[dict[str, Any]], sort: str, limit: int
) -> None:
    store(connection, rows)
    column = FIELDS[sort.removeprefix("-")].column.name

    found = every(connection, sort, limit)

    assert [(row._mapping[column], row.number) for row in found] == sorted(
        ((row[column], row["number"]) for row in rows), reverse=sort.startswith("-")
    )
    assert THINGS.page(connection, PageRequest(limit, None, sort)).total == len(rows)


@pytest.mark.parametrize("sort", ORDERS)
def test_what_comes_in_between_two_pages_moves_nothing_that_was_shown(connection: Connection, sort: str) -> None:
    rows = [thing(number, f"n{number}", f"{number}.00", number) for number in range(10, 60, 10)]
    store(connection, rows)
    first = THINGS.page(connection, PageRequest(2, None, sort))
    connection.execute(THING.insert(), [thing(1, "a", "-1.00", -1), thing(99, "z", "99.00", 99)])

    second = THINGS.page(connection, PageRequest(2, first.next_cursor, sort))

    known = [row["number"] for row in rows][:: -1 if sort.startswith("-") else 1]
    assert [row.number for row in (*first.items, *second.items)] == known[:4]


def test_a_list_without_an_order_has_the_default_one_and_conditions_narrow_page_and_count(
    connection: Connection,
) -> None:
    store(connection, [thing(1, "b"), thing(2, "a"), thing(3, "a", "5.00")])

    assert [row.number for row in every(connection, None, 2)] == [2, 3, 1]
    page = THINGS.page(connection, PageRequest(1), THING.c.total == Decimal("5.00"))
    assert ([row.number for row in page.items], page.total, page.next_cursor) == ([3], 1, None)


@pytest.mark.parametrize("sort", ["Name", "--name", "-", "name,-total", "price", "created_at"])
def test_an_order_that_there_is_not_is_refused_with_those_that_there_are(connection: Connection, sort: str) -> None:
    with pytest.raises(BillingError) as refused:
        THINGS.page(connection, PageRequest(sort=sort))

    assert (refused.value.code, refused.value.kind.status) == ("SORT_INVALID", 400)
    assert all(name in refused.value.message for name in FIELDS)


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


FORGED = [
    ("of another order", "name", cursor_of("-name", "a", 1)),
    ("of another field", "name", cursor_of("number", 1)),
    ("without a key", "name", cursor_of("name", "a")),
    ("with too much", "name", cursor_of("name", "a", 1, 2)),
    ("with a text for a number", "number", cursor_of("number", "1")),
    ("with a fraction", "number", cursor_of("number", 1.5)),
    ("with a truth", "number", cursor_of("number", True)),
    ("with a number that no database holds", "number", cursor_of("number", 2**63)),
    ("with half a character", "name", cursor_of("name", "\ud800", 1)),
    ("with a word for an amount", "total", cursor_of("total", "ten", 1)),
    ("with an amount that is none", "total", cursor_of("total", "NaN", 1)),
    ("with an amount beyond all memory", "total", cursor_of("total", "1e999999999", 1)),
    ("with more decimals than money has", "total", cursor_of("total", "0.00001", 1)),
    ("with an amount beyond all columns", "total", cursor_of("total", "9" * 15, 1)),
    ("with a word for an instant", "createdAt", cursor_of("createdAt", "today", 1)),
    ("with an instant without zone", "createdAt", cursor_of("createdAt", "2026-10-01T00:00:00", 1)),
    ("with an instant before time", "createdAt", cursor_of("createdAt", "0001-01-01T00:00:00+14:00", 1)),
    ("that is no list", "name", base64.urlsafe_b64encode(b'{"a": 1}').decode()),
    ("that is no JSON", "name", base64.urlsafe_b64encode(b"name").decode()),
    ("that is no base64", "name", "****"),
]


@pytest.mark.parametrize(("what", "sort", "cursor"), FORGED, ids=[case[0] for case in FORGED])
def test_a_cursor_is_refused(connection: Connection, what: str, sort: str, cursor: str) -> None:
    with pytest.raises(BillingError) as refused:
        THINGS.page(connection, PageRequest(2, cursor, sort))

    assert (refused.value.code, refused.value.kind.status) == ("CURSOR_INVALID", 400)
    assert [detail.field for detail in refused.value.details] == ["cursor"]


@given(cursor=st.text(max_size=40), sort=st.sampled_from(ORDERS))
def test_any_text_is_a_cursor_or_refused(connection: Connection, cursor: str, sort: str) -> None:
    try:
        THINGS.page(connection, PageRequest(2, cursor, sort))
    except BillingError as refused:
        assert refused.code == "CURSOR_INVALID"


@pytest.mark.parametrize(
    ("value", "found"), [(None, None), ("Failed", "Failed"), ("failed", "Failed"), ("FAILED", "Failed")]
)
def test_a_filter_names_one_of_its_choices_however_it_is_capitalised(value: str | None, found: str | None) -> None:
    assert one_of("outcome", value, ("Generated", "Failed")) == found


@pytest.mark.parametrize("value", ["", "Fail", "Failed ", "Generated,Failed"])
def test_a_filter_that_names_none_is_refused_with_what_there_is(value: str) -> None:
    with pytest.raises(BillingError) as refused:
        one_of("outcome", value, ("Generated", "Failed"))

    assert (refused.value.code, refused.value.kind.status) == ("FILTER_INVALID", 400)
    assert "Generated, Failed" in refused.value.message
    assert [detail.field for detail in refused.value.details] == ["outcome"]
