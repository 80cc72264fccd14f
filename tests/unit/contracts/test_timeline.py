"""The timeline of a contract: which months it can show, and how a rate says where it comes from."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.contracts.schema import FixedPct
from shared_code.contracts.versions.rates_by_month import timeline_of
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from tests.unit.contracts import documents, parts

pytestmark = pytest.mark.usefixtures("stored")
SITE = "8899"
NOVEMBER = datetime(2026, 11, 3, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def november(stored: sa.Engine) -> Iterator[None]:
    clock.set_clock(lambda: NOVEMBER)
    yield


def agreed(**fields: Any) -> None:
    """Save a contract with a fee of 100."""
    deal = documents.contract(parts.fees(parts.fee(fee=Decimal(100))), **fields)
    data = deal.model_dump_json(by_alias=True).encode()
    save_document(read_document(data, legacy=False), Saving("ann", "agreed", "*"))


def test_a_timeline_is_a_year_from_the_present_month_unless_asked_otherwise() -> None:
    agreed()

    months = timeline_of(SITE, None, None, None, EVERYTHING).months

    assert (months[0].period, months[-1].period, len(months)) == ("2026-11", "2027-10", 12)


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2026-01", "2026-01", 1),
        ("2020-01", "2029-12", 120),
        ("2020-01", "2030-01", None),
        ("2026-02", "2026-01", None),
        ("2199-11", "2199-11", 1),
        ("2199-12", "2199-12", None),  # the last month that there is has no next one
        ("2199-06", None, 6),
    ],
)
def test_a_timeline_has_a_month_at_least_and_ten_years_at_most(
    first: str, last: str | None, months: int | None
) -> None:
    agreed()

    def ask() -> int:
        end = Period.parse(last) if last else None
        return len(timeline_of(SITE, None, Period.parse(first), end, EVERYTHING).months)

    if months is None:
        with pytest.raises(BillingError) as caught:
            ask()
        assert caught.value.code == "CONTRACT_TIMELINE_RANGE_INVALID"
    else:
        assert ask() == months


def test_a_rate_shows_its_base_and_every_step_in_words() -> None:
    agreed(escalators=(FixedPct(target="fixedFee.fee", month="January", pct=Decimal(3)),))

    [month] = timeline_of(SITE, None, Period(2028, 1), Period(2028, 1), EVERYTHING).months

    [rate] = month.rates
    assert (month.version, rate.unit, rate.base_value, rate.base_date, rate.base_version) == (
        1,
        "amount",
        Decimal(100),
        date(2026, 11, 1),
        1,
    )
    assert [(step.day, step.before, step.result) for step in rate.steps] == [
        (date(2027, 1, 1), Decimal(100), Decimal("103.00")),
        (date(2028, 1, 1), Decimal("103.00"), Decimal("106.09")),
    ]
    assert len(rate.explanation) == 3
