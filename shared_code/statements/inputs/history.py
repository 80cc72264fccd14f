"""What a statement is computed from besides terms and facts: earlier months, opening balances, ad-hoc lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy.engine import Connection

from shared_code.billing.given import Accumulating, History, Opening
from shared_code.billing.model import AdHocLine
from shared_code.foundation.calendar import Period
from shared_code.foundation.money import to_cents
from shared_code.statements.inputs import repository

_LONGEST_WINDOW = 12  # months before the service period; R58 adds a part month to the eleven of a year


def adhoc_by_contract(
    connection: Connection, contract_ids: Sequence[str], period: Period
) -> dict[str, list[AdHocLine]]:
    """What people added to the statements of contracts (rules R18). One statement for a thousand contracts."""
    found: dict[str, list[AdHocLine]] = defaultdict(list)
    for row in repository.adhoc_lines(connection, contract_ids, period):
        found[row.contract_id].append(
            AdHocLine(
                id=row.line_id,
                group=row.invoice_group,
                type=row.type,
                title=row.title,
                code=row.code,
                description=row.description,
                amount=to_cents(row.amount),
                author=row.author,
                reason=row.reason,
            )
        )
    return found


def histories(
    connection: Connection, contract_ids: Sequence[str], period: Period
) -> tuple[dict[str, History], set[str]]:
    """Monthly profits and opening balances of contracts (rules R3, R39), and which have a profit of `period` already.

    One statement for a thousand contracts.
    """
    profits: dict[str, dict[Period, Decimal]] = defaultdict(dict)
    openings: dict[str, dict[tuple[Accumulating, str], Opening]] = defaultdict(dict)
    known: set[str] = set()
    exact_to_date, exact_mark, exact_profit = repository.exact_amounts(connection)
    this_month = str(period)
    for contract_id, text, kind, row_id, basis, to_date, mark, profit in repository.past(
        connection, contract_ids, period.plus(-_LONGEST_WINDOW), period
    ):
        if kind:
            opening = Opening(Period.parse(text), exact_to_date(to_date), exact_mark(mark), basis == "zero")
            openings[contract_id][kind, row_id] = opening
        elif text == this_month:
            known.add(contract_id)
        else:
            profits[contract_id][Period.parse(text)] = exact_profit(profit)
    found = {one: History(profits.get(one, {}), openings.get(one, {})) for one in contract_ids}
    return found, known
