"""What a history must not forget: statements that were sent, months that are closed, lines that people added.

It looks at the stored rows alone and knows nothing of how they come about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from shared_code.foundation import database
from shared_code.foundation.database import AnyRow
from shared_code.statements.tables import invoice, invoice_line, statement, statement_document
from tests.unit.statements.stage import rows_of

type Place = tuple[str, str]
"""A contract and a month."""
FINAL = ("Sent", "Superseded")
_MAY_CHANGE = {"stale_since", "stale_reason", "stale_difference", "checked_at"}  # also of what was sent


@dataclass(slots=True)
class Added:
    """A line that a person added. `shown`: it is printed, and does not only lower a profit."""

    amount: Decimal
    shown: bool


@dataclass(slots=True)
class Memory:
    """Remembers, and tells what is no longer as it was."""

    fees: dict[tuple[str, int], Decimal] = field(default_factory=dict)
    """Of contracts with nothing but fees: what a month comes to, by contract and version."""
    added: dict[Place, dict[str, Added]] = field(default_factory=lambda: defaultdict(dict))
    closed: dict[str, set[str]] = field(default_factory=dict)
    """By closed month: the statements that it had when it was closed."""
    _sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _drawn: dict[str, tuple[str, str]] = field(default_factory=dict)

    def close(self, period: str) -> None:
        self.closed[period] = {row.statement_id for row in rows_of(statement) if row.period == period}

    def check(self) -> None:
        """Raises AssertionError where a statement is not what it must be."""
        rows = rows_of(statement)
        lines = _lines_by_statement()
        self._check_that_nothing_is_gone(rows)
        _check_that_one_is_open(rows)
        for row in rows:
            assert sum((line.amount for line in lines[row.statement_id]), Decimal(0)) == row.total, row.statement_id
            if row.status not in FINAL:
                self._check_added_lines(row, lines[row.statement_id])
                self._check_fees(row)
        self._check_what_was_sent(rows, lines)

    def _check_that_nothing_is_gone(self, rows: list[AnyRow]) -> None:
        ids = {row.statement_id for row in rows}
        assert self._known <= ids
        self._known = ids
        for period, before in self.closed.items():
            assert {row.statement_id for row in rows if row.period == period} == before, f"{period} is closed"

    def _check_added_lines(self, row: AnyRow, lines: list[AnyRow]) -> None:
        """Each line that was added and not taken back is printed once, whatever was made anew since."""
        if row.stale_reason == "LINE_REMOVED":
            return  # nothing would be left to bill; a run says so
        mine = self.added[row.contract_id, row.period].values()
        printed = sorted(line.amount for line in lines if line.block == "adHoc")
        assert printed == sorted(line.amount for line in mine if line.shown), row.statement_id

    def _check_fees(self, row: AnyRow) -> None:
        fees = self.fees.get((row.contract_id, row.contract_version))
        if fees is not None and row.stale_reason != "LINE_REMOVED":
            mine = self.added[row.contract_id, row.period].values()
            assert row.total == fees + sum((line.amount for line in mine), Decimal(0)), row.statement_id

    def _check_what_was_sent(self, rows: list[AnyRow], lines: Mapping[str, list[AnyRow]]) -> None:
        """To the byte: the row, its invoices, its lines, what is printed, and the file once it is drawn."""
        invoices = rows_of(invoice)
        documents = {row.statement_id: row for row in rows_of(statement_document)}
        for row in rows:
            document = documents[row.statement_id]
            if row.status != "Sent":
                continue
            now = {
                "statement": {name: value for name, value in row._mapping.items() if name not in _MAY_CHANGE},
                "invoices": sorted(tuple(one) for one in invoices if one.statement_id == row.statement_id),
                "lines": [tuple(line) for line in lines[row.statement_id]],
                "snapshot": document.snapshot,
            }
            assert self._sent.setdefault(row.statement_id, now) == now
            if document.state == "Rendered":
                drawn = (document.blob_path, document.sha256)
                assert self._drawn.setdefault(row.statement_id, drawn) == drawn


def _check_that_one_is_open(rows: list[AnyRow]) -> None:
    """Of a contract and month, one statement is not sent yet, and each version counts once."""
    unsent = [(row.contract_id, row.period) for row in rows if row.status not in FINAL]
    counting = [(row.contract_id, row.period, row.version) for row in rows if row.status != "Superseded"]
    assert len(set(unsent)) == len(unsent)
    assert len(set(counting)) == len(counting)


def _lines_by_statement() -> dict[str, list[AnyRow]]:
    chosen = (
        sa.select(invoice_line, invoice.c.statement_id)
        .join(invoice, invoice.c.invoice_id == invoice_line.c.invoice_id)
        .order_by(invoice_line.c.invoice_id, invoice_line.c.ordinal)
    )
    found: dict[str, list[AnyRow]] = defaultdict(list)
    with database.reading() as connection:
        for row in connection.execute(chosen):
            found[row.statement_id].append(row)
    return found
