"""A month that is closed: who closed it, who may bill it no more, and facts that wait for it (rules R41)."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql

from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.edw.slices import finish_batch, publish_reopened, resume_waiting
from shared_code.facts.tables import current_facts, import_batch, site
from shared_code.foundation import clock
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import Context, acting
from shared_code.foundation.database import outbox, reading, transaction
from shared_code.foundation.dialect import steady
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.periods.closing import decide, show
from shared_code.periods.model import Action
from shared_code.periods.tables import period_change
from shared_code.statements import generation, runs
from shared_code.statements.reading.queries import run_items
from shared_code.statements.scope import RunCommand
from tests.unit.contracts import documents, parts

pytestmark = pytest.mark.usefixtures("stored")
OCTOBER = Period(2026, 10)
NOVEMBER = datetime(2026, 11, 24, 15, tzinfo=UTC)
SITE = "8899"


@pytest.fixture(autouse=True)
def manager(stored: sa.Engine) -> Iterator[None]:
    clock.set_clock(lambda: NOVEMBER)
    with acting(Context(actor_id="mia", actor_name="Mia", actor_kind="person")):
        yield


def refusal(call: Any) -> BillingError:
    with pytest.raises(BillingError) as caught:
        call()
    return caught.value


def close() -> None:
    decide(OCTOBER, "close", "the books are sent")


def reopen() -> None:
    decide(OCTOBER, "reopen", "a file came late")


# -- decisions --------------------------------------------------------------------------------------------------------

DECISIONS: list[tuple[list[Action], str | None, str, int]] = [
    # decisions, how the last is refused (None: it is not), the state then, and how many were kept
    ([], None, "Open", 0),
    (["open"], None, "Open", 1),
    (["open", "open"], None, "Open", 1),
    (["close"], None, "Closed", 1),
    (["close", "close"], None, "Closed", 1),
    (["open", "close"], None, "Closed", 2),
    (["close", "reopen"], None, "Open", 2),
    (["close", "reopen", "reopen"], None, "Open", 2),
    (["close", "reopen", "open"], None, "Open", 2),
    (["close", "reopen", "close"], None, "Closed", 3),
    (["reopen"], "PERIOD_NOT_CLOSED", "Open", 0),
    (["open", "reopen"], "PERIOD_NOT_CLOSED", "Open", 1),
    (["close", "open"], "PERIOD_CLOSED", "Closed", 1),
]


@pytest.mark.parametrize(("actions", "refused", "state", "kept"), DECISIONS)
def test_a_month_is_opened_closed_and_reopened(
    actions: list[Action], refused: str | None, state: str, kept: int
) -> None:
    taken = actions[:-1] if refused else actions
    for action in taken:
        decide(OCTOBER, action, "because")
    if refused:
        assert refusal(lambda: decide(OCTOBER, actions[-1], "because")).code == refused

    found = show(OCTOBER)
    assert (found.state, found.version, len(found.history)) == (state, kept, kept)
    assert show(OCTOBER.next).state == "Open"


@pytest.mark.parametrize("reason", [None, ""])
def test_reopening_needs_a_reason(reason: str | None) -> None:
    close()

    error = refusal(lambda: decide(OCTOBER, "reopen", reason))
    assert (error.code, error.details[0].field) == ("PERIOD_REOPEN_NEEDS_REASON", "reason")
    assert show(OCTOBER).state == "Closed"


def test_the_audit_keeps_who_decided_what_and_why() -> None:
    close()
    reopen()

    with reading() as connection:
        bodies = connection.scalars(sa.select(audit_event.c.body).where(audit_event.c.stream == "period/2026-10")).all()
    assert [(e["action"], e["actor"]["id"], e["reason"], e["data"]["after"]) for e in map(json.loads, bodies)] == [
        ("period.closed", "mia", "the books are sent", "Closed"),
        ("period.reopened", "mia", "a file came late", "Open"),
    ]
    newest, oldest = show(OCTOBER).history
    assert (newest.action, newest.changed_by, oldest.action, oldest.reason) == (
        "reopen",
        "mia",
        "close",
        "the books are sent",
    )


def test_closing_waits_for_those_at_work_on_sql_server() -> None:
    """Readers share the lock; without it a chunk could commit a statement after its month was closed."""
    written = steady(sa.select(period_change.c.state), period_change).compile(dialect=mssql.dialect())  # type: ignore[no-untyped-call]

    assert "period_change WITH (HOLDLOCK)" in str(written)


# -- runs -------------------------------------------------------------------------------------------------------------


def contract_in_force() -> None:
    data = documents.contract(parts.fees(parts.fee())).model_dump_json(by_alias=True).encode()
    save_document(read_document(data, legacy=False), Saving("ann", "import"))
    with transaction() as work:
        work.connection.execute(site.insert().values(site_number=SITE, name="Hotel", batch_no=0, row_number=1))


def start(period: Period = OCTOBER, source: str = "manual") -> str:
    return runs.start_run(RunCommand(str(period), "mia", "c", source=source)).run_id


def reasons(run: str) -> list[tuple[str, str | None]]:
    return [(item.outcome, item.reason) for item in run_items(run, PageRequest()).items]


def test_a_closed_month_refuses_new_runs_and_other_months_do_not() -> None:
    contract_in_force()
    close()

    assert refusal(start).code == "PERIOD_CLOSED"
    assert start(OCTOBER.previous)


def test_who_asks_again_for_a_run_of_before_finds_it() -> None:
    contract_in_force()
    run = start()
    close()

    assert start() == run


def test_a_run_that_had_started_bills_nothing_more_and_is_retried_after_reopening() -> None:
    contract_in_force()
    run = start()
    close()

    assert generation.generate_chunk(run, 0, "first") == 0
    assert reasons(run) == [("Failed", "PERIOD_CLOSED")]
    assert refusal(lambda: runs.retry_run(run)).code == "PERIOD_CLOSED"

    reopen()
    assert runs.retry_run(run).retried == 1
    assert generation.generate_chunk(run, 0, "second") == 1
    assert reasons(run) == [("Generated", None)]


def test_the_clock_leaves_a_closed_month_alone() -> None:
    contract_in_force()
    close()
    assert runs.start_scheduled_runs() == []

    reopen()
    assert len(runs.start_scheduled_runs()) == 1


# -- facts that come late ---------------------------------------------------------------------------------------------


def batch_of_october(batch_id: str) -> None:
    """A batch of the forecast that is read and waits to be published: it has no slices left to stage."""
    with transaction() as work:
        work.connection.execute(
            import_batch.insert().values(
                batch_id=batch_id,
                effect_key=batch_id,
                dataset="forecast",
                period=str(OCTOBER),
                container="edw-drops",
                source_name=f"forecast/2026-10/{batch_id}.csv",
                sha256="0" * 64,
                byte_count=10,
                state="loading",
                slices=0,
                created_at=NOVEMBER,
            )
        )


def state_of(batch_id: str) -> tuple[str, str | None]:
    with reading() as connection:
        chosen = sa.select(import_batch.c.state, import_batch.c.reason).where(import_batch.c.batch_id == batch_id)
        return tuple(connection.execute(chosen).one())


def finishes() -> int:
    with reading() as connection:
        bodies = connection.scalars(sa.select(outbox.c.body)).all()
    return sum(json.loads(body).get("finish", False) for body in bodies)


def test_facts_of_a_closed_month_wait_until_it_is_reopened() -> None:
    close()
    batch_of_october("b1")

    finish_batch("b1")

    assert state_of("b1") == ("waiting", "PERIOD_CLOSED")
    assert (resume_waiting(), publish_reopened(), finishes()) == (0, 0, 0)  # no other cause lets it go on
    with reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(current_facts)) == 0

    reopen()

    assert (publish_reopened(), finishes()) == (1, 1)
    assert state_of("b1") == ("loading", None)
    assert (publish_reopened(), finishes()) == (0, 1)


def test_a_batch_that_waits_for_its_month_is_recorded_in_the_audit() -> None:
    close()
    batch_of_october("b1")
    finish_batch("b1")

    with reading() as connection:
        (body,) = connection.scalars(sa.select(audit_event.c.body).where(audit_event.c.stream == "import/b1"))
    event = json.loads(body)
    assert (event["action"], event["reason"]) == ("import.waiting", "PERIOD_CLOSED")
