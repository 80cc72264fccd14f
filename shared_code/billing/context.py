"""What every calculator may use besides terms and facts: names and codes that are settings, never literals in code."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GlCodes:
    """GL main accounts of lines whose contract row carries none (billing-flows 6.0, rules R34, R54)."""

    revenue_share: str = "4790"
    labor_hour: str = "4791"
    occupied_room: str = "4791"


@dataclass(frozen=True, slots=True)
class BillingContext:
    """Settings that reach the calculators as values."""

    operator_name: str
    bell_excluded_codes: frozenset[str] = frozenset({"OR1", "OR2"})
    gap_days: int = 7
    gl: GlCodes = field(default_factory=GlCodes)
