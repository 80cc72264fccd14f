"""All SQL of runs and statements that writes. Every function is one or a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import batched
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import locked
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError
from shared_code.foundation.many import named_rows, write_many
from shared_code.periods.repository import state_of
from shared_code.statements.tables import (
    dry_run_statement,
    invoice,
    invoice_line,
    run_item,
    statement,
    statement_document,
    statement_run,
)

_BEGINNING = date(1900, 1, 1)
_ITEMS_AT_ONCE = 5_000
_PARAMETERS = 1_900  # SQL Server takes 2,100; a thousand contracts have more invoices than that


def find_run_by_key(connection: Connection, natural_key: str) -> str | None:
    """The run of this period, scope and source, running or finished."""
    return connection.scalar(sa.select(statement_run.c.run_id).where(statement_run.c.natural_key == natural_key))


def finished_runs(connection: Connection, key: str) -> int:
    """How many runs whose natural key goes on after `key` are finished. No key has a wildcard of LIKE in it."""
    c = statement_run.c
    chosen = sa.select(sa.func.count()).where(c.natural_key.like(f"{key}|%"), c.state != "Running")
    return connection.scalar(chosen) or 0


def contracts_for(connection: Connection, period: Period) -> Sequence[AnyRow]:
    """Each contract with the version that serves `period`: the latest effective on its first day (rules R12)."""
    serving = _serving(period)
    return connection.execute(
        sa.select(
            contract.c.contract_id,
            contract.c.site_number,
            serving.c.version,
            serving.c.components,
            serving.c.billing_type,
        )
        .join(serving, serving.c.contract_id == contract.c.contract_id)
        .where(serving.c.place == 1)
        .order_by(contract.c.site_number, contract.c.contract_id)
    ).all()


def _serving(period: Period) -> sa.Subquery:
    """Versions effective on the first day of `period`, ranked: place 1 serves it.

    A version replaces, from its effective date on, all that was saved before it (rules R12, decision 0004).
    """
    c = contract_version.c
    effective = sa.func.coalesce(c.effective_from, _BEGINNING)
    ranked = sa.func.row_number().over(partition_by=c.contract_id, order_by=c.version.desc())
    return (
        # Without the documents: to rank the versions, all of this is sorted in memory.
        sa.select(c.contract_id, c.version, c.components, c.billing_type, ranked.label("place"))
        .where(effective <= period.first_day)
        .subquery()
    )


def add_run(connection: Connection, run: dict[str, object], items: Iterable[dict[str, object]]) -> None:
    """Add a run with its items, of which only some are in memory at a time: there may be 50,000."""
    connection.execute(statement_run.insert(), run)
    for part in batched(items, _ITEMS_AT_ONCE, strict=False):
        connection.execute(run_item.insert(), list(part))


def run_of(connection: Connection, run_id: str) -> AnyRow | None:
    return connection.execute(sa.select(statement_run).where(statement_run.c.run_id == run_id)).one_or_none()


_AT_WORK = sa.select(statement_run, state_of(statement_run.c.period).scalar_subquery().label("month_state")).where(
    statement_run.c.run_id == sa.bindparam("run_id")
)


def run_at_work(connection: Connection, run_id: str) -> AnyRow | None:
    """A run with the state of its month, which stays what it is until this transaction ends."""
    return connection.execute(_AT_WORK, {"run_id": run_id}).one_or_none()


def locked_run(connection: Connection, run_id: str) -> AnyRow | None:
    """A run that nobody else finishes or resumes before this transaction ends."""
    chosen = sa.select(statement_run).where(statement_run.c.run_id == run_id)
    return connection.execute(locked(chosen, statement_run)).one_or_none()


_OWNERS = (
    sa.select(invoice.c.number, invoice.c.statement_id, statement.c.contract_id, statement.c.site_number)
    .select_from(invoice.join(statement, statement.c.statement_id == invoice.c.statement_id))
    .where(invoice.c.number.in_(sa.bindparam("numbers", (), expanding=True)), invoice.c.superseded_at.is_(None))
)


def number_owners(connection: Connection, numbers: Sequence[str], replaced: Sequence[str]) -> list[AnyRow]:
    """Which of these invoice numbers count already, and whose they are; those of `replaced` statements are given up."""
    given_up = set(replaced)
    found: list[AnyRow] = []
    for start in range(0, len(numbers), _PARAMETERS):
        found += named_rows(connection, _OWNERS, {"numbers": numbers[start : start + _PARAMETERS]})
    return [row for row in found if row.statement_id not in given_up]


def supersede(connection: Connection, statement_ids: Sequence[str]) -> None:
    """Take unsent statements and their invoices out of the count. Raises CONCURRENT_CHANGE when one was sent by now."""
    now = clock.now()
    for start in range(0, len(statement_ids), _PARAMETERS):
        part = statement_ids[start : start + _PARAMETERS]
        changed = connection.execute(
            statement.update()
            .where(statement.c.statement_id.in_(part), statement.c.status != "Sent", statement.c.status != "Superseded")
            .values(status="Superseded", status_reason=None, superseded_at=now)
        )
        if changed.rowcount != len(part):
            raise BillingError(CONCURRENT_CHANGE, "a statement was changed while its successor was made")
        connection.execute(invoice.update().where(invoice.c.statement_id.in_(part)).values(superseded_at=now))


def add_previews(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Keep what a dry run would have written."""
    if rows:
        connection.execute(dry_run_statement.insert(), list(rows))


