"""Which facts contracts rest on, by their terms: what no block of a contract reads is not fetched. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from shared_code.contracts.schema import ClaimsCapped
from shared_code.contracts.terms import PeriodTerms
from shared_code.facts.loading import Reading

_KNOWN = frozenset(
    {
        "fixedFee",
        "perLaborHour",
        "perOccupiedRoom",
        "revenueShare",
        "bellServiceFee",
        "midMonthAdvance",
        "depositedRevenue",
        "billableAccounts",
        "managementAgreement",
    }
)
"""The blocks whose reading is told below. Everything is read for a contract that has another one."""


def narrowed(everything: Reading, terms: Collection[tuple[str, PeriodTerms]]) -> Reading:
    """The reading for contracts, given with their sites: of each site as much as one of its contracts reads.

    A block reads nothing that it does not ask for among its needs (rules R60), and the comparison of a month reads
    revenue accounts and forecast alone (rules R50).
    """

    unknown = frozenset(number for number, found in terms if not _KNOWN.issuperset(found.blocks))

    def sites(reads: Callable[[PeriodTerms], bool]) -> frozenset[str]:
        return unknown.union(number for number, found in terms if reads(found))

    return replace(
        everything,
        revenue_windows=sites(_shares_by_window),
        ledger_windows=sites(_claims_by_window),
        ledger_sites=sites(_bills_accounts),
        revenue_sites=sites(_rests_on_revenue),
        hours_sites=sites(_bills_hours),
    )


def _shares_by_window(terms: PeriodTerms) -> bool:
    return any(row.accumulation != "Monthly" for row in terms.structures)


def _claims_by_window(terms: PeriodTerms) -> bool:
    return any(isinstance(row.claims, ClaimsCapped) and row.claims.kind != "PerClaim" for row in terms.agreements)


def _bills_accounts(terms: PeriodTerms) -> bool:
    """Insurance and claims read the accounts that are billed as expenses, and no others."""
    if not terms.accounts:
        return False
    return bool(terms.payroll_codes or terms.expense_codes) or terms.accounts[0].pteb.kind == "Actual"


def _rests_on_revenue(terms: PeriodTerms) -> bool:
    return bool(terms.structures or terms.deposits or terms.bells or terms.agreements)


def _bills_hours(terms: PeriodTerms) -> bool:
    return bool(terms.jobs) or any(row.fee.kind == "PerLaborHour" for row in terms.agreements)
