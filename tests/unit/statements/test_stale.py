"""Statements that facts or terms have overtaken: when they are stale, what is shown, and how they get out (R26, R39).

The watch of a process looks each minute; in these tests a minute passes before each look.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shared_code.contracts.index_values.requests import IndexValuesRequest
from shared_code.contracts.index_values.service import change as change_index_values
from shared_code.contracts.saving import Saving, read_document, save_document
from shared_code.contracts.tables import contract
from shared_code.foundation import clock, context, database
from shared_code.foundation.audit.tables import audit_event
from shared_code.foundation.calendar import Period
from shared_code.foundation.context import Context
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.settings import settings
from shared_code.foundation.visibility import EVERYTHING
from shared_code.periods.closing import decide as decide_period
from shared_code.statements.lifecycle.service import change_status, release
from shared_code.statements.readiness.service import period_status
from shared_code.statements.reading.filters import StatementFilter
from shared_code.statements.reading.model import StatementDetail
from shared_code.statements.reading.queries import list_statements
from shared_code.statements.regeneration import regenerate
from shared_code.statements.staleness import repository, service
from shared_code.statements.staleness.watch import Watch
from shared_code.statements.tables import monthly_profit, statement
from tests.flows.conftest import as_bytes, fixed_fees
from tests.unit.statements.added import add, current
from tests.unit.statements.stage import (
    NOVEMBER,
    Stage,
    lose_rooms,
    open_sites,
    opened,
    rooms,
    save,
    save_rooms,
    send_out,
    standing,
)

WHY = "as agreed with the site"
MANAGER = Context(actor_id="mia", actor_name="Mia", actor_kind="person")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with opened(tmp_path, monkeypatch) as stage:
        later(minutes=0)
        yield stage


class _Hand:
    """The clock of these tests: it stands until it is moved."""

    at: datetime = NOVEMBER


def later(minutes: int = 1) -> None:
    """Move the clock; 0 puts it back to where it began."""
    _Hand.at = _Hand.at + timedelta(minutes=minutes) if minutes else NOVEMBER
    clock.set_clock(lambda: _Hand.at)


def look(watch: Watch | None = None) -> int:
    """What the timer does, a minute later."""
    later()
    return (watch or Watch()).look()


def billed(stage: Stage, occupied: int = 100) -> str:
    """A contract that was billed a dollar for each occupied room of October; an hour has passed since."""
    open_sites("0901")
    rooms("0901", occupied)
    contract_id = save_rooms("0901").contract_id
    later()
    stage.bill()
    later(60)
    return contract_id


def mark(contract_id: str) -> tuple[str | None, str | None, str | None]:
    """Reason, total before and total after, as people see them."""
    found = current(contract_id)
    seen: Any = found.stale_difference or {}
    assert (found.stale_since is None) == (found.stale_reason is None) == (not seen)
    return found.stale_reason, seen.get("before"), seen.get("after")


FRESH = (None, None, None)


def ready(contract_id: str) -> str:
    """Let the unsent statement be ready to be sent. Returns its id."""
    found = current(contract_id)
    with database.transaction() as work:
        work.connection.execute(
            statement.update().where(statement.c.statement_id == found.id).values(status="ReadyToSend")
        )
    return found.id


def send(statement_id: str) -> StatementDetail:
    with context.acting(MANAGER):
        return change_status(statement_id, "Sent", WHY, EVERYTHING)


def let_go(statement_id: str) -> StatementDetail:
    with context.acting(MANAGER):
        return release(statement_id, WHY, EVERYTHING)


def refused(ask: Callable[[], object]) -> BillingError:
    with pytest.raises(BillingError) as caught:
        ask()
    return caught.value


def actions(prefix: str) -> list[str]:
    with database.reading() as connection:
        chosen = sa.select(audit_event.c.action).where(audit_event.c.action.startswith(prefix))
        return list(connection.scalars(chosen.order_by(audit_event.c.recorded_at)))


# -- what makes a statement stale ---------------------------------------------------------------------------------


def correct_terms(rate: str) -> None:
    """A version of the contract that serves from the beginning, as if it was saved while the month was billed."""
    components = [{"kind": "perOccupiedRoom", "enabled": True, "roomRate": rate}]
    _bill_through(None)
    save("0901", components=components, groupingEnabled=False)
    _bill_through("2026-10")


def _bill_through(period: str | None) -> None:
    with database.transaction() as work:
        work.connection.execute(contract.update().values(billed_through=period))


CHANGES: list[tuple[str, Callable[[], object], tuple[str | None, str | None, str | None]]] = [
    ("nothing", lambda: None, FRESH),
    ("the same facts once more", lambda: rooms("0901", 100), FRESH),
    ("other facts", lambda: rooms("0901", 120), ("FACTS_CHANGED", "100.00", "120.00")),
    ("no room at all", lambda: rooms("0901", 0), ("FACTS_CHANGED", "100.00", "0.00")),
    ("facts of another site", lambda: rooms("0902", 7), FRESH),
    ("facts of the month after", lambda: rooms("0901", 7, "2026-11"), FRESH),
    ("facts of a month before, that the contract does not read", lambda: rooms("0901", 7, "2026-09"), FRESH),
    ("another rate", lambda: correct_terms("1.50"), ("TERMS_CHANGED", "100.00", "150.00")),
    ("another contract of the site", lambda: save("0901", ("5.00", 1), id="other", additional=True), FRESH),
]


@pytest.mark.parametrize(("change", "expected"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_what_is_stale_and_what_is_not(
    stage: Stage, change: Callable[[], object], expected: tuple[str | None, str | None, str | None]
) -> None:
    contract_id = billed(stage)
    change()

    look()

    assert mark(contract_id) == expected


def test_an_index_value_that_comes_late(stage: Stage) -> None:
    """The rate of a contract without a value for its index was billed as it was (warning INDEX_MISSING)."""
    open_sites("0901")
    follows = {"rule": "index", "index": "CPI", "target": "fixedFee.fee", "month": "January", "firstYear": 2026}
    document = read_document(as_bytes(fixed_fees("0901", ("100.00", 1)) | {"escalators": [follows]}), legacy=False)
    saved = save_document(document, Saving("test", "test", "*", rates_as_of=Period.parse("2025-06")))
    stage.bill()
    later(60)
    wished = {"values": [{"name": "CPI", "year": 2026, "value": Decimal(3)}], "reason": "published"}
    change_index_values(IndexValuesRequest.model_validate(wished), "*")

    look()

    assert mark(saved.contract_id) == ("TERMS_CHANGED", "100.00", "103.00")


def test_a_month_that_cannot_be_billed_any_more_says_why(stage: Stage) -> None:
    contract_id = billed(stage)
    rooms("0901", 100)
    lose_rooms("0901")
    service.look_at([current(contract_id).id])

    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", None)
    assert dict(current(contract_id).stale_difference or {})["reasons"] == ["MISSING_FACTS"]


def test_the_difference_names_each_line(stage: Stage) -> None:
    contract_id = billed(stage)
    rooms("0901", 120)

    look()

    seen: Any = current(contract_id).stale_difference
    (line,) = seen["lines"]
    assert {name: line[name] for name in ("change", "group", "before", "after", "differs")} == {
        "change": "changed",
        "group": 1,
        "before": "100.00",
        "after": "120.00",
        "differs": ["amount", "description"],
    }
    assert line["title"] == current(contract_id).invoices[0].lines[0].title


def test_changed_and_changed_back(stage: Stage) -> None:
    contract_id = billed(stage)
    watch = Watch()
    rooms("0901", 120)
    look(watch)
    since = current(contract_id).stale_since
    rooms("0901", 130)
    look(watch)
    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", "130.00")
    assert current(contract_id).stale_since == since  # it has been stale all the time

    rooms("0901", 100)
    look(watch)

    assert mark(contract_id) == FRESH
    assert actions("statement.became") == ["statement.becameStale"] * 2 + ["statement.becameCurrent"]


def test_a_new_generation_is_fresh(stage: Stage) -> None:
    contract_id = billed(stage)
    rooms("0901", 120)
    look()

    stage.regenerate(current(contract_id).id)

    assert (mark(contract_id), current(contract_id).total) == (FRESH, Decimal(120))
    look()
    assert mark(contract_id) == FRESH


def test_a_line_that_a_person_added_is_no_difference(stage: Stage) -> None:
    contract_id = billed(stage)
    add(current(contract_id).invoices[0].number, amount="5.00")

    assert look() == 1

    assert mark(contract_id) == FRESH


@pytest.mark.parametrize("reason", ["PROFIT_CHANGED", "LINE_REMOVED"])
def test_what_only_a_new_generation_settles_stays(stage: Stage, reason: str) -> None:
    contract_id = billed(stage)
    one = ready(contract_id)
    with database.transaction() as work:
        work.connection.execute(statement.update().values(stale_since=NOVEMBER, stale_reason=reason))
    rooms("0901", 100)

    look()

    assert current(contract_id).stale_reason == reason
    assert refused(lambda: let_go(one)).code == "STATEMENT_NOT_RELEASABLE"


@pytest.mark.parametrize(("month", "looked_at"), [("2026-09", 1), ("2026-10", 0), ("2026-11", 0)])
def test_a_profit_reaches_the_later_months_of_its_contract(stage: Stage, month: str, looked_at: int) -> None:
    """Windows of a profit share read it; the month itself was made with it."""
    contract_id = billed(stage)
    profit = {"contract_id": contract_id, "period": month, "profit": Decimal(1), "run_id": "r"}
    with database.transaction() as work:
        work.connection.execute(monthly_profit.insert().values(**profit, created_at=clock.now()))

    assert look() == looked_at

    with database.transaction() as work:
        work.connection.execute(monthly_profit.delete())


# -- sending ------------------------------------------------------------------------------------------------------


def test_no_delay_of_the_watch_lets_a_stale_one_out(stage: Stage) -> None:
    contract_id = billed(stage)
    one = ready(contract_id)
    rooms("0901", 120)

    fault = refused(lambda: send(one))

    assert (fault.code, fault.kind.status) == ("STATEMENT_STALE", 409)
    assert "100.00" in fault.message and "120.00" in fault.message
    assert current(contract_id).status == "ReadyToSend"
    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", "120.00")  # and the difference is there to be seen


def test_the_same_facts_once_more_keep_nothing_from_being_sent(stage: Stage) -> None:
    contract_id = billed(stage)
    rooms("0901", 100)

    assert send(ready(contract_id)).status == "Sent"


def test_a_release_holds_for_its_difference_and_no_other(stage: Stage) -> None:
    contract_id = billed(stage)
    one = ready(contract_id)
    watch = Watch()
    rooms("0901", 120)
    look(watch)
    let_go(one)
    assert mark(contract_id) == FRESH

    rooms("0901", 120)  # the same difference, dropped again
    look(watch)
    assert mark(contract_id) == FRESH
    rooms("0901", 121)
    assert refused(lambda: send(one)).code == "STATEMENT_STALE"
    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", "121.00")
    rooms("0901", 120)
    look(watch)
    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", "120.00")  # the other one has taken the place of the first

    let_go(one)

    assert send(one).status == "Sent"


def test_what_was_released_and_sent_is_no_true_up(stage: Stage) -> None:
    contract_id = billed(stage)
    one = ready(contract_id)
    rooms("0901", 120)
    look()
    let_go(one)
    send(one)

    rooms("0901", 120)
    look()

    assert mark(contract_id) == FRESH


# -- sent ---------------------------------------------------------------------------------------------------------


def stale_ones() -> list[str]:
    return [row.id for row in list_statements(StatementFilter(stale=True), PageRequest(), EVERYTHING).items]


def test_r39_a_sent_month_whose_facts_change_shows_a_true_up_and_is_not_billed_anew(stage: Stage) -> None:
    contract_id = billed(stage)
    send_out(contract_id)
    rooms("0901", 120)

    look()

    assert mark(contract_id) == ("TRUE_UP", "100.00", "120.00")
    found = current(contract_id)
    assert (found.status, found.total, len(standing(contract_id))) == ("Sent", Decimal(100), 1)
    assert stale_ones() == [found.id]
    assert refused(lambda: let_go(found.id)).code == "STATEMENT_NOT_RELEASABLE"


def test_the_next_version_settles_the_true_up_of_the_one_before(stage: Stage) -> None:
    contract_id = billed(stage)
    send_out(contract_id)
    rooms("0901", 120)
    look()

    stage.regenerate(current(contract_id).id)

    assert [row.status for row in standing(contract_id)] == ["Sent", "ApprovalTeam"]
    assert stale_ones() == []
    rooms("0901", 130)
    look()
    assert stale_ones() == [standing(contract_id)[1].statement_id]


def test_a_month_that_was_sent_long_ago_is_not_watched(stage: Stage) -> None:
    contract_id = billed(stage)
    send_out(contract_id)
    later(60 * 24 * 31 * 13)  # thirteen months and some days
    rooms("0901", 120)

    assert look() == 0
    assert mark(contract_id) == FRESH


# -- a closed month (rules R41) -----------------------------------------------------------------------------------


@contextmanager
def closed() -> Iterator[None]:
    with context.acting(MANAGER):
        decide_period(Period.parse("2026-10"), "close")
        yield


def test_r41_a_closed_month_shows_the_difference_and_keeps_its_statements(stage: Stage) -> None:
    contract_id = billed(stage)
    one = ready(contract_id)
    with closed():
        correct_terms("1.50")
        look()

        assert mark(contract_id) == ("TERMS_CHANGED", "100.00", "150.00")
        assert refused(lambda: regenerate(one, "test", "c", EVERYTHING)).code == "PERIOD_CLOSED"
        assert refused(lambda: send(one)).code == "STATEMENT_STALE"
        let_go(one)
        assert send(one).status == "Sent"
    assert [(row.total, row.generation) for row in standing(contract_id)] == [(Decimal(100), 1)]


def test_r41_a_sent_statement_of_a_closed_month_shows_a_true_up(stage: Stage) -> None:
    contract_id = billed(stage)
    send_out(contract_id)
    with closed():
        correct_terms("1.50")
        look()

    assert mark(contract_id) == ("TRUE_UP", "100.00", "150.00")


# -- the watch ----------------------------------------------------------------------------------------------------


@contextmanager
def counted() -> Iterator[list[str]]:
    """The SQL statements that are executed meanwhile."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, sql: str, *_rest: Any) -> None:
        if not sql.startswith(("BEGIN", "PRAGMA")):
            seen.append(sql)

    sa.event.listen(database.engine(), "before_cursor_execute", note)
    yield seen
    sa.event.remove(database.engine(), "before_cursor_execute", note)


