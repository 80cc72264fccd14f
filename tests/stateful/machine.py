"""Histories of a month: what people, timers, the bus and dying processes do, in any order.

After each step every invariant of the product holds, and so does what `memory` remembers. Whoever is refused has
changed nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from functools import partial
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared_code.contracts.model import SavedContract
from shared_code.contracts.tables import contract
from shared_code.foundation import bus
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow, outbox
from shared_code.foundation.errors import BillingError
from shared_code.foundation.visibility import EVERYTHING
from shared_code.operations.invariants.service import check_invariants, violated
from shared_code.periods.closing import decide as decide_period
from shared_code.statements.adhoc import service as adhoc
from shared_code.statements.lifecycle.service import change_status, release
from shared_code.statements.places import counts
from shared_code.statements.reading.queries import run_status
from shared_code.statements.regeneration import regenerate
from shared_code.statements.runs import cancel_run, retry_run, start_run, watch_running_runs
from shared_code.statements.scope import RunCommand
from shared_code.statements.tables import (
    adhoc_line,
    invoice,
    invoice_line,
    run_item,
    statement,
    statement_document,
    statement_run,
)
from tests.stateful import world as worlds
from tests.stateful.memory import FINAL, Added, Memory
from tests.stateful.world import CLASHING, FEES, MONTHS, PROFITS, REVENUES, ROOMS, SITES, by, dying_at_commit
from tests.unit.statements.added import wish
from tests.unit.statements.stage import items, rows_of, work

PEOPLE = st.sampled_from(("ann", "bob"))
PERIODS = st.sampled_from(MONTHS)
PLACES = st.integers(0, 9)  # of a list, counted round
COMMITS = st.integers(0, 2)
FEE_LISTS = st.lists(
    st.tuples(st.sampled_from(("0.00", "0.01", "99.99", "1250.50")), st.sampled_from((1, 2))), min_size=1, max_size=3
)
OCCUPIED = st.sampled_from((0, 1, 70, 120))
SCOPES = st.sampled_from([(), (), (), (FEES, CLASHING), (ROOMS,), (REVENUES, PROFITS)])
SOURCES = st.sampled_from(("manual", "again"))
BUSINESS = (statement, invoice, invoice_line, adhoc_line, run_item, statement_run)
_MARKS = {"stale_since", "stale_reason", "stale_difference", "checked_at"}  # a refusal may tell that one is stale
MOST_QUARTERS = 6  # of an hour, after which every run has come to its end


class MonthMachine(RuleBasedStateMachine):
    """Three months of five contracts: fees in two groups, a number that clashes, rooms, revenue and profit shares."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world = self.stack.enter_context(worlds.opened())
        self.memory = Memory()
        self.contracts = {row.site_number.strip(): row.contract_id for row in rows_of(contract)}
        self.memory.fees[self.contracts[FEES], 1] = Decimal("150.00")
        self.memory.fees[self.contracts[CLASHING], 1] = Decimal("10.00")

    def teardown(self) -> None:
        self.stack.close()

    def ask(self, codes: Sequence[str], call: Callable[[], Any]) -> Any:
        """What a call answers; None where it is refused with one of these codes, which changes nothing."""
        self.world.tick()
        before = _business()
        try:
            return call()
        except BillingError as refused:
            assert refused.code in codes, refused
            assert _business() == before, f"{refused.code} has changed something"
            return None

    # -- contracts and facts ------------------------------------------------------------------------------------------

    @rule(fees=FEE_LISTS)
    def save_fees(self, fees: list[tuple[str, int]]) -> None:
        self._saved(worlds.save_fees(fees), sum((Decimal(fee) for fee, _ in fees), Decimal(0)))

    @rule(fee=st.sampled_from(("10.00", "20.00")), clashes=st.booleans())
    def save_clashing(self, fee: str, clashes: bool) -> None:
        self._saved(worlds.save_clashing(fee, clashes=clashes), Decimal(fee))

    def _saved(self, saved: SavedContract, fees: Decimal) -> None:
        self.memory.fees[saved.contract_id, saved.version] = fees

    @rule(share=st.sampled_from(("10", "20")), profit=st.booleans())
    def save_shares(self, share: str, profit: bool) -> None:
        (worlds.save_profit_share if profit else worlds.save_revenue_share)(share)

    @rule(site=st.sampled_from((ROOMS, REVENUES, PROFITS)), period=PERIODS, amount=OCCUPIED)
    def load_facts(self, site: str, period: str, amount: int) -> None:
        worlds.load(site, period, amount)

    @rule(site=st.sampled_from((ROOMS, REVENUES, PROFITS)), period=PERIODS)
    def lose_facts(self, site: str, period: str) -> None:
        worlds.lose(site, period)

    # -- runs ---------------------------------------------------------------------------------------------------------

    @rule(period=PERIODS, sites=SCOPES, source=SOURCES, who=PEOPLE)
    def start(self, period: str, sites: tuple[str, ...], source: str, who: str) -> None:
        self._start(period, sites, source, who)

    @rule(period=PERIODS, source=SOURCES, commit=COMMITS)
    def start_and_die(self, period: str, source: str, commit: int) -> None:
        """Who asked hears nothing, asks again, and has one run; what a person has cancelled may be asked for again."""
        with dying_at_commit(commit):
            self._start(period, (), source, "ann")
        self._start(period, (), source, "ann")
        mine = [
            row for row in rows_of(statement_run) if (row.period, row.source, row.kind) == (period, source, "Generate")
        ]
        assert sum(row.scope == "{}" and row.cancelled_at is None for row in mine) <= 1

    def _start(self, period: str, sites: tuple[str, ...], source: str, who: str) -> None:
        command = RunCommand(period, who, "c", site_numbers=sites, source=source)
        with by(who):
            self.ask(["PERIOD_CLOSED"], lambda: start_run(command))

    @rule(period=PERIODS, sites=SCOPES)
    def look_with_a_dry_run(self, period: str, sites: tuple[str, ...]) -> None:
        self.ask(["PERIOD_CLOSED"], lambda: start_run(RunCommand(period, "ann", "c", site_numbers=sites, dry_run=True)))

    @precondition(lambda self: bool(rows_of(statement_run)))
    @rule(place=PLACES)
    def retry(self, place: int) -> None:
        self.ask(["PERIOD_CLOSED"], lambda: retry_run(_at(place, rows_of(statement_run)).run_id))

    @precondition(lambda self: bool(rows_of(statement_run)))
    @rule(place=PLACES)
    def cancel(self, place: int) -> None:
        self.ask([], lambda: cancel_run(_at(place, rows_of(statement_run)).run_id))

    @precondition(lambda self: bool(rows_of(statement)))
    @rule(place=PLACES, who=PEOPLE)
    def regenerate(self, place: int, who: str) -> None:
        row = _at(place, rows_of(statement))
        with by(who):
            started = self.ask(
                ["STATEMENT_SUPERSEDED", "PERIOD_CLOSED"], lambda: regenerate(row.statement_id, who, "c", EVERYTHING)
            )
        assert (started is None) >= (row.status == "Superseded")

    # -- the bus and its workers --------------------------------------------------------------------------------------

    @precondition(lambda self: bool(self.world.stage.waiting))
    @rule(place=PLACES)
    def deliver_one(self, place: int) -> None:
        self.world.tick()
        self.world.deliver(place % len(self.world.stage.waiting))

    @precondition(lambda self: bool(self.world.stage.waiting))
    @rule()
    def deliver_all(self) -> None:
        self.world.tick()
        self.world.drain()

    @precondition(lambda self: bool(self.world.delivered))
    @rule(place=PLACES)
    def deliver_again(self, place: int) -> None:
        """A message comes once more. It bills nothing, though others may have been billed since."""
        self.world.tick()
        before = [tuple(row) for row in rows_of(statement)]
        work(_at(place, self.world.delivered[::-1]))
        assert [tuple(row) for row in rows_of(statement)] == before

    @precondition(lambda self: bool(self.world.stage.waiting))
    @rule(place=PLACES, commit=COMMITS)
    def a_worker_dies(self, place: int, commit: int) -> None:
        """Its message is delivered to another one."""
        self.world.tick()
        message = _at(place, list(self.world.stage.waiting))
        with dying_at_commit(commit):
            work(message)

    @precondition(lambda self: bool(self.world.stage.waiting))
    @rule()
    def messages_are_lost(self) -> None:
        """Those of running runs, which the watchdog sends again.

        A line that is added to the statement of a finished run has it drawn by one message. Nothing sends that again by
        itself: lost, it is a dead letter, which a person replays.
        """
        running = {row.run_id for row in rows_of(statement_run) if row.state == "Running"}
        kept = [one for one in self.world.stage.waiting if json.loads(one.body)["run"] not in running]
        self.world.stage.waiting.clear()
        self.world.stage.waiting.extend(kept)

    @rule(reachable=st.booleans())
    def the_bus_is_away_or_back(self, reachable: bool) -> None:
        self.world.bus.reachable = reachable

    # -- people and their statements ----------------------------------------------------------------------------------

    @precondition(lambda self: bool(self._numbers()))
    @rule(
        place=PLACES,
        kind=st.sampled_from(("miscellaneous", "reimbursableExpense", "clientPaidExpense", "nonBillableExpense")),
        amount=st.sampled_from(("25.00", "0.01", "400.00")),
        group=st.sampled_from((None, 1, 2)),
    )
    def add_line(self, place: int, kind: str, amount: str, group: int | None) -> None:
        row = _at(place, self._numbers())
        refusals = [
            "AD_HOC_STATEMENT_SENT",
            "PERIOD_CLOSED",
            "AD_HOC_GROUP_UNKNOWN",
            "AD_HOC_REIMBURSABLE_TWICE",
            "AD_HOC_NO_PROFIT_SHARE",
            "NUMBER_TAKEN",
        ]
        with by("ann"):
            added = self.ask(refusals, lambda: adhoc.add(row.number, wish(kind, amount, group=group), EVERYTHING))
        if added is not None:
            of = self._statement(row.statement_id)
            shares = of.contract_id == self.contracts[PROFITS]
            lowers = kind == "nonBillableExpense" or (kind == "clientPaidExpense" and shares)
            assert shares or kind != "nonBillableExpense"
            self.memory.added[of.contract_id, of.period][added.line.id] = Added(added.line.amount, shown=not lowers)

    @precondition(lambda self: bool(self._with_lines()))
    @rule(place=PLACES, which=PLACES)
    def remove_line(self, place: int, which: int) -> None:
        row = _at(place, self._with_lines())
        of = self._statement(row.statement_id)
        mine = self.memory.added[of.contract_id, of.period]
        line_id = _at(which, list(mine))
        with by("ann"):
            refused = ["AD_HOC_STATEMENT_SENT", "PERIOD_CLOSED"]
            self.ask(refused, lambda: adhoc.remove(row.number, line_id, EVERYTHING))
        if any(one.line_id == line_id and one.removed_at is not None for one in rows_of(adhoc_line)):
            del mine[line_id]

    @precondition(lambda self: bool(rows_of(statement)))
    @rule(
        place=PLACES, to=st.sampled_from(("ARReview", "ApprovalTeam", "ReadyToSend", "ReadyToSend", "Sent")), who=PEOPLE
    )
    def move(self, place: int, to: str, who: str) -> None:
        row = _at(place, self._open_first())
        refusals = ["STATEMENT_TRANSITION_ILLEGAL", "SAME_PERSON", "STATEMENT_STALE"]
        with by(who):
            moved = self.ask(refusals, lambda: change_status(row.statement_id, to, "as agreed", EVERYTHING))
        assert moved is None or row.status not in FINAL
        if moved is not None and to == "Sent":
            assert (row.status, row.stale_since) == ("ReadyToSend", None)

    @precondition(lambda self: any(row.status not in FINAL for row in rows_of(statement)))
    @rule(place=PLACES)
    def approve_and_send(self, place: int) -> None:
        """The usual way, by somebody who has started nothing."""
        row = _at(place, [one for one in rows_of(statement) if one.status not in FINAL])
        for to in ("ReadyToSend", "ReadyToSend", "Sent"):
            refusals = ["STATEMENT_TRANSITION_ILLEGAL", "STATEMENT_STALE"]
            with by("mia"):
                self.ask(refusals, partial(change_status, row.statement_id, to, "as agreed", EVERYTHING))

    @precondition(lambda self: bool(rows_of(statement)))
    @rule(place=PLACES, who=PEOPLE)
    def release(self, place: int, who: str) -> None:
        stale = [row for row in rows_of(statement) if row.stale_since is not None]
        row = _at(place, stale or rows_of(statement))
        refusals = ["STATEMENT_NOT_RELEASABLE", "SAME_PERSON"]
        with by(who):
            self.ask(refusals, lambda: release(row.statement_id, "as agreed", EVERYTHING))

    @rule(period=PERIODS)
    def close(self, period: str) -> None:
        self.ask([], lambda: decide_period(Period.parse(period), "close"))
        if period not in self.memory.closed:
            self.memory.close(period)

    @precondition(lambda self: bool(self.memory.closed))
    @rule(place=PLACES)
    def reopen(self, place: int) -> None:
        period = _at(place, sorted(self.memory.closed))
        del self.memory.closed[period]
        self.ask([], lambda: decide_period(Period.parse(period), "reopen", "a file was late"))

    # -- time ---------------------------------------------------------------------------------------------------------

    @rule()
    def the_watch_looks(self) -> None:
        self.world.tick(timedelta(minutes=1))
        self.world.watch.look()

    @rule()
    def a_timer_sweeps(self) -> None:
        self.world.tick(timedelta(seconds=10))
        bus.sweep()

    @rule()
    def all_works_for_a_while(self) -> None:
        """Every run comes to its end, whatever was lost before; nothing waits, and every file is what it should be."""
        self._settle()

    def _settle(self) -> None:
        for _ in range(MOST_QUARTERS):
            self.world.let_timers_work()
            if not watch_running_runs():
                break
        self.world.drain()
        assert [row.run_id for row in rows_of(statement_run) if row.state == "Running"] == []
        assert [row.message_id for row in rows_of(outbox) if row.published_at is None] == []
        assert [row.contract_id for row in rows_of(run_item) if row.outcome == "Pending"] == []
        for document in rows_of(statement_document):
            assert document.state == "Rendered"
            file = next(data for name, data in self.world.stage.stored.items() if document.blob_path.endswith(name))
            assert sha256(file).hexdigest() == document.sha256
        for run in rows_of(statement_run):
            self._check_report(run)

    def _check_report(self, run: AnyRow) -> None:
        told = json.loads(self.world.stage.stored[f"{run.run_id}.json"])
        assert told["reconciles"]
        assert told["expected"] == len(items(run.run_id)) == sum(told["outcomes"].values())

    @rule(period=PERIODS)
    def the_month_is_billed_in_the_end(self, period: str) -> None:
        """Facts are there, nobody cancels, what failed is tried again: then no contract is missed, none billed twice.

        One may be refused for ever: its number is another one's.
        """
        self._settle()
        if period in self.memory.closed:
            return
        for site in (ROOMS, REVENUES, PROFITS):
            for month in MONTHS:
                worlds.load(site, month, 90)
        run_id = start_run(RunCommand(period, "ann", "c", source=f"end-{self.world.now:%d%H%M%S}")).run_id
        self._settle()
        assert sum(vars_of(run_status(run_id).outcomes).values()) == len(SITES)
        for item in items(run_id):
            mine = [row for row in rows_of(statement) if (row.contract_id, row.period) == (item.contract_id, period)]
            if item.outcome == "Failed":
                assert item.reason in ("NUMBER_TAKEN", "MISSING_HISTORY"), item
            elif item.outcome != "NothingToBill":
                assert len(counts(mine)) >= 1, item

    # -- always -------------------------------------------------------------------------------------------------------

    @invariant()
    def all_invariants_hold(self) -> None:
        broken = violated(check_invariants())
        assert not broken, [(one.name, one.violations[:3]) for one in broken]

    @invariant()
    def nothing_is_forgotten(self) -> None:
        self.memory.check()

    # -- what is there ------------------------------------------------------------------------------------------------

    def _numbers(self) -> list[AnyRow]:
        """Invoices that count."""
        return [row for row in rows_of(invoice) if row.superseded_at is None]

    def _with_lines(self) -> list[AnyRow]:
        """Those whose statement has a line that somebody added."""
        found = {row.statement_id: (row.contract_id, row.period) for row in rows_of(statement)}
        return [row for row in self._numbers() if self.memory.added.get(found[row.statement_id])]

    def _statement(self, statement_id: str) -> AnyRow:
        return next(row for row in rows_of(statement) if row.statement_id == statement_id)

    def _open_first(self) -> list[AnyRow]:
        return sorted(rows_of(statement), key=lambda row: row.status in FINAL)


def _at(place: int, rows: Sequence[Any]) -> Any:
    return rows[place % len(rows)]


def vars_of(outcomes: Any) -> dict[str, int]:
    return {name: getattr(outcomes, name) for name in outcomes.__slots__}


def _business() -> list[Any]:
    """What a refusal leaves as it is."""
    return [
        [{name: value for name, value in row._mapping.items() if name not in _MARKS} for row in rows_of(table)]
        for table in BUSINESS
    ]
