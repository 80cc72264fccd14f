"""Writing events: their canonical texts, chained to the streams' heads, in a fixed number of SQL statements."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType
from typing import TYPE_CHECKING

import orjson

from shared_code.foundation import clock, context
from shared_code.foundation.audit import chain
from shared_code.foundation.audit.chain import ACTION_LENGTH, SITE_LENGTH, STREAM_LENGTH, SUBJECT_LENGTH
from shared_code.foundation.calendar import Period
from shared_code.foundation.values import as_text, value_class

if TYPE_CHECKING:
    from shared_code.foundation.database import UnitOfWork

_STREAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*")
_in_ascii = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


@value_class
class Event:
    """Something that happened, for the audit. Who did it, when and on which request come from clock and context.

    `stream` is the chain it belongs to (`contract/…`, `run/…`, `settings`); events of one stream wait for each other,
    so a stream is one thing and not a whole room. `action` is what was done, in the past (`contract.changed`);
    `subject` the key of what it was done to; `site` its site number, where it has one. `data` holds old and new values
    and the like: texts, whole numbers, booleans, None, Decimal, date, aware datetime, Period, and lists and mappings
    of these. Raises ValueError for a stream, action, subject or site that is empty or too long.
    """

    stream: str
    action: str
    subject: str
    data: Mapping[str, object] = field(default_factory=dict)
    reason: str | None = None
    site: str | None = None

    def __post_init__(self) -> None:
        if self.stream == chain.STREAMS or len(self.stream) > STREAM_LENGTH or not _STREAM.fullmatch(self.stream):
            raise ValueError(f"{self.stream!r} is not the name of an audit stream")
        for name, value, length in (
            ("action", self.action, ACTION_LENGTH),
            ("subject", self.subject, SUBJECT_LENGTH),
            ("site", "-" if self.site is None else self.site, SITE_LENGTH),
        ):
            if not 1 <= len(value) <= length:
                raise ValueError(f"the {name} of an audit event has 1 to {length} characters, not {len(value)}")


def record(work: UnitOfWork, events: Sequence[Event], *, opens: bool = True) -> None:
    """Append `events` to their streams, in the transaction of `work`; the order within a stream is the one given.

    The heads are locked in one total order, so that no two calls wait for each other in a circle: `streams` first, if
    the call opens any stream, then the others by name. Which ones are open is asked without a lock, and a stream that
    is open stays so; whoever holds the lock of an ordinary stream never asks for that of `streams`.

    Without `opens` that is not asked: each of the streams has had an event in an earlier transaction. One that has not
    is opened all the same; only there `streams` is locked last, and the database ends a circle by refusing one call.

    Costs at most six SQL statements for up to 1,000 streams, however many events. Raises TypeError for a value that
    has no exact text, such as a float, and CONCURRENT_CHANGE (from the transaction) when a chain would fork.
    """
    if not events:
        return
    from shared_code.foundation.audit import repository

    pending = _by_stream(events)
    streams = sorted(pending)
    opens = opens and len(repository.open_streams(work.connection, streams)) < len(streams)
    heads = repository.locked_heads(work.connection, [chain.STREAMS]) if opens else {}
    heads |= repository.locked_heads(work.connection, streams)
    opened = [stream for stream in streams if stream not in heads]  # another may have opened some while we waited
    if opened:
        if not opens:
            heads |= repository.locked_heads(work.connection, [chain.STREAMS])
        pending[chain.STREAMS] = [_tail(chain.STREAM_OPENED, stream, None, None, {}) for stream in opened]
    texts, after = _append(pending, heads)
    repository.append(work.connection, texts)
    repository.move_heads(work.connection, {s: head for s, head in after.items() if s in heads})
    repository.add_heads(work.connection, {s: head for s, head in after.items() if s not in heads})


def _by_stream(events: Sequence[Event]) -> dict[str, list[str]]:
    """The tails of the events' texts by stream."""
    found: dict[str, list[str]] = {}
    for event in events:
        tail = _tail(event.action, event.subject, event.site, event.reason, event.data)
        found.setdefault(event.stream, []).append(tail)
    return found


def _append(
    pending: Mapping[str, Sequence[str]], heads: Mapping[str, chain.Head]
) -> tuple[list[str], dict[str, chain.Head]]:
    """The complete texts, stream by stream, and the heads after them."""
    middle = _middle()
    texts: list[str] = []
    after: dict[str, chain.Head] = {}
    for stream, tails in sorted(pending.items()):
        sequence, previous = heads.get(stream, chain.NO_ROWS)
        for tail in tails:
            sequence += 1
            text = chain.prefix(stream, sequence, previous) + middle + tail
            previous = chain.digest(text)
            texts.append(text)
        after[stream] = chain.Head(sequence, previous)
    return texts, after


def _middle() -> str:
    """The part that all events of one call have in common: the instant, the actor, the request."""
    acting = context.current()
    actor = {
        "id": acting.actor_id,
        "name": acting.actor_name,
        "kind": acting.actor_kind,
        "roles": list(acting.roles),
    }
    common = {
        "at": instant_text(clock.now()),
        "actor": actor,
        "requestId": acting.request_id,
        "correlationId": acting.correlation_id,
    }
    return _text(common)[1:-1] + ","


def _tail(action: str, subject: str, site: str | None, reason: str | None, data: Mapping[str, object]) -> str:
    """The part of an event's own, with the closing brace."""
    own = {"action": action, "subject": subject, "site": site, "reason": reason, "data": exact(data)}
    return _text(own)[1:]


def _text(document: object) -> str:
    """Canonical JSON, where all but the printable characters of ASCII are escaped.

    orjson writes it several times as fast. It leaves more characters as they are than may be, and refuses whole numbers
    of more than 64 bits and halves of characters.
    """
    try:
        text = orjson.dumps(document).decode()
    except orjson.JSONEncodeError:
        return _in_ascii(document)
    return text if text.isascii() and "\x7f" not in text else _in_ascii(document)


def instant_text(instant: datetime) -> str:
    """An instant in UTC with six decimals, so that texts sort as instants do. Raises TypeError without a zone."""
    if instant.tzinfo is None:
        raise TypeError("an instant carries its zone")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def exact(value: object) -> object:
    """`value` in what JSON can carry without loss; keys of mappings sorted, so that equal data has one text."""
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return as_text(value)
    if isinstance(value, _LISTS):
        return [exact(part) for part in value]
    if isinstance(value, _MAPPINGS):
        return {_key(key): part if isinstance(part, _PLAIN) else exact(part) for key, part in sorted(value.items())}
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, _DATES):
        return str(value)
    raise TypeError(f"an audit event cannot carry a {type(value).__name__} exactly")


# Tuples, made once: a month asks a dozen times for each contract. A dict is known for one sooner than as a mapping.
_PLAIN, _LISTS, _MAPPINGS, _DATES = (str, int, NoneType), (list, tuple), (dict, Mapping), (date, Period)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a name in an audit event is a text, not a {type(key).__name__}")
    return key
