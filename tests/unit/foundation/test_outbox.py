"""What an earlier process left in the outbox is published by one instance, not by all of them at once."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared_code.foundation import bus, clock, database
from shared_code.foundation.database import Message, metadata, outbox, reading, transaction
from shared_code.foundation.sending import publisher
from shared_code.foundation.settings import settings

NOON = datetime(2026, 10, 31, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def app_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database file with an outbox; the clock stands at noon."""
    monkeypatch.setenv("OPERATOR_NAME", "Meridian")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/app.sqlite")
    settings.cache_clear()
    database.engine.cache_clear()
    engine = database.engine()
    with engine.begin() as connection:
        metadata.create_all(connection, [outbox])
    clock.set_clock(lambda: NOON)
    yield
    engine.dispose()
    settings.cache_clear()
    database.engine.cache_clear()
    clock.set_clock(None)


def left_behind(number: int) -> None:
    """Messages that a process wrote and did not send, a minute ago."""
    clock.set_clock(lambda: NOON - timedelta(minutes=1))
    with transaction() as work:
        work.send([Message(f"m-{place:04d}", "run-progress", "{}", "c-1") for place in range(number)])
    clock.set_clock(lambda: NOON)


def claim() -> list[str]:
    return [row.message_id for row in bus.claim_waiting("run-progress")]


def test_a_second_instance_passes_over_what_the_first_has_claimed() -> None:
    left_behind(3)

    assert claim() == ["m-0000", "m-0001", "m-0002"]
    assert claim() == []


def test_a_claim_ends_by_itself_when_its_instance_died() -> None:
    left_behind(1)
    assert claim() == ["m-0000"]

    clock.set_clock(lambda: NOON + bus.SWEEP_CLAIM)
    assert claim() == []
    clock.set_clock(lambda: NOON + bus.SWEEP_CLAIM + timedelta(seconds=1))
    assert claim() == ["m-0000"]


def test_the_oldest_are_claimed_first_and_no_more_than_a_batch() -> None:
    left_behind(bus.SWEEP_BATCH + 2)

    assert len(claim()) == bus.SWEEP_BATCH
    assert claim() == [f"m-{bus.SWEEP_BATCH:04d}", f"m-{bus.SWEEP_BATCH + 1:04d}"]


def test_what_has_just_been_written_is_left_to_its_own_process() -> None:
    with transaction() as work:
        work.send([Message("m-1", "run-progress", "{}", "c-1")])

    assert claim() == []
    clock.set_clock(lambda: NOON + bus.SWEEP_AFTER + timedelta(seconds=1))
    assert claim() == ["m-1"]


def test_instances_that_sweep_at_the_same_moment_share_the_rows() -> None:
    left_behind(1200)
    claims: list[list[str]] = []
    together = threading.Barrier(4)

    def sweep() -> None:
        together.wait()
        claims.append(claim())

    threads = [threading.Thread(target=sweep) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    everyone = [message for part in claims for message in part]
    assert sorted(everyone) == [f"m-{place:04d}" for place in range(1200)]
    assert sorted(len(part) for part in claims) == [0, 200, 500, 500]


def test_what_could_not_be_sent_is_given_back_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bus is out of reach; the next sweep does not have to wait until the claim ends."""
    nobody_listens = "Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=a;SharedAccessKey=b;UseDevelopmentEmulator=true;"
    monkeypatch.setenv("BillingServiceBus", nobody_listens)
    settings.cache_clear()
    publisher.cache_clear()
    left_behind(2)

    assert bus.sweep() == 0

    publisher.cache_clear()
    with reading() as connection:
        assert connection.execute(sa.select(outbox.c.published_at, outbox.c.claimed_until)).all() == [(None, None)] * 2
    assert claim() == ["m-0000", "m-0001"]
