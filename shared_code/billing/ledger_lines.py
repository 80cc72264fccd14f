"""What the blocks on ledger accounts share: their rows, the codes that are billed, and lines that lower a profit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from shared_code.billing.given import Given
from shared_code.billing.model import Line, Reason, Trace

if TYPE_CHECKING:
    from shared_code.contracts.schema import AccountBlock, Agreement


def account_block(given: Given) -> AccountBlock | None:
    """The active account block; there is one, since a second is a contract error (rules R9)."""
    return given.terms.accounts[0] if given.terms.accounts else None


def agreement(given: Given) -> Agreement | None:
    """The active management agreement; there is one, since a second is a contract error (rules R9)."""
    return given.terms.agreements[0] if given.terms.agreements else None


def billed_expense_codes(given: Given, among: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `among` that are enabled expense accounts (billing-flows 6.10): only these can leave the expenses."""
    return _common(among, given.terms.expense_codes)


@lru_cache(maxsize=1024)
def _common(codes: tuple[str, ...], others: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(code for code in codes if code in others)


def accounts_missing(given: Given, name: str) -> tuple[Reason, ...]:
    """An account block that is on and empty: what rests on it would be billed as zero (rules R8, R62).

    A block that is off is found by the checks of the contract.
    """
    if given.terms.accounts or "billableAccounts" not in given.terms.blocks:
        return ()
    return (Reason("ACCOUNTS_OFF", f"{name} rest on the billable accounts, and their block has no rows; add one"),)


def deduction(given: Given, block: str, kind: str, group: int, title: str, amount: Decimal, trace: Trace) -> Line:
    """A line that lowers the profit of a profit share: its metadata says so, and what it is (billing-flows 6.0)."""
    return Line(block, group, title, given.context.gl.billable_accounts, "", amount, trace, _deducted(kind))


@lru_cache
def _deducted(kind: str) -> Mapping[str, object]:
    return MappingProxyType({"lineItemType": kind, f"is{kind[0].upper()}{kind[1:]}": True, "isProfitDeduction": True})
