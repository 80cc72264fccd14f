"""Invariants of statements and their generations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract_version
from shared_code.foundation.audit.tables import audit_event
from shared_code.operations.invariants.model import MOST, NEWEST, Invariant, Query, Violation
from shared_code.periods.tables import period_change
from shared_code.statements.tables import invoice, invoice_line, run_item, statement, statement_document, statement_run

_counts = statement.c.status != "Superseded"


class StatementIsTheSumOfItsInvoices(Query):
    """A statement shows another total than its invoices add up to: the client is asked for a sum that is on no
    invoice."""

    says = "the total is {total}, its invoices come to {invoices}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        sums = (
            sa.select(invoice.c.statement_id, sa.func.sum(invoice.c.amount).label("invoices"))
            .group_by(invoice.c.statement_id)
            .subquery()
        )
        return (
            sa.select(statement.c.statement_id, statement.c.total, sums.c.invoices)
            .outerjoin(sums, sums.c.statement_id == statement.c.statement_id)
            .where(sa.or_(sums.c.invoices.is_(None), sums.c.invoices != statement.c.total))
        )


class OneUnsentStatementOfAMonth(Query):
    """A contract has two statements of one month that may both be sent: the client would be billed twice."""

    says = "{period} has {number} statements that are not sent"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        return (
            sa.select(c.contract_id, c.period, sa.func.count().label("number"))
            .where(_counts, c.status != "Sent")
            .group_by(c.contract_id, c.period)
            .having(sa.func.count() > 1)
        )


class VersionsHaveNoGaps(Query):
    """A version of a month is missing among those that count: its number was sent and is lost, or never was."""

    says = "{period} counts {number} versions, the last is {last}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        return (
            sa.select(c.contract_id, c.period, sa.func.count().label("number"), sa.func.max(c.version).label("last"))
            .where(_counts)
            .group_by(c.contract_id, c.period)
            .having(sa.func.count() != sa.func.max(c.version))
        )


class GenerationsHaveNoGaps(Query):
    """A generation of a month is missing: a statement was deleted, which nobody may do."""

    says = "{period} has {number} generations, the last is {last}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        return (
            sa.select(c.contract_id, c.period, sa.func.count().label("number"), sa.func.max(c.generation).label("last"))
            .group_by(c.contract_id, c.period)
            .having(sa.func.count() != sa.func.max(c.generation))
        )


class SupersededStatementSaysWhen(Query):
    """A statement says that it was replaced and not when, or when and not that: lists and sums would differ."""

    says = "status {status}, superseded at {superseded_at}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        return sa.select(c.statement_id, c.status, c.superseded_at).where(
            sa.or_(
                sa.and_(c.status == "Superseded", c.superseded_at.is_(None)),
                sa.and_(_counts, c.superseded_at.is_not(None)),
            )
        )


class SupersededStatementHasItsSuccessor(Query):
    """A statement was taken out of the count and nothing took its place: the month is not billed at all, unless a
    later look at it found nothing to bill."""

    says = "generation {generation} of {period} was replaced by none"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c, later = statement.c, statement.alias("later")
        found = (
            sa.select(run_item.c.run_id)
            .join(statement_run, statement_run.c.run_id == run_item.c.run_id)
            .where(
                run_item.c.contract_id == c.contract_id,
                statement_run.c.period == c.period,
                statement_run.c.kind == "Regenerate",
                run_item.c.outcome == "NothingToBill",
            )
        )
        successor = sa.select(later.c.statement_id).where(
            later.c.contract_id == c.contract_id, later.c.period == c.period, later.c.generation > c.generation
        )
        return sa.select(c.statement_id, c.generation, c.period).where(
            c.status == "Superseded", ~successor.exists(), ~found.exists()
        )


class StatementIsTheOutcomeOfItsRun(Query):
    """A statement is there that no item of its run says it has made: it was written past a run."""

    says = "run {run_id} does not know it"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        known = sa.select(run_item.c.run_id).where(
            run_item.c.run_id == c.run_id,
            run_item.c.contract_id == c.contract_id,  # its key: by the run alone, every item is looked at each time
            run_item.c.statement_id == c.statement_id,
            run_item.c.outcome.in_(("Generated", "Held")),
        )
        return sa.select(c.statement_id, c.run_id).where(~known.exists())


class StatementNamesAContractVersion(Query):
    """A statement says that it was billed from a contract version that there is not: it cannot be explained."""

    says = "version {contract_version} of contract {contract_id}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        known = sa.select(contract_version.c.version).where(
            contract_version.c.contract_id == c.contract_id, contract_version.c.version == c.contract_version
        )
        return sa.select(c.statement_id, c.contract_version, c.contract_id).where(~known.exists())


class StatementIsInTheAudit(Query):
    """A statement came to be without a trace in the audit: nobody can say who billed it and when."""

    says = "there is no event of its generation"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        told = sa.select(audit_event.c.stream).where(
            audit_event.c.subject == statement.c.statement_id, audit_event.c.action == "statement.generated"
        )
        return sa.select(statement.c.statement_id).where(~told.exists())


class StatementHasItsDocument(Query):
    """A statement has no snapshot of what is printed: it can never be mailed."""

    says = "there is nothing to print"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        kept = sa.select(statement_document.c.state).where(
            statement_document.c.statement_id == statement.c.statement_id
        )
        return sa.select(statement.c.statement_id).where(~kept.exists())


class StaleStatementSaysWhy(Query):
    """A statement is kept from being sent and nobody is told why, or a reason stands at one that may go."""

    says = "stale since {stale_since}, reason {stale_reason}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        return sa.select(c.statement_id, c.stale_since, c.stale_reason).where(
            sa.or_(
                sa.and_(c.stale_since.is_(None), c.stale_reason.is_not(None)),
                sa.and_(c.stale_since.is_not(None), c.stale_reason.is_(None)),
            )
        )


class HeldStatementSaysWhy(Query):
    """A statement waits for a person and does not say for what: nobody knows what to look at."""

    says = "status {status} has no reason"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement.c
        return sa.select(c.statement_id, c.status).where(
            c.status.in_(("Held", "ApprovalTeam")), c.status_reason.is_(None)
        )


class ClosedMonthsStayAsTheyAre(Query):
    """A statement was made for a month after it was closed: the books that were handed in are not these any more."""

    says = "{period} was closed on {changed_at}, the statement made on {created_at}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        last = (
            sa.select(period_change.c.period, sa.func.max(period_change.c.version).label("version"))
            .group_by(period_change.c.period)
            .subquery()
        )
        joined = statement.join(period_change, period_change.c.period == statement.c.period).join(
            last, sa.and_(last.c.period == period_change.c.period, last.c.version == period_change.c.version)
        )
        return (
            sa.select(statement.c.statement_id, statement.c.period, period_change.c.changed_at, statement.c.created_at)
            .select_from(joined)
            .where(period_change.c.state == "Closed", statement.c.created_at > period_change.c.changed_at)
        )


class SnapshotSaysWhatIsStored(Invariant):
    """What is printed differs from what is stored: the client gets another bill than the books have."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Of the newest statements, since the snapshot of each is read."""
        newest = _newest()
        stored: dict[str, dict[str, str]] = {}
        for row in connection.execute(
            sa.select(invoice.c.statement_id, invoice.c.number, invoice.c.amount).join(
                newest, newest.c.statement_id == invoice.c.statement_id
            )
        ):
            stored.setdefault(row.statement_id, {})[row.number] = f"{row.amount:.2f}"
        printed = sa.select(statement_document.c.statement_id, statement_document.c.snapshot).join(
            newest, newest.c.statement_id == statement_document.c.statement_id
        )
        found = 0
        for document in connection.execute(printed):
            snapshot = json.loads(document.snapshot)
            shown = {one["number"]: f"{Decimal(one['amount']):.2f}" for one in snapshot["invoices"]}
            kept = stored.get(document.statement_id, {})
            if shown != kept and found < MOST:
                found += 1
                yield Violation(document.statement_id, f"printed {shown}, stored {kept}")


