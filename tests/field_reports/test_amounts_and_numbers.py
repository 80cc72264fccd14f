"""Rows of amounts that do not add up, and of numbers that are missing, taken twice or waited for."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.model import Line, Outcome, Trace
from shared_code.billing.tiers import TierTerm, bands, charge, still_due
from shared_code.foundation import queues
from shared_code.foundation.calendar import Period
from shared_code.statements.drafts import SiteSnapshot, draft_statement
from shared_code.statements.generation import generate_chunk
from shared_code.statements.runs import retry_run
from shared_code.statements.tables import invoice
from tests.field_reports.support import at_once, configure, dying_before_commit, sql_of_this
from tests.unit.billing.builders import fees, grouped, service
from tests.unit.statements.stage import (
    Stage,
    detail,
    live_numbers,
    lose_rooms,
    open_sites,
    outcomes,
    rooms,
    rows_of,
    save,
    save_rooms,
    send_out,
    standing,
    start,
    work,
)


def test_row_10_an_unrounded_amount_fails_a_check(stage: Stage) -> None:
    """Row 10: a price of 0.067 for 55 units came to 3.685, which a check refused, and the account was parked.

    Money is rounded in one place, halves away from zero, when a line is made; what is summed, stored, printed and
    checked afterwards are cents.
    """
    component = {"kind": "perOccupiedRoom", "enabled": True, "roomRate": "0.067"}
    open_sites("0901")
    contract_id = save("0901", groupingEnabled=False, components=[component]).contract_id
    rooms("0901", 55)

    assert outcomes(stage.bill()) == {"generated": 1}

    (row,) = standing(contract_id)
    found = detail(row.statement_id)
    assert Decimal("0.067") * 55 == Decimal("3.685")
    amounts = [found.total, found.invoices[0].amount, found.invoices[0].lines[0].amount]
    assert amounts == [Decimal("3.69")] * 3


cents = st.integers(-(10**9), 10**9).map(lambda whole: Decimal(whole) / 100)
amounts_by_group = st.lists(st.tuples(cents, st.sampled_from((1, 2, 3))), min_size=1, max_size=30)


@given(amounts_by_group)
def test_row_11_sums_of_split_invoices_do_not_match_the_total(parts: Sequence[tuple[Decimal, int]]) -> None:
    """Row 11: an invoice was split over several, and their sums differed from the whole by some cents.

    Lines are cents before they are split, each goes whole to one invoice, and every sum is one of parts: nothing is
    ever divided again, so that no remainder has to be given to anybody.
    """
    lines = tuple(Line("fixedFee", group, "Fee", "4700", "", amount, Trace({}, ())) for amount, group in parts)
    contract = grouped(fees(service("1.00")), groups=(1, 2, 3))
    site = SiteSnapshot("0901", "Hotel", "", "")

    draft = draft_statement("c-1", 1, contract, site, Period(2026, 10), Outcome(lines=lines))

    whole = sum(amount for amount, _ in parts)
    assert draft.total == sum(one.amount for one in draft.invoices) == whole
    assert sum(line.amount for one in draft.invoices for line in one.lines) == whole
    for one in draft.invoices:
        assert one.amount == sum(amount for amount, group in parts if group == one.group)


shares = st.lists(st.tuples(st.integers(0, 100), st.integers(1, 10**6)), min_size=1, max_size=5)
months = st.lists(st.integers(0, 10**8).map(lambda whole: Decimal(whole) / 100), min_size=1, max_size=12)


@given(shares, months)
def test_row_11_what_is_split_over_months_and_tiers(steps: list[tuple[int, int]], revenue: list[Decimal]) -> None:
    """Row 11: the same of a charge that is split over tiers, and of a year's that is split over its months.

    Tiers are not rounded one by one, and a month owes the difference of two rounded running totals: together they are
    the charge on the whole, to the cent.
    """
    bounds = [Decimal(sum(width for _, width in steps[: place + 1])) for place in range(len(steps))]
    tiers = [TierTerm(Decimal(share), bound) for (share, _), bound in zip(steps, bounds, strict=True)]
    whole, so_far, billed = sum(revenue, Decimal(0)), Decimal(0), Decimal(0)
    for month in revenue:
        billed += still_due(charge(so_far + month, tiers), charge(so_far, tiers))
        so_far += month

    exact = sum((band.due for band in bands(whole, tiers)), Decimal(0))
    assert sum(band.amount for band in bands(whole, tiers)) == whole
    assert billed == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


def chunks_of(run_id: str, stage: Stage) -> list[str]:
    """The ids of the messages that have a run's chunks billed, which nobody else takes."""
    found = [one for one in stage.waiting if one.queue == queues.STATEMENT_CHUNKS and run_id in one.body]
    for one in found:
        stage.waiting.remove(one)
    return [one.message_id for one in found]


