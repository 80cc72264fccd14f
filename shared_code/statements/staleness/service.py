"""Look whether statements would be billed otherwise by now, and mark those that would.

A look computes what a run would bill now, as the run does, and compares the lines. It reads without locks and writes
in a short transaction that holds for the state which was read. Nothing is billed anew by it.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from shared_code.foundation import audit, clock
from shared_code.foundation.business_settings.repository import current as business_settings
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, reading, transaction
from shared_code.foundation.errors import BillingError, Detail
from shared_code.statements.chunks.repository import contracts_as_billed
from shared_code.statements.computing import Computed, compute_months
from shared_code.statements.lifecycle.errors import STATEMENT_STALE
from shared_code.statements.staleness import repository
from shared_code.statements.staleness.model import (
    FACTS_CHANGED,
    NOT_IN_FORCE,
    TERMS_CHANGED,
    Found,
    Printed,
    difference,
    is_accepted,
    marks,
)

log = logging.getLogger(__name__)
MARGIN = timedelta(seconds=30)
"""How long the transaction of a change may take after its instant was read, and by how much clocks may differ: what has
changed so shortly before a look is looked at once more."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found about a statement: how it differs from a new generation, None for not at all, and why it does."""

    row: AnyRow
    difference: str | None
    cause: str


def look_at(statement_ids: Sequence[str]) -> bool:
    """Look at up to 1,000 statements of one period and mark what is found. The cost in SQL is fixed.

    A difference marks a statement as stale, no difference takes the mark away, and both are audited. False when one of
    them was changed at the same moment: then it has to be looked at again.
    """
    now = clock.now()
    with reading() as connection:
        looks = list(_looks(connection, repository.statements(connection, statement_ids)))
    found = [(look, marks(look.row, look.difference, look.cause, now)) for look in looks]
    same = [look.row for look, values in found if not values]
    changed = [(look, values) for look, values in found if values]
    with transaction() as work:
        marked = [
            _event(look.row, values)
            for look, values in changed
            if repository.mark(work.connection, look.row, values | {"checked_at": now})
        ]
        if same:
            repository.set_checked(work.connection, same, now)
        audit.record(work, marked)
    if looks:
        log.info("%d statements were looked at; the marks of %d have changed", len(looks), len(marked))
    return len(marked) == len(changed)


def mark_refused(statement_id: str) -> None:
    """Mark a statement that `ensure_fresh` has refused, so that people see the difference and can release it.

    Called once the refused transaction has ended. One that was marked before stays as it is until the watch looks.
    """
    with reading() as connection:
        rows = repository.statements(connection, [statement_id])
    if any(row.stale_since is None for row in rows):
        look_at([statement_id])


def ensure_fresh(connection: Connection, statement_id: str) -> None:
    """Refuse a statement that would be billed otherwise now, whatever was found about it before.

    The difference that somebody has released it with is no reason, another one is. Raises STATEMENT_STALE.
    """
    for look in _looks(connection, repository.statements(connection, [statement_id])):
        if look.difference is None or is_accepted(look.row, look.difference):
            continue
        found = json.loads(look.difference)
        after = f"it would come to {found['after']}" if found["after"] else "it cannot be billed"
        why = f" ({', '.join(found['reasons'])})" if found["reasons"] else ""
        message = f"the statement comes to {found['before']}; made anew by now, {after}{why}"
        raise BillingError(STATEMENT_STALE, message, [Detail("staleDifference", message)])


def _looks(connection: Connection, rows: Sequence[AnyRow]) -> Iterator[Look]:
    """A look at statements of one period, computed together."""
    if not rows:
        return
    period = Period.parse(rows[0].period)
    contracts = sorted({row.contract_id for row in rows})
    items = contracts_as_billed(connection, contracts, period)
    computed = {
        one.item.contract_id: one for one in compute_months(connection, items, period, business_settings(connection))
    }
    stored = _stored(connection, [row.statement_id for row in rows])
    openings = repository.openings_changed(connection, contracts)
    index = repository.index_changed(connection)
    for row in rows:
        one = computed.get(row.contract_id)
        terms = _terms_changed(row, one, (openings.get(row.contract_id), index))
        found = difference(stored.get(row.statement_id, ()), _found(one))
        yield Look(row, found, TERMS_CHANGED if terms else FACTS_CHANGED)


def _stored(connection: Connection, statement_ids: Sequence[str]) -> Mapping[str, Sequence[Printed]]:
    lines: dict[str, list[Printed]] = defaultdict(list)
    for row in repository.lines(connection, statement_ids):
        printed = Printed(row.invoice_group, row.block, row.title, row.description, row.code, row.amount)
        lines[row.statement_id].append(printed)
    return lines


def _found(one: Computed | None) -> Found:
    """What the contract would be billed; without a version that serves the month, or with reasons, nothing can be."""
    if one is None:
        return Found((), (NOT_IN_FORCE,))
    outcome = one.outcome
    if outcome.reasons:
        return Found((), tuple(reason.code for reason in outcome.reasons))
    return Found(
        tuple(
            Printed(line.group, line.block, line.title, line.description, line.code, line.amount)
            for line in outcome.lines
        )
    )


def _terms_changed(row: AnyRow, one: Computed | None, changed: Sequence[datetime | None]) -> bool:
    """Whether the contract, its opening balances or an index are others than at the last look, or only facts are."""
    if one is None or one.item.contract_version != row.contract_version:
        return True
    return any(instant is not None and instant > row.checked_at - MARGIN for instant in changed)


def _event(row: AnyRow, values: Mapping[str, object]) -> audit.Event:
    """The event of a mark, in the stream of the contract as everything that becomes of its statements."""
    stale = values["stale_since"] is not None
    text = values["stale_difference"] if stale else row.stale_difference
    data = {
        "period": row.period,
        "version": row.version,
        "generation": row.generation,
        "status": row.status,
        "total": row.total,
        "code": values["stale_reason"] if stale else row.stale_reason,
        "difference": json.loads(str(text)) if text else None,
    }
    action = "statement.becameStale" if stale else "statement.becameCurrent"
    return audit.Event(f"contract/{row.contract_id}", action, row.statement_id, data, site=row.site_number.strip())
