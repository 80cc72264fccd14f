"""The audit read back: searching its events, and proving that nobody touched them.

`python -m shared_code.operations.audit verify` proves the audit of DATABASE_URL: one line per broken place, exit code
1 when there is one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared_code.foundation import clock
from shared_code.foundation.audit import chain
from shared_code.foundation.audit.diagnosis import Break, examine
from shared_code.foundation.audit.record import instant_text
from shared_code.foundation.command import opened_database
from shared_code.foundation.errors import BillingError
from shared_code.foundation.paging import Page, page, read_cursor
from shared_code.operations import errors

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)
MOST_EVENTS = 1000
"""The largest page of events."""


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which events to list; None narrows nothing. `since` is inclusive, `before` exclusive; both carry their zone."""

    stream: str | None = None
    subject: str | None = None
    site: str | None = None
    actor_id: str | None = None
    action: str | None = None
    correlation_id: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditActor:
    """Who did it: a person, a service, or the system itself, with the roles of that moment."""

    id: str
    name: str
    kind: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event as it was recorded. `previous` and `hash` are the links of its chain (SHA-256, lower-case hex)."""

    stream: str
    sequence: int
    at: datetime
    actor: AuditActor
    action: str
    subject: str
    site: str | None
    reason: str | None
    data: Mapping[str, object]
    request_id: str
    correlation_id: str
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What a proof of the audit found. `breaks` are in the order of streams and rows; `first_break` is the first.

    `events` and `streams` count what is there: rows, and streams that have rows.
    """

    verified_at: datetime
    intact: bool
    events: int
    streams: int
    first_break: Break | None
    breaks: tuple[Break, ...]


def events(query: AuditQuery, limit: int = 100, cursor: str | None = None) -> Page[AuditEvent]:
    """Events, newest first, at most `limit` (1 to 1,000). Raises CURSOR_INVALID, AUDIT_EVENT_UNREADABLE."""
    from shared_code.foundation.audit import repository
    from shared_code.foundation.database import reading

    key = read_cursor(cursor, str, str, int)
    after = (str(key[0]), str(key[1]), int(key[2])) if key else None
    wanted = repository.EventFilter(
        stream=query.stream,
        subject=query.subject,
        site=query.site,
        actor_id=query.actor_id,
        action=query.action,
        correlation_id=query.correlation_id,
        since=instant_text(query.since) if query.since else None,
        before=instant_text(query.before) if query.before else None,
    )
    size = min(max(limit, 1), MOST_EVENTS)
    with reading() as connection:
        found = [_event(*row) for row in repository.newest(connection, wanted, size + 1, after)]
        total = repository.count(connection, wanted)
    return page(found, size, total, lambda event: (instant_text(event.at), event.stream, event.sequence))


def verify(stream: str | None = None) -> Verification:
    """Prove the whole audit, or one stream and the stream of streams that announces it.

    A change of any byte, a removal, an addition or another order of rows is found. What is not: a writer who can
    change the database at will and computes a chain anew up to its end, head included. Raises AUDIT_STREAM_UNKNOWN.
    """
    from shared_code.foundation.database import reading

    with reading() as connection:
        found = _survey(connection) if stream is None else _survey_one(connection, stream)
    breaks = tuple(one for name in sorted(found.suspects) for one in _closer_look(name))
    first = breaks[0] if breaks else None
    return Verification(clock.now(), not breaks, found.events, len(found.streams), first, breaks)


def prove() -> bool:
    """Verify the whole audit and log every break as an error, which an alert watches. True when it is intact."""
    found = verify()
    for one in found.breaks:
        log.error("the audit is broken: %s", one)
    log.info("audit proven: %d events in %d streams, %d breaks", found.events, found.streams, len(found.breaks))
    return found.intact


def _survey(connection: Connection) -> chain.Survey:
    from shared_code.foundation.audit import repository

    heads, announced = repository.heads(connection), repository.announced(connection)
    return chain.survey(repository.rows(connection), heads, announced)


def _survey_one(connection: Connection, stream: str) -> chain.Survey:
    from shared_code.foundation.audit import repository

    names = sorted({stream, chain.STREAMS})
    rows = itertools.chain.from_iterable(repository.rows(connection, name) for name in names)
    found = chain.survey(rows, repository.heads(connection, names), repository.announced(connection, stream))
    if stream not in found.streams | found.suspects:
        raise BillingError(errors.AUDIT_STREAM_UNKNOWN, f"there is no audit stream {stream!r}")
    return found


def _closer_look(stream: str) -> tuple[Break, ...]:
    """A stream that looks broken is read again under its lock, so that an event that just came in is no finding."""
    from shared_code.foundation.audit import repository
    from shared_code.foundation.database import transaction

    with transaction() as work:
        head = repository.locked_heads(work.connection, [stream]).get(stream)
        announced = bool(repository.announced(work.connection, stream))
        rows = ((sequence, text) for _, sequence, text in repository.rows(work.connection, stream))
        return examine(stream, rows, head, announced=announced)


def _event(stream: str, sequence: int, text: str) -> AuditEvent:
    try:
        fields: dict[str, Any] = json.loads(text)
        actor = fields["actor"]
        return AuditEvent(
            stream=stream,
            sequence=sequence,
            at=datetime.fromisoformat(fields["at"]),
            actor=AuditActor(actor["id"], actor["name"], actor["kind"], tuple(actor["roles"])),
            action=fields["action"],
            subject=fields["subject"],
            site=fields["site"],
            reason=fields["reason"],
            data=fields["data"],
            request_id=fields["requestId"],
            correlation_id=fields["correlationId"],
            previous=fields["previous"],
            hash=chain.digest(text),
        )
    except (KeyError, TypeError, ValueError) as fault:
        message = f"row {sequence} of the audit stream {stream!r} is not as it was written"
        raise BillingError(errors.AUDIT_EVENT_UNREADABLE, message) from fault


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 0 when the audit is intact, 1 when it is broken, 2 when it could not be read."""
    parser = argparse.ArgumentParser(prog="python -m shared_code.operations.audit")
    parser.add_argument("command", choices=["verify"], help="prove that no event was changed, removed or added")
    parser.add_argument("--stream", help="only this stream, and the stream of streams that announces it")
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"{opened_database()}\n")
        found = verify(options.stream)
    except BillingError as error:
        sys.stderr.write(f"the audit cannot be verified: {error}\n")
        return 2
    except Exception as error:  # the exit code says that this is no finding
        sys.stderr.write(f"the audit cannot be verified: {type(error).__name__}: {error}\n")
        return 2
    for one in found.breaks:
        sys.stdout.write(f"{one}\n")
    state = "intact" if found.intact else f"broken in {len(found.breaks):,} places"
    sys.stdout.write(f"{found.events:,} events in {found.streams:,} streams: {state}\n")
    return 0 if found.intact else 1


if __name__ == "__main__":
    sys.exit(main())
