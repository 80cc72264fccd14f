"""Invariants of what statements are computed from: contracts, imports, facts; and of messages and the audit."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.facts.tables import current_facts, import_batch, revenue_daily, revenue_monthly
from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event, audit_head
from shared_code.foundation.database import outbox
from shared_code.operations.invariants.model import MOST, Invariant, Query, Violation
from shared_code.statements.tables import statement

OUTBOX_PATIENCE = timedelta(minutes=10)  # the sweep passes every quarter of a minute


class LatestVersionIsTheLast(Query):
    """A contract points to another version than its newest: it would be billed from terms that were replaced."""

    says = "latest_version is {latest_version}, the newest is {newest}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = contract.c
        newest = (
            sa.select(sa.func.max(contract_version.c.version))
            .where(contract_version.c.contract_id == c.contract_id)
            .correlate(contract)
            .scalar_subquery()
        )
        return sa.select(c.contract_id, c.latest_version, newest.label("newest")).where(
            sa.or_(newest.is_(None), newest != c.latest_version)
        )


class ContractVersionsHaveNoGaps(Query):
    """A version of a contract is missing: what was billed from it cannot be explained any more."""

    says = "{number} versions, the last is {last}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = contract_version.c
        return (
            sa.select(c.contract_id, sa.func.count().label("number"), sa.func.max(c.version).label("last"))
            .group_by(c.contract_id)
            .having(sa.func.count() != sa.func.max(c.version))
        )


class BilledThroughCoversEveryStatement(Query):
    """A contract has a statement of a month after the one it is said to be billed through: a correction would reach
    back into a month that was billed (decision 0004)."""

    says = "billed through {billed_through}, statement of {period}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(contract.c.contract_id, contract.c.billed_through, statement.c.period)
            .join(statement, statement.c.contract_id == contract.c.contract_id)
            .where(sa.or_(contract.c.billed_through.is_(None), contract.c.billed_through < statement.c.period))
        )


class EveryRowIsAccountedFor(Query):
    """A file has rows that were neither taken, nor rejected, nor repeated: facts were lost (design 3)."""

    says = "read {rows_read}, accepted {rows_accepted}, rejected {rows_rejected}, duplicate {rows_duplicate}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = import_batch.c
        return sa.select(c.batch_id, c.rows_read, c.rows_accepted, c.rows_rejected, c.rows_duplicate).where(
            c.finished_at.is_not(None), c.rows_read != c.rows_accepted + c.rows_rejected + c.rows_duplicate
        )


class EveryDollarIsAccountedFor(Query):
    """A file has money that was neither taken, nor rejected, nor repeated (design 3)."""

    says = "read {money_read}, accepted {money_accepted}, rejected {money_rejected}, duplicate {money_duplicate}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = import_batch.c
        return sa.select(c.batch_id, c.money_read, c.money_accepted, c.money_rejected, c.money_duplicate).where(
            c.finished_at.is_not(None), c.money_read != c.money_accepted + c.money_rejected + c.money_duplicate
        )


class CurrentFactsHaveTheirBatch(Query):
    """A site's facts of a month point to a file that is not current: statements would be computed from something
    that was never released, or nothing."""

    says = "{dataset} of {period}: batch {batch_no} is {state}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = current_facts.c
        return (
            sa.select(c.site, c.dataset, c.period, c.batch_no, import_batch.c.state)
            .outerjoin(import_batch, import_batch.c.batch_no == c.batch_no)
            .where(sa.or_(import_batch.c.state.is_(None), import_batch.c.state != "current"))
        )


class MonthlyRevenueIsTheSumOfItsDays(Query):
    """The sums that statements are computed from differ from the rows that explain them: an amount cannot be traced
    to its file."""

    says = "batch {batch_no}: the month says {monthly}, its days {daily}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        """Of sites whose sums are current; rows of earlier files may be gone (rules R37).

        The month of the batch gives the pointers' whole key: without it, SQLite compares all sites with each other.
        """
        keys = ("batch_no", "site")

        def sums(table: sa.Table, name: str) -> sa.Subquery:
            columns = [table.c[key] for key in keys]
            return sa.select(*columns, sa.func.sum(table.c.net).label(name)).group_by(*columns).subquery()

        month, days = sums(revenue_monthly, "monthly"), sums(revenue_daily, "daily")
        return (
            sa.select(month.c.site, month.c.batch_no, month.c.monthly, days.c.daily)
            .join(import_batch, import_batch.c.batch_no == month.c.batch_no)
            .join(
                current_facts,
                sa.and_(
                    current_facts.c.dataset == "revenue_daily",
                    current_facts.c.period == import_batch.c.period,
                    current_facts.c.site == month.c.site,
                    current_facts.c.batch_no == month.c.batch_no,
                ),
            )
            .outerjoin(days, sa.and_(*(days.c[key] == month.c[key] for key in keys)))
            .where(sa.or_(days.c.daily.is_(None), days.c.daily != month.c.monthly))
        )


class OutboxIsEmptied(Invariant):
    """Messages wait although the sweep passes all the time: work that was promised does not happen."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        c = outbox.c
        limit = clock.now() - OUTBOX_PATIENCE
        waiting = (
            sa.select(c.message_id, c.queue, c.created_at)
            .where(c.published_at.is_(None), c.created_at < limit)
            .order_by(c.created_at, c.message_id)
            .limit(MOST)
        )
        for row in connection.execute(waiting):
            yield Violation(row.message_id, f"waits for queue {row.queue} since {row.created_at}")


class AuditHeadsAreTheLastEvents(Query):
    """The audit's mark of where a stream ends is not where it ends: an event was removed, or written past the app."""

    says = "the mark says {marked}, the last event is {last}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        last = (
            sa.select(audit_event.c.stream, sa.func.max(audit_event.c.sequence).label("last"))
            .group_by(audit_event.c.stream)
            .subquery()
        )
        return (
            sa.select(audit_head.c.stream, audit_head.c.sequence.label("marked"), last.c.last)
            .outerjoin(last, last.c.stream == audit_head.c.stream)
            .where(sa.or_(last.c.last.is_(None), last.c.last != audit_head.c.sequence))
        )
