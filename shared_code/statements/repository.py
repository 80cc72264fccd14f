"""All SQL of runs and statements that writes. Every function is one or a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract, contract_version
from shared_code.facts.tables import site
from shared_code.foundation import clock
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import locked
from shared_code.statements.tables import (
    adhoc_line,
    gl_account,
    invoice,
    invoice_line,
    monthly_profit,
    run_item,
    statement,
    statement_document,
    statement_run,
)

_BEGINNING = date(1900, 1, 1)
_PARAMETERS = 1000


def find_run_by_key(connection: Connection, natural_key: str) -> str | None:
    """The run of this period, scope and source, running or finished."""
    return connection.scalar(sa.select(statement_run.c.run_id).where(statement_run.c.natural_key == natural_key))


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
    effective = sa.func.coalesce(contract_version.c.effective_from, _BEGINNING)
    return (
        sa.select(
            contract_version,
            sa.func.row_number()
            .over(partition_by=contract_version.c.contract_id, order_by=contract_version.c.version.desc())
            .label("place"),
        )
        .where(effective <= period.first_day)
        .subquery()
    )


def add_run(connection: Connection, run: dict[str, object], items: Sequence[dict[str, object]]) -> None:
    connection.execute(statement_run.insert(), run)
    connection.execute(run_item.insert(), items)


def run_of(connection: Connection, run_id: str) -> AnyRow | None:
    return connection.execute(sa.select(statement_run).where(statement_run.c.run_id == run_id)).one_or_none()


def locked_run(connection: Connection, run_id: str) -> AnyRow | None:
    """A run that nobody else finishes or resumes before this transaction ends."""
    chosen = sa.select(statement_run).where(statement_run.c.run_id == run_id)
    return connection.execute(locked(chosen, statement_run)).one_or_none()


def pending_chunk(connection: Connection, run_id: str, chunk: int, period: Period) -> Sequence[AnyRow]:
    """The chunk's items that have no outcome yet, each with the document that serves `period` now, and its site."""
    serving = _serving(period)
    return connection.execute(
        sa.select(
            run_item.c.contract_id,
            run_item.c.site_number,
            serving.c.version.label("contract_version"),
            contract.c.latest_version,
            serving.c.document,
            serving.c.rates_as_of,
            serving.c.rate_bases,
            site.c.name,
            site.c.street,
            site.c.city,
            site.c.state,
            site.c.zip,
            site.c.gl_string,
        )
        .join(contract, contract.c.contract_id == run_item.c.contract_id)
        .join(serving, sa.and_(serving.c.contract_id == run_item.c.contract_id, serving.c.place == 1))
        .outerjoin(site, site.c.site_number == run_item.c.site_number)
        .where(run_item.c.run_id == run_id, run_item.c.chunk == chunk, run_item.c.outcome == "Pending")
        .order_by(run_item.c.site_number, run_item.c.contract_id)
    ).all()


def already_billed(connection: Connection, run_id: str, chunk: int, period: Period) -> dict[str, str]:
    """Contracts of the chunk that have a statement for `period`, with the run that made it."""
    rows = connection.execute(
        sa.select(statement.c.contract_id, statement.c.run_id)
        .join(run_item, sa.and_(run_item.c.contract_id == statement.c.contract_id, run_item.c.run_id == run_id))
        .where(run_item.c.chunk == chunk, statement.c.period == str(period))
    )
    return {row.contract_id: row.run_id for row in rows}


def taken_numbers(connection: Connection, numbers: Sequence[str]) -> set[str]:
    """Which of these invoice numbers exist."""
    taken: set[str] = set()
    for start in range(0, len(numbers), _PARAMETERS):
        part = numbers[start : start + _PARAMETERS]
        taken.update(connection.scalars(sa.select(invoice.c.number).where(invoice.c.number.in_(part))))
    return taken


def add_statements(
    connection: Connection,
    statements: Sequence[dict[str, object]],
    invoices: Sequence[dict[str, object]],
    lines: Sequence[dict[str, object]],
    documents: Sequence[dict[str, object]],
) -> None:
    """Insert the chunk's statements: four statements whatever their number."""
    for table, rows in (
        (statement, statements),
        (invoice, invoices),
        (invoice_line, lines),
        (statement_document, documents),
    ):
        if rows:
            connection.execute(table.insert(), rows)


