"""Invariants of invoices, their numbers and their lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.calendar import Period
from shared_code.operations.invariants.model import MOST, NEWEST, Invariant, Query, Violation
from shared_code.statements.tables import adhoc_line, invoice, invoice_line, statement

_CENT = Decimal("0.01")


class InvoiceIsTheSumOfItsLines(Query):
    """An invoice shows another amount than its lines add up to: nobody could explain the sum that is asked for."""

    says = "invoice {number} shows {amount}, its lines come to {lines}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        sums = (
            sa.select(invoice_line.c.invoice_id, sa.func.sum(invoice_line.c.amount).label("lines"))
            .group_by(invoice_line.c.invoice_id)
            .subquery()
        )
        return (
            sa.select(invoice.c.invoice_id, invoice.c.number, invoice.c.amount, sums.c.lines)
            .outerjoin(sums, sums.c.invoice_id == invoice.c.invoice_id)
            .where(sa.or_(sums.c.lines.is_(None), sums.c.lines != invoice.c.amount))
        )


class NoNumberCountsTwice(Query):
    """Two invoices that count carry one number: the ledger would take the second for the first."""

    says = "{times} invoices that count have it"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(invoice.c.number, sa.func.count().label("times"))
            .where(invoice.c.superseded_at.is_(None))
            .group_by(invoice.c.number)
            .having(sa.func.count() > 1)
        )


class SupersededInvoicesFollowTheirStatement(Query):
    """An invoice counts and its statement does not, or the other way round: sums over invoices and over statements
    differ, and a number is blocked or free by mistake."""

    says = "invoice {number} of a statement with status {status}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        superseded = statement.c.status == "Superseded"
        return (
            sa.select(invoice.c.invoice_id, invoice.c.number, statement.c.status)
            .join(statement, statement.c.statement_id == invoice.c.statement_id)
            .where(
                sa.or_(
                    sa.and_(superseded, invoice.c.superseded_at.is_(None)),
                    sa.and_(~superseded, invoice.c.superseded_at.is_not(None)),
                )
            )
        )


class OneInvoiceOfAGroup(Query):
    """A statement has two invoices of one group: lines of the group stand on the wrong one, or on both."""

    says = "group {invoice_group} has {number} invoices"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(invoice.c.statement_id, invoice.c.invoice_group, sa.func.count().label("number"))
            .group_by(invoice.c.statement_id, invoice.c.invoice_group)
            .having(sa.func.count() > 1)
        )


class LinesStandInOneOrder(Query):
    """Two lines of an invoice claim one place: they would be printed in an order that changes from day to day."""

    says = "place {ordinal} is taken {number} times"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(invoice_line.c.invoice_id, invoice_line.c.ordinal, sa.func.count().label("number"))
            .group_by(invoice_line.c.invoice_id, invoice_line.c.ordinal)
            .having(sa.func.count() > 1)
        )


class NumberSaysMonthGroupAndVersion(Invariant):
    """An invoice number names another month, group or version than the invoice has: it would be filed under another
    one (rules R27)."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Of the newest invoices, read by fields and never by the dashes, which a site number may have too (B36)."""
        rows = connection.execute(
            sa.select(
                invoice.c.invoice_id, invoice.c.number, invoice.c.invoice_group, statement.c.period, statement.c.version
            )
            .join(statement, statement.c.statement_id == invoice.c.statement_id)
            .order_by(statement.c.created_at.desc(), invoice.c.invoice_id)
            .limit(NEWEST)
        )
        wrong = (row for row in rows if not _names(row))
        for row, _ in zip(wrong, range(MOST), strict=False):
            place = f"{row.period}, group {row.invoice_group}, version {row.version}"
            yield Violation(row.invoice_id, f"number {row.number} of {place}")


def _names(row: Any) -> bool:
    period = Period.parse(row.period)
    endings = (f"-{month.compact}-{row.invoice_group:02d}-{row.version:02d}" for month in (period, period.previous))
    return str(row.number).endswith(tuple(endings))


class AmountsAreInCents(Invariant):
    """A line has a fraction of a cent: the printed lines do not add up to the printed sum (rules R1)."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Of the newest statements' lines."""
        newest = (
            sa.select(statement.c.statement_id)
            .order_by(statement.c.created_at.desc(), statement.c.statement_id)
            .limit(NEWEST)
            .subquery()
        )
        rows = connection.execute(
            sa.select(invoice_line.c.line_id, invoice_line.c.amount)
            .join(invoice, invoice.c.invoice_id == invoice_line.c.invoice_id)
            .join(newest, newest.c.statement_id == invoice.c.statement_id)
        )
        wrong = (row for row in rows if row.amount % _CENT)
        for row, _ in zip(wrong, range(MOST), strict=False):
            yield Violation(row.line_id, f"the amount is {row.amount}")


class AddedLinesStandOnTheirStatement(Invariant):
    """A line that a person added is not on the statement, or one that was taken back still is: what was agreed on the
    phone is not what is billed (rules R18)."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Lines that are always printed, of statements that are not sent yet."""
        unsent = (statement.c.status != "Superseded", statement.c.status != "Sent")
        printed: dict[tuple[str, str], set[str]] = {}
        for row in connection.execute(
            sa.select(statement.c.contract_id, statement.c.period, invoice_line.c.meta)
            .select_from(
                statement.join(invoice, invoice.c.statement_id == statement.c.statement_id).outerjoin(
                    invoice_line,
                    sa.and_(invoice_line.c.invoice_id == invoice.c.invoice_id, invoice_line.c.block == "adHoc"),
                )
            )
            .where(*unsent)
        ):
            found = printed.setdefault((row.contract_id, row.period), set())
            if row.meta:
                found.add(json.loads(row.meta)["adHocId"])
        wanted = connection.execute(
            sa.select(
                adhoc_line.c.line_id, adhoc_line.c.contract_id, adhoc_line.c.period, adhoc_line.c.type,
                adhoc_line.c.removed_at,
            )
            .join(
                statement,
                sa.and_(
                    statement.c.contract_id == adhoc_line.c.contract_id, statement.c.period == adhoc_line.c.period
                ),
            )
            .where(*unsent)
        )  # fmt: skip
        for one in wanted:
            there = one.line_id in printed.get((one.contract_id, one.period), set())
            always = one.type in ("miscellaneous", "reimbursableExpense")
            if (one.removed_at is not None and there) or (one.removed_at is None and always and not there):
                yield Violation(one.line_id, "taken back and still billed" if there else "added and not billed")
