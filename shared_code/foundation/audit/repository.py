"""All SQL of the audit: appending under the locks of the heads, reading in the order of the chains, and searching."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.foundation.audit.chain import STREAM_OPENED, STREAMS, Head
from shared_code.foundation.audit.tables import audit_event, audit_head
from shared_code.foundation.dialect import locked
from shared_code.foundation.many import write_many

_STREAMS_AT_ONCE = 1000  # a statement takes 2,000 parameters
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events to list; None narrows nothing. Instants are texts as the rows carry them; `before` is exclusive."""

    stream: str | None = None
    subject: str | None = None
    site: str | None = None
    actor_id: str | None = None
    action: str | None = None
    correlation_id: str | None = None
    since: str | None = None
    before: str | None = None


def open_streams(connection: Connection, streams: Sequence[str]) -> set[str]:
    """Which of `streams` have a head, without a lock. None of these is ever without one again."""
    found: set[str] = set()
    for start in range(0, len(streams), _STREAMS_AT_ONCE):
        part = streams[start : start + _STREAMS_AT_ONCE]
        found.update(connection.scalars(sa.select(audit_head.c.stream).where(audit_head.c.stream.in_(part))))
    return found


_HEADS = (
    locked(sa.select(audit_head.c.stream, audit_head.c.sequence, audit_head.c.hash), audit_head)
    .where(audit_head.c.stream.in_(sa.bindparam("streams", (), expanding=True)))
    .order_by(audit_head.c.stream)
)


def locked_heads(connection: Connection, streams: Sequence[str]) -> dict[str, Head]:
    """The heads of those of `streams` that exist. Until the transaction ends, nobody else appends to these.

    SQL Server locks the rows; in SQLite a write transaction has the whole database. Give `streams` sorted, and that of
    streams before all others: locks that are taken in one order cannot wait for each other in a circle.
    """
    found: dict[str, Head] = {}
    for start in range(0, len(streams), _STREAMS_AT_ONCE):
        asked = {"streams": streams[start : start + _STREAMS_AT_ONCE]}
        found.update({stream: Head(*end) for stream, *end in connection.execute(_HEADS, asked)})
    return found


_APPEND = audit_event.insert()
_MOVE = (
    audit_head.update()
    .where(audit_head.c.stream == sa.bindparam("of_stream"))
    .values(sequence=sa.bindparam("to_sequence"), hash=sa.bindparam("to_hash"))
)


def append(connection: Connection, texts: Sequence[str]) -> None:
    write_many(connection, _APPEND, [{"body": text} for text in texts])


def move_heads(connection: Connection, heads: Mapping[str, Head]) -> None:
    moved = ({"of_stream": s, "to_sequence": head.sequence, "to_hash": head.hash} for s, head in heads.items())
    write_many(connection, _MOVE, list(moved))


def add_heads(connection: Connection, heads: Mapping[str, Head]) -> None:
    if heads:
        rows = [{"stream": s, "sequence": head.sequence, "hash": head.hash} for s, head in heads.items()]
        connection.execute(audit_head.insert(), rows)


def heads(connection: Connection, streams: Collection[str] | None = None) -> dict[str, Head]:
    """Every head by stream, or those of a few `streams`."""
    chosen = sa.select(audit_head)
    if streams is not None:
        chosen = chosen.where(audit_head.c.stream.in_(streams))
    return {row.stream: Head(row.sequence, row.hash) for row in connection.execute(chosen)}


def announced(connection: Connection, stream: str | None = None) -> frozenset[str]:
    """The streams that the stream of streams announces, or of these only `stream`."""
    chosen = sa.select(audit_event.c.subject).where(
        audit_event.c.stream == STREAMS, audit_event.c.action == STREAM_OPENED
    )
    if stream is not None:
        chosen = chosen.where(audit_event.c.subject == stream)
    return frozenset(connection.scalars(chosen))


def rows(connection: Connection, stream: str | None = None) -> Iterator[tuple[str, int, str]]:
    """Stream, sequence and text of every row, or of those of `stream`, in the order of the chains, read in pages."""
    place: tuple[str, int] | None = None
    while True:
        page = _rows_after(connection, stream, place)
        yield from page
        if len(page) < _ROWS_AT_ONCE:
            return
        place = page[-1][:2]


def _rows_after(
    connection: Connection, stream: str | None, place: tuple[str, int] | None
) -> list[tuple[str, int, str]]:
    """One page. The rest of a stream and the streams after it are two seeks, where an OR of both would be a scan."""
    c = audit_event.c
    chosen = sa.select(c.stream, c.sequence, c.body).order_by(c.stream, c.sequence)
    if place is None:
        first = chosen if stream is None else chosen.where(c.stream == stream)
        return _page(connection, first, _ROWS_AT_ONCE)
    page = _page(connection, chosen.where(c.stream == place[0], c.sequence > place[1]), _ROWS_AT_ONCE)
    if stream is None and len(page) < _ROWS_AT_ONCE:
        page += _page(connection, chosen.where(c.stream > place[0]), _ROWS_AT_ONCE - len(page))
    return page


def _page(connection: Connection, chosen: sa.Select[tuple[str, int, str]], number: int) -> list[tuple[str, int, str]]:
    return list(connection.execute(chosen.limit(number)))


def newest(
    connection: Connection, wanted: EventFilter, limit: int, after: tuple[str, str, int] | None
) -> Sequence[tuple[str, int, str]]:
    """Stream, sequence and text of at most `limit` rows, newest first, beginning after the row at `after`."""
    c = audit_event.c
    chosen = sa.select(c.stream, c.sequence, c.body).where(*_conditions(wanted))
    if after:
        at, stream, sequence = after
        earlier_in_stream = sa.or_(c.stream < stream, sa.and_(c.stream == stream, c.sequence < sequence))
        chosen = chosen.where(
            c.recorded_at <= at, sa.or_(c.recorded_at < at, sa.and_(c.recorded_at == at, earlier_in_stream))
        )
    ordered = chosen.order_by(c.recorded_at.desc(), c.stream.desc(), c.sequence.desc())
    return _page(connection, ordered, limit)


def count(connection: Connection, wanted: EventFilter) -> int:
    chosen = sa.select(sa.func.count()).select_from(audit_event).where(*_conditions(wanted))
    return connection.scalar(chosen) or 0


def _conditions(wanted: EventFilter) -> list[sa.ColumnElement[bool]]:
    c = audit_event.c
    equal = (
        (c.stream, wanted.stream),
        (c.subject, wanted.subject),
        (c.site, wanted.site),
        (c.actor_id, wanted.actor_id),
        (c.action, wanted.action),
        (c.correlation_id, wanted.correlation_id),
    )
    conditions: list[sa.ColumnElement[bool]] = [column == value for column, value in equal if value is not None]
    if wanted.since is not None:
        conditions.append(c.recorded_at >= wanted.since)
    if wanted.before is not None:
        conditions.append(c.recorded_at < wanted.before)
    return conditions
