"""Billable accounts: which ledger accounts are passed on, with payroll taxes and support on top.

A selection is a template plus explicit rows (rules R31): every account of the template is on or off as
`default_enabled` says, unless a row says otherwise. What no template describes is kept row by row.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from shared_code.contracts.schema.base import Money, Part, PayrollBase, Percent, Switch, Text, Whole
from shared_code.contracts.schema.chart import CHARTS

Template = Literal["payroll-1", "expense-1"]


class AccountRow(Part):
    """One account switched on or off. `title` is None where the template's title stands."""

    code: Text
    title: str | None = None
    enabled: Switch


class AccountSelection(Part):
    """The accounts of one kind. `text` keeps the source text where writing it anew would change it (DQ06, DQ35)."""

    template: Template | None = None
    default_enabled: Switch = False
    rows: tuple[AccountRow, ...] = ()
    text: str | None = None

    def accounts(self) -> tuple[AccountRow, ...]:
        """Every account with its title and switch, in the template's order, or the rows where there is none."""
        return _expand(self.template, self.default_enabled, self.rows)

    def enabled_codes(self) -> tuple[str, ...]:
        """Codes that are billed, each once, in order."""
        return _codes(self.template, self.default_enabled, self.rows, True)

    def disabled_codes(self) -> tuple[str, ...]:
        """Codes that are listed and not billed, each once, in order."""
        return _codes(self.template, self.default_enabled, self.rows, False)


@lru_cache(maxsize=1024)
def _expand(template: str | None, default_enabled: bool, rows: tuple[AccountRow, ...]) -> tuple[AccountRow, ...]:
    if template is None:
        return rows
    chart = CHARTS[template]
    explicit = {row.code: row for row in rows}
    known = [_row(code, title, explicit.pop(code, None), default_enabled=default_enabled) for code, title in chart]
    return (*known, *explicit.values())


def _row(code: str, title: str, explicit: AccountRow | None, *, default_enabled: bool) -> AccountRow:
    if explicit is None:
        return AccountRow(code=code, title=title, enabled=default_enabled)
    return explicit if explicit.title is not None else explicit.model_copy(update={"title": title})


@lru_cache(maxsize=1024)
def _codes(template: str | None, default_enabled: bool, rows: tuple[AccountRow, ...], wanted: bool) -> tuple[str, ...]:
    accounts = _expand(template, default_enabled, rows)
    return tuple(dict.fromkeys(_switched(accounts, wanted=wanted)))


def _switched(accounts: Iterable[AccountRow], *, wanted: bool) -> Iterable[str]:
    return (account.code for account in accounts if account.enabled is wanted)


class PtebOff(Part):
    """No payroll taxes and employee benefits; bases that name them take 0 (rules R59)."""

    kind: Literal["off"] = "off"


class PtebActual(Part):
    """Payroll taxes and benefits as booked."""

    kind: Literal["Actual"] = "Actual"


class PtebPercentage(Part):
    """Payroll taxes and benefits as a percentage of billable payroll."""

    kind: Literal["Percentage"] = "Percentage"
    pct: Percent | None


class SupportOff(Part):
    """No support services."""

    kind: Literal["off"] = "off"


class SupportFixed(Part):
    """Support services as a monthly amount."""

    kind: Literal["Fixed"] = "Fixed"
    amount: Money | None
    base: PayrollBase = "Billable"


class SupportPercentage(Part):
    """Support services as a percentage of billable payroll, or of payroll with PTEB (`Total`)."""

    kind: Literal["Percentage"] = "Percentage"
    pct: Percent | None
    base: PayrollBase = "Billable"


Pteb = Annotated[PtebOff | PtebActual | PtebPercentage, Field(discriminator="kind")]
Support = Annotated[SupportOff | SupportFixed | SupportPercentage, Field(discriminator="kind")]


class AccountBlock(Part):
    """One account block: payroll with PTEB and support on one group, expenses on another (billing-flows 6.9)."""

    id: str
    payroll: AccountSelection
    payroll_group: Whole = 1
    payroll_title: str | None = None
    additional_payroll: Money | None = None
    pteb: Pteb
    pteb_title: str | None = None
    support: Support
    support_title: str | None = None
    expense: AccountSelection
    expense_group: Whole = 1
    expense_title: str | None = None


class BillableAccounts(Part):
    """Ledger accounts passed on to the client. One active block (rules R9)."""

    kind: Literal["billableAccounts"] = "billableAccounts"
    enabled: Switch
    blocks: tuple[AccountBlock, ...] = ()