class ComparisonCountsItsLines(Invariant):
    """The comparison to forecast counts other lines than the statement has: the review was routed by wrong figures."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Of the newest statements, since the comparison of each is read."""
        newest = _newest()
        sums: dict[str, Decimal] = {}
        for row in connection.execute(
            sa.select(invoice.c.statement_id, invoice_line.c.code, invoice_line.c.amount)
            .join(invoice, invoice.c.invoice_id == invoice_line.c.invoice_id)
            .join(newest, newest.c.statement_id == invoice.c.statement_id)
        ):
            if len(row.code) == 4 and row.code.isascii() and row.code.isdigit() and row.code.startswith("4"):
                sums[row.statement_id] = sums.get(row.statement_id, Decimal(0)) + row.amount
        compared = (
            sa.select(statement.c.statement_id, statement.c.comparison)
            .join(newest, newest.c.statement_id == statement.c.statement_id)
            .where(statement.c.comparison.is_not(None))
        )
        found = 0
        for one in connection.execute(compared):
            told, lines = Decimal(json.loads(one.comparison)["invoicedRevenue"]), sums.get(one.statement_id, Decimal(0))
            if told != lines and found < MOST:
                found += 1
                yield Violation(one.statement_id, f"compared {told}, the lines come to {lines}")


def _newest() -> sa.Subquery:
    return (
        sa.select(statement.c.statement_id)
        .order_by(statement.c.created_at.desc(), statement.c.statement_id)
        .limit(NEWEST)
        .subquery()
    )
