"""The terms of one contract for one service period: the frozen view that calculators read.

Rates are those of the period: escalated from the base that each has (rules R12, R43), see `contracts/rates`.
"""

from collections.abc import Iterator
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, Literal

from shared_code.contracts.findings import Finding
from shared_code.contracts.rates.model import NO_INDEXES, Indexes, RateBases, RateInPeriod, RateNote, overlaps
from shared_code.contracts.rates.period import RatesOfPeriod
from shared_code.contracts.rates.rules import ESCALATOR_INVALID, escalator_findings
from shared_code.contracts.schema import (
    AccountBlock,
    AdvanceItem,
    Agreement,
    BellItem,
    Component,
    Contract,
    DepositItem,
    InvoiceGroup,
    JobRate,
    NonGlLine,
    PerOccupiedRoom,
    ServiceLine,
    Structure,
)
from shared_code.contracts.schema.base import altered
from shared_code.contracts.schema.contract import BillingType
from shared_code.contracts.validation import check
from shared_code.foundation.calendar import Period
from shared_code.foundation.values import value_class


class _Remembering:
    """Gives a value with slots room for what is worked out only when it is asked for."""


@value_class
class PeriodTerms(_Remembering):
    """What a contract bills for one service period. Rows of blocks that are off are left out.

    `services` and `jobs` are the rows active on the first day of the period (rules R14), with daily proration
    every service active on any of its days; `active_days` says how many. `advances` and the non-ledger items of
    `agreements` are those of the period (R21, R33). `groups` are the invoices in their stored order (R52).
    Rows carry the rates of the period; `contract` states them as of their base, and `rates` explains the way, for
    contracts that have an escalator or a base after the period.
    """

    contract: Contract
    period: Period
    in_force: bool
    blocks: tuple[str, ...]
    groups: tuple[InvoiceGroup, ...]
    services: tuple[ServiceLine, ...] = ()
    jobs: tuple[JobRate, ...] = ()
    rooms: PerOccupiedRoom | None = None
    structures: tuple[Structure, ...] = ()
    bells: tuple[BellItem, ...] = ()
    advances: tuple[AdvanceItem, ...] = ()
    deposits: tuple[DepositItem, ...] = ()
    accounts: tuple[AccountBlock, ...] = ()
    agreements: tuple[Agreement, ...] = ()
    rates: tuple[RateInPeriod, ...] = ()

    @property
    def site_number(self) -> str:
        return self.contract.site.number

    @property
    def billing_type(self) -> BillingType:
        return self.contract.billing_type

    @property
    def bell_enabled(self) -> bool:
        return "bellServiceFee" in self.blocks

    @property
    def anchor_date(self) -> date | None:
        """The contract's own anchor of anniversary windows; without it the site's start counts (rules R2)."""
        return self.contract.anchor_date

    @property
    def proration(self) -> Literal["none", "daily"]:
        return self.contract.proration

    @property
    def loss_rule(self) -> Literal["highWaterMark", "reference"]:
        return self.contract.loss_rule

    @cached_property
    def payroll_codes(self) -> tuple[str, ...]:
        """The payroll accounts that are billed, see `_as_facts`; none without an account block."""
        return _as_facts(self.accounts[0].payroll.enabled_codes()) if self.accounts else ()

    @cached_property
    def expense_codes(self) -> tuple[str, ...]:
        """The expense accounts that are billed. Several blocks ask for them, as facts and to bill."""
        return _as_facts(self.accounts[0].expense.enabled_codes()) if self.accounts else ()

    @cached_property
    def errors(self) -> tuple[Finding, ...]:
        """What stops generation: contract errors, missing numbers, escalators not to be followed (rules R48, R61)."""
        found = [finding for finding in check(self.contract) if finding.blocks_generation]
        if self.contract.escalators:
            found += escalator_findings(self.contract)
        if self.rates:
            found += self._disputed()
        return tuple(found)

    def _disputed(self) -> Iterator[Finding]:
        for note in _notes(self.rates):
            if note.code == ESCALATOR_INVALID:
                yield Finding(note.code, "/escalators", note.message, "incomplete")

    @property
    def rate_warnings(self) -> tuple[RateNote, ...]:
        """What a person should know about the period's rates, each once: RATE_BEFORE_BASE, INDEX_MISSING and others."""
        return tuple([note for note in _notes(self.rates) if note.code != ESCALATOR_INVALID]) if self.rates else ()

    def unsupported(self, supported: frozenset[str]) -> tuple[str, ...]:
        """Names of enabled blocks that are not among `supported`, in document order."""
        return tuple(name for name in self.blocks if name not in supported)

    def active_days(self, row: ServiceLine | JobRate) -> int:
        """Days of the period on which a row and its contract are active (proration of rules R14)."""
        starts = [day for day in (row.start, self.contract.start_date, self.period.first_day) if day is not None]
        ends = [day for day in (row.end, self.contract.end_date, self.period.last_day) if day is not None]
        return max((min(ends) - max(starts)).days + 1, 0)


