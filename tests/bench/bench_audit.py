"""P9: proving the audit. The chain over rows in memory, beside hashing the same bytes; then all of it out of SQLite."""

import os
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from tests.bench.figures import report

EVENTS = 1_000_000
PER_STREAM = 50
PER_TRANSACTION = 10_000
BUDGET = "≥ 500,000 events/s"


def write() -> None:
    """A million events as billing records them: 20,000 streams of 50."""
    from shared_code.foundation.audit import Event, record
    from shared_code.foundation.audit.tables import audit_event, audit_head
    from shared_code.foundation.database import engine, metadata, transaction

    metadata.create_all(engine(), [audit_event, audit_head])
    for start in range(0, EVENTS, PER_TRANSACTION):
        events = [
            Event(
                f"statement/{n // PER_STREAM:032x}",
                "statement.generated",
                f"{n:032x}",
                {"total": Decimal("1234.56"), "period": "2026-10", "version": n % PER_STREAM},
                site=f"{n % 771:04d}",
            )
            for n in range(start, start + PER_TRANSACTION)
        ]
        with transaction() as work:
            record(work, events)


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of this process, the best of three: other work on the machine must not count."""
    found = []
    for _ in range(3):
        begun = time.process_time()
        work()
        found.append(time.process_time() - begun)
    return min(found)


def prove_in_memory() -> None:
    """The chain over what is stored, already read; hashing the same texts and nothing more is what bounds it."""
    from shared_code.foundation.audit import chain, repository
    from shared_code.foundation.database import reading

    with reading() as connection:
        rows = list(repository.rows(connection))
        heads, announced = repository.heads(connection), repository.announced(connection)
    found = chain.survey(rows, heads, announced)
    if (found.events, found.suspects) != (len(rows), frozenset()):
        raise RuntimeError("what is timed is not right")
    hashing = len(rows) / seconds(lambda: [sha256(text.encode()).hexdigest() for _, _, text in rows])
    figure = len(rows) / seconds(lambda: chain.survey(rows, heads, announced))
    report("P9 chain verification over stored texts", figure, "events/s", BUDGET, ("hashing alone", hashing))


def prove_the_database() -> None:
    """The whole use case, and reading the rows alone, through a page of 10,000 at a time."""
    from shared_code.foundation.audit import repository
    from shared_code.foundation.database import reading
    from shared_code.operations.audit import verify

    number = verify().events
    with reading() as connection:
        fetching = number / seconds(lambda: sum(1 for _ in repository.rows(connection)))
    report("P9 whole verification out of SQLite", number / seconds(verify), "events/s", "none", ("reading", fetching))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"DATABASE_URL": f"sqlite:///{Path(folder) / 'audit.sqlite'}", "OPERATOR_NAME": "Bench"}
        begun = time.process_time()
        write()
        report("P9 recording, 10,000 a transaction", EVENTS / (time.process_time() - begun), "events/s", "none")
        prove_in_memory()
        prove_the_database()


if __name__ == "__main__":
    main()
