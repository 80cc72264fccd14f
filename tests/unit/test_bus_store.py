"""The local bus's file: what a restart brings back, and who may open it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from localhost.bus.config import QueueSettings
from localhost.bus.namespace import Namespace
from localhost.bus.queue import Queue
from localhost.bus.sessions import State
from localhost.bus.store import Store, StoreError
from tests.unit.bus_support import NOON, a_message, locked, text_of


class TestStore:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "bus.sqlite"

    @staticmethod
    def opened(path: Path, now: float = NOON) -> tuple[Store, Namespace]:
        store = Store(path)
        declared = [
            QueueSettings("orders", max_delivery_count=2, duplicate_window=600.0),
            QueueSettings("mail"),
            QueueSettings("talks", requires_session=True),
        ]
        namespace = Namespace(declared, store, store.sequencer)
        store.restore(namespace, now)
        return store, namespace

    @staticmethod
    def named(namespace: Namespace, name: str) -> Queue:
        queue = namespace.find(name)
        assert queue is not None
        return queue

    def test_what_was_committed_is_there_after_a_restart_with_its_count_and_without_its_lock(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "ORDERS")
        for text in ("kept", "done", "scheduled"):
            orders.enqueue(a_message(text, scheduled_for=NOON + 99 if text == "scheduled" else None), NOON)
        locked(orders, NOON)
        orders.complete(locked(orders, NOON)[1], NOON)
        store.close()

        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        assert [text_of(entry.message) for entry in orders.peek(0, 9, NOON)] == ["kept", "scheduled"]
        assert locked(orders, NOON)[0].attempts == 2
        store.close()

    def test_numbers_are_never_used_again(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        last = orders.enqueue(a_message(), NOON)
        orders.complete(locked(orders, NOON)[1], NOON)
        store.close()
        store, namespace = self.opened(path)
        following = self.named(namespace, "mail").enqueue(a_message(), NOON)
        assert last is not None
        assert following == last + 1
        store.close()

    def test_a_restart_does_not_grant_another_attempt(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        orders.enqueue(a_message(), NOON)
        orders.abandon(locked(orders, NOON)[1], NOON)
        locked(orders, NOON)
        store.close()
        store, namespace = self.opened(path)
        assert len(self.named(namespace, "orders")) == 0
        assert len(self.named(namespace, "orders/$DeadLetterQueue")) == 1
        store.close()
        store, namespace = self.opened(path)
        assert len(self.named(namespace, "orders/$deadletterqueue")) == 1
        store.close()

    def test_duplicates_are_remembered_over_a_restart(self, path: Path) -> None:
        store, namespace = self.opened(path)
        self.named(namespace, "orders").enqueue(a_message(id="K1"), NOON)
        store.close()
        store, namespace = self.opened(path)
        assert self.named(namespace, "orders").enqueue(a_message(id="K1"), NOON + 10) is None
        assert self.named(namespace, "orders").enqueue(a_message(id="K1"), NOON + 600) is not None
        store.close()

    def test_what_was_deferred_stays_deferred_even_on_its_last_attempt(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        orders.enqueue(a_message("aside"), NOON)
        orders.abandon(locked(orders, NOON)[1], NOON)
        entry, token = locked(orders, NOON)
        orders.defer(token, NOON)
        store.close()
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        assert orders.lock_next(NOON) is None
        [again] = orders.lock_deferred([entry.sequence], NOON)
        assert (text_of(again.message), again.attempts) == ("aside", 3)
        store.close()

    def test_a_deferred_message_that_died_in_the_same_turn_is_no_longer_deferred(self, path: Path) -> None:
        store, namespace = self.opened(path)
        orders = self.named(namespace, "orders")
        orders.enqueue(a_message(), NOON)
        store.commit()
        entry, token = locked(orders, NOON)
        orders.defer(token, NOON)
        [again] = orders.lock_deferred([entry.sequence], NOON)
        assert again.token is not None
        orders.dead_letter(again.token, "why", "", NOON)
        store.close()
        store, namespace = self.opened(path)
        assert locked(self.named(namespace, "orders/$DeadLetterQueue"), NOON)[0].sequence == entry.sequence
        store.close()

    def test_states_of_sessions_are_kept_as_they_were_last(self, path: Path) -> None:
        store, namespace = self.opened(path)
        talks = self.named(namespace, "talks")
        for session_id, value in (("a", b"1"), ("b", b"2"), ("a", b"3"), ("c", b"4"), ("c", None)):
            talks.set_state(session_id, value, NOON)
        store.commit()
        talks.set_state("b", None, NOON)
        store.close()
        store, namespace = self.opened(path)
        assert self.named(namespace, "talks").sessions.states == {"a": State(b"3", NOON)}
        store.close()

    def test_a_file_of_the_version_without_deferral_is_taken_over(self, path: Path) -> None:
        store, namespace = self.opened(path)
        self.named(namespace, "orders").enqueue(a_message("old"), NOON)
        store.close()
        with sqlite3.connect(path) as old:
            old.execute("ALTER TABLE message DROP COLUMN deferred")
        old.close()
        store, namespace = self.opened(path)
        assert text_of(locked(self.named(namespace, "orders"), NOON)[0].message) == "old"
        store.close()

    def test_a_folder_serves_one_bus(self, path: Path) -> None:
        store, _ = self.opened(path)
        with pytest.raises(StoreError, match="another bus"):
            Store(path)
        store.close()

    def test_a_file_that_is_no_store_is_named(self, path: Path) -> None:
        path.write_bytes(b"something else entirely" * 100)
        with pytest.raises(StoreError, match=r"bus\.sqlite: file is not a database"):
            Store(path)
