"""The local bus in a thread: how it starts and ends."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from localhost.bus import config
from localhost.bus.server import HOST, Bus
from localhost.bus.store import Store


def test_a_bus_runs_in_a_thread_until_it_is_stopped_even_twice(tmp_path: Path) -> None:
    bus = Bus(tmp_path, config.load())
    thread = threading.Thread(target=bus.run)
    thread.start()
    with socket.create_connection((HOST, bus.port)):
        for _ in range(2):
            bus.stop()
        thread.join(10)
    assert not thread.is_alive()
    Store(tmp_path / "bus.sqlite").close()


def test_a_client_that_connects_while_the_bus_is_stopped_does_not_break_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda failure: broken.append(failure.exc_value))
    for number in range(10):  # which of the two is seen first is up to the event loop
        bus = Bus(tmp_path / str(number), config.load())
        with socket.create_connection((HOST, bus.port)):
            bus.stop()
            thread = threading.Thread(target=bus.run)
            thread.start()
            thread.join(10)
        assert not thread.is_alive()
    assert broken == []
