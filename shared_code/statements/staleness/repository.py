"""All SQL that finds stale statements.

What has changed is asked first, in two statements that follow an index or read a small table: nearly always nothing
has. Then come the statements that it may concern, a month at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.index_values.tables import index_value
from shared_code.contracts.openings.tables import opening_set
from shared_code.contracts.tables import contract_version
from shared_code.facts.tables import current_facts, import_batch
from shared_code.foundation.audit.record import instant_text
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.database import AnyRow
from shared_code.statements.places import SENT, SUPERSEDED
from shared_code.statements.tables import adhoc_line, invoice, invoice_line, monthly_profit, statement

_PARAMETERS = 1000
_newer = statement.alias("newer")
_COLUMNS = tuple(statement.c[name] for name in ("statement_id", "contract_id", "period", "checked_at"))


def oldest_look(connection: Connection, oldest: str) -> datetime | None:
    """When the statement was looked at that nobody has looked at for longest; None when there is none to watch."""
    looked: datetime | None = connection.scalar(sa.select(sa.func.min(statement.c.checked_at)).where(_watched(oldest)))
    return looked


def changes(connection: Connection, since: datetime) -> Sequence[AnyRow]:
    """What billing reads and what has changed since an instant: rows of kind, key, period and the latest instant.

    | kind     | key            | period              |
    |----------|----------------|---------------------|
    | facts    | the dataset    | of the facts        |
    | contract | of an opening or an added line |     |
    | profit   | the contract   | of the profit       |
    | index    |                |                     |
    """
    b, o, p, i, a = (t.c for t in (import_batch, opening_set, monthly_profit, index_value, adhoc_line))
    return connection.execute(
        sa.union_all(
            _change("facts", b.dataset, b.period, b.finished_at)
            .where(b.finished_at > since, b.state == "current")
            .group_by(b.dataset, b.period),
            _change("contract", o.contract_id, _nothing(), o.changed_at)
            .where(o.changed_at > since)
            .group_by(o.contract_id),
            _change("contract", a.contract_id, _nothing(), a.created_at)
            .where(a.created_at > since)
            .group_by(a.contract_id),
            _change("contract", a.contract_id, _nothing(), a.removed_at)
            .where(a.removed_at > since)
            .group_by(a.contract_id),
            _change("profit", p.contract_id, p.period, p.created_at)
            .where(p.created_at > since)
            .group_by(p.contract_id, p.period),
            # no name: its text is compared in another way (collation) than the keys above it
            _change("index", _nothing(), _nothing(), i.changed_at)
            .where(i.changed_at > since)
            .having(sa.func.count() > 0),
        )
    ).all()


def _change(
    kind: str, key: sa.ColumnElement[str], period: sa.ColumnElement[str], at: sa.ColumnElement[datetime]
) -> sa.Select[str, str, str, datetime]:
    return sa.select(
        sa.literal_column(f"'{kind}'", sa.Unicode()).label("kind"),
        key.label("key"),
        period.label("period"),
        sa.func.max(at).label("at"),
    )


def _nothing() -> sa.ColumnElement[str]:
    return sa.literal_column("''", sa.Unicode())


def saved_contracts(connection: Connection, since: datetime) -> dict[str, str]:
    """Contracts of which a version was saved since an instant, with the text of the latest one.

    Read from the audit, which has an index on instants; the versions themselves are long documents without one.
    """
    c = audit_event.c
    rows = connection.execute(
        sa.select(c.subject, sa.func.max(c.recorded_at).label("at"))
        .where(c.recorded_at > instant_text(since), c.action == "contract.saved")
        .group_by(c.subject)
    )
    return {row.subject: row.at for row in rows}


def of_sites_with_changed_facts(
    connection: Connection,
    period: str,
    datasets: Collection[str],
    months: Collection[str],
    since: datetime,
    oldest: str,
) -> Sequence[AnyRow]:
    """Watched statements of `period` with the latest instant at which facts of their site became current."""
    f = current_facts.c
    latest = (
        sa.select(sa.func.max(f.changed_at))
        .where(
            f.dataset.in_(sorted(datasets)),
            f.period.in_(sorted(months)),
            f.site == statement.c.site_number,
            f.changed_at > since,
        )
        .correlate(statement)
        .scalar_subquery()
    )
    found = (
        sa.select(*_COLUMNS, latest.label("at")).where(statement.c.period == period, _watched(oldest)).subquery("found")
    )
    return connection.execute(sa.select(found).where(found.c.at.is_not(None))).all()


def of_contracts(connection: Connection, contract_ids: Sequence[str], oldest: str) -> Iterator[AnyRow]:
    """Watched statements of contracts."""
    for part in batched(contract_ids, _PARAMETERS, strict=False):
        yield from connection.execute(
            sa.select(*_COLUMNS).where(statement.c.contract_id.in_(part), _watched(oldest))
        ).all()


def following_an_index(connection: Connection, oldest: str) -> Sequence[AnyRow]:
    """Watched statements of contracts with a rate that follows a price index, as they were billed."""
    v = contract_version.c
    version = sa.and_(v.contract_id == statement.c.contract_id, v.version == statement.c.contract_version)
    return connection.execute(
        sa.select(*_COLUMNS)
        .select_from(statement.join(contract_version, version))
        .where(v.document.contains('"index":"'), _watched(oldest))
    ).all()


def _watched(oldest: str) -> sa.ColumnElement[bool]:
    """The latest version of a contract and month that counts: unsent, or sent of a month from `oldest` on.

    A sent one with a later version is not watched: the later version is what came of its difference.
    """
    c = statement.c
    return sa.and_(c.status != SUPERSEDED, sa.or_(c.status != SENT, c.period >= oldest), sa.not_(has_later_version()))


def has_later_version() -> sa.ColumnElement[bool]:
    """Whether a later version of the statement's contract and month counts."""
    c, n = statement.c, _newer.c
    return (
        sa.exists()
        .where(n.contract_id == c.contract_id, n.period == c.period, n.version > c.version, n.status != SUPERSEDED)
        .correlate(statement)
    )