def adhoc_lines(connection: Connection, contract_ids: Sequence[str], period: Period) -> Sequence[AnyRow]:
    """The ad-hoc lines of contracts for `period` that were not taken back, in the order in which they were added."""
    c = adhoc_line.c
    found: list[AnyRow] = []
    for start in range(0, len(contract_ids), _PARAMETERS):
        part = contract_ids[start : start + _PARAMETERS]
        found += connection.execute(
            sa.select(adhoc_line)
            .where(c.contract_id.in_(part), c.period == str(period), c.removed_at.is_(None))
            .order_by(c.contract_id, c.created_at, c.line_id)
        ).all()
    return found


def add_adhoc_lines(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Store ad-hoc lines. Nothing is computed anew; the next generation prints them."""
    if rows:
        connection.execute(adhoc_line.insert(), list(rows))


def profits_before(
    connection: Connection, contract_ids: Sequence[str], first: Period, period: Period
) -> Sequence[AnyRow]:
    """The monthly profits of contracts from `first` until before `period`, by contract and month."""
    c = monthly_profit.c
    found: list[AnyRow] = []
    for start in range(0, len(contract_ids), _PARAMETERS):
        part = contract_ids[start : start + _PARAMETERS]
        found += connection.execute(
            sa.select(c.contract_id, c.period, c.profit)
            .where(c.contract_id.in_(part), c.period >= str(first), c.period < str(period))
            .order_by(c.contract_id, c.period)
        ).all()
    return found


def set_profits(connection: Connection, period: Period, rows: Sequence[dict[str, object]]) -> None:
    """Store monthly profits of `period`; what a contract had for it before is replaced (rules R3, R44)."""
    contracts = [row["contract_id"] for row in rows]
    for start in range(0, len(contracts), _PARAMETERS):
        part = contracts[start : start + _PARAMETERS]
        connection.execute(
            monthly_profit.delete().where(
                monthly_profit.c.contract_id.in_(part), monthly_profit.c.period == str(period)
            )
        )
    if rows:
        connection.execute(monthly_profit.insert(), list(rows))


def gl_accounts(connection: Connection, day: date) -> dict[str, str]:
    """The GL main account of each purpose on a day: the row that took effect last (rules R34)."""
    c = gl_account.c
    rows = connection.execute(
        sa.select(c.purpose, c.account).where(c.effective_from <= day).order_by(c.purpose, c.effective_from)
    )
    return {row.purpose: row.account for row in rows}


def set_outcomes(connection: Connection, run_id: str, outcomes: Sequence[dict[str, object]]) -> None:
    """Give items their outcome; keys are prefixed with `given_`, since bare column names are taken by SQL."""
    if outcomes:
        connection.execute(
            run_item.update()
            .where(
                run_item.c.run_id == run_id,
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
                finished_at=clock.now(),
            ),
            outcomes,
        )


def pending_documents(connection: Connection, statement_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Snapshots that are still to be drawn."""
    return connection.execute(
        sa.select(statement_document.c.statement_id, statement_document.c.run_id, statement_document.c.snapshot)
        .where(statement_document.c.statement_id.in_(statement_ids), statement_document.c.state == "Pending")
        .order_by(statement_document.c.statement_id)
    ).all()


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


def unfinished(connection: Connection, run_id: str) -> int:
    """Items without an outcome plus documents not drawn; a run with none is finished."""
    items = connection.scalar(
        sa.select(sa.func.count()).where(run_item.c.run_id == run_id, run_item.c.outcome == "Pending")
    )
    documents = connection.scalar(
        sa.select(sa.func.count()).where(statement_document.c.run_id == run_id, statement_document.c.state == "Pending")
    )
    return int(items or 0) + int(documents or 0)


def finish_run(connection: Connection, run_id: str, attempt: int) -> bool:
    """Mark a running run completed. False when it was completed or resumed since `attempt` was read, or has open work.

    The condition stands in the UPDATE itself. Its row is read anew under its lock, so that whoever has resumed the run
    meanwhile has changed `attempt`, whatever SQL Server's view of the other tables is.
    """
    open_items = sa.exists().where(run_item.c.run_id == run_id, run_item.c.outcome == "Pending")
    open_documents = sa.exists().where(statement_document.c.run_id == run_id, statement_document.c.state == "Pending")
    done = connection.execute(
        statement_run.update()
        .where(
            statement_run.c.run_id == run_id,
            statement_run.c.state == "Running",
            statement_run.c.attempt == attempt,
            sa.not_(open_items),
            sa.not_(open_documents),
        )
        .values(state="Completed", finished_at=clock.now())
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
        .values(outcome="Pending", reason=None, message=None, details=None, finished_at=None)
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
