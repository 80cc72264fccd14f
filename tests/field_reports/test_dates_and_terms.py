"""Rows of days and terms: which month is billed, on which day, by which version, in full or by the day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts.tables import contract_version
from shared_code.contracts.versions.history import version_of
from shared_code.documents.model import StatementDocument, from_json
from shared_code.facts.tables import site
from shared_code.foundation import clock, database
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.explanation.queries import explain
from shared_code.statements.rendering import render_documents
from shared_code.statements.runs import start_scheduled_runs
from shared_code.statements.tables import invoice, statement, statement_document
from tests.field_reports.support import at, configure
from tests.unit.statements.stage import (
    Stage,
    decide,
    detail,
    open_sites,
    outcomes,
    rows_of,
    save,
    standing,
    start,
)

ZONES = ["Pacific/Kiritimati", "Pacific/Auckland", "Asia/Kolkata", "UTC", "America/New_York", "Etc/GMT+12"]


def snapshot(statement_id: str) -> StatementDocument:
    """What is printed of a statement."""
    c = statement_document.c
    with database.reading() as connection:
        stored = connection.scalar(sa.select(c.snapshot).where(c.statement_id == statement_id))
    return from_json(str(stored))


@pytest.mark.parametrize("zone", ZONES)
def test_row_08_double_billing_for_customers_ahead_of_utc(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Row 8: where the day begins before UTC's, a month was billed once for each of the two dates.

    The business date is that of one zone and only decides which month is due; the month is the key of the run, and is
    stored. Ticks around the turn of the month bill October once, and nothing else.
    """
    configure(monkeypatch, BUSINESS_TIME_ZONE=zone)
    open_sites("0901")
    saved = save("0901")
    decide(scheduledBillingDay=1)

    for quarter in range(4 * 72):
        at(datetime(2026, 10, 30, 23, 30, tzinfo=UTC) + timedelta(minutes=15 * quarter))
        if clock.today(zone) >= date(2026, 11, 1):
            start_scheduled_runs()
            stage.drain()

    assert [row.period for row in rows_of(statement)] == ["2026-10"]
    assert len(standing(saved.contract_id)) == 1


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 5, 12, 23])
def test_row_09_an_invoice_is_missing_or_a_day_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, zone: str, hour: int
) -> None:
    """Row 9: a date went through an instant and back, and came out a day before; one invoice was missing.

    Days of an invoice are days, from the month itself: in every zone, at every hour, October's is dated the 31st and
    due thirty days later, and it prints the service of the 1st to the 31st.
    """
    configure(monkeypatch, BUSINESS_TIME_ZONE=zone)
    at(datetime(2026, 11, 2, hour, 59, 59, tzinfo=UTC))
    open_sites("0901")
    contract_id = save("0901").contract_id

    stage.bill()

    (row,) = standing(contract_id)
    (billed,) = rows_of(invoice)
    assert (billed.invoice_date, billed.due_date) == (date(2026, 10, 31), date(2026, 11, 30))
    printed = snapshot(row.statement_id)
    assert (printed.service_first_day, printed.service_last_day) == (date(2026, 10, 1), date(2026, 10, 31))
    assert printed.invoices[0].invoice_date == date(2026, 10, 31)
    (shown,) = detail(row.statement_id).invoices
    assert (shown.invoice_date, shown.due_date) == (date(2026, 10, 31), date(2026, 11, 30))


PRORATED: list[tuple[dict[str, Any], str, str]] = [
    ({}, "1099000.00", "as agreed, not prorated"),
    ({"endDate": "2026-10-10"}, "1099000.00", "as agreed, not prorated"),
    ({"proration": "none", "endDate": "2026-10-10"}, "1099000.00", "as agreed, not prorated"),
    ({"proration": "daily", "endDate": "2026-10-10"}, "354516.13", "for 10 of 31 days"),
    ({"proration": "daily"}, "1099000.00", "as agreed, not prorated"),
]


