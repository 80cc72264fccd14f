"""The same request sent twice: one effect, the same answer (http-api, idempotency)."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.foundation import clock
from shared_code.foundation.database import reading, transaction
from shared_code.foundation.errors import BillingError, ErrorKind
from shared_code.foundation.idempotency import service
from shared_code.foundation.idempotency.service import Request, Stored, forget_old_answers, once
from shared_code.foundation.idempotency.tables import idempotent_request

pytestmark = pytest.mark.usefixtures("stored")
MORNING = datetime(2026, 11, 3, 9, tzinfo=UTC)
PAY = Request("ann", "flow-1/send", "fingerprint of the request")
PAID = Stored(201, {"Location": "https://api.example/payments/7"}, '{"id":"7"}')
REFUSED = ErrorKind("REFUSED", 3999, 422, "no", "do otherwise")


class Effects:
    """Counts how often a use case ran."""

    def __init__(self, answer: Stored = PAID) -> None:
        self.times = 0
        self._answer = answer
        self._counting = threading.Lock()

    def __call__(self) -> Stored:
        with self._counting:
            self.times += 1
        return self._answer


def failing(fault: Exception) -> Callable[[], Stored]:
    def run() -> Stored:
        raise fault

    return run


def rows() -> int:
    with reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(idempotent_request)) or 0


def test_a_repetition_gets_the_first_answer_and_has_no_effect() -> None:
    pay = Effects()

    first, second = once(PAY, pay), once(PAY, pay)

    assert (pay.times, first.replayed, second.replayed) == (1, False, True)
    assert replace(second, replayed=False) == first == PAID


def test_another_body_under_the_same_key_is_refused() -> None:
    once(PAY, Effects())

    with pytest.raises(BillingError) as refusal:
        once(replace(PAY, fingerprint="of another request"), Effects())

    assert (refusal.value.code, refusal.value.kind.status) == ("IDEMPOTENCY_KEY_REUSED", 422)


def test_keys_of_two_callers_have_nothing_to_do_with_each_other() -> None:
    pay = Effects()

    once(PAY, pay)
    once(replace(PAY, caller_id="bob"), pay)

    assert pay.times == 2


@pytest.mark.parametrize("fault", [BillingError(REFUSED, "no"), RuntimeError("died")])
def test_what_failed_may_be_tried_again(fault: Exception) -> None:
    pay = Effects()

    with pytest.raises(type(fault)):
        once(PAY, failing(fault))

    assert once(PAY, pay) == PAID
    assert pay.times == 1


def test_while_it_runs_an_impatient_repetition_is_told_so() -> None:
    started, finish = threading.Event(), threading.Event()

    def slow() -> Stored:
        started.set()
        finish.wait(20)
        return PAID

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(once, PAY, slow)
        started.wait(20)
        with pytest.raises(BillingError) as refusal:
            once(replace(PAY, patience=timedelta(0)), Effects())
        finish.set()

    assert (refusal.value.code, refusal.value.kind.status, refusal.value.kind.retryable) == (
        "REQUEST_RUNNING",
        409,
        True,
    )
    assert first.result() == PAID


def test_twenty_at_once_have_one_effect_and_get_twenty_equal_answers() -> None:
    pay = Effects()
    together = threading.Barrier(20)

    def call(_: int) -> Stored:
        together.wait(20)
        return once(PAY, pay)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(call, range(20)))

    assert pay.times == 1
    assert {(a.status, a.body, tuple(a.headers.items())) for a in answers} == {
        (201, '{"id":"7"}', (("Location", "https://api.example/payments/7"),))
    }
    assert sorted(a.replayed for a in answers) == [False] + [True] * 19


def test_a_claim_whose_process_died_lapses_and_the_repetition_runs() -> None:
    clock.set_clock(lambda: MORNING)
    service._claim(PAY, "a process that died")
    with pytest.raises(BillingError, match="still running"):
        once(replace(PAY, patience=timedelta(0)), Effects())

    clock.set_clock(lambda: MORNING + service.LEASE)

    assert once(PAY, Effects()) == PAID


def test_a_process_that_comes_back_late_does_not_overwrite_the_answer() -> None:
    """The first holder was taken for dead, a second one answered; the first one's answer is its own only."""
    clock.set_clock(lambda: MORNING)
    other = Stored(201, {}, '{"id":"8"}')

    def late() -> Stored:
        clock.set_clock(lambda: MORNING + service.LEASE)
        once(PAY, Effects(other))
        return PAID

    once(PAY, late)

    assert once(PAY, Effects()).body == other.body


