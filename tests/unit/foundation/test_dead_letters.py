"""What could not be processed is kept once, listed, and sent again or given up with a reason."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from shared_code.foundation import clock, dead_letters
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import outbox, reading
from shared_code.foundation.dead_letters import DeadLetter, DeadLetterFilter, effect_of
from shared_code.foundation.errors import BillingError

pytestmark = pytest.mark.usefixtures("stored")
MORNING = datetime(2026, 11, 3, 9, tzinfo=UTC)
ALL = DeadLetterFilter()
OPERATOR = Context(actor_id="op-1", actor_kind="person")


def letter(message_id: str = "m-1", queue: str = "run-progress", reason: str = "MESSAGE_MALFORMED") -> DeadLetter:
    return DeadLetter(queue, message_id, '{"run":"r-1"}', "flow-7", reason, "field run: missing", 3)


def buried(*messages: str) -> list[str]:
    for place, message_id in enumerate(messages):
        clock.set_clock(lambda place=place: MORNING + timedelta(minutes=place))  # type: ignore[misc]
        dead_letters.bury(letter(message_id))
    return [item.id for item in dead_letters.list_dead_letters(ALL, 100, None).items]


def sent() -> list[tuple[str, str, str]]:
    with reading() as connection:
        rows = connection.execute(sa.select(outbox.c.message_id, outbox.c.queue, outbox.c.correlation_id)).all()
    return [(row.message_id, row.queue, row.correlation_id) for row in rows]


def test_a_message_delivered_twice_is_buried_once() -> None:
    assert dead_letters.bury(letter())
    assert not dead_letters.bury(letter())

    assert dead_letters.list_dead_letters(ALL, 100, None).total == 1


def test_the_list_is_newest_first_and_paged() -> None:
    buried("m-1", "m-2", "m-3")

    first = dead_letters.list_dead_letters(ALL, 2, None)
    second = dead_letters.list_dead_letters(ALL, 2, first.next_cursor)

    assert [item.message_id for item in (*first.items, *second.items)] == ["m-3", "m-2", "m-1"]
    assert (first.total, second.next_cursor) == (3, None)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (DeadLetterFilter(), 2),
        (DeadLetterFilter(queue="run-progress"), 1),
        (DeadLetterFilter(state="Open"), 2),
        (DeadLetterFilter(queue="run-progress", state="Replayed"), 0),
    ],
)
def test_the_list_is_narrowed(wanted: DeadLetterFilter, found: int) -> None:
    dead_letters.bury(letter())
    dead_letters.bury(letter("m-2", queue="statement-chunks"))

    page = dead_letters.list_dead_letters(wanted, 100, None)

    assert (len(page.items), page.total) == (found, found)


def test_a_replay_has_an_id_of_its_own_and_asks_for_the_same_effect() -> None:
    (dead,) = buried("m-1")

    with acting(OPERATOR):
        settled = dead_letters.replay(dead, "the run was repaired")

    ((message_id, queue, correlation),) = sent()
    assert message_id != "m-1" and effect_of(message_id) == "m-1"
    assert (queue, correlation) == ("run-progress", "flow-7")
    assert (settled.state, settled.settled_by, settled.settled_reason) == ("Replayed", "op-1", "the run was repaired")
    assert settled.replay_message_id == message_id


def test_a_replay_that_dies_again_is_another_dead_letter_of_the_same_effect() -> None:
    (dead,) = buried("m-1")
    replayed = dead_letters.replay(dead, "try once more").replay_message_id or ""

    assert dead_letters.bury(letter(replayed))
    assert {effect_of(item.message_id) for item in dead_letters.list_dead_letters(ALL, 9, None).items} == {"m-1"}


@pytest.mark.parametrize("settle", [dead_letters.replay, dead_letters.discard])
def test_what_is_settled_stays_settled(settle: object) -> None:
    (dead,) = buried("m-1")
    dead_letters.discard(dead, "nobody needs it")

    with pytest.raises(BillingError) as refusal:
        settle(dead, "once more")  # type: ignore[operator]

    assert (refusal.value.code, refusal.value.kind.status) == ("DEAD_LETTER_SETTLED", 409)
    assert sent() == []


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(BillingError, match="there is no dead letter"):
        dead_letters.get_dead_letter("nothing")
