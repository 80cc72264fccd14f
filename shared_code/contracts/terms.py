"""The terms of one contract for one service period: the frozen view that calculators read.

Rates are those of the contract version; escalation is evaluated elsewhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal, cast

from shared_code.contracts.findings import Finding
from shared_code.contracts.schema import (
    AccountBlock,
    AdvanceItem,
    Agreement,
    BellItem,
    BellService,
    BillableAccounts,
    Component,
    Contract,
    DepositedRevenue,
    DepositItem,
    FixedFee,
    InvoiceGroup,
    JobRate,
    ManagementAgreement,
    MidMonthAdvance,
    NonGlLine,
    Part,
    PerLaborHour,
    PerOccupiedRoom,
    RevenueShare,
    ServiceLine,
    Structure,
)
from shared_code.contracts.schema.contract import BillingType
from shared_code.contracts.validation import check
from shared_code.foundation.calendar import Period


@dataclass(frozen=True)
class PeriodTerms:
    """What a contract bills for one service period. Rows of blocks that are off are left out.

    `services` and `jobs` are the rows active on the first day of the period (rules R14), with daily proration
    every service active on any of its days; `active_days` says how many. `advances` and the non-ledger items of
    `agreements` are those of the period (R21, R33). `groups` are the invoices in their stored order (R52).
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
    def errors(self) -> tuple[Finding, ...]:
        """Findings that stop generation: contract errors and numbers that are missing (rules R48, R61)."""
        return tuple(finding for finding in check(self.contract) if finding.blocks_generation)

    def unsupported(self, supported: frozenset[str]) -> tuple[str, ...]:
        """Names of enabled blocks that are not among `supported`, in document order."""
        return tuple(name for name in self.blocks if name not in supported)

    def active_days(self, row: ServiceLine | JobRate) -> int:
        """Days of the period on which a row and its contract are active (proration of rules R14)."""
        starts = [day for day in (row.start, self.contract.start_date, self.period.first_day) if day is not None]
        ends = [day for day in (row.end, self.contract.end_date, self.period.last_day) if day is not None]
        return max((min(ends) - max(starts)).days + 1, 0)


def terms_for(contract: Contract, period: Period) -> PeriodTerms:
    """The terms of a contract for a service period.

    A contract serves a period when it is in force on its first day, with daily proration on any day (rules R12,
    R42); otherwise nothing is enabled.
    """
    last = period.last_day if contract.proration == "daily" else period.first_day
    in_force = _overlaps(contract.start_date, contract.end_date, period.first_day, last)
    # By model, because this runs for every contract of a month and isinstance on models is slow.
    enabled: dict[type[Part], Component] = {}
    if in_force:
        enabled = {type(part): part for part in contract.components if part.enabled}
    fees, labor = _of(enabled, FixedFee), _of(enabled, PerLaborHour)
    shares, bells = _of(enabled, RevenueShare), _of(enabled, BellService)
    advances, deposits = _of(enabled, MidMonthAdvance), _of(enabled, DepositedRevenue)
    accounts, management = _of(enabled, BillableAccounts), _of(enabled, ManagementAgreement)
    return PeriodTerms(
        contract=contract,
        period=period,
        in_force=in_force,
        blocks=tuple(part.kind for part in enabled.values()),
        groups=_groups(contract),
        services=_active(fees.lines, period.first_day, last) if fees else (),
        jobs=_active(labor.lines, period.first_day, period.first_day) if labor else (),
        rooms=_of(enabled, PerOccupiedRoom),
        structures=shares.structures if shares else (),
        bells=bells.items if bells else (),
        advances=tuple(item for item in advances.items if _credited(item, period)) if advances else (),
        deposits=deposits.items if deposits else (),
        accounts=accounts.blocks if accounts else (),
        agreements=tuple(_agreement(row, period) for row in management.agreements) if management else (),
    )


def _of[T: Part](enabled: Mapping[type[Part], Component], kind: type[T]) -> T | None:
    return cast("T | None", enabled.get(kind))


def _active[R: (ServiceLine, JobRate)](rows: tuple[R, ...], first: date, last: date) -> tuple[R, ...]:
    return tuple(row for row in rows if _overlaps(row.start, row.end, first, last))


def _overlaps(start: date | None, end: date | None, first: date, last: date) -> bool:
    """An unknown start is always, an open end is for ever (rules R14)."""
    return (start is None or start <= last) and (end is None or end >= first)


def _credited(item: AdvanceItem, period: Period) -> bool:
    return (item.start is None or item.start <= period) and (item.end is None or period <= item.end)


def _agreement(row: Agreement, period: Period) -> Agreement:
    """Without the non-ledger items that the period does not bill: ended ones (rules R33), or all when off."""
    billed = tuple(line for line in row.non_gl if row.non_gl_enabled and _still_billed(line, period))
    return row if len(billed) == len(row.non_gl) else row.model_copy(update={"non_gl": billed})


def _still_billed(line: NonGlLine, period: Period) -> bool:
    return line.final_period is None or period <= line.final_period


def _groups(contract: Contract) -> tuple[InvoiceGroup, ...]:
    return contract.groups if contract.grouping_enabled and contract.groups else (_single_group(),)


@lru_cache(maxsize=1)
def _single_group() -> InvoiceGroup:
    return InvoiceGroup(id="", number=1)