def statements(connection: Connection, statement_ids: Sequence[str]) -> Sequence[AnyRow]:
    """Up to 1,000 statements that count."""
    chosen = sa.select(statement).where(statement.c.statement_id.in_(statement_ids), statement.c.status != SUPERSEDED)
    return connection.execute(chosen.order_by(statement.c.statement_id)).all()


def lines(connection: Connection, statement_ids: Sequence[str]) -> Sequence[AnyRow]:
    """The lines of up to 1,000 statements."""
    c = invoice_line.c
    return connection.execute(
        sa.select(invoice.c.statement_id, invoice.c.invoice_group, c.block, c.title, c.description, c.code, c.amount)
        .select_from(invoice_line.join(invoice, invoice.c.invoice_id == c.invoice_id))
        .where(invoice.c.statement_id.in_(statement_ids))
    ).all()


def openings_changed(connection: Connection, contract_ids: Sequence[str]) -> dict[str, datetime]:
    """When the opening balances of up to 1,000 contracts were last changed."""
    c = opening_set.c
    rows = connection.execute(
        sa.select(c.contract_id, sa.func.max(c.changed_at).label("at"))
        .where(c.contract_id.in_(contract_ids))
        .group_by(c.contract_id)
    )
    return {row.contract_id: row.at for row in rows}


def index_changed(connection: Connection) -> datetime | None:
    """When an index value was last changed."""
    changed: datetime | None = connection.scalar(sa.select(sa.func.max(index_value.c.changed_at)))
    return changed


def set_checked(connection: Connection, rows: Sequence[AnyRow], now: datetime) -> int:
    """Say of up to 1,000 statements that they were looked at and are as they were. Returns of how many."""
    c = statement.c
    done = connection.execute(
        statement.update()
        .where(c.statement_id.in_([row.statement_id for row in rows]), c.checked_at < now, c.status != SUPERSEDED)
        .values(checked_at=now)
    )
    return done.rowcount


def mark(connection: Connection, read: AnyRow, values: Mapping[str, object]) -> bool:
    """Store what a look has found. False when the statement is not as it was read any more."""
    c = statement.c
    done = connection.execute(
        statement.update()
        .where(
            c.statement_id == read.statement_id,
            c.status == read.status,
            c.total == read.total,
            c.stale_since == read.stale_since if read.stale_since is not None else c.stale_since.is_(None),
            c.stale_reason == read.stale_reason if read.stale_reason is not None else c.stale_reason.is_(None),
            c.checked_at == read.checked_at,
        )
        .values(**values)
    )
    return done.rowcount == 1
