"""Months with lines that people added: contracts with and without a profit share, their facts, and the wishes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from shared_code.contracts.model import SavedContract
from shared_code.facts.model import ACCOUNTS, FORECAST, FORECAST_CATEGORY, REVENUE
from shared_code.facts.tables import (
    account_summary,
    current_facts,
    forecast,
    import_batch,
    revenue_daily,
    revenue_monthly,
)
from shared_code.foundation import clock, context, database
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import Context
from shared_code.foundation.visibility import EVERYTHING
from shared_code.statements.adhoc import service
from shared_code.statements.adhoc.model import Addition
from shared_code.statements.adhoc.requests import AdHocLineRequest
from shared_code.statements.reading.model import InvoiceLine, StatementDetail
from tests.unit.statements.stage import batch_row, detail, save, standing

SHARED_PROFIT = {
    "kind": "managementAgreement",
    "enabled": True,
    "agreements": [
        {
            "id": "deal",
            "fee": {"kind": "FixedFee", "amount": "0"},
            "insurance": {"kind": "off"},
            "claims": {"kind": "off"},
            "profitShare": {"kind": "on", "accumulation": "Monthly", "tiers": [{"sharePct": "50", "upTo": None}]},
            "validation": {"kind": "none"},
        }
    ],
}
"""Half of the month's profit, in group 1."""
WHO = Context(actor_id="ann", actor_name="Ann Lee", actor_kind="person")


def save_sharing(number: str, *fees: tuple[str, int]) -> SavedContract:
    """Save a contract of monthly fees that shares half of the month's profit."""
    plain = [{"id": f"g{group}", "number": group} for group in (1, 2)]
    lines = [
        {"id": f"fee-{i}", "name": f"Fee {i}", "code": "4700", "displayName": f"Fee {i}", "fee": fee, "group": group}
        for i, (fee, group) in enumerate(fees or (("100.00", 1),), start=1)
    ]
    components = [{"kind": "fixedFee", "enabled": True, "lines": lines}, SHARED_PROFIT]
    return save(number, groups=plain, components=components)


def wish(kind: str = "miscellaneous", amount: str = "25.00", **fields: Any) -> AdHocLineRequest:
    """A wish as it comes in; a client-paid expense stands on an expense account unless given."""
    body: dict[str, Any] = {
        "type": kind,
        "title": "Gate repair",
        "amount": Decimal(amount),
        "reason": "agreed by phone",
    }
    if kind == "clientPaidExpense":
        body["code"] = "7045"
    return AdHocLineRequest.model_validate(body | fields)


def add(number: str, kind: str = "miscellaneous", amount: str = "25.00", **fields: Any) -> Addition:
    with context.acting(WHO):
        return service.add(number, wish(kind, amount, **fields), EVERYTHING)


def remove(number: str, line_id: str) -> None:
    with context.acting(WHO):
        service.remove(number, line_id, EVERYTHING)


def current(contract_id: str) -> StatementDetail:
    """The statement of October that counts, the latest of several."""
    return detail([row for row in standing(contract_id) if row.status != "Superseded"][-1].statement_id)


def lines_of(statement: StatementDetail) -> list[InvoiceLine]:
    return [line for invoice in statement.invoices for line in invoice.lines]


def shown(statement: StatementDetail) -> list[tuple[int, str, str]]:
    """Group, block and amount of every line, in print order."""
    return [(one.group, line.block, f"{line.amount:.2f}") for one in statement.invoices for line in one.lines]


def load(site: str, *, revenue: str | None = None, posted: str | None = None, expected: str | None = None) -> None:
    """Facts of October: net revenue; revenue in the ledger (account 4100); revenue in the forecast."""
    if revenue is not None:
        keys = {"revenue_code": "SD1", "revenue_category": "Parking", "collection_type": "", "deposit_flag": "N"}
        sums = {"net": Decimal(revenue), "gross": Decimal(0), "validation": Decimal(0)}
        batch = _insert(site, REVENUE, revenue_monthly, **keys, **sums, tax=Decimal(0), row_count=1)
        day = {"row_number": 1, "day": date(2026, 10, 31), "tax_rate": Decimal(0)}
        with database.transaction() as work:
            work.connection.execute(revenue_daily.insert().values(batch_no=batch, site=site, **keys, **sums, **day))
    if posted is not None:
        ledger = {"main_account": "4100", "entity": "01", "row_number": 1}
        _insert(site, ACCOUNTS, account_summary, balance=-Decimal(posted), **ledger)
    if expected is not None:
        month = {"category": FORECAST_CATEGORY, "row_number": 1, "loaded_at": "2026-10-02 06:30"}
        _insert(site, FORECAST, forecast, balance=-Decimal(expected), **month)


def _insert(site: str, dataset: str, table: sa.Table, **values: Any) -> int:
    """Rows of a batch that is current. Returns its number."""
    month = Period.parse("2026-10")
    with database.transaction() as work:
        batch = 1 + (work.connection.scalar(sa.select(sa.func.max(import_batch.c.batch_no))) or 0)
        about = batch_row(batch, str(month)) | {"dataset": dataset}
        work.connection.execute(import_batch.insert().values(**about, last_day=month.last_day))
        work.connection.execute(table.insert().values(batch_no=batch, site=site, **values))
        work.connection.execute(
            current_facts.insert().values(
                dataset=dataset,
                period=str(month),
                site=site,
                batch_no=batch,
                row_count=month.days,
                first_day=month.first_day,
                last_day=month.last_day,
                longest_gap=0,
                changed_at=clock.now(),
            )
        )
    return batch