def test_a_look_at_nothing_costs_two_statements(stage: Stage) -> None:
    billed(stage)
    watch = Watch()
    look(watch)

    with counted() as seen:
        assert look(watch) == 0

    assert len(seen) == 2


def test_the_cost_of_a_look_does_not_grow_with_the_statements(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [f"09{i:02}" for i in range(1, 13)]
    open_sites(*numbers)
    for number in numbers:
        rooms(number, 100)
        save_rooms(number)
    stage.bill()
    monkeypatch.setenv("CHUNK_CONTRACTS", "100")
    settings.cache_clear()
    costs = []
    for changed in (2, 12):
        later(60)
        watch = Watch(clock.now())
        for number in numbers[:changed]:
            rooms(number, 100)  # the same once more: nothing is marked
        with counted() as seen:
            assert look(watch) == changed
        costs.append(len(seen))
    assert costs[0] == costs[1]


def test_what_changed_while_its_transaction_was_not_committed_is_found(stage: Stage) -> None:
    """The instant of a change is read before its commit, so a statement may be made in between from the old facts."""
    contract_id = billed(stage)
    changed_at = clock.now()
    later()
    with database.transaction() as work:  # made 20 seconds after the instant, and before the commit
        at = changed_at + timedelta(seconds=20)
        work.connection.execute(statement.update().values(checked_at=at))
    clock.set_clock(lambda: changed_at)
    rooms("0901", 120)

    look()

    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", "120.00")


def test_a_change_is_looked_at_once(stage: Stage) -> None:
    billed(stage)
    watch = Watch()
    look(watch)
    later()
    rooms("0901", 120)

    assert [look(watch), look(watch), look(watch)] == [1, 0, 0]


def test_another_process_begins_with_what_was_looked_at_longest_ago(stage: Stage) -> None:
    contract_id = billed(stage)
    rooms("0901", 120)
    later(60 * 24 * 3)  # nobody has looked for three days

    assert look(Watch()) == 1
    assert mark(contract_id)[0] == "FACTS_CHANGED"
    assert look(Watch()) == 0


def test_one_bad_period_does_not_keep_the_others_from_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    contract_id = billed(stage)
    rooms("0901", 50, "2026-09")
    stage.bill("2026-09")
    later(60)
    rooms("0901", 120)
    rooms("0901", 60, "2026-09")
    watch = Watch()
    with database.transaction() as work:
        september = sa.and_(statement.c.period == "2026-09", statement.c.contract_id == contract_id)
        kept = work.connection.scalar(sa.select(statement.c.stale_difference).where(september))
        # a mark that no look could have written: its reader fails
        damaged = {"stale_since": NOVEMBER, "stale_reason": "FACTS_CHANGED", "stale_difference": "{"}
        assert kept is None
        work.connection.execute(statement.update().where(september).values(**damaged))
    rooms("0901", 50, "2026-09")  # fresh again, so that the event of the damaged mark is to be written

    with pytest.raises(ExceptionGroup) as fault:
        look(watch)

    assert [type(one) for one in fault.value.exceptions] == [json.JSONDecodeError]
    assert mark(contract_id) == ("FACTS_CHANGED", "100.00", "120.00")
    with database.transaction() as work:
        work.connection.execute(statement.update().where(september).values(stale_difference=None))
    assert look(watch) == 1  # it is found again, the other one is done
    assert [row.stale_since for row in standing(contract_id, "2026-09")] == [None]


def test_a_mark_holds_for_the_statement_that_was_read(stage: Stage) -> None:
    contract_id = billed(stage)
    one = ready(contract_id)
    with database.reading() as connection:
        (seen,) = repository.statements(connection, [one])
    with database.transaction() as work:
        work.connection.execute(statement.update().values(status="Sent"))

    with database.transaction() as work:
        assert not repository.mark(work.connection, seen, {"stale_reason": "FACTS_CHANGED"})


# -- how far a month is -------------------------------------------------------------------------------------------


def test_a_month_says_how_far_it_is(stage: Stage) -> None:
    sites = ["0901", "0902", "0903", "0904", "0905"]
    open_sites(*sites)
    for number, occupied in zip(sites, (100, 100, 100, 0, None), strict=True):
        if occupied is not None:
            rooms(number, occupied)
    saved = {number: save_rooms(number).contract_id for number in sites}
    stage.bill()  # 0904 has nothing to bill, 0905 has no facts
    save_rooms("0906")
    send_out(saved["0901"])
    ready(saved["0902"])
    later(60)
    rooms("0901", 120)
    look()

    found = period_status(Period.parse("2026-10"), EVERYTHING)

    counts = found.readiness
    assert found.state == "Open"
    assert (counts.contracts, counts.billed, counts.nothing_to_bill, counts.failed, counts.open) == (6, 3, 1, 1, 1)
    assert (counts.in_review, counts.held, counts.ready, counts.sent, counts.stale) == (1, 0, 1, 1, 1)
    assert counts.contracts == counts.billed + counts.nothing_to_bill + counts.failed + counts.open
