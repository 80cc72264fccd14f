"""A month of the books as a person looks at it before closing it (rules R41)."""

from __future__ import annotations

from collections import Counter

from sqlalchemy.engine import Connection

from shared_code.foundation.calendar import Period
from shared_code.foundation.database import reading
from shared_code.foundation.visibility import Visibility
from shared_code.periods.closing import show
from shared_code.periods.model import BooksPeriod
from shared_code.statements.readiness import repository
from shared_code.statements.readiness.model import PeriodReadiness, PeriodStatus


def period_status(period: Period, visible: Visibility) -> PeriodStatus:
    """Whether the month is open or closed, and how far its contracts are, of those that the caller may see."""
    books = show(period)
    with reading() as connection:
        found = _readiness(connection, period, visible)
    return PeriodStatus(**{name: getattr(books, name) for name in BooksPeriod.__dataclass_fields__}, readiness=found)


def _readiness(connection: Connection, period: Period, visible: Visibility) -> PeriodReadiness:
    standing = repository.statements(connection, period, visible)
    billed = {row.contract_id for row in standing}
    contracts = repository.serving(connection, period, visible) | billed
    last = {row.contract_id: row.outcome for row in repository.tries(connection, period, visible)}
    unbilled = Counter(last.get(contract_id) for contract_id in contracts - billed)
    ended = unbilled["NothingToBill"] + unbilled["Failed"]
    statuses = Counter(row.status for row in standing)
    return PeriodReadiness(
        contracts=len(contracts),
        billed=len(billed),
        nothing_to_bill=unbilled["NothingToBill"],
        failed=unbilled["Failed"],
        open=len(contracts) - len(billed) - ended,
        in_review=statuses["ARReview"] + statuses["ApprovalTeam"],
        held=statuses["Held"],
        ready=statuses["ReadyToSend"],
        sent=statuses["Sent"],
        stale=sum(row.stale_since is not None for row in standing),
    )
