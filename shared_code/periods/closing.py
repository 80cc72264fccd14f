"""Close and reopen a month, and ask whether it is open (rules R41)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from shared_code.foundation import audit, clock, context
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, UnitOfWork, reading, transaction
from shared_code.foundation.errors import BillingError, Detail
from shared_code.periods import repository
from shared_code.periods.errors import PERIOD_CLOSED, PERIOD_NOT_CLOSED, REOPEN_NEEDS_REASON
from shared_code.periods.model import Action, BooksPeriod, PeriodChange, State

_STATES: dict[Action, State] = {"open": "Open", "close": "Closed", "reopen": "Open"}


def show(period: Period) -> BooksPeriod:
    """A month with everything that was decided about it."""
    with reading() as connection:
        return _view(period, repository.changes(connection, period))


def decide(period: Period, action: Action, reason: str | None = None) -> BooksPeriod:
    """Open, close or reopen a month; asked again, it stays as it is.

    Raises PERIOD_REOPEN_NEEDS_REASON; PERIOD_NOT_CLOSED for reopening a month that never was; PERIOD_CLOSED for opening
    a closed one, which is reopened.
    """
    if action == "reopen" and not reason:
        message = "say why the month is reopened"
        raise BillingError(REOPEN_NEEDS_REASON, message, [Detail("reason", message)])
    with transaction() as work:
        before = _view(period, repository.changes(work.connection, period, for_change=True))
        if _is_done(before, action):
            return before
        _add(work, before, action, reason)
        return _view(period, repository.changes(work.connection, period))


def require_open(connection: Connection, period: Period) -> None:
    """Raises PERIOD_CLOSED when the month is closed; else nobody closes it before this transaction ends."""
    if repository.is_closed(connection, period):
        raise BillingError(PERIOD_CLOSED, f"{period} is closed", [Detail("period", f"{period} is closed")])


def _is_done(before: BooksPeriod, action: Action) -> bool:
    """Whether the month is already as the action would make it. Raises for an action that it does not allow."""
    if action == "close":
        return before.state == "Closed"
    if action == "open":
        if before.state == "Closed":
            raise BillingError(PERIOD_CLOSED, f"{before.period} is closed; reopen it, with a reason")
        return before.version > 0
    if before.state == "Open" and not any(change.action == "close" for change in before.history):
        raise BillingError(PERIOD_NOT_CLOSED, f"{before.period} was never closed")
    return before.state == "Open"


def _add(work: UnitOfWork, before: BooksPeriod, action: Action, reason: str | None) -> None:
    row = {
        "period": before.period,
        "version": before.version + 1,
        "action": action,
        "state": _STATES[action],
        "changed_at": clock.now(),
        "changed_by": context.current().actor_id,
        "reason": reason,
    }
    repository.add(work.connection, row)
    data = {"before": before.state, "after": _STATES[action], "version": row["version"]}
    done = {"open": "period.opened", "close": "period.closed", "reopen": "period.reopened"}[action]
    audit.record(work, [audit.Event(f"period/{before.period}", done, before.period, data, reason)])


def _view(period: Period, rows: Sequence[AnyRow]) -> BooksPeriod:
    history = tuple(
        PeriodChange(row.version, row.action, row.state, row.changed_at, row.changed_by, row.reason) for row in rows
    )
    latest = history[0] if history else None
    return BooksPeriod(str(period), latest.state if latest else "Open", latest.version if latest else 0, history)
