"""Fixed wordings of the legacy form: payment terms, references and the label of a contract.

Source: contract-corpus 1.2, 2.3 and DQ10, DQ25.
"""

import re
from collections.abc import Iterable
from typing import Literal

from shared_code.contracts.schema.header import (
    BillingRef,
    DayOfMonth,
    NetDays,
    OnReceipt,
    PaymentTerms,
    RawTerms,
)

_NET = re.compile(r"due in (\d{1,3}) days?", re.IGNORECASE)
_DAY = re.compile(r"due by (?:the )?(\d{1,2})(?:st|nd|rd|th)((?: day)? of the month)?", re.IGNORECASE)
_RECEIPT = re.compile(r"due on receipt", re.IGNORECASE)
_LONGEST_NET = 366
_LAST_DAY = 31

# The picklist order of the label, with the key of each block (contract-corpus 2.3, billing-flows 3).
LABELS: tuple[tuple[str, str], ...] = (
    ("fixedFee", "Fixed Fee"),
    ("perLaborHour", "Per Labor Hour"),
    ("perOccupiedRoom", "Per Occupied Room"),
    ("invoiceGrouping", "Invoice Grouping"),
    ("revenueShare", "Revenue Share"),
    ("bellServiceFee", "Bell Service"),
    ("midMonthAdvance", "Mid Month Advance"),
    ("depositedRevenue", "Deposited Revenue"),
    ("billableAccounts", "Billing Account"),
    ("managementAgreement", "Management Agreement"),
)
UNMATCHED_LABEL = "Unknown"
UNMATCHED_TERMS = "Due on Receipt"

PURCHASE_ORDER = re.compile(
    r"\s*(?:p\.?\s?o\.?|purchase\s+order)?(?:\s*(?:number|no\.?|[#:-]))*\s*[\w-]*\d[\w-]*\s*", re.I
)
_RefType = Literal["cost_center", "gl_coding", "budget", "vendor", "routing"]
_REFERENCES: tuple[tuple[re.Pattern[str], _RefType], ...] = (
    (re.compile(r"cost\s*cent(?:er|re)", re.I), "cost_center"),
    (re.compile(r"\bG/?L\b"), "gl_coding"),
    (re.compile(r"\bbudget\b", re.I), "budget"),
    (re.compile(r"\bvendor\b", re.I), "vendor"),
    (re.compile(r"\b(?:attn|attention|route|send) ?to\b|\battn\b", re.I), "routing"),
)


def read_payment_terms(text: str) -> PaymentTerms:
    """The structured form of a payment-term wording; wording that is none of the known forms stays raw."""
    if found := _NET.fullmatch(text):
        days = int(found[1])
        return NetDays(days=days) if days <= _LONGEST_NET else RawTerms(text=text)
    if found := _DAY.fullmatch(text):
        day = int(found[1])
        known = 1 <= day <= _LAST_DAY
        return DayOfMonth(day=day, long_form=found[2] is not None) if known else RawTerms(text=text)
    return OnReceipt() if _RECEIPT.fullmatch(text) else RawTerms(text=text)


def label_of(enabled: Iterable[str]) -> str:
    """The label of the enabled blocks, in picklist order: `Per Labor Hour; Invoice Grouping`."""
    blocks = frozenset(enabled)
    return "; ".join(label for key, label in LABELS if key in blocks)


def is_purchase_order(text: str) -> bool:
    """Whether a text is a purchase order and nothing else: `VENDOR-123` and `GL-7010` are other references (DQ10)."""
    named = (pattern.search(text) for pattern, _ in _REFERENCES)
    return PURCHASE_ORDER.fullmatch(text) is not None and not any(named)


def read_references(text: str | None, group: int | None = None) -> tuple[BillingRef, ...]:
    """Typed references that a purchase-order field or a group's description states; never split, never lost."""
    if text is None or not text.strip():
        return ()
    stated = text.strip()
    if is_purchase_order(stated):
        return (BillingRef(type="purchase_order", text=stated, group=group),)
    found = [kind for pattern, kind in _REFERENCES if pattern.search(stated)]
    return tuple(BillingRef(type=kind, text=stated, group=group) for kind in found) or (
        (BillingRef(type="other", text=stated, group=group),) if group is None else ()
    )
