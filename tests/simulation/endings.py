"""What a schedule has left behind, and whether that is what it has to be."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.documents import paths
from shared_code.foundation import database
from shared_code.foundation.audit.tables import audit_event, audit_head
from shared_code.foundation.clock import fingerprint
from shared_code.foundation.database import inbox, outbox
from shared_code.operations.invariants.service import check_invariants
from shared_code.operations.schema import metadata
from shared_code.statements.report import write_report
from shared_code.statements.tables import dry_run_statement, run_item, statement, statement_document, statement_run
from tests.end_state import State, rows
from tests.simulation.scenarios import Scenario, runs
from tests.simulation.world import HOUR, World

RESUMED = "run.resumed"
MOVED = "statement.moved"
_OF_MESSAGES = (inbox, outbox)
_NUMBER_OF_DRY_RUN = re.compile(r"\|dry\|\d+")


def end_state(world: World, scenario: Scenario) -> State:
    """Everything that is left, line by line: rows and blobs. Queues and outbox are empty, or the world has no rest.

    How often the watchdog has woken a run is left out, and with it the messages that it has sent again: what remains is
    which work was asked for and done, not how often.
    """
    names = runs() if scenario.rivals or scenario.again else []
    with database.reading() as connection:
        state = {f"table {table.name}": Counter(_rows(connection, table)) for table in metadata.sorted_tables}
        state["messages"] = Counter(_messages(connection))
    if not scenario.rivals:  # which of two runs has billed a contract is open; reports follow the database in any case
        state["blobs"] = Counter(f"{place} {_print_of(data, names)}" for place, data in world.stored.items())
    whole = set if scenario.again else list  # of runs that are alike, one
    return {part: Counter(whole(_nameless(lines, names))) for part, lines in state.items() if lines}


def _print_of(data: bytes, names: list[str]) -> str:
    for name in names:
        data = data.replace(name.encode(), b"a run")
    return fingerprint(data)


def _rows(connection: Connection, table: sa.Table) -> Iterator[str]:
    if table in _OF_MESSAGES or table is audit_head:
        return
    for line in rows(connection, table):
        if table is audit_event and json.loads(line)["action"] == RESUMED:
            continue
        yield _shared(table, line)


def _shared(table: sa.Table, line: str) -> str:
    """A row without what depends on how often the watchdog has come by, and when."""
    row = json.loads(line) if table in (statement_run, dry_run_statement) else {}
    if table is statement_run:
        return json.dumps(row | {"attempt": ""})
    if table is dry_run_statement:
        return json.dumps(row | {"document": json.dumps(json.loads(row["document"]) | {"created_at": ""})})
    return line


def _messages(connection: Connection) -> set[str]:
    """What was asked for, and which consumer has done it."""
    asked = {row.message_id: f"{row.queue} {row.body}" for row in connection.execute(sa.select(outbox))}
    done = {f"{row.consumer} did {asked[row.effect_key]}" for row in connection.execute(sa.select(inbox))}
    return done | set(asked.values())


def _nameless(lines: Counter[str], names: list[str]) -> Iterator[str]:
    """The lines without the ids of runs, where these may change places."""
    for line in lines.elements():
        for name in names:
            line = line.replace(name, "a run")
        yield _NUMBER_OF_DRY_RUN.sub("|dry", line)


def faults_of(world: World) -> list[str]:
    """What must be true at the end of every schedule, whatever was done in it."""
    world.now += 2 * HOUR  # nobody waits for anything any more
    found = [f"invariant {one.name}: {one.violations}" for one in check_invariants() if not one.holds]
    found += list(_wrong_documents(world))
    found += list(_wrong_reports(world))
    with database.reading() as connection:
        found += [*_made_unasked(connection), *_taken_back(connection)]
        open_items = sa.select(run_item.c.contract_id).where(run_item.c.outcome == "Pending")
        found += [f"contract {one} has no outcome" for one in connection.scalars(open_items)]
    return found


def item_outcomes() -> Counter[str]:
    """What became of the items of all runs."""
    with database.reading() as connection:
        return Counter(connection.scalars(sa.select(run_item.c.outcome)))


def resumptions() -> int:
    """How often the watchdog has woken a run."""
    with database.reading() as connection:
        return sum(event["action"] == RESUMED for event in _events(connection))


def _events(connection: Connection) -> Iterator[dict[str, Any]]:
    return (json.loads(body) for body in connection.scalars(sa.select(audit_event.c.body)))


def _made_unasked(connection: Connection) -> Iterator[str]:
    """A month is made anew by a run that was asked to do so, and in the version that it was asked for."""
    c, run = statement.c, statement_run.c
    made = sa.select(c.statement_id, c.version, run.kind, run.scope).join(statement_run, run.run_id == c.run_id)
    for row in connection.execute(made.where(c.generation > 1)):
        if row.kind != "Regenerate" or json.loads(row.scope)["version"] != row.version:
            yield f"version {row.version} of {row.statement_id} was made by a {row.kind} run of {row.scope}"


def open_items_of_finished_runs() -> list[str]:
    """Contracts that a finished run has yet to bill: whoever looks at it now takes its figures for the last."""
    with database.reading() as connection:
        chosen = sa.select(run_item.c.contract_id).join(statement_run, statement_run.c.run_id == run_item.c.run_id)
        found = connection.scalars(chosen.where(run_item.c.outcome == "Pending", statement_run.c.state != "Running"))
        return [f"contract {one} is open in a finished run" for one in found]


def _taken_back(connection: Connection) -> Iterator[str]:
    """What somebody was told to be sent is sent."""
    moved = {one["subject"] for one in _events(connection) if one["action"] == MOVED and one["data"]["to"] == "Sent"}
    c = statement.c
    sent = set(connection.scalars(sa.select(c.statement_id).where(c.status == "Sent")))
    yield from (f"statement {one} was sent, and is not any more" for one in moved - sent)


def _wrong_documents(world: World) -> Iterator[str]:
    """The bytes in the storage are those that the database vouches for, and there are no others."""
    with database.reading() as connection:
        c = statement_document.c
        known = {row.blob_path: row.sha256 for row in connection.execute(sa.select(c.blob_path, c.sha256))}
    stored = {name: fingerprint(data) for (_, name), data in world.stored.items() if name.endswith(".pdf")}
    if known != stored:
        yield f"documents differ: {sorted(set(known.items()) ^ set(stored.items()), key=str)}"


def _wrong_reports(world: World) -> Iterator[str]:
    """A report says what the database says."""
    for run in runs():
        path = paths.run_report(run)
        place = (path.container, path.name)
        stored = world.stored.get(place)
        write_report(run)
        if stored != world.stored[place]:
            yield f"report of run {run} is another than the database's: {stored!r}"