def terms_for(
    contract: Contract, period: Period, bases: RateBases | None = None, indexes: Indexes = NO_INDEXES
) -> PeriodTerms:
    """The terms of a contract for a service period.

    A contract serves a period when it is in force on its first day, with daily proration on any day (rules R12,
    R42); otherwise nothing is enabled. `bases` are those that were stored with the contract's version; without them its
    rates are those of the period.
    """
    serves = in_force(contract, period)
    bases = bases or RateBases(otherwise=period.first_day)
    enabled: list[Component] = [part for part in contract.components if part.enabled] if serves else []
    rates: tuple[RateInPeriod, ...] = ()
    if RatesOfPeriod.matter(contract, period, bases):
        written = RatesOfPeriod(contract, period, bases, indexes)
        enabled = [written.write(part) for part in enabled]
        rates = tuple(written.found)
    first, last = period.first_day, _last_asked(contract, period)
    billed: dict[str, Any] = {}
    for part in enabled:
        billed |= _billed(part, period, first, last)
    blocks = tuple(dict.fromkeys([part.kind for part in enabled]))
    return PeriodTerms(contract, period, serves, blocks, _groups(contract), rates=rates, **billed)


def in_force(contract: Contract, period: Period) -> bool:
    """Whether a contract serves a period (rules R12, R42)."""
    return overlaps(contract.start_date, contract.end_date, period.first_day, _last_asked(contract, period))


def _last_asked(contract: Contract, period: Period) -> date:
    """The last day on which a row may become active in the period: with daily proration any (rules R14)."""
    return period.last_day if contract.proration == "daily" else period.first_day


def _billed(part: Component, period: Period, first: date, last: date) -> dict[str, Any]:
    """What the period bills of an enabled block, by its field of `PeriodTerms`."""
    match part.kind:
        case "fixedFee":
            return {"services": _active(part.lines, first, last)}
        case "perLaborHour":
            return {"jobs": _active(part.lines, first, first)}
        case "perOccupiedRoom":
            return {"rooms": part}
        case "midMonthAdvance":
            return {"advances": tuple([item for item in part.items if _credited(item, period)])}
        case "managementAgreement":
            return {"agreements": tuple([_agreement(row, period) for row in part.agreements])}
        case "revenueShare":
            return {"structures": part.structures}
        case "billableAccounts":
            return {"accounts": part.blocks}
        case kind:  # all of its rows; a block without a field finds them in the document by itself
            return {_FIELDS[kind]: part.items} if kind in _FIELDS else {}


_FIELDS = {"bellServiceFee": "bells", "depositedRevenue": "deposits"}


@lru_cache(maxsize=1024)
def _as_facts(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Accounts, each once, in the form that facts have (rules R31, R46)."""
    return tuple(dict.fromkeys(code.strip().upper() for code in codes))


def _notes(rates: tuple[RateInPeriod, ...]) -> tuple[RateNote, ...]:
    return tuple(dict.fromkeys([note for rate in rates for note in rate.notes]))


def _active[R: (ServiceLine, JobRate)](rows: tuple[R, ...], first: date, last: date) -> tuple[R, ...]:
    return tuple([row for row in rows if overlaps(row.start, row.end, first, last)])


def _credited(item: AdvanceItem, period: Period) -> bool:
    return (item.start is None or item.start <= period) and (item.end is None or period <= item.end)


def _agreement(row: Agreement, period: Period) -> Agreement:
    """Without the non-ledger items that the period does not bill: ended ones (rules R33), or all when off."""
    billed = tuple([line for line in row.non_gl if _still_billed(line, period)]) if row.non_gl_enabled else ()
    return row if len(billed) == len(row.non_gl) else altered(row, {"non_gl": billed})


def _still_billed(line: NonGlLine, period: Period) -> bool:
    return line.final_period is None or period <= line.final_period


def _groups(contract: Contract) -> tuple[InvoiceGroup, ...]:
    return contract.groups if contract.grouping_enabled and contract.groups else (_single_group(),)


@lru_cache(maxsize=1)
def _single_group() -> InvoiceGroup:
    return InvoiceGroup(id="", number=1)
