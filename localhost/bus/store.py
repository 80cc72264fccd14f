"""What the bus keeps on disk: one SQLite file, one transaction per turn of the event loop.

Durability: write-ahead log with `synchronous=NORMAL`. A commit has been handed to the operating system when
it returns, so a killed process (kill -9) loses nothing that was committed; NORMAL leaves out the flush to
the disk, which only a crash of the machine could turn into lost turns, never into a damaged file.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from localhost.bus import codec
from localhost.bus.entry import Entry, Sequencer
from localhost.bus.namespace import Namespace
from localhost.bus.sessions import State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS message (
    sequence INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    enqueued_at REAL NOT NULL,
    scheduled_for REAL,
    expires_at REAL,
    encoded BLOB NOT NULL,
    deferred INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS seen (
    queue TEXT NOT NULL,
    message_id TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (queue, message_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (
    queue TEXT NOT NULL,
    session_id TEXT NOT NULL,
    state BLOB NOT NULL,
    changed_at REAL NOT NULL,
    PRIMARY KEY (queue, session_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counter (last_sequence INTEGER NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
"""


class StoreError(RuntimeError):
    """The file cannot be used: another bus has it, or it is no store."""


class Store:
    """The journal of all queues. Changes are collected in memory until `commit` writes them at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # The bus may be built in one thread and run in another; it is never used by two at a time.
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
        try:
            # One bus per folder: a second one would hand out the same messages.
            self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(f"BEGIN EXCLUSIVE;{_SCHEMA}COMMIT;")
            self._add_deferred()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            hint = "; another bus runs on this folder" if "locked" in str(error) else ""
            raise StoreError(f"{path}: {error}{hint}") from error
        (last,) = self._connection.execute("SELECT last_sequence FROM counter").fetchone()
        self.sequencer = Sequencer(last)
        self._committed_sequence = last
        self._puts: list[tuple[object, ...]] = []
        self._updates: dict[int, tuple[int, bool, int]] = {}
        self._deletes: list[tuple[int]] = []
        self._remembered: list[tuple[str, str, float]] = []
        self._forgotten: list[tuple[str, str]] = []
        self._states: dict[tuple[str, str], tuple[bytes, float] | None] = {}

    def _add_deferred(self) -> None:
        """A file of an earlier version has no such column; its messages are kept."""
        columns = {name for _, name, *_ in self._connection.execute("PRAGMA table_info(message)")}
        if "deferred" not in columns:
            self._connection.execute("ALTER TABLE message ADD COLUMN deferred INTEGER NOT NULL DEFAULT 0")

    def put(self, queue: str, entry: Entry) -> None:
        self._updates.pop(entry.sequence, None)
        moments = (entry.enqueued_at, entry.scheduled_for, entry.expires_at)
        self._puts.append((entry.sequence, queue, entry.attempts, *moments, entry.message.encoded(), entry.deferred))

    def update(self, entry: Entry) -> None:
        self._updates[entry.sequence] = (entry.attempts, entry.deferred, entry.sequence)

    def delete(self, entry: Entry) -> None:
        self._deletes.append((entry.sequence,))

    def remember(self, queue: str, message_id: str, until: float) -> None:
        self._remembered.append((queue, message_id, until))

    def forget(self, queue: str, message_id: str) -> None:
        self._forgotten.append((queue, message_id))

    def keep_state(self, queue: str, session_id: str, value: bytes | None, changed_at: float) -> None:
        self._states[queue, session_id] = None if value is None else (value, changed_at)

    def commit(self) -> None:
        """Write everything since the last commit in one transaction.

        The order puts, updates, deletes is right for any turn: a sequence number is never used again after
        its deletion, and an entry that is put anew carries its count with it. Of several states the last counts.
        """
        kept = [(*key, *state) for key, state in self._states.items() if state is not None]
        dropped = [key for key, state in self._states.items() if state is None]
        batches: list[tuple[str, list[tuple[object, ...]]]] = [
            ("INSERT OR REPLACE INTO message VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", [*self._puts]),
            ("UPDATE message SET attempts = ?, deferred = ? WHERE sequence = ?", [*self._updates.values()]),
            ("DELETE FROM message WHERE sequence = ?", [*self._deletes]),
            ("DELETE FROM seen WHERE queue = ? AND message_id = ?", [*self._forgotten]),
            ("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", [*self._remembered]),
            ("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?)", [*kept]),
            ("DELETE FROM session WHERE queue = ? AND session_id = ?", [*dropped]),
        ]
        if self.sequencer.last != self._committed_sequence:
            batches.append(("UPDATE counter SET last_sequence = ?", [(self.sequencer.last,)]))
        if not any(rows for _, rows in batches):
            return
        self._connection.execute("BEGIN IMMEDIATE")
        for statement, rows in batches:
            if rows:
                self._connection.executemany(statement, rows)
        self._connection.execute("COMMIT")
        self._committed_sequence = self.sequencer.last
        for pending in (self._puts, self._deletes, self._remembered, self._forgotten, self._updates, self._states):
            pending.clear()

    def restore(self, namespace: Namespace, now: float) -> None:
        """Fill the queues with what was kept. Messages of a queue that is not declared any more stay stored."""
        entries: dict[str, list[Entry]] = defaultdict(list)
        for queue, entry in self._stored():
            entries[queue].append(entry)
        seen: dict[str, list[tuple[str, float]]] = defaultdict(list)
        for queue, message_id, until in self._connection.execute("SELECT * FROM seen ORDER BY until"):
            seen[queue].append((message_id, until))
        states: dict[str, dict[str, State]] = defaultdict(dict)
        for queue, session_id, value, changed_at in self._connection.execute("SELECT * FROM session"):
            states[queue][session_id] = State(value, changed_at)
        # Dead-letter queues first: restoring a queue may add to its own.
        for target in sorted(namespace, key=lambda each: not each.is_dead_letter):
            target.restore(entries[target.name], seen[target.name], now, states[target.name])

    def _stored(self) -> Iterable[tuple[str, Entry]]:
        query = (
            "SELECT queue, sequence, encoded, enqueued_at, attempts, scheduled_for, expires_at, deferred "
            "FROM message ORDER BY sequence"
        )
        for queue, sequence, encoded, *moments, deferred in self._connection.execute(query):
            entry = Entry(sequence, codec.parse(encoded), *moments)
            entry.deferred = bool(deferred)
            yield queue, entry

    def close(self) -> None:
        """Commit what is left and close the file."""
        self.commit()
        self._connection.close()
