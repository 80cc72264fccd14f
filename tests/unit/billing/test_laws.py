"""Laws that hold for every contract and all facts, whatever is agreed and whatever happened.

What is expected is worked out in fractions, not by the code that bills. Laws of tiers and windows stand in
test_laws_of_tiers.py, those of source rows in test_laws_of_rows.py.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.given import History
from shared_code.billing.model import Line
from shared_code.contracts.schema import (
    BillableAccounts,
    Contract,
    FixedFee,
    ManagementAgreement,
    PerLaborHour,
    RevenueShare,
)
from shared_code.facts.model import SiteFacts
from shared_code.foundation.calendar import Period
from shared_code.statements.drafts import SiteSnapshot, draft_statement
from tests.unit.billing.builders import (
    PERIOD,
    TierText,
    amounts,
    bill,
    contract,
    facts,
    job,
    labor,
    share,
    structure,
)
from tests.unit.billing.deals import MARCH, billed, deals, decimals, ladders, numbers, profits, quarters
from tests.unit.billing.exact import LAW, in_cents, on_tiers, total_of

# --------------------------------------------------------------------------------------- the parts sum to the total


@LAW
@given(deals(), quarters(), profits())
def test_law_lines_sum_to_invoices_and_invoices_to_the_statement(
    deal: Contract, found: SiteFacts, history: History
) -> None:
    """Rules R1: every line is in whole cents; an invoice is the sum of its lines, a statement that of its invoices."""
    outcome = billed(deal, found, history)

    made = draft_statement("c-1", 1, deal, SiteSnapshot("0042", "Site", "", ""), MARCH, outcome)

    assert all(line.amount == round(line.amount, 2) for line in outcome.lines)
    for invoice in made.invoices:
        mine = [line for line in outcome.lines if line.group == invoice.group]
        assert (list(invoice.lines), invoice.amount) == (mine, total_of(mine))
    assert made.total == total_of(outcome.lines) == sum((invoice.amount for invoice in made.invoices), Decimal(0))


STRUCTURES = st.lists(st.tuples(ladders(), numbers(-30_000, 90_000)), min_size=2, max_size=4)


@LAW
@given(STRUCTURES)
def test_law_structures_of_one_group_make_a_line_of_their_rounded_dues(
    found: list[tuple[tuple[TierText, ...], str]],
) -> None:
    """Rules R45: each structure's due is rounded, the line is their sum; a loss of one does not lower another (R3)."""
    rows = [structure(*tiers, codes=[f"C{place}"]) for place, (tiers, _) in enumerate(found)]
    revenue = {str(PERIOD): {f"C{place}": amount for place, (_, amount) in enumerate(found)}}

    due = sum((in_cents(on_tiers(Fraction(amount), tiers)) for tiers, amount in found), Decimal(0))

    assert amounts(bill(contract(share(*rows)), facts(revenue=revenue))) == ([str(due)] if due else [])


@LAW
@given(numbers(0, 90), numbers(0, 90), numbers(0, 900), numbers(0, 900))
def test_law_regular_and_overtime_are_rounded_apart(rate: str, overtime: str, hours: str, late: str) -> None:
    """Rules R45: also where equal rates make one line of them (billing-flows 6.2)."""
    costs = [in_cents(Fraction(rate) * Fraction(hours)), in_cents(Fraction(overtime) * Fraction(late))]

    for late_rate in (overtime, rate):
        costs[1] = in_cents(Fraction(late_rate) * Fraction(late))
        outcome = bill(contract(labor(job("VALET", rate, late_rate))), facts(hours={"VALET": (hours, late)}))

        lines = [sum(costs, Decimal(0))] if Decimal(rate) == Decimal(late_rate) else costs
        assert amounts(outcome) == [str(line) for line in lines if line]


# --------------------------------------------------------------------------------------------- sums may be split


PAIRS = st.lists(st.tuples(decimals(-20_000, 40_000), decimals(-20_000, 40_000)), min_size=2, max_size=4)


