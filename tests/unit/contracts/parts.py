"""Components in their smallest valid form, to be changed one field at a time."""

from typing import Any

from shared_code.contracts.schema import (
    AccountBlock,
    AccountSelection,
    AdvanceItem,
    Agreement,
    BillableAccounts,
    ClaimsOff,
    DepositedRevenue,
    DepositItem,
    FeeFixed,
    FixedFee,
    InsuranceOff,
    JobRate,
    ManagementAgreement,
    MidMonthAdvance,
    NoValidation,
    PerLaborHour,
    PerOccupiedRoom,
    ProfitShareOff,
    PtebOff,
    RevenueShare,
    ServiceLine,
    Structure,
    SupportOff,
    Tier,
)
from tests.unit.contracts.documents import money


def tier(share: str | None, up_to: str | None = None) -> Tier:
    return Tier(share_pct=None if share is None else money(share), up_to=None if up_to is None else money(up_to))


def fee(**fields: Any) -> ServiceLine:
    given = {"id": "f", "name": "Valet", "code": "4700", "display_name": "Valet", "fee": money("100"), **fields}
    return ServiceLine(**given)


def fees(*lines: ServiceLine, enabled: bool = True) -> FixedFee:
    return FixedFee(enabled=enabled, lines=lines)


def job(**fields: Any) -> JobRate:
    given = {"id": "j", "name": "Valet", "display_name": "GSA", "job_code": "GSA", "rate": money("20")}
    return JobRate(**{**given, "ot_rate": money("30"), **fields})


def hours(*lines: JobRate) -> PerLaborHour:
    return PerLaborHour(enabled=True, lines=lines)


def rooms(**fields: Any) -> PerOccupiedRoom:
    return PerOccupiedRoom(**{"enabled": True, "room_rate": money("1.25"), **fields})


def structure(**fields: Any) -> Structure:
    given = {"id": "s", "revenue_codes": ("SD1",), "accumulation": "Monthly", "tiers": (tier("30"),)}
    return Structure(**{**given, "validation": NoValidation(), **fields})


def share(*structures: Structure) -> RevenueShare:
    return RevenueShare(enabled=True, structures=structures)


def advance(**fields: Any) -> AdvanceItem:
    return AdvanceItem(**{"id": "a", "amount": money("5000"), "line_title": "PreBill", **fields})


def advances(*items: AdvanceItem) -> MidMonthAdvance:
    return MidMonthAdvance(enabled=True, items=items)


def deposits(count: int = 1) -> DepositedRevenue:
    item = DepositItem(id="d", deposited_revenue_enabled=True, operator_pays_parking_tax=False)
    return DepositedRevenue(enabled=True, items=(item,) * count)


def accounts(*, enabled: bool = True, **fields: Any) -> BillableAccounts:
    none = AccountSelection(template="payroll-1")
    given = {"id": "b", "payroll": none, "pteb": PtebOff(), "support": SupportOff()}
    block = AccountBlock(**{**given, "expense": AccountSelection(template="expense-1"), **fields})
    return BillableAccounts(enabled=enabled, blocks=(block,))


def agreement(**fields: Any) -> ManagementAgreement:
    given = {
        "id": "m",
        "fee": FeeFixed(amount=money("900")),
        "insurance": InsuranceOff(),
        "claims": ClaimsOff(),
        "profit_share": ProfitShareOff(),
        "validation": NoValidation(),
    }
    return ManagementAgreement(enabled=True, agreements=(Agreement(**{**given, **fields}),))
