"""Bury a message, list what lies there, send one again or give it up. Each decision is audited."""

from __future__ import annotations

import logging
import re
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from shared_code.foundation import audit, clock, context
from shared_code.foundation.bus import unit_of_work
from shared_code.foundation.database import AnyRow, Message, UnitOfWork, reading, transaction
from shared_code.foundation.dead_letters import repository
from shared_code.foundation.dead_letters.errors import (
    DEAD_LETTER_NOT_FOUND,
    DEAD_LETTER_SETTLED,
    DEAD_LETTER_UNSENDABLE,
)
from shared_code.foundation.dead_letters.model import (
    BINARY,
    DeadLetter,
    DeadLetterDetail,
    DeadLetterFilter,
    DeadLetterSummary,
)
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.paging import CURSOR_INVALID, Page, page, read_cursor

log = logging.getLogger(__name__)
STREAM = "messages"
LARGEST_REPLAY = 200_000
"""Bytes of a body. The standard tier takes 256 KB with everything around the body; what we send ourselves has a few
hundred bytes."""
_REPLAY = "~"
_MARK = re.compile(_REPLAY + "[0-9a-f]{8}$")
_LONGEST_EFFECT = 55  # of the 64 characters of an outbox id, the replay's mark takes nine


def effect_of(message_id: str) -> str:
    """The key of the effect that a message asks for: a replay has an id of its own, but asks for the same.

    An id that would leave no room for a replay's in the outbox is shortened to its hash. Ours never are so long.
    """
    key = _MARK.sub("", message_id)
    return key if len(key) <= _LONGEST_EFFECT else clock.derived_id("effect", key)


def bury(letter: DeadLetter) -> bool:
    """Keep a message that could not be processed. False when it lies there already: delivered twice, buried once.

    The same message is one of the same queue, id and body: a stranger may use an id for something else later.
    """
    content = clock.fingerprint(letter.body.encode())
    dead_letter_id = clock.derived_id("dead letter", letter.queue, letter.message_id, content)
    with transaction() as work:
        if repository.exists(work.connection, dead_letter_id):
            log.info("message %s of %s lies among the dead letters already", letter.message_id, letter.queue)
            return False
        values = {field.name: getattr(letter, field.name) for field in fields(letter)}
        state = {"dead_letter_id": dead_letter_id, "state": "Open", "died_at": clock.now()}
        repository.insert(work.connection, **values, **state)
        data = {"queue": letter.queue, "messageId": letter.message_id, "reason": letter.reason}
        audit.record(work, [audit.Event(STREAM, "message.buried", dead_letter_id, data)])
    return True


def list_dead_letters(wanted: DeadLetterFilter, limit: int, cursor: str | None) -> Page[DeadLetterSummary]:
    """Dead letters, newest first. Raises CURSOR_INVALID."""
    before = _place(cursor)
    with reading() as connection:
        rows = repository.newest(connection, wanted, limit + 1, before)
        total = repository.count(connection, wanted)
    return page([_shown(DeadLetterSummary, row) for row in rows], limit, total, lambda s: (s.died_at.isoformat(), s.id))


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    """The instant and id that a cursor holds."""
    key = read_cursor(cursor, str, str)
    if key is None:
        return None
    died_at, dead_letter_id = _instant(str(key[0])), str(key[1])
    if died_at is None:
        message = "the cursor is not one that this list gave"
        raise BillingError(CURSOR_INVALID, message, [Detail("cursor", message)])
    return died_at, dead_letter_id


def _instant(text: str) -> datetime | None:
    """An instant in UTC as `isoformat` writes it, None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.utcoffset() == timedelta(0) else None


def get_dead_letter(dead_letter_id: str) -> DeadLetterDetail:
    """One with its content. Raises DEAD_LETTER_NOT_FOUND."""
    with reading() as connection:
        row = repository.found(connection, dead_letter_id)
    return _shown(DeadLetterDetail, _known(row, dead_letter_id))


def replay(dead_letter_id: str, reason: str) -> DeadLetterDetail:
    """Send the message again, under an id of its own: the bus would drop the old one as a duplicate.

    Raises DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED, DEAD_LETTER_UNSENDABLE.
    """
    with unit_of_work() as work:
        row = _known(repository.found(work.connection, dead_letter_id), dead_letter_id)
        _check_sendable(row.body)
        message_id = f"{effect_of(row.message_id)}{_REPLAY}{clock.new_id()[:8]}"
        work.send([Message(message_id, row.queue, row.body, row.correlation_id)])
        _settle(work, row, reason, "Replayed", replay_message_id=message_id)
    return get_dead_letter(dead_letter_id)


def _check_sendable(body: str) -> None:
    """The outbox holds text, and what the bus refuses once it would refuse again."""
    if body.startswith(BINARY):
        raise BillingError(DEAD_LETTER_UNSENDABLE, "the message is no text, and no queue carries anything else")
    if (size := len(body.encode())) > LARGEST_REPLAY:
        message = f"the message has {size:,} bytes; at most {LARGEST_REPLAY:,} are sent again"
        raise BillingError(DEAD_LETTER_UNSENDABLE, message)


def discard(dead_letter_id: str, reason: str) -> DeadLetterDetail:
    """Give the message up. Raises DEAD_LETTER_NOT_FOUND, DEAD_LETTER_SETTLED."""
    with transaction() as work:
        row = _known(repository.found(work.connection, dead_letter_id), dead_letter_id)
        _settle(work, row, reason, "Discarded")
    return get_dead_letter(dead_letter_id)


def _settle(work: UnitOfWork, row: AnyRow, reason: str, state: str, **values: object) -> None:
    settled = {"settled_at": clock.now(), "settled_by": context.current().actor_id, "settled_reason": reason}
    if not repository.settle(work.connection, row.dead_letter_id, state=state, **settled, **values):
        message = f"the dead letter {row.dead_letter_id} is {row.state.lower()} already"
        raise BillingError(DEAD_LETTER_SETTLED, message)
    data = {"queue": row.queue, "messageId": row.message_id, **{name: str(value) for name, value in values.items()}}
    audit.record(work, [audit.Event(STREAM, f"message.{state.lower()}", row.dead_letter_id, data, reason)])


def _known(row: AnyRow | None, dead_letter_id: str) -> AnyRow:
    if row is None:
        raise BillingError(DEAD_LETTER_NOT_FOUND, f"there is no dead letter {dead_letter_id}")
    return row


def _shown[Shape](shape: type[Shape], row: Any) -> Shape:
    values = row._mapping
    return shape(
        **{
            field.name: values["dead_letter_id" if field.name == "id" else field.name]
            for field in fields(shape)  # type: ignore[arg-type]  # both shapes are dataclasses
        }
    )