def invented(count: int) -> list[str]:
    """Contracts of so many sites, two invoices each."""
    sites = [f"{1000 + place}" for place in range(count)]
    open_sites(*sites)
    for site in sites:
        save(site, ("100.00", 1), ("50.00", 2))
    return sites


def test_row_13_everybody_waits_for_the_next_number(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 13: on the day of billing all invoices waited for one counter, failed, and ended in the queue of the dead.

    A number says site, month, group and version, so nobody asks for the next one. All numbers of a chunk are looked up
    in one statement, however many they are.
    """
    configure(monkeypatch, CHUNK_CONTRACTS="100")
    invented(3)
    first = start(site_numbers=("1000",)).run_id
    (message,) = chunks_of(first, stage)
    with sql_of_this() as few:
        assert generate_chunk(first, 0, message) == 1
    invented_more = start().run_id
    (message,) = chunks_of(invented_more, stage)
    with sql_of_this() as more:
        assert generate_chunk(invented_more, 0, message) == 2

    looked_up = [[text for text in seen if "invoice.number IN" in text] for seen in (few, more)]
    assert [len(found) for found in looked_up] == [1, 1]
    assert live_numbers() == [f"{site}-202610-{group:02}-01" for site in (1000, 1001, 1002) for group in (1, 2)]
    stage.drain()


def test_row_15_gaps_in_numbers(stage: Stage) -> None:
    """Row 15: numbers were taken before the invoice was saved; where that failed, a gap stayed, which some laws forbid.

    A number comes into being with its invoice, in one transaction. A month that failed, a process that died and a
    statement that was made anew use none up; versions count one by one; what is void is kept.
    """
    open_sites("0901")
    contract_id = save_rooms("0901").contract_id
    run = start().run_id
    stage.drain()  # fails: there are no facts
    assert outcomes(run) == {"failed": 1}
    rooms("0901", 100)
    retry_run(run)
    with dying_before_commit():
        work(stage.waiting[0])
    assert rows_of(invoice) == []
    stage.drain()
    assert live_numbers() == ["0901-202610-01-01"]

    rooms("0901", 90)
    stage.regenerate(standing(contract_id)[0].statement_id)
    send_out(contract_id)
    lose_rooms("0901")
    stage.regenerate(standing(contract_id)[-1].statement_id)  # fails, and takes no number
    rooms("0901", 80)
    stage.regenerate(standing(contract_id)[-1].statement_id)

    assert live_numbers() == ["0901-202610-01-01", "0901-202610-01-02"]
    assert sorted((row.number, row.superseded_at is None) for row in rows_of(invoice)) == [
        ("0901-202610-01-01", False),
        ("0901-202610-01-01", True),
        ("0901-202610-01-02", True),
    ]


def test_row_16_numbers_without_gaps_raise_concurrency_errors(stage: Stage) -> None:
    """Row 16: numbers without gaps made bills that were made at the same time fail far more often.

    Chunks of a month are billed by several workers at once. None of them fails, and no number is missing.
    """
    sites = invented(8)  # two contracts to a chunk
    run = start().run_id
    messages = chunks_of(run, stage)
    assert len(messages) == 4

    at_once(*(partial(generate_chunk, run, place, message) for place, message in enumerate(messages)))
    stage.drain()

    assert outcomes(run) == {"generated": 8}
    assert live_numbers() == [f"{site}-202610-{group:02}-01" for site in sites for group in (1, 2)]


def test_row_19_one_query_for_each_of_many(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 19: each account brought queries of its own, so that a larger month took ever longer.

    A chunk of forty contracts executes as many statements of SQL as one of four. So do starting and ending the run.
    """
    configure(monkeypatch, CHUNK_CONTRACTS="100")
    sites = invented(44)

    def of(part: Sequence[str]) -> tuple[int, int]:
        with sql_of_this() as starting:
            run = start(site_numbers=tuple(part)).run_id
        (message,) = chunks_of(run, stage)
        with sql_of_this() as billing:
            assert generate_chunk(run, 0, message) == len(part)
        return len(starting), len(billing)

    few, many = of(sites[:4]), of(sites[4:])

    assert few == many
    stage.drain()
