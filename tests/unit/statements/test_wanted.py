"""Which facts are read of a site: what its contracts' blocks read, and everything for a block that nobody told of."""

from dataclasses import replace

import pytest

from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import PeriodTerms, terms_for
from shared_code.facts.loading import Reading
from shared_code.foundation.calendar import Period
from shared_code.statements.inputs.wanted import narrowed
from tests.flows.conftest import as_bytes, fixed_fees

PERIOD = Period(2026, 10)
EVERYTHING = Reading(since=PERIOD.plus(-12))
NARROWED = ("revenue_windows", "ledger_windows", "ledger_sites", "revenue_sites", "hours_sites")


def fees(*blocks: str) -> PeriodTerms:
    """The terms of a contract of fees, as if it had these blocks enabled."""
    deal = Contract.model_validate_json(as_bytes(fixed_fees("0901", ("100.00", 1))))
    return replace(terms_for(deal, PERIOD), blocks=blocks)


@pytest.mark.parametrize("name", NARROWED)
def test_fees_rest_on_no_facts(name: str) -> None:
    assert getattr(narrowed(EVERYTHING, [("0901", fees("fixedFee"))]), name) == frozenset()


@pytest.mark.parametrize("name", NARROWED)
def test_a_block_of_which_nothing_is_told_reads_everything(name: str) -> None:
    """Nothing read would be a zero without a word (rules R8)."""
    terms = [("0901", fees("fixedFee", "parkingPermits")), ("0902", fees("fixedFee"))]

    assert getattr(narrowed(EVERYTHING, terms), name) == {"0901"}
