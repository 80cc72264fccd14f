"""Invariants of runs and what became of their contracts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation import clock
from shared_code.foundation.audit.record import instant_text
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.operations.invariants.model import MOST, Invariant, Query, Violation
from shared_code.statements.reasons import REASONS
from shared_code.statements.tables import (
    dry_run_statement,
    monthly_profit,
    run_item,
    statement,
    statement_document,
    statement_run,
)

_MADE = ("Generated", "Held")


class RunHasTheItemsItExpects(Query):
    """A run expects another number of contracts than it has: some would be missed without a word (field report 3)."""

    says = "{expected} contracts are expected, {items} are there"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement_run.c
        counted = (
            sa.select(sa.func.count()).where(run_item.c.run_id == c.run_id).correlate(statement_run).scalar_subquery()
        )
        return sa.select(c.run_id, c.expected, counted.label("items")).where(counted != c.expected)


class FinishedRunHasNothingOpen(Query):
    """A run says that it is done and a contract of it has no outcome: nobody would look for it any more."""

    says = "contract {contract_id} has no outcome"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(run_item.c.run_id, run_item.c.contract_id)
            .join(statement_run, statement_run.c.run_id == run_item.c.run_id)
            .where(statement_run.c.state != "Running", run_item.c.outcome == "Pending")
        )


class FinishedRunHasItsDocuments(Query):
    """A run says that it is done and a statement of it is not drawn (field report 17)."""

    says = "statement {statement_id} is not drawn"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        """A statement whose lines were changed afterwards is drawn anew; its run was done before."""
        c = statement_document.c
        return (
            sa.select(c.run_id, c.statement_id)
            .join(statement_run, statement_run.c.run_id == c.run_id)
            .where(statement_run.c.state != "Running", c.state == "Pending", c.rendered_at.is_(None))
        )


class DrawnDocumentHasItsFile(Query):
    """A document says that it is drawn and not where, or what its bytes are: it cannot be mailed or proven."""

    says = "path {blob_path}, SHA-256 {sha256}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = statement_document.c
        return sa.select(c.statement_id, c.blob_path, c.sha256).where(
            c.state == "Rendered", sa.or_(c.blob_path.is_(None), c.sha256.is_(None), c.byte_count.is_(None))
        )


class BilledContractHasItsStatement(Query):
    """A run says that a contract was billed and there is no statement: the month looks closed and is not."""

    says = "contract {contract_id}: {outcome}, statement {statement_id}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        """Dry runs write none."""
        c = run_item.c
        known = sa.select(statement.c.status).where(
            statement.c.statement_id == c.statement_id, statement.c.contract_id == c.contract_id
        )
        return (
            sa.select(c.run_id, c.contract_id, c.outcome, c.statement_id)
            .join(statement_run, statement_run.c.run_id == c.run_id)
            .where(statement_run.c.kind != "DryRun", c.outcome.in_(_MADE), ~known.exists())
        )


class UnbilledContractHasNoStatement(Query):
    """A run says that a contract was not billed and names a statement of it: it would be sent all the same."""

    says = "contract {contract_id}: {outcome}, statement {statement_id}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = run_item.c
        return sa.select(c.run_id, c.contract_id, c.outcome, c.statement_id).where(
            c.outcome.not_in(_MADE), c.statement_id.is_not(None)
        )


class UnbilledContractSaysWhy(Query):
    """A contract was not billed and nobody is told why (field report 24)."""

    says = "contract {contract_id}: {outcome}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = run_item.c
        return sa.select(c.run_id, c.contract_id, c.outcome).where(
            c.outcome.in_(("Failed", "Held", "Skipped", "NothingToBill")), c.reason.is_(None)
        )


class ReasonsAreKnown(Invariant):
    """A contract has a reason that nobody can look up: whoever meets it does not know what to do."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        c = run_item.c
        for row in connection.execute(sa.select(c.reason).where(c.reason.is_not(None)).distinct()):
            if row.reason not in REASONS:
                yield Violation(row.reason, "is no reason that can be explained")


