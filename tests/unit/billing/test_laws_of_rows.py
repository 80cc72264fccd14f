"""Laws of the way from source rows to a statement: stored rows, monthly sums, `load_facts`, and every block on them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from shared_code.billing.comparison import Comparison, DeviationLimits, compare
from shared_code.billing.given import History
from shared_code.billing.model import Line, Outcome
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import terms_for
from shared_code.facts.model import ACCOUNTS, REVENUE, SiteFacts
from shared_code.statements.inputs.wanted import narrowed
from tests.unit.billing.builders import CONTEXT, SITE
from tests.unit.billing.deals import MARCH, READING, billed, deals, decimals, profits, quarters_of_rows
from tests.unit.billing.exact import LAW
from tests.unit.billing.source_rows import SourceRow, SourceRows, empty_database, load


@pytest.fixture(scope="module")
def database() -> Iterator[sa.Engine]:
    engine = empty_database()
    yield engine
    engine.dispose()


MONEY_OF = {REVENUE: ("net", "gross", "validation"), ACCOUNTS: ("balance",)}


@st.composite
def split(draw: st.DrawFn, rows: SourceRows) -> SourceRows:
    """The same quarter with some rows of revenue and ledger in two, which may be of either sign."""
    return {key: list(_split(draw, key[0], found)) for key, found in rows.items()}


def _split(draw: st.DrawFn, dataset: str, rows: Sequence[SourceRow]) -> Iterator[SourceRow]:
    for row in rows:
        if dataset in MONEY_OF and draw(st.booleans()):
            part = {name: draw(decimals(-20_000, 20_000)) for name in MONEY_OF[dataset]}
            yield {**row, **part}
            yield {**row, **{name: row[name] - amount for name, amount in part.items()}}
        else:
            yield row


def explained(outcome: Outcome) -> tuple[object, ...]:
    """Everything that a person is shown, but the number of source rows behind it."""
    return outcome.profit, outcome.warnings, [_without_rows(line) for line in outcome.lines]


def _without_rows(line: Line) -> Line:
    facts = tuple(replace(ref, rows=0) for ref in line.trace.facts)
    return replace(line, trace=replace(line.trace, facts=facts))


@LAW
@given(st.data(), deals(), quarters_of_rows(), profits())
def test_law_a_month_of_more_rows_with_the_same_sums_bills_the_same(
    database: sa.Engine, data: st.DataObject, deal: Contract, rows: SourceRows, history: History
) -> None:
    """Rules R1: sums are exact, so that only lines are rounded. Tax is that of each row (R20), entity 06 none (R17)."""
    parts = data.draw(split(rows))

    whole = billed(deal, load(database, rows, MARCH, READING), history)
    divided = billed(deal, load(database, parts, MARCH, READING), history)

    assert explained(divided) == explained(whole)


@LAW
@given(st.data(), deals(), quarters_of_rows(), profits())
def test_law_the_order_of_source_rows_changes_nothing(
    database: sa.Engine, data: st.DataObject, deal: Contract, rows: SourceRows, history: History
) -> None:
    """Datasets of whole months: rows are summed, so that a file in another order gives the same statement."""
    keys = data.draw(st.permutations(list(rows)))
    other = {key: data.draw(st.permutations(rows[key])) for key in keys}

    as_given = billed(deal, load(database, rows, MARCH, READING), history)
    permuted = billed(deal, load(database, other, MARCH, READING), history)

    assert permuted == as_given


def posted_and_expected(facts: SiteFacts) -> Comparison:
    return compare((), facts, DeviationLimits(), CONTEXT.ledger)


@LAW
@given(deals(), quarters_of_rows(), profits())
def test_law_facts_that_a_contract_does_not_want_would_change_nothing(
    database: sa.Engine, deal: Contract, rows: SourceRows, history: History
) -> None:
    """Neither its lines, nor what it lacks, nor what is posted and expected of its month (rules R50, R60)."""
    accounts = (CONTEXT.ledger.revenue_from, CONTEXT.ledger.revenue_through)
    wanted = narrowed(replace(READING, revenue_accounts=accounts), [(SITE, terms_for(deal, MARCH))])

    everything = load(database, rows, MARCH, READING)
    narrow = load(database, rows, MARCH, wanted)

    assert billed(deal, narrow, history) == billed(deal, everything, history)
    assert posted_and_expected(narrow) == posted_and_expected(everything)