def preview_documents(connection: Connection, run_id: str) -> sa.CursorResult[Any]:
    """The previews of a dry run in the order in which a run bills them, read a few at a time."""
    c = dry_run_statement.c
    return connection.execution_options(yield_per=_PARAMETERS).execute(
        sa.select(c.contract_id, c.site_number, c.document)
        .where(c.run_id == run_id)
        .order_by(c.site_number, c.contract_id)
    )


def fail_previewed(
    connection: Connection, run_id: str, contract_id: str, reason: str, message: str, details: str
) -> None:
    """Let a contract of a dry run have failed after all, and show no statement of it."""
    c = dry_run_statement.c
    gone = connection.execute(dry_run_statement.delete().where(c.run_id == run_id, c.contract_id == contract_id))
    if gone.rowcount:
        connection.execute(
            run_item.update()
            .where(run_item.c.run_id == run_id, run_item.c.contract_id == contract_id)
            .values(outcome="Failed", reason=reason, message=message, details=details, statement_id=None)
        )


def cancel_items(connection: Connection, run_id: str) -> int:
    """Take up no item of a run any more that has no outcome. Returns how many there were."""
    made = connection.execute(
        run_item.update()
        .where(run_item.c.run_id == run_id, run_item.c.outcome == "Pending")
        .values(outcome="Cancelled", finished_at=clock.now())
    )
    return made.rowcount


def cancel(connection: Connection, run_id: str) -> None:
    """Say that a run is not wanted any more; it ends when what was begun has ended."""
    connection.execute(
        statement_run.update()
        .where(statement_run.c.run_id == run_id, statement_run.c.cancelled_at.is_(None))
        .values(cancelled_at=clock.now())
    )


def add_statements(
    connection: Connection,
    run_id: str,
    statements: Iterable[dict[str, object]],
    invoices: Iterable[dict[str, object]],
    lines: Iterable[dict[str, object]],
    documents: Iterable[dict[str, object]],
) -> None:
    """Insert the chunk's statements, whose documents are to be drawn: four statements whatever their number.

    The rows of each table are made when it is their turn, and let go before the next.
    """
    now = clock.now()
    write_many(connection, _STATEMENT, list(statements), {"run_id": run_id, "created_at": now, "checked_at": now})
    write_many(connection, _INVOICE, list(invoices))
    write_many(connection, _LINE, list(lines))
    write_many(connection, _DOCUMENT, list(documents), {"run_id": run_id, "state": "Pending"})


_STATEMENT, _INVOICE, _LINE = statement.insert(), invoice.insert(), invoice_line.insert()
_DOCUMENT = statement_document.insert()
_OUTCOME = (
    run_item.update()
    .where(
        run_item.c.run_id == sa.bindparam("given_run"),
        run_item.c.contract_id == sa.bindparam("given_contract"),
        run_item.c.outcome == "Pending",  # an outcome is given once
    )
    .values(
        outcome=sa.bindparam("given_outcome"),
        reason=sa.bindparam("given_reason"),
        message=sa.bindparam("given_message"),
        details=sa.bindparam("given_details"),
        statement_id=sa.bindparam("given_statement"),
        contract_version=sa.bindparam("given_version"),
        finished_at=sa.bindparam("given_instant"),
    )
)


def set_outcomes(connection: Connection, run_id: str, outcomes: Sequence[dict[str, object]]) -> None:
    """Give items their outcome; keys are prefixed with `given_`, since bare column names are taken by SQL."""
    write_many(connection, _OUTCOME, outcomes, {"given_run": run_id, "given_instant": clock.now()})


def documents(connection: Connection, statement_ids: Sequence[str], *, for_change: bool = False) -> Sequence[AnyRow]:
    """What statements print, drawn or not; `for_change` keeps it from others until this transaction ends."""
    chosen = (
        sa.select(statement_document.c.statement_id, statement_document.c.snapshot)
        .where(statement_document.c.statement_id.in_(statement_ids))
        .order_by(statement_document.c.statement_id)
    )
    return connection.execute(locked(chosen, statement_document) if for_change else chosen).all()


