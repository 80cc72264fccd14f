"""What every calculator may use besides terms and facts: names and codes that are settings, never literals in code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True, slots=True)
class GlCodes:
    """GL main accounts of lines whose contract row carries none (billing-flows 6.0, rules R34, R54).

    The values here are the defaults of the configuration table, which has them with effective dates.
    """

    revenue_share: str = "4790"
    validations: str = "4790"
    mid_month_advance: str = "4790"
    deposited_revenue: str = "4790"
    labor_hour: str = "4791"
    occupied_room: str = "4791"
    billable_accounts: str = "4791"
    management_fee: str = "4791"
    non_gl_expense: str = "4791"
    profit_share: str = "4791"
    bell_service: str = "4795"
    miscellaneous: str = "4790"  # this and the next: of lines that people add (requirements ADH-01)
    reimbursable_expense: str = "4792"


def gl_codes(accounts: Mapping[str, str]) -> GlCodes:
    """The codes that a configuration states by purpose; what it does not state keeps its default."""
    known = {one.name for one in fields(GlCodes)}
    return GlCodes(**{purpose: account for purpose, account in accounts.items() if purpose in known})


@dataclass(frozen=True, slots=True)
class LedgerAccounts:
    """Groups of ledger accounts that calculators sum (billing-flows A.1)."""

    pteb: tuple[str, ...] = ("6200", "6399", "6500")
    insurance: tuple[str, ...] = ("7080", "7082", "7085")
    claims: tuple[str, ...] = ("7099", "7100", "7101", "7102")
    revenue_from: str = "4000"
    revenue_through: str = "4999"


@dataclass(frozen=True, slots=True)
class BillingContext:
    """Settings that reach the calculators as values."""

    operator_name: str
    bell_excluded_codes: frozenset[str] = frozenset({"OR1", "OR2"})
    gap_days: int = 7
    gl: GlCodes = field(default_factory=GlCodes)
    ledger: LedgerAccounts = field(default_factory=LedgerAccounts)
