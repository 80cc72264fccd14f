"""The search for cycles rests while bounded work is done, and goes on after it, whatever happened."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest

from shared_code.foundation.garbage import uncollected


@pytest.fixture(autouse=True)
def searching() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_it_rests_inside_and_goes_on_after() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_it_goes_on_after_a_fault() -> None:
    with pytest.raises(RuntimeError), uncollected():
        raise RuntimeError("a fault of the work")
    assert gc.isenabled()


def test_the_last_of_several_threads_lets_it_go_on() -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with uncollected():
            inside.set()
            leave.wait(timeout=60)

    thread = threading.Thread(target=work)
    with uncollected():
        thread.start()
        assert inside.wait(timeout=60)
    assert not gc.isenabled()
    leave.set()
    thread.join(timeout=60)
    assert gc.isenabled()


def test_a_process_without_it_stays_without_it() -> None:
    gc.disable()
    with uncollected():
        assert not gc.isenabled()
    assert not gc.isenabled()
