"""Move a statement on: approve it, send it back, override a limit, note that it was sent, release it while stale.

Each is one transaction over a row that is kept from others; the update holds for the state that was read, and the audit
says in the contract's stream who did what and why (rules R26).
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy.engine import Connection

from shared_code.foundation import audit, clock, context
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.database import AnyRow, UnitOfWork, transaction
from shared_code.foundation.errors import CONCURRENT_CHANGE, BillingError, Detail
from shared_code.foundation.visibility import Visibility
from shared_code.statements import errors as statements
from shared_code.statements.lifecycle import errors, repository
from shared_code.statements.lifecycle.model import SENT, UNSENT, Landing, Passage, Refused, passage, step
from shared_code.statements.lifecycle.sending import require_sendable
from shared_code.statements.reading import repository as reads
from shared_code.statements.reading.model import StatementDetail
from shared_code.statements.reading.queries import detail_of
from shared_code.statements.staleness.model import MADE_ANEW_ONLY
from shared_code.statements.staleness.service import mark_refused


def change_status(
    statement_id: str, to: str, reason: str | None, visible: Visibility, from_status: str | None = None
) -> StatementDetail:
    """Move a statement to the status that a person asks for, or to the one that the server decides instead.

    `from_status` is the status that the caller has seen; None acts on the one that is there. Raises PERSON_REQUIRED,
    STATEMENT_NOT_FOUND, CONCURRENT_CHANGE, STATEMENT_TRANSITION_ILLEGAL, STATEMENT_REASON_REQUIRED, SAME_PERSON,
    STATEMENT_STALE. A closed month does not matter: nothing of it is billed anew by this.
    """
    _require_person()
    try:
        return _moved(statement_id, to, reason, visible, from_status)
    except BillingError as refused:
        if refused.kind is errors.STATEMENT_STALE:
            mark_refused(statement_id)  # the refusal has undone its transaction
        raise


def _moved(
    statement_id: str, to: str, reason: str | None, visible: Visibility, from_status: str | None
) -> StatementDetail:
    with transaction() as work:
        row = _row(work.connection, statement_id, visible)
        if from_status is not None and from_status != row.status:
            raise BillingError(CONCURRENT_CHANGE, f"the statement is {row.status} by now, no longer {from_status}")
        landing = _landing(work.connection, row, to)
        way = passage(row.status, to)
        if way is not None:
            _require_entitled(work.connection, row, way, reason)
        if landing.status == SENT:
            require_sendable(work.connection, row)
        _change(work.connection, row, {"status": landing.status, "status_reason": landing.reason})
        data = {"from": row.status, "to": landing.status, "asked": to, "code": landing.reason}
        _record(work, row, "statement.moved", data, reason)
        return _detail(work.connection, statement_id, visible)


def release(statement_id: str, reason: str, visible: Visibility) -> StatementDetail:
    """Let a stale statement go as it is: the difference is known and accepted, with a reason.

    The difference stays on record as the one that was accepted: it is not brought up again, another one is. Raises
    PERSON_REQUIRED, STATEMENT_NOT_FOUND, SAME_PERSON, and STATEMENT_NOT_RELEASABLE for one that is sent, superseded,
    not stale, or has to be made anew.
    """
    _require_person()
    with transaction() as work:
        row = _row(work.connection, statement_id, visible)
        _require_releasable(row)
        _require_another_person(work.connection, row)
        _change(work.connection, row, {"stale_since": None, "stale_reason": None, "checked_at": clock.now()})
        difference = json.loads(row.stale_difference) if row.stale_difference else None
        data = {"status": row.status, "since": row.stale_since, "code": row.stale_reason, "difference": difference}
        _record(work, row, "statement.released", data, reason)
        return _detail(work.connection, statement_id, visible)


def _require_person() -> None:
    """Services and the schedule decide nothing about statements, whatever role they were given."""
    actor = context.current()
    if actor.actor_kind != "person":
        raise BillingError(errors.PERSON_REQUIRED, f"{actor.actor_name} is no person")


def _row(connection: Connection, statement_id: str, visible: Visibility) -> AnyRow:
    row = repository.statement_for_change(connection, statement_id, visible)
    if row is None:
        raise BillingError(statements.STATEMENT_NOT_FOUND, f"there is no statement {statement_id}")
    return row


def _landing(connection: Connection, row: AnyRow, to: str) -> Landing:
    commented = repository.is_commented(connection, row.site_number, row.period)
    landing = step(row.status, to, _deviations(row), commented=commented, advanced=row.billing_type == "Advanced")
    if isinstance(landing, Refused):
        ways = f"from here it goes to {' or '.join(landing.allowed)}" if landing.allowed else "nothing follows it"
        message = f"a statement that is {row.status} does not become {to}; {ways}"
        raise BillingError(errors.TRANSITION_ILLEGAL, message, [Detail("to", message)])
    return landing


def _deviations(row: AnyRow) -> tuple[str, ...]:
    """Why a person has to look, by code. One in arrears that was never compared is looked at, too (decision 0005)."""
    if row.comparison is not None:
        return tuple(json.loads(row.comparison)["why"])
    return ("NO_COMPARISON",) if row.billing_type == "Arrears" else ()


def _require_entitled(connection: Connection, row: AnyRow, way: Passage, reason: str | None) -> None:
    if way.needs_reason and not reason:
        message = f"say why the statement goes from {way.before} to {way.asked}"
        raise BillingError(errors.REASON_REQUIRED, message, [Detail("reason", message)])
    if way.approves:
        _require_another_person(connection, row)


def _require_another_person(connection: Connection, row: AnyRow) -> None:
    """Two people look at each statement: who has it billed, and who lets it go (rules R26, a setting)."""
    if row.requested_by_id == context.current().actor_id and business_settings(connection).separate_duties:
        message = f"you have started run {row.run_id}, which made this statement; another person approves it"
        raise BillingError(errors.SAME_PERSON, message)


def _require_releasable(row: AnyRow) -> None:
    if row.status not in UNSENT:
        message = f"a statement that is {row.status} is not released"
    elif row.stale_since is None:
        message = "the statement is not stale"
    elif row.stale_reason in MADE_ANEW_ONLY:
        message = f"a line of it has changed ({row.stale_reason}), so the statement is made anew"
    else:
        return
    raise BillingError(errors.NOT_RELEASABLE, message)


def _change(connection: Connection, row: AnyRow, values: Mapping[str, object]) -> None:
    if not repository.change(connection, row, values):
        raise BillingError(CONCURRENT_CHANGE, "the statement was changed by somebody else at the same moment")


def _record(work: UnitOfWork, row: AnyRow, action: str, data: Mapping[str, object], reason: str | None) -> None:
    place = {"period": row.period, "version": row.version, "generation": row.generation, "total": row.total}
    event = audit.Event(
        f"contract/{row.contract_id}", action, row.statement_id, {**data, **place}, reason, row.site_number.strip()
    )
    audit.record(work, [event])


def _detail(connection: Connection, statement_id: str, visible: Visibility) -> StatementDetail:
    row = reads.statement_row(connection, statement_id, visible)
    return detail_of(row, reads.invoices(connection, statement_id), reads.lines(connection, statement_id))