@pytest.mark.parametrize(("kept", "hours", "again"), [(24, 23, False), (24, 24, True), (168, 167, False)])
def test_answers_are_kept_for_their_time(kept: int, hours: int, again: bool) -> None:
    pay = Effects()
    request = replace(PAY, kept=timedelta(hours=kept))
    clock.set_clock(lambda: MORNING)
    once(request, pay)

    clock.set_clock(lambda: MORNING + timedelta(hours=hours))
    once(request, pay)

    assert pay.times == (2 if again else 1)


def table_is_away() -> None:
    with transaction() as work:
        work.connection.exec_driver_sql("ALTER TABLE idempotent_request RENAME TO gone")


def table_is_back() -> None:
    with transaction() as work:
        work.connection.exec_driver_sql("ALTER TABLE gone RENAME TO idempotent_request")


def test_an_answer_that_exists_is_given_even_when_it_cannot_be_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The effect is committed: a refusal would be a lie. The claim stays as long as the database is away."""
    monkeypatch.setattr(service, "KEEP_TRYING", timedelta(0))
    clock.set_clock(lambda: MORNING)

    def pay_and_lose_the_table() -> Stored:
        table_is_away()
        return PAID

    assert once(PAY, pay_and_lose_the_table) == PAID
    assert [record.getMessage()[:37] for record in caplog.records if record.exc_info] == [
        "the answer under an Idempotency-Key c",
        "an Idempotency-Key cannot be given ba",
    ]

    table_is_back()
    clock.set_clock(lambda: MORNING + service.LEASE)
    pay = Effects()
    assert (once(PAY, pay), pay.times) == (PAID, 1)


def test_a_key_whose_answer_cannot_be_kept_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "KEEP_TRYING", timedelta(0))
    pay = Effects()
    with transaction() as work:
        work.connection.exec_driver_sql(
            "CREATE TRIGGER no_answers BEFORE UPDATE ON idempotent_request BEGIN SELECT RAISE(ABORT, 'no'); END"
        )

    assert (once(PAY, pay), once(PAY, pay), pay.times) == (PAID, PAID, 2)


def test_keeping_an_answer_is_tried_again(stored: sa.Engine) -> None:
    refused: list[str] = []

    def refuse_twice(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("UPDATE idempotent_request") and len(refused) < 2:
            refused.append(statement)
            raise OSError("the connection broke")

    sa.event.listen(stored, "before_cursor_execute", refuse_twice)
    pay = Effects()

    assert (once(PAY, pay), once(PAY, pay).replayed, pay.times, len(refused)) == (PAID, True, 1, 2)


def test_a_fault_is_told_even_when_the_key_cannot_be_given_back(caplog: pytest.LogCaptureFixture) -> None:
    def lose_the_table_and_die() -> Stored:
        table_is_away()
        raise RuntimeError("what really happened")

    with pytest.raises(RuntimeError, match="what really happened"):
        once(PAY, lose_the_table_and_die)

    assert "cannot be given back" in caplog.text


def test_who_waits_only_looks(stored: sa.Engine) -> None:
    """A write transaction of each waiter, twenty times a second, would hold up the one that all wait for."""
    assert service._claim(PAY, "another process")
    begun: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    sa.event.listen(stored, "before_cursor_execute", note)
    with pytest.raises(BillingError, match="still running"):
        once(replace(PAY, patience=timedelta(seconds=0.2)), Effects())

    assert len(begun) > 2
    assert [begin for begin in begun if "IMMEDIATE" in begin] == begun[:1]


def test_a_claim_outlives_every_function() -> None:
    """Else a repetition would run beside the first call, which is still at work."""
    host = json.loads((Path(__file__).parents[3] / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))

    assert timedelta(hours=hours, minutes=minutes, seconds=seconds) < service.LEASE


def test_old_answers_are_forgotten() -> None:
    clock.set_clock(lambda: MORNING)
    once(PAY, Effects())
    once(replace(PAY, key="ledger", kept=timedelta(days=7)), Effects())

    clock.set_clock(lambda: MORNING + timedelta(days=2))

    assert (forget_old_answers(), rows()) == (1, 1)