@pytest.mark.parametrize(("terms", "amount", "told"), PRORATED)
def test_row_12_prorated_though_the_price_is_fixed(stage: Stage, terms: dict[str, Any], amount: str, told: str) -> None:
    """Row 12: a fixed price of 1,099,000 was prorated to 11,945, which nobody had asked for.

    By days is billed only what the contract says is, and the line's trace tells which it was.
    """
    open_sites("0901")
    contract_id = save("0901", ("1099000.00", 1), **terms).contract_id

    stage.bill()

    (billed,) = standing(contract_id)
    assert billed.total == Decimal(amount)
    (line,) = detail(billed.statement_id).invoices[0].lines
    (step,) = explain(line.id, EVERYTHING).steps
    assert step.text == f"Monthly fee $1,099,000.00 {told}"
    assert Decimal(step.value) == Decimal(amount)


def test_row_20_a_price_is_overridden_twice_on_one_day(stage: Stage) -> None:
    """Row 20: a price was set to 0 and then to 3 on the same day, and generation stopped at a "double billing".

    Each change is a version that says from which day it serves and which one it follows; the last one for the day
    counts, and the month is billed once.
    """
    open_sites("0901")
    contract_id = save("0901", ("100.00", 1)).contract_id
    for fee in ("0.00", "3.00"):
        save("0901", (fee, 1))

    assert outcomes(stage.bill()) == {"generated": 1}

    (billed,) = standing(contract_id)
    assert (billed.total, billed.contract_version) == (Decimal("3.00"), 3)
    about = [version_of("0901", None, str(number), EVERYTHING).about for number in (1, 2, 3)]
    assert [(one.version, one.previous) for one in about] == [(1, None), (2, 1), (3, 2)]
    assert len({one.effective_from for one in about}) == 1
    assert len(rows_of(contract_version)) == 3  # none is overwritten


def test_row_22_invoices_get_another_address_after_the_customer_was_edited(stage: Stage) -> None:
    """Row 22: an invoice that had been made showed the new address after somebody edited the customer.

    Everything printed was copied when the month was billed. The document that is drawn again is the same to the byte;
    the next month has the new name.
    """
    open_sites("0901")
    group = {"id": "g1", "number": 1, "customerName": "Larch Street Hotel"}
    contract_id = save("0901", groups=[group]).contract_id
    stage.bill("2026-09")
    (billed,) = standing(contract_id, "2026-09")
    before = snapshot(billed.statement_id), detail(billed.statement_id), dict(stage.stored)

    rename_site("0901", "Another Name")
    save("0901", groups=[group | {"customerName": "Elm Street Hotel"}], paymentTerms={"kind": "net_days", "days": 10})
    draw_again(stage, billed)
    stage.bill()

    after = snapshot(billed.statement_id), detail(billed.statement_id)
    assert after == before[:2]
    assert {name: stage.stored[name] for name in before[2]} == before[2]
    (later,) = standing(contract_id)
    named = snapshot(later.statement_id)
    assert named.bill_to.site_name == "Another Name"
    assert named.invoices[0].bill_to is not None
    assert named.invoices[0].bill_to.site_name == "Elm Street Hotel"


def rename_site(number: str, name: str) -> None:
    with database.transaction() as work:
        work.connection.execute(site.update().where(site.c.site_number == number).values(name=name, street="9 New St"))


def draw_again(stage: Stage, row: Any) -> None:
    render_documents(row.run_id, [row.statement_id], "again", "c")


def test_row_23_billed_progressively_when_it_should_not(stage: Stage) -> None:
    """Row 23: a customer was billed in the middle of the month, though agreed was its end.

    When a contract is billed is a term of its own. In the middle of October only the one in advance is, for the month
    that it is due for; the one in arrears waits, also when it is asked for by name or was taken into the run before.
    """
    at(datetime(2026, 10, 20, 15, tzinfo=UTC))
    open_sites("0901", "0902")
    arrears = save("0901").contract_id
    advanced = save("0902", billingType="Advanced").contract_id

    with pytest.raises(BillingError) as refused:
        start("2026-10", site_numbers=("0901",))
    ahead = stage.bill("2026-11")

    assert refused.value.code == "NO_CONTRACTS"
    assert "2026-10-31" in refused.value.message
    assert outcomes(ahead) == {"generated": 1}
    assert (standing(arrears), len(standing(advanced, "2026-11"))) == ([], 1)
    at(datetime(2026, 11, 1, 15, tzinfo=UTC))
    assert outcomes(stage.bill("2026-10", site_numbers=("0901",))) == {"generated": 1}
