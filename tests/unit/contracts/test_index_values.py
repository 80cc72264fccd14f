"""Index values: all or none, with history and audit; a name is the same however it is capitalised (rules R13, R46)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from shared_code.contracts.index_values import repository
from shared_code.contracts.index_values.model import IndexValues
from shared_code.contracts.index_values.requests import IndexValuesRequest
from shared_code.contracts.index_values.service import change, history, show
from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest

pytestmark = pytest.mark.usefixtures("stored")
MORNING = datetime(2026, 11, 3, 9, tzinfo=UTC)
ANN = Context(actor_id="ann", actor_name="Ann", actor_kind="person")


@pytest.fixture(autouse=True)
def morning(stored: sa.Engine) -> Iterator[None]:
    clock.set_clock(lambda: MORNING)
    with acting(ANN):
        yield


def request(*values: tuple[str, int, Any], reason: str = "published by the bureau") -> IndexValuesRequest:
    body = {"values": [{"name": n, "year": y, "value": v} for n, y, v in values], "reason": reason}
    return IndexValuesRequest.model_validate_json(json.dumps(body))


def enter(*values: tuple[str, int, Any], if_match: str = "*") -> IndexValues:
    return change(request(*values), if_match)


def holding() -> dict[tuple[str, int], Decimal]:
    """What an escalation would read."""
    with reading() as connection:
        return repository.current(connection)


def test_values_are_kept_exactly_by_name_and_year() -> None:
    enter(("CPI", 2026, 3.1), ("ECI", 2026, 4.1234), ("CPI", 2027, -0.4))

    assert holding() == {
        ("CPI", 2026): Decimal("3.1"),
        ("ECI", 2026): Decimal("4.1234"),
        ("CPI", 2027): Decimal("-0.4"),
    }
    assert [(one.name, one.year) for one in show().values] == [("CPI", 2026), ("CPI", 2027), ("ECI", 2026)]


def test_a_name_is_the_same_however_it_is_written() -> None:
    enter(("cpi-u ", 2026, 3))
    enter(("Cpi-U", 2026, 3.2))

    assert holding() == {("CPI-U", 2026): Decimal("3.2")}


def test_other_values_stay_and_what_holds_already_makes_no_version() -> None:
    first = enter(("CPI", 2026, 3.1), ("ECI", 2026, 4))
    again = enter(("CPI", 2026, 3.10))
    later = enter(("CPI", 2026, 3.2))

    assert again == first
    assert {(one.name, one.version) for one in later.values} == {("CPI", 2), ("ECI", 1)}
    assert later.etag != first.etag


def test_a_value_can_be_taken_back_and_is_no_zero() -> None:
    enter(("CPI", 2026, 3.1))
    enter(("CPI", 2026, None))

    assert holding() == {}
    assert [(one.value, one.version) for one in show().values] == [(None, 2)]


def test_taking_back_what_never_was_changes_nothing() -> None:
    before = show()

    assert enter(("CPI", 2026, None)) == before


def test_the_history_says_who_and_why() -> None:
    enter(("CPI", 2026, 3.1))
    with acting(Context(actor_id="bob")):
        change(request(("CPI", 2026, 3.2), reason="revised"), "*")

    found = history("cpi", "2026", PageRequest())

    assert [(one.version, one.value, one.changed_by, one.reason) for one in found.items] == [
        (2, Decimal("3.2"), "bob", "revised"),
        (1, Decimal("3.1"), "ann", "published by the bureau"),
    ]
    with reading() as connection:
        bodies = connection.scalars(sa.select(audit_event.c.body).where(audit_event.c.stream == "index-values")).all()
    assert [json.loads(body)["data"] for body in bodies] == [
        {"after": "3.1", "before": None, "name": "CPI", "version": 1, "year": 2026},
        {"after": "3.2", "before": "3.1000", "name": "CPI", "version": 2, "year": 2026},
    ]


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("CPI", "2027"),
        ("ECI", "2026"),
        ("CPI", "x"),
        ("CPI", "9" * 40),
        ("CPI", "0" * 10 + "9" * 40),  # no database holds such a number
        ("CPI", "0" * 5000),  # and this one cannot be read
        ("CPI", "²"),
    ],
)
def test_what_was_never_entered_has_no_history(name: str, year: str) -> None:
    enter(("CPI", 2026, 3.1))

    with pytest.raises(BillingError) as refusal:
        history(name, year, PageRequest())
    assert refusal.value.code == "INDEX_UNKNOWN"


def test_only_who_has_read_the_latest_changes_it() -> None:
    before = show().etag
    after = enter(("CPI", 2026, 3.1), if_match=before).etag

    with pytest.raises(BillingError) as refusal:
        enter(("CPI", 2026, 3.2), if_match=before)
    assert refusal.value.code == "INDEX_VALUES_CHANGED"
    assert enter(("CPI", 2026, 3.2), if_match=after).values[0].value == Decimal("3.2")


def test_a_value_that_is_stated_twice_is_refused_and_nothing_is_stored() -> None:
    with pytest.raises(BillingError) as refusal:
        enter(("ECI", 2026, 1), ("CPI", 2026, 3.1), ("cpi", 2026, 3.2))

    assert (refusal.value.code, refusal.value.message) == ("INDEX_VALUE_REPEATED", "CPI 2026 stands 2 times")
    assert holding() == {}


@pytest.mark.parametrize(
    "value",
    [
        ("CPI", 2026, 3.12345),
        ("CPI", 2026, 101),
        ("CPI", 2026, -51),
        ("CPI", 2026, "much"),
        ("CPI", 1989, 1),
        ("CPI", "2026", 1),
        ("", 2026, 1),
        ("a/b", 2026, 1),
        ("é", 2026, 1),
        ("x" * 41, 2026, 1),
    ],
)
def test_what_is_no_index_value_is_refused(value: tuple[str, int, Any]) -> None:
    with pytest.raises(ValidationError):
        request(value)