def set_rendered(connection: Connection, documents: Sequence[dict[str, object]]) -> None:
    """Record drawn documents; they name their statement as `statement`."""
    if documents:
        connection.execute(
            statement_document.update()
            .where(statement_document.c.statement_id == sa.bindparam("given_statement"))
            .values(
                state="Rendered",
                blob_path=sa.bindparam("path"),
                sha256=sa.bindparam("digest"),
                byte_count=sa.bindparam("size"),
                rendered_at=clock.now(),
            ),
            documents,
        )


def _open_work(run_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    """That there is an item of a run without an outcome, and that there is a document of it which is not drawn."""
    item, document = run_item.c, statement_document.c
    return (
        sa.exists().where(item.run_id == run_id, item.outcome == "Pending"),
        sa.exists().where(document.run_id == run_id, document.state == "Pending"),
    )


def is_unfinished(connection: Connection, run_id: str) -> bool:
    """Whether work of a run is open. Nothing is counted: every part of the run asks when it is done."""
    chosen = sa.select(statement_run.c.run_id).where(statement_run.c.run_id == run_id, sa.or_(*_open_work(run_id)))
    return connection.scalar(chosen) is not None


def finish_run(connection: Connection, run_id: str, attempt: int) -> bool:
    """Mark a running run completed. False when it was completed or resumed since `attempt` was read, or has open work.

    The condition stands in the UPDATE itself. Its row is read anew under its lock, so that whoever has resumed the run
    meanwhile has changed `attempt`, whatever SQL Server's view of the other tables is.
    """
    done = connection.execute(
        statement_run.update()
        .where(
            statement_run.c.run_id == run_id,
            statement_run.c.state == "Running",
            statement_run.c.attempt == attempt,
            *map(sa.not_, _open_work(run_id)),
        )
        .values(
            state=sa.case((statement_run.c.cancelled_at.is_(None), "Completed"), else_="Cancelled"),
            finished_at=clock.now(),
        )
    )
    return done.rowcount > 0


def running(connection: Connection) -> list[str]:
    """Ids of runs that are not finished."""
    return list(connection.scalars(sa.select(statement_run.c.run_id).where(statement_run.c.state == "Running")))


def last_progress(connection: Connection, run_id: str) -> datetime | None:
    """The latest instant at which anything of a run was done: started, an item, a document."""
    found = (
        connection.scalar(chosen)
        for chosen in (
            sa.select(statement_run.c.resumed_at).where(statement_run.c.run_id == run_id),
            sa.select(sa.func.max(run_item.c.finished_at)).where(run_item.c.run_id == run_id),
            sa.select(sa.func.max(statement_document.c.rendered_at)).where(statement_document.c.run_id == run_id),
        )
    )
    return max((instant for instant in found if instant is not None), default=None)


def resume(connection: Connection, run: AnyRow) -> bool:
    """A run goes on: it is running, and the clock of its watchdog starts anew.

    False when it was resumed or finished since `run` was read: then its work is on its way, or done.
    """
    c = statement_run.c
    resumed = connection.execute(
        statement_run.update()
        .where(c.run_id == run.run_id, c.attempt == run.attempt, c.state == run.state)
        .values(state="Running", finished_at=None, resumed_at=clock.now(), attempt=c.attempt + 1)
    )
    return resumed.rowcount > 0


def reopen_failed(connection: Connection, run_id: str) -> int:
    """Take the outcome from the failed items of a run. Returns how many there were."""
    made = connection.execute(
        run_item.update()
        .where(run_item.c.run_id == run_id, run_item.c.outcome == "Failed")
        .values(outcome="Pending", reason=None, message=None, details=None, started_at=None, finished_at=None)
    )
    return made.rowcount


def pending_chunks(connection: Connection, run_id: str) -> list[int]:
    """Chunks that have items without an outcome."""
    chosen = sa.select(run_item.c.chunk).where(run_item.c.run_id == run_id, run_item.c.outcome == "Pending")
    return list(connection.scalars(chosen.distinct().order_by(run_item.c.chunk)))


def undrawn(connection: Connection, run_id: str) -> list[str]:
    """Statements of a run whose document is not drawn yet."""
    return list(
        connection.scalars(
            sa.select(statement_document.c.statement_id)
            .where(statement_document.c.run_id == run_id, statement_document.c.state == "Pending")
            .order_by(statement_document.c.statement_id)
        )
    )


def forgotten_documents(connection: Connection, most: int) -> Sequence[AnyRow]:
    """Documents that are not drawn although their run is done: nobody else looks after them."""
    return connection.execute(
        sa.select(statement_document.c.statement_id, statement_document.c.run_id, statement_run.c.correlation_id)
        .join(statement_run, statement_run.c.run_id == statement_document.c.run_id)
        .where(statement_document.c.state == "Pending", statement_run.c.state != "Running")
        .order_by(statement_document.c.statement_id)
        .limit(most)
    ).all()
