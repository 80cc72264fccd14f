"""What the host must remember over a restart or a kill: blob receipts and timer status, in SQLite.

Each change is committed before the next step, so a killed process loses nothing it had recorded.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from localhost.host.settings import SettingsError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS blob_receipts (
    function TEXT NOT NULL, container TEXT NOT NULL, name TEXT NOT NULL,
    etag TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT NOT NULL,
    PRIMARY KEY (function, container, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blob_poison ON blob_receipts (state) WHERE state = 'poison';
CREATE TABLE IF NOT EXISTS timer_status (
    function TEXT PRIMARY KEY, schedule TEXT NOT NULL, last TEXT, next TEXT NOT NULL, updated TEXT NOT NULL
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """How far a function got with one version (etag) of a blob: started, failed, done or poison."""

    etag: str
    state: str
    attempts: int


@dataclass(frozen=True, slots=True)
class BlobKey:
    """One blob for one function."""

    function: str
    container: str
    name: str


@dataclass(frozen=True, slots=True)
class TimerStatus:
    """When a timer last ran and when it runs next (aware UTC), for the schedule text it was computed from."""

    schedule: str
    last: datetime | None
    next: datetime
    updated: datetime


class StateStore:
    """The state folder's database; used from one process and thread."""

    def __init__(self, path: Path) -> None:
        """Open or create it.

        Raises SettingsError when the file is no usable database.
        """
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise SettingsError(f"{path} cannot be used ({error}); remove it to start without receipts") from error

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def receipts(self, function: str, container: str, names: Sequence[str]) -> dict[str, Receipt]:
        """The receipts of one listed page, whose names ascend."""
        if not names:
            return {}
        rows = self._db.execute(
            "SELECT name, etag, state, attempts FROM blob_receipts"
            " WHERE function = ? AND container = ? AND name BETWEEN ? AND ?",
            (function, container, min(names), max(names)),
        )
        return {name: Receipt(etag, state, attempts) for name, etag, state, attempts in rows}

    def blob_started(self, key: BlobKey, etag: str, attempts: int) -> None:
        """Record an attempt before it begins, so that one which kills the process counts too."""
        self._db.execute(
            "INSERT INTO blob_receipts VALUES (?, ?, ?, ?, 'started', ?, '')"
            " ON CONFLICT (function, container, name) DO UPDATE"
            " SET etag = excluded.etag, state = 'started', attempts = excluded.attempts, error = ''",
            (key.function, key.container, key.name, etag, attempts),
        )

    def blob_ended(self, key: BlobKey, state: str, attempts: int, error: str = "") -> None:
        """Record how an attempt ended: done, failed or poison."""
        self._db.execute(
            "UPDATE blob_receipts SET state = ?, attempts = ?, error = ?"
            " WHERE function = ? AND container = ? AND name = ?",
            (state, attempts, error[:2000], key.function, key.container, key.name),
        )

    def poison_blobs(self, limit: int = 100) -> list[dict[str, str | int]]:
        """Blobs given up after too many failures."""
        rows = self._db.execute(
            "SELECT function, container, name, etag, attempts, error FROM blob_receipts"
            " WHERE state = 'poison' ORDER BY function, container, name LIMIT ?",
            (limit,),
        )
        columns = ("function", "container", "name", "etag", "attempts", "error")
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def timer(self, function: str) -> TimerStatus | None:
        """The stored status of a timer."""
        row = self._db.execute(
            "SELECT schedule, last, next, updated FROM timer_status WHERE function = ?", (function,)
        ).fetchone()
        if row is None:
            return None
        schedule, last, following, updated = row
        return TimerStatus(
            schedule,
            datetime.fromisoformat(last) if last else None,
            datetime.fromisoformat(following),
            datetime.fromisoformat(updated),
        )

    def save_timer(self, function: str, status: TimerStatus) -> None:
        """Store the status of a timer."""
        self._db.execute(
            "INSERT OR REPLACE INTO timer_status VALUES (?, ?, ?, ?, ?)",
            (
                function,
                status.schedule,
                status.last.isoformat() if status.last else None,
                status.next.isoformat(),
                status.updated.isoformat(),
            ),
        )