@LAW
@given(ladders(), PAIRS)
def test_law_one_sum_or_two_of_the_same_structure_bill_the_same(
    rows: tuple[TierText, ...], months: list[tuple[Decimal, Decimal]]
) -> None:
    """Rules R1, R11: a structure's revenue is one number each month, however it lies on its codes."""
    deal = contract(share(structure(*rows, codes=["A", "B"], window="AnnualCalendar")))
    last = Period(2026, len(months))
    apart = {f"2026-{month:02}": {"A": str(a), "B": str(b)} for month, (a, b) in enumerate(months, start=1)}
    one = {month: {"B": str(sum(map(Decimal, found.values()), Decimal(0)))} for month, found in apart.items()}

    assert amounts(bill(deal, facts(period=last, revenue=apart))) == amounts(
        bill(deal, facts(period=last, revenue=one))
    )


# -------------------------------------------------------------------------------------------- no order matters


@LAW
@given(st.randoms(use_true_random=True), deals(), quarters(), profits())
def test_law_the_order_in_which_facts_are_found_changes_nothing(
    random: Random, deal: Contract, found: SiteFacts, history: History
) -> None:
    """No calculator takes a first or a last fact: each finds its own by month, code, account or role."""
    months: dict[str, Any] = {
        "revenue": _stirred(random, {month: _stirred(random, sums) for month, sums in found.revenue.items()}),
        "accounts": _stirred(random, {month: _stirred(random, sums) for month, sums in found.accounts.items()}),
    }
    others: dict[str, Any] = {
        name: _stirred(random, getattr(found, name)) for name in ("hours", "measures", "presence")
    }
    stirred = replace(found, **months, **others)

    earlier = History(_stirred(random, history.profits))
    assert billed(deal, stirred, earlier) == billed(deal, found, history)


def _stirred[K, V](random: Random, found: Mapping[K, V]) -> dict[K, V]:
    items = list(found.items())
    random.shuffle(items)
    return dict(items)


@LAW
@given(st.randoms(use_true_random=True), deals(), quarters(), profits())
def test_law_the_order_of_a_contracts_rows_changes_no_amount(
    random: Random, deal: Contract, found: SiteFacts, history: History
) -> None:
    """Rules R7, R9: each row bills by itself. Only validations look at the first structure, which keeps its place."""
    other = deal.model_copy(
        update={
            "groups": _shuffled(random, deal.groups),
            "components": tuple(_reordered(random, part) for part in _shuffled(random, deal.components)),
        }
    )

    as_given, permuted = billed(deal, found, history), billed(other, found, history)

    assert permuted.profit == as_given.profit
    assert Counter(map(_printed, permuted.lines)) == Counter(map(_printed, as_given.lines))


def _printed(line: Line) -> tuple[object, ...]:
    """A line as a customer sees it. The text of a profit share lists the other lines in their order."""
    return line.block, line.group, line.title, line.code, tuple(sorted(line.description.split("\n"))), line.amount


def _shuffled[T](random: Random, rows: Sequence[T]) -> tuple[T, ...]:
    return tuple(random.sample(rows, len(rows)))


def _reordered(random: Random, part: Any) -> Any:
    """The component with its rows in another order."""
    match part:
        case FixedFee() | PerLaborHour():
            return part.model_copy(update={"lines": _shuffled(random, part.lines)})
        case RevenueShare():
            first, *rest = part.structures
            rows = (first, *_shuffled(random, rest)) if first.validation.kind != "none" else None
            structures = rows or _shuffled(random, part.structures)
            return part.model_copy(update={"structures": tuple(_with_codes(random, row) for row in structures)})
        case BillableAccounts():
            return part.model_copy(update={"blocks": tuple(_with_accounts(random, row) for row in part.blocks)})
        case ManagementAgreement():
            agreed = tuple(row.model_copy(update={"non_gl": _shuffled(random, row.non_gl)}) for row in part.agreements)
            return part.model_copy(update={"agreements": agreed})
        case _:
            return part


def _with_codes(random: Random, row: Any) -> Any:
    return row.model_copy(update={"revenue_codes": _shuffled(random, row.revenue_codes)})


def _with_accounts(random: Random, row: Any) -> Any:
    lists = {"payroll": row.payroll, "expense": row.expense}
    return row.model_copy(
        update={
            name: chosen.model_copy(update={"rows": _shuffled(random, chosen.rows)}) for name, chosen in lists.items()
        }
    )
