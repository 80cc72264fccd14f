"""Contracts and facts of one site in one line each: a test states only what it is about.

Texts stand for exact numbers. Facts are complete unless a test says otherwise; months are written `YYYY-MM`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from shared_code.billing.calculation import compute
from shared_code.billing.context import BillingContext
from shared_code.billing.model import Outcome
from shared_code.contracts.schema import (
    AccountBlock,
    AccountRow,
    AccountSelection,
    Agreement,
    BellItem,
    BellService,
    BillableAccounts,
    ClaimsOff,
    Component,
    Contract,
    FeeFixed,
    FixedFee,
    InsuranceOff,
    InvoiceGroup,
    JobRate,
    ManagementAgreement,
    NetDays,
    NoValidation,
    PerLaborHour,
    PerOccupiedRoom,
    ProfitShareOff,
    PtebOff,
    RevenueShare,
    ServiceLine,
    Site,
    Structure,
    SupportOff,
    Tier,
)
from shared_code.contracts.terms import terms_for
from shared_code.facts.model import ACCOUNTS, REVENUE, STATISTICS, TIMESHEET, FactSum, Presence, RoleHours, SiteFacts
from shared_code.foundation.calendar import Period

OPERATOR = "Meridian"
CONTEXT = BillingContext(operator_name=OPERATOR)
PERIOD = Period(2026, 10)
SITE = "0042"

type TierText = tuple[str | None, str | None]
"""Share in percent and cumulative bound, None = unbounded."""


def money(text: str) -> Decimal:
    return Decimal(text)


def maybe(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def contract(*components: Component, **fields: Any) -> Contract:
    """A contract with these components; `fields` are those of the document."""
    head: dict[str, Any] = {
        "id": "c-1",
        "site": Site(number=SITE, customer_name="Larch Street Hotel"),
        "payment_terms": NetDays(days=30),
    }
    return Contract(components=components, **{**head, **fields})


def grouped(*components: Component, groups: Sequence[int] = (1, 2), **fields: Any) -> Contract:
    """A contract with several invoice groups."""
    rows = tuple(InvoiceGroup(id=f"g{number}", number=number) for number in groups)
    return contract(*components, grouping_enabled=True, groups=rows, **fields)


def service(fee: str | None, name: str = "Valet", code: str | None = "4700", **fields: Any) -> ServiceLine:
    return ServiceLine(**{"id": name, "name": name, "display_name": name, "fee": maybe(fee), "code": code, **fields})


def fees(*rows: ServiceLine, enabled: bool = True) -> FixedFee:
    return FixedFee(enabled=enabled, lines=rows)


def job(role: str, rate: str | None, overtime: str | None, **fields: Any) -> JobRate:
    row = {"id": role, "name": role, "display_name": role.title(), "job_code": role, "rate": maybe(rate)}
    return JobRate(**{**row, "ot_rate": maybe(overtime), **fields})


def labor(*rows: JobRate) -> PerLaborHour:
    return PerLaborHour(enabled=True, lines=rows)


def rooms(rate: str | None, **fields: Any) -> PerOccupiedRoom:
    return PerOccupiedRoom(enabled=True, room_rate=maybe(rate), **fields)


def tiers(*rows: TierText) -> tuple[Tier, ...]:
    return tuple(Tier(share_pct=maybe(share), up_to=maybe(bound)) for share, bound in rows)


def structure(*rows: TierText, codes: Sequence[str] = ("SD1",), window: str = "Monthly", **fields: Any) -> Structure:
    row: dict[str, Any] = {"id": "-".join(codes), "revenue_codes": tuple(codes), "accumulation": window}
    return Structure(**{**row, "tiers": tiers(*rows), "validation": NoValidation(), **fields})


def share(*structures: Structure) -> RevenueShare:
    return RevenueShare(enabled=True, structures=structures)


def bell() -> BellService:
    return BellService(enabled=True, items=(BellItem(id="b"),))


def present(month: Period, **fields: Any) -> Presence:
    """A month that is loaded whole, with rows on every day."""
    whole = {"batch": f"batch-{month}", "rows": 31, "rejected": 0, "longest_gap": 0, "reaches": month.last_day}
    return Presence(**{"first_day": month.first_day, "last_day": month.last_day, **whole, **fields})


def facts(
    *,
    period: Period = PERIOD,
    revenue: Mapping[str, Mapping[str, str]] | None = None,
    hours: Mapping[str, tuple[str, str]] | None = None,
    rooms: str | None = None,
    started: date | None = None,
    presence: Mapping[tuple[str, Period], Presence | None] | None = None,
) -> SiteFacts:
    """Facts of the site: revenue by month and code, hours by role (regular, overtime), occupied rooms.

    What is given is present and complete; `presence` replaces that, with None for what was never loaded.
    """
    months = {Period.parse(month): by_code for month, by_code in (revenue or {}).items()}
    known: dict[tuple[str, Period], Presence | None] = {(REVENUE, month): present(month) for month in months}
    if hours is not None:
        known[TIMESHEET, period] = present(period)
    if rooms is not None:
        known[STATISTICS, period] = present(period)
    known.update(presence or {})
    return SiteFacts(
        site=SITE,
        period=period,
        started=started,
        revenue={
            month: {code: FactSum(money(amount), 3, f"batch-{month}") for code, amount in by_code.items()}
            for month, by_code in months.items()
        },
        rooms=None if rooms is None else FactSum(money(rooms), 31, f"batch-{period}"),
        hours={
            role: RoleHours(money(regular), money(overtime), 5, f"batch-{period}")
            for role, (regular, overtime) in (hours or {}).items()
        },
        presence={key: found for key, found in known.items() if found is not None},
    )


def monthly(*amounts: str, code: str = "SD1", last: Period = PERIOD) -> dict[str, dict[str, str]]:
    """Revenue of successive months, the last one being `last`."""
    first = last.plus(1 - len(amounts))
    return {str(first.plus(place)): {code: amount} for place, amount in enumerate(amounts)}


def bill(deal: Contract, found: SiteFacts, context: BillingContext = CONTEXT) -> Outcome:
    """What the contract bills for the period of the facts."""
    return compute(terms_for(deal, found.period), found, context)


def amounts(outcome: Outcome) -> list[str]:
    """Amounts of the lines, in print order. A contract that was refused has no amounts, so it fails the test."""
    assert not outcome.reasons, outcome.reasons
    return [str(line.amount) for line in outcome.lines]


def codes(outcome: Outcome) -> list[str]:
    """Reason codes of a refusal. Whoever is refused is billed nothing at all."""
    assert outcome.failed
    assert not outcome.lines
    return [reason.code for reason in outcome.reasons]


def selected(*accounts: str, off: Sequence[str] = ()) -> AccountSelection:
    """An account list without a template: these accounts are billed, those of `off` are listed and not billed."""
    rows = [AccountRow(code=code, title=code, enabled=True) for code in accounts]
    return AccountSelection(rows=(*rows, *(AccountRow(code=code, title=code, enabled=False) for code in off)))


def account_row(**fields: Any) -> AccountBlock:
    """An account block that bills nothing but what `fields` say."""
    row = {"id": "block", "payroll": selected(), "pteb": PtebOff(), "support": SupportOff(), "expense": selected()}
    return AccountBlock(**{**row, **fields})


def on_accounts(**fields: Any) -> BillableAccounts:
    return BillableAccounts(enabled=True, blocks=(account_row(**fields),))


def managed(**fields: Any) -> ManagementAgreement:
    """A management agreement without a fee that bills nothing but what `fields` say."""
    row: dict[str, Any] = {"id": "deal", "fee": FeeFixed(amount=Decimal(0)), "insurance": InsuranceOff()}
    row |= {"claims": ClaimsOff(), "profit_share": ProfitShareOff(), "validation": NoValidation()}
    return ManagementAgreement(enabled=True, agreements=(Agreement(**{**row, **fields}),))


def ledger(
    months: Mapping[str, Mapping[str, str]], *, period: Period = PERIOD, started: date | None = None
) -> SiteFacts:
    """Facts of the site: ledger balances by month and account. The months that are given are complete, no others."""
    return SiteFacts(
        site=SITE,
        period=period,
        started=started,
        accounts={
            Period.parse(month): {code: FactSum(money(amount), 2, f"batch-{month}") for code, amount in found.items()}
            for month, found in months.items()
        },
        presence={(ACCOUNTS, Period.parse(month)): present(Period.parse(month)) for month in months},
    )


def october(**balances: str) -> SiteFacts:
    """Ledger balances of the service month: `a7080="1"` is account 7080."""
    return ledger({str(PERIOD): {name.removeprefix("a"): amount for name, amount in balances.items()}})


def titled(outcome: Outcome) -> list[tuple[str, str]]:
    """Blocks and amounts of the lines, in print order, of a contract that was not refused."""
    return [(line.block, amount) for line, amount in zip(outcome.lines, amounts(outcome), strict=True)]


def measured(found: SiteFacts, **sums: str) -> SiteFacts:
    """The facts with sums of the month by the name of their predicate."""
    return replace(found, measures={name: FactSum(money(amount), 4, "batch-m") for name, amount in sums.items()})


def worked(**minutes: tuple[str, str]) -> SiteFacts:
    """Time sheets of the service month: regular and overtime minutes by work role."""
    hours = {
        role: RoleHours(Decimal(0), Decimal(0), 5, f"batch-{PERIOD}", money(regular), money(overtime))
        for role, (regular, overtime) in minutes.items()
    }
    return replace(facts(presence={(TIMESHEET, PERIOD): present(PERIOD)}), hours=hours)


def together(*parts: SiteFacts) -> SiteFacts:
    """Revenue, ledger and hours of one site in one."""
    whole = parts[0]
    for part in parts[1:]:
        whole = replace(
            whole,
            revenue={**whole.revenue, **part.revenue},
            accounts={**whole.accounts, **part.accounts},
            hours={**whole.hours, **part.hours},
            measures={**whole.measures, **part.measures},
            presence={**whole.presence, **part.presence},
        )
    return whole
