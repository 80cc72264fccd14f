"""Make a statement anew: the month of its contract is computed again, and the result takes its place (rules R24).

Of a statement that was sent, the result is the next version and stands beside it (requirements GEN-08).
"""

from __future__ import annotations

from shared_code.foundation.database import reading
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import Visibility
from shared_code.statements import errors
from shared_code.statements.again import run_again
from shared_code.statements.model import StartedRun
from shared_code.statements.places import SUPERSEDED, next_place
from shared_code.statements.reading import repository as reads
from shared_code.statements.scope import RunCommand


def regenerate(statement_id: str, requested_by: str, correlation_id: str, visible: Visibility) -> StartedRun:
    """Start the run that makes the statement anew, or find the one that is under way.

    A run that has failed is tried again; one that came to nothing, or was cancelled, is followed by another. Raises
    STATEMENT_NOT_FOUND, STATEMENT_SUPERSEDED, PERIOD_CLOSED and what `start_run` raises.
    """
    with reading() as connection:
        row = reads.statement_row(connection, statement_id, visible)
        if row is None:
            raise BillingError(errors.STATEMENT_NOT_FOUND, f"there is no statement {statement_id}")
        if row.status == SUPERSEDED:
            raise BillingError(errors.STATEMENT_SUPERSEDED, f"statement {statement_id} was replaced")
        place = next_place(reads.standing_of(connection, row.contract_id, row.period))
    return run_again(
        RunCommand(
            row.period,
            requested_by,
            correlation_id,
            source="regenerate",
            contract_id=row.contract_id,
            regenerate=True,
            version=place.version,
            occasion=f"generation-{place.generation}",
        )
    )
