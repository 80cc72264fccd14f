"""P2: closing a month of contracts that are in the database with their facts: load, calculate, number, persist.

CPU time of one process with its messages kept in it; the parts are timed by wrapping what `generation` calls. `--many`
adds 50,000 contracts, which take some minutes and gigabytes to make. Databases are made once and kept by size; with
`--make 1000` that is all, and the path is printed.
"""

import logging
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.figures import report

SIZES = (1_000, 10_000)
MANY = 50_000
CHUNK = 100  # contracts, the default of CHUNK_CONTRACTS
CACHE = Path(__file__).parents[2] / ".cache" / "closing"
FORMAT = 3  # raise it whenever `closing_support` writes something else
WRITTEN = ("statement", "invoice", "invoice_line", "statement_document", "monthly_profit", "audit_event")
PARTS = {
    "load": (
        "generation.inputs.agreed",
        "generation.chunks.pending_chunk",
        "generation.chunks.standing",
        "computing.histories",
        "computing.adhoc_by_contract",
        "computing.load_facts",
        "computing._readable",
    ),
    "calculate": ("computing.compute", "computing.compare"),
    "persist": ("generation._store", "generation.repository.set_outcomes", "generation.UnitOfWork.send"),
}
"""What of `shared_code.statements` is timed as which part; none of these calls another."""


def main() -> None:
    logging.disable(logging.WARNING)
    if "--make" in sys.argv:
        print(prepared(int(sys.argv[-1])))
        return
    for number in (*SIZES, MANY) if "--many" in sys.argv else SIZES:
        kept = prepared(number)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "close.sqlite"
            shutil.copyfile(kept, path)
            seconds, parts, outcomes = close(path, number)
            baseline = _copying(path, Path(folder) / "copy.sqlite")
        name = f"P2 closing {number:,} contracts"
        beside = ("the rows alone into empty tables", number / baseline)
        report(name, number / seconds, "contracts/s", "≥ 2,000", beside)
        for part, spent in (parts | {"other": seconds - sum(parts.values())}).items():
            report(f"{name}: {part}", spent / number * 1e6, "µs/contract", "none")
        report(f"{name}: billed", 100 * outcomes["Generated"] / number, "%", "none")


def prepared(number: int) -> Path:
    """The database before the close, from the cache."""
    kept = CACHE / f"contracts-{number}-v{FORMAT}.sqlite"
    if not kept.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        making = kept.with_suffix(".making")
        making.unlink(missing_ok=True)
        with _database(making):
            from tests import closing_support

            closing_support.fill(number)
        with closing(
            sqlite3.connect(making)
        ) as connection:  # somebody may hold the log open: all of it goes into the file
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise RuntimeError(f"{making} is still being written")
        making.rename(kept)
        for left in CACHE.glob(f"{making.name}-*"):
            left.unlink()
    return kept


@contextmanager
def _database(path: Path) -> Iterator[None]:
    """The database of this process is at `path`, with the newest schema; the clock stands at the close."""
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{path}",
        "OPERATOR_NAME": "Bench",
        "CHUNK_CONTRACTS": str(CHUNK),
    }
    from shared_code.foundation import clock, database
    from shared_code.foundation.settings import settings
    from shared_code.operations.migrate import upgrade
    from tests.closing_support import CLOSING

    settings.cache_clear()
    database.engine.cache_clear()
    clock.set_clock(lambda: CLOSING)
    upgrade(settings().database_url)
    try:
        yield
    finally:
        clock.set_clock(None)
        database.engine().dispose()


def close(path: Path, number: int) -> tuple[float, dict[str, float], Counter[str]]:
    """CPU seconds of all chunks of a run, those of its parts, and what the contracts came to."""
    with _database(path):
        from shared_code import statements
        from shared_code.foundation import queues
        from shared_code.foundation.handover import handover
        from shared_code.statements import generation
        from shared_code.statements.messages import ChunkWork
        from shared_code.statements.runs import start_run
        from shared_code.statements.scope import RunCommand
        from tests.closing_support import PERIOD

        def work(message: Any) -> None:
            if message.queue == queues.STATEMENT_CHUNKS:
                chunk = ChunkWork.model_validate_json(message.body)
                generation.generate_chunk(chunk.run, chunk.chunk, message.message_id)

        with handover() as messages, _timed(statements) as parts:
            start_run(RunCommand(str(PERIOD), "bench", "bench"))
            begun = time.process_time()
            messages.drain(work)
            seconds = time.process_time() - begun
    with sqlite3.connect(path) as connection:
        outcomes = Counter(dict(connection.execute("SELECT outcome, COUNT(*) FROM run_item GROUP BY outcome")))
    if sum(outcomes.values()) != number or outcomes["Pending"]:
        raise RuntimeError("what is timed is not right")
    return seconds, parts, outcomes


@contextmanager
def _timed(package: Any) -> Iterator[dict[str, float]]:
    """CPU seconds by part, as they add up."""
    spent = dict.fromkeys(PARTS, 0.0)
    replaced: list[tuple[Any, str, Any]] = []
    for part, names in PARTS.items():
        for name in names:
            owner = package
            *path, last = name.split(".")
            for step in path:
                owner = getattr(owner, step)
            replaced.append((owner, last, getattr(owner, last)))
            setattr(owner, last, _timing(getattr(owner, last), part, spent))
    try:
        yield spent
    finally:
        for owner, last, function in replaced:
            setattr(owner, last, function)


def _timing(function: Callable[..., Any], part: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*arguments: Any, **named: Any) -> Any:
        begun = time.process_time()
        try:
            return function(*arguments, **named)
        finally:
            spent[part] += time.process_time() - begun

    return timed


def _copying(source: Path, target: Path) -> float:
    """CPU seconds of writing the close's rows into empty tables of the same schema: what no program can go below."""
    with _database(target):
        pass
    seconds = 0.0
    with sqlite3.connect(source) as read, sqlite3.connect(target) as write:
        for table in WRITTEN:
            # what is generated by the database cannot be inserted
            columns = [row[1] for row in read.execute(f"PRAGMA table_info({table})")]
            names = ", ".join(columns)
            rows = read.execute(f"SELECT {names} FROM {table}").fetchall()  # noqa: S608 - our own tables
            statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
            begun = time.process_time()
            write.executemany(statement, rows)
            write.commit()
            seconds += time.process_time() - begun
    return seconds


if __name__ == "__main__":
    main()
