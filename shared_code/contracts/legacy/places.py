"""Places of the contract document as places of the legacy file, where a person will look for them."""

from shared_code.contracts.pointers import parts_of, pointer
from shared_code.contracts.schema import Contract

_LISTS = {
    "fixedFee": "serviceRates",
    "perLaborHour": "jobRates",
    "revenueShare": "thresholdStructures",
    "bellServiceFee": "bellServices",
    "midMonthAdvance": "midMonthAdvances",
    "depositedRevenue": "depositData",
    "billableAccounts": "billableAccountsData",
    "managementAgreement": "ManagementFees",
}
# Pairs come first: the value of a variant has a key of its own in the legacy form.
_PAIRS = {
    ("validation", "value"): "validationThresholdAmount",
    ("pteb", "pct"): "payrollTaxesPercentage",
    ("support", "pct"): "payrollSupportAmount",
    ("support", "amount"): "payrollSupportAmount",
    ("fee", "amount"): "fixedFeeAmount",
    ("fee", "pct"): "revenuePercentageAmount",
    ("fee", "jobCodes"): "perLaborHourJobCodeData",
    ("insurance", "additionalPct"): "insuranceAdditionalPercentage",
    ("insurance", "amount"): "insuranceFixedFeeAmount",
    ("claims", "cap"): "claimsCapAmount",
    ("profitShare", "tiers"): "profitShareTierData",
}
_NAMES = {
    "group": "invoiceGroup",
    "payrollGroup": "payrollAccountsInvoiceGroup",
    "expenseGroup": "payrollExpenseAccountsInvoiceGroup",
    "otRate": "overtimeRate",
    "start": "startDate",
    "end": "endDate",
    "sharePct": "sharePercentage",
    "upTo": "amount",
    "validation": "validationThresholdType",
    "insurance": "insuranceEnabled",
    "claims": "claimsEnabled",
    "nonGl": "nonGlBillableExpenses",
}
_HEADER = {
    "groups": ("invoiceGrouping", "invoiceGroups"),
    "number": ("groupNumber",),
    "incrementPct": ("incrementAmount",),
}


def legacy_pointer(contract: Contract, place: str) -> str:
    """The legacy file's pointer of a finding about the contract that was read from it."""
    head, *rest = parts_of(place) or ("",)
    if head == "extensions":
        return contract.extensions[int(rest[0])].pointer
    if head != "components":
        named = [name for part in (head, *rest) for name in _HEADER.get(part, (part,))]
        return pointer(("original", *named))
    kind = contract.components[int(rest[0])].kind
    inner = rest[1:]
    if inner and kind in _LISTS:
        inner = [_LISTS[kind], *_renamed(inner[1:], expenses="nonGl" in inner)]
    else:
        inner = _renamed(inner, expenses=False)
    return pointer(("original", kind, *inner))


def _renamed(parts: list[str], *, expenses: bool) -> list[str]:
    named: list[str] = []
    place = 0
    while place < len(parts):
        pair = tuple(parts[place : place + 2])
        if pair in _PAIRS:
            named.append(_PAIRS[pair])
            place += 2
            continue
        part = parts[place]
        named.append("expenseamount" if expenses and part in ("amount", "pct") else _NAMES.get(part, part))
        place += 1
    return named
