"""The one guard before a statement leaves the house, whoever sends it: a person by hand, or its delivery."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from shared_code.foundation.database import AnyRow
from shared_code.foundation.errors import BillingError, Detail
from shared_code.statements.lifecycle.errors import STATEMENT_STALE, TRANSITION_ILLEGAL
from shared_code.statements.staleness.service import ensure_fresh


def require_sendable(connection: Connection, row: AnyRow) -> None:
    """Refuse to send a statement that nobody may send now. `row` is its row, kept from others by the caller.

    It is computed once more, so that no delay of the watch lets a stale one out. Raises STATEMENT_TRANSITION_ILLEGAL
    unless it is ready, STATEMENT_STALE while it would be billed otherwise, unless it was released with just this
    difference (rules R26, decision 0026). A closed month is no reason: its statements may leave (decision 0022).
    """
    if row.status != "ReadyToSend":
        message = f"a statement that is {row.status} is not sent; one that is ReadyToSend is"
        raise BillingError(TRANSITION_ILLEGAL, message, [Detail("to", message)])
    if row.stale_since is not None:
        message = f"the statement is stale since {row.stale_since:%Y-%m-%d %H:%M} UTC ({row.stale_reason})"
        raise BillingError(STATEMENT_STALE, message, [Detail("staleReason", message)])
    ensure_fresh(connection, row.statement_id)
