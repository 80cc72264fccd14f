"""What `closing_support.fill` leaves out since billing does not read it, and what invariants ask for."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.facts.tables import revenue_daily, revenue_monthly
from shared_code.foundation.database import create_database
from shared_code.statements.tables import monthly_profit, run_item, statement_run
from tests.closing_support import CLOSING, PERIOD


def make_whole(path: Path) -> None:
    """Complete the database at `path`: all invariants hold of it afterwards."""
    engine = create_database(f"sqlite:///{path}")
    with engine.begin() as connection:
        _add_days(connection)
        _add_run_of_profits(connection)
    engine.dispose()


def _add_days(connection: Connection) -> None:
    """One day for each site and month, which its sums are the sums of."""
    day, month = revenue_daily.c, revenue_monthly.c
    by_site = (month.batch_no, month.site)
    texts = (day.revenue_code, day.revenue_category, day.collection_type, day.deposit_flag)
    values: dict[sa.Column[object], sa.ColumnElement[object]] = {
        day.batch_no: month.batch_no,
        day.row_number: sa.func.row_number().over(order_by=by_site),
        day.site: month.site,
        day.day: sa.literal(PERIOD.first_day),
        day.net: sa.func.sum(month.net),
        **{column: sa.literal(Decimal(0), column.type) for column in (day.gross, day.tax_rate, day.validation)},
        **dict.fromkeys(texts, sa.literal("-")),
    }
    connection.execute(revenue_daily.insert().from_select(list(values), sa.select(*values.values()).group_by(*by_site)))


def _add_run_of_profits(connection: Connection) -> None:
    """The run that the profits of the year are said to be from; it had nothing to bill."""
    contracts = sa.select(monthly_profit.c.contract_id, monthly_profit.c.run_id).distinct().subquery()
    ran = connection.execute(
        sa.select(contracts.c.run_id, sa.func.count().label("expected")).group_by(contracts.c.run_id)
    ).all()
    same = {"kind": "Generate", "period": str(PERIOD.previous), "source": "made-up", "scope": "{}", "attempt": 1}
    same |= {"state": "Completed", "requested_by": "x", "requested_by_id": "x", "correlation_id": "x"}
    instants = dict.fromkeys(("created_at", "resumed_at", "finished_at"), CLOSING)
    for row in ran:
        run = {"run_id": row.run_id, "natural_key": row.run_id, "expected": row.expected}
        connection.execute(statement_run.insert(), same | instants | run)
    item = run_item.c
    values: dict[sa.Column[object], sa.ColumnElement[object]] = {
        item.run_id: contracts.c.run_id,
        item.contract_id: contracts.c.contract_id,
        item.site_number: sa.literal("-"),
        item.contract_version: sa.literal(1),
        item.chunk: sa.literal(0),
        item.outcome: sa.literal("NothingToBill"),
        item.reason: sa.literal("NOTHING_TO_BILL"),
    }
    connection.execute(run_item.insert().from_select(list(values), sa.select(*values.values())))