class SkippedContractWasBilledByAnother(Query):
    """A contract was left to another run, and no run has billed it: the month is missed."""

    says = "contract {contract_id} has no statement of {period}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = run_item.c
        billed = sa.select(statement.c.status).where(
            statement.c.contract_id == c.contract_id, statement.c.period == statement_run.c.period
        )
        return (
            sa.select(c.run_id, c.contract_id, statement_run.c.period)
            .join(statement_run, statement_run.c.run_id == c.run_id)
            .where(c.outcome == "Skipped", ~billed.exists())
        )


class RunsMove(Invariant):
    """A run stands still although the watchdog has sent its work again: a person has to look (field report 25)."""

    def violations(self, connection: Connection) -> Iterable[Violation]:
        """Four times the patience of the watchdog without an outcome or a document, or a retry by a person."""
        patience = timedelta(minutes=business_settings(connection).run_patience_minutes)
        limit = clock.now() - 4 * patience
        c, event = statement_run.c, audit_event.c
        active = sa.or_(
            sa.exists().where(
                event.subject == c.run_id, event.recorded_at >= instant_text(limit), event.action == "run.retried"
            ),
            sa.exists().where(run_item.c.run_id == c.run_id, run_item.c.finished_at >= limit),
            sa.exists().where(statement_document.c.run_id == c.run_id, statement_document.c.rendered_at >= limit),
        )
        still = (
            sa.select(c.run_id, c.created_at)
            .where(c.state == "Running", c.created_at < limit, ~active)
            .order_by(c.run_id)
            .limit(MOST)
        )
        for row in connection.execute(still):
            yield Violation(row.run_id, f"runs since {row.created_at} and has done nothing since {limit}")


class DryRunsWriteNothing(Query):
    """A run that was to write nothing has written a statement or a profit: somebody only wanted to look."""

    says = "{what} {id}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        dry = sa.select(statement_run.c.run_id).where(statement_run.c.kind == "DryRun")
        written = sa.union_all(
            sa.select(statement.c.run_id, sa.literal("statement").label("what"), statement.c.statement_id.label("id")),
            sa.select(
                monthly_profit.c.run_id, sa.literal("profit of").label("what"), monthly_profit.c.contract_id.label("id")
            ),
        ).subquery()
        return sa.select(written.c.run_id, written.c.what, written.c.id).where(written.c.run_id.in_(dry))


class PreviewsBelongToDryRuns(Query):
    """A run that writes has kept a preview: what it shows is not what was billed."""

    says = "contract {contract_id} of a run of kind {kind}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(dry_run_statement.c.run_id, dry_run_statement.c.contract_id, statement_run.c.kind)
            .join(statement_run, statement_run.c.run_id == dry_run_statement.c.run_id)
            .where(statement_run.c.kind != "DryRun")
        )


class NothingBeginsAfterACancellation(Query):
    """A contract was billed by a run that had been cancelled before: somebody had said no (a retry says yes again)."""

    says = "contract {contract_id} was begun at {started_at}, the run cancelled at {cancelled_at}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(run_item.c.run_id, run_item.c.contract_id, run_item.c.started_at, statement_run.c.cancelled_at)
            .join(statement_run, statement_run.c.run_id == run_item.c.run_id)
            .where(
                statement_run.c.attempt == 1,
                run_item.c.started_at > statement_run.c.cancelled_at,
                run_item.c.outcome != "Cancelled",
            )
        )


class OnlyCancelledRunsCancel(Query):
    """A contract counts as cancelled and nobody has cancelled its run: it would be missed."""

    says = "contract {contract_id}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        return (
            sa.select(run_item.c.run_id, run_item.c.contract_id)
            .join(statement_run, statement_run.c.run_id == run_item.c.run_id)
            .where(run_item.c.outcome == "Cancelled", statement_run.c.cancelled_at.is_(None))
        )


class ProfitBelongsToARun(Query):
    """A monthly profit is there that no run has computed: later months of the window would count it (rules R44)."""

    says = "{period}, run {run_id}"

    def broken(self) -> sa.Select[*tuple[Any, ...]]:
        c = monthly_profit.c
        known = sa.select(run_item.c.outcome).where(
            run_item.c.run_id == c.run_id, run_item.c.contract_id == c.contract_id
        )
        return sa.select(c.contract_id, c.period, c.run_id).where(~known.exists())
