"""What an outage may not do: hold a caller after the commit, lose a drop, or leave a batch standing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from localhost.processes import Bus
from shared_code.foundation import bus, clock, database, queues
from shared_code.foundation.database import Message, outbox, reading
from shared_code.foundation.sending import BusSilentError, publisher
from shared_code.foundation.settings import settings
from shared_code.operations.schema import metadata

pytestmark = pytest.mark.flow
LONG = 60  # seconds after which a thread is taken for held; the patience is one


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("OPERATOR_NAME", "Example Parking")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/app.sqlite")
    monkeypatch.setenv("PUBLISH_PATIENCE_SECONDS", "1")
    for cached in (settings, database.engine, publisher):
        cached.cache_clear()
    metadata.create_all(database.engine())
    yield monkeypatch
    database.engine().dispose()
    clock.set_clock(None)
    for cached in (settings, database.engine, publisher):
        cached.cache_clear()


@pytest.fixture
def silent() -> Iterator[str]:
    """A bus that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        key = "SharedAccessKeyName=a;SharedAccessKey=b"
        yield f"Endpoint=sb://127.0.0.1:{port};{key};UseDevelopmentEmulator=true;"


def write() -> None:
    with bus.unit_of_work() as work:
        work.send([Message(clock.new_id(), queues.RUN_PROGRESS, '{"run":"r"}')])


def waiting() -> int:
    with reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).where(outbox.c.published_at.is_(None))) or 0


def test_a_silent_bus_holds_nobody_and_the_sweep_sends_when_it_is_back(
    stored: pytest.MonkeyPatch, silent: str, tmp_path: Path
) -> None:
    stored.setenv("BillingServiceBus", silent)
    settings.cache_clear()
    callers = [threading.Thread(target=write, daemon=True) for _ in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(LONG)

    assert not any(caller.is_alive() for caller in callers)
    assert waiting() == 3
    with pytest.raises(BusSilentError):
        publisher().probe(queues.RUN_PROGRESS)

    with Bus(tmp_path / "bus") as back:
        stored.setenv("BillingServiceBus", back.connection_string)
        for cached in (settings, publisher):
            cached.cache_clear()
        clock.set_clock(lambda: datetime.now(UTC) + timedelta(minutes=1))
        assert bus.sweep() == 3
    assert waiting() == 0
