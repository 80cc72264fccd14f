"""One sentence that says what a proposal means, so that a person can compare it with the words of the note."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from shared_code.contracts.notes.model import UNNAMED, Value, kind_of

_NAMES: Final = {
    UNNAMED: "a rate that the note does not name",
    "fixedFee.fee": "the fixed fee",
    "perLaborHour.rate": "the hourly rate",
    "perOccupiedRoom.roomRate": "the room rate",
    "revenueShare.tiers.upTo": "the revenue-share threshold",
    "revenueShare.tiers.sharePct": "the revenue share",
    "midMonthAdvance.amount": "the mid-month advance",
    "billableAccounts.pteb": "the PTEB percentage",
    "billableAccounts.support": "support services",
    "managementAgreement.fee": "the management fee",
    "managementAgreement.insurance": "the insurance",
    "managementAgreement.claims.cap": "the claims cap",
    "managementAgreement.profitShare": "the profit share",
}

# `it` is a value of the kind; the discriminated unions of the schema say which fields it has.
_Words = Callable[[Any], str]


def _plain(number: Decimal | None) -> str:
    text = f"{number or 0:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(number: Decimal | None) -> str:
    return "an amount that the note does not state" if number is None else f"${_plain(number)}"


def _yearly(it: Any, how: str) -> str:
    when = f"each {it.month}" if it.month else "every year, in a month that the note does not state"
    when = "on each anniversary" if it.month == "anniversary" else when
    ends = (f", from {it.first_year} on" if it.first_year else "") + (f", until {it.until}" if it.until else "")
    but = "".join(f"; {one.year}: {one.action}" for one in it.exceptions)
    return f"{_NAMES[it.target]} {how} {when}{ends}{but}"


def _agreed(it: Any) -> str:
    ceiling = "" if it.ceiling is None else f", at most {_plain(it.ceiling)} %,"
    return _yearly(it, f"may rise{ceiling} when both sides agree,")


def _excess(it: Any) -> str:
    rate = "" if it.rate is None else f" at {_money(it.rate)}"
    return f"only hours beyond {_plain(it.base_hours)} per {it.per} are billed{rate}"


def _credit(it: Any) -> str:
    often = "once" if it.period == "once" else f"per {it.period}"
    ends = f", {it.occurrences} times" if it.occurrences else ""
    return f"the client gets a credit of {_money(it.amount)} {often}{ends}" + (f" until {it.until}" if it.until else "")


def _hourly(it: Any) -> str:
    since = f" from {it.effective} on" if it.effective else ""
    extra = f", overtime {_money(it.ot_rate)}" if it.ot_rate is not None else ""
    return f"an hour of {it.job or 'work'} costs {_money(it.rate)}{extra}{since}"


def _renewal(it: Any) -> str:
    length = f" for {it.months} months" if it.months else ""
    times = f" {it.periods} times" if it.periods else ""
    return {
        "automatic": f"the agreement renews itself{length}",
        "option": f"the agreement can be extended{times}{length}",
        "month_to_month": "the agreement goes on from month to month",
    }[it.mode]


def _validations(it: Any) -> str:
    if it.vehicles is not None:
        return f"validations beyond {it.vehicles} vehicles are charged"
    return f"validations beyond {_money(it.amount) if it.pct is None else _plain(it.pct) + ' % of revenue'} are charged"


def _payment(it: Any) -> str:
    return f"invoices are {it.text[0].lower()}{it.text[1:]}"


_MODES: Final = {
    "straight_rate": "overtime is billed at the regular rate",
    "overtime_rate": "overtime is billed at the overtime rate",
    "not_billable": "overtime is not billed",
}
_PAYERS: Final = {
    "client": "the client remits parking tax",
    "operator": "the operator remits parking tax",
    "exempt": "the site is exempt from parking tax",
}

_WORDINGS: Final[dict[str, _Words]] = {
    "fixed_pct": lambda it: _yearly(it, f"rises by {_plain(it.pct)} %"),
    "fixed_amount": lambda it: _yearly(it, f"rises by {_money(it.amount)}"),
    "percentage_points": lambda it: _yearly(it, f"rises by {_plain(it.points)} percentage points"),
    "index": lambda it: _yearly(it, f"rises with {it.index}"),
    "greater_of": lambda it: _yearly(it, f"rises by the greater of {_plain(it.pct)} % and {it.index}"),
    "lesser_of": lambda it: _yearly(it, f"rises by the lesser of {_plain(it.pct)} % and {it.index}"),
    "negotiated": _agreed,
    "schedule": lambda it: (
        f"{_NAMES[it.target]} is " + ", ".join(f"{_plain(step.value)} from {step.date} on" for step in it.steps)
    ),
    "scheduled_change": lambda it: f"{_NAMES[it.target]} is {_plain(it.value)} from {it.effective} on",
    "yearly_steps": lambda it: (
        f"{_NAMES[it.target]} is " + ", ".join(f"{_plain(step.value)} in year {step.year}" for step in it.steps)
    ),
    "no_increase": lambda it: f"nothing rises in {it.year}" if it.year else "nothing rises",
    "excess_hours": _excess,
    "overtime_policy": lambda it: _MODES[it.mode],
    "hourly_rate": _hourly,
    "claims_cap": lambda it: f"claims are capped at {_money(it.amount)} a year",
    "claims_cap_per_claim": lambda it: f"a claim is capped at {_money(it.amount)}",
    "claims_overflow_split": lambda it: f"the client bears {_plain(it.client_pct)} % of claims above the cap",
    "profit_share_cap": lambda it: f"the profit share is at most {_money(it.amount)} per {it.period}",
    "split": lambda it: f"the operator gets {_plain(it.operator_pct)} % of the {it.of}",
    "client_credit": _credit,
    "signing_bonus": lambda it: f"the client gets a signing bonus of {_money(it.amount)}",
    "kpi_fee": lambda it: f"a target that is reached earns {_money(it.amount)}" + (f" per {it.per}" if it.per else ""),
    "equipment_billback": lambda it: f"equipment is billed back to the client: {_money(it.amount)}",
    "early_termination": lambda it: f"an early end costs {_money(it.amount)}",
    "client_paid_expense": lambda it: f"the client pays {it.title or 'an expense'} directly: {_money(it.amount)}",
    "rent_pass_through": lambda it: (
        "parking rent is passed on: " + (_money(it.amount) if it.pct is None else f"{_plain(it.pct)} %")
    ),
    "pooled_with": lambda it: f"the {it.what} is shared with sites {', '.join(it.site_numbers)}",
    "parking_tax": lambda it: _PAYERS[it.responsible],
    "non_billable_accounts": lambda it: f"not billable: {', '.join(it.codes) or 'the costs that the words name'}",
    "refundable_deposit": lambda it: f"a refundable deposit of {_money(it.amount)} is held",
    "anniversary_anchor": lambda it: f"anniversary years begin on {it.anchor}",
    "report_suppression": lambda it: f"the client does not want: {', '.join(it.reports) or 'backup reports'}",
    "unstructured": lambda _: "the sentence speaks of billing, and no rule reads it",
    "payment_terms": _payment,
    "contract_start": lambda it: f"the agreement begins on {it.date}",
    "contract_end": lambda it: f"the agreement ends on {it.date}",
    "contract_length": lambda it: f"the agreement runs for {it.months} months",
    "renewal": _renewal,
    "termination_notice": lambda it: f"the agreement can end with {it.days} days of notice",
    "minimum_fee": lambda it: f"at least {_money(it.amount)} per {it.per}: {_NAMES[it.target]}",
    "maximum_fee": lambda it: f"at most {_money(it.amount)} per {it.per}: {_NAMES[it.target]}",
    "advance_amount": lambda it: "the mid-month advance " + ("ends" if it.removed else f"is {_money(it.amount)}"),
    "card_fee": lambda it: f"card fees are passed on at {_plain(it.pct)} %",
    "validation_threshold": _validations,
    "minimum_wage_adjustment": lambda _: "rates follow the legal minimum wage",
    "pending_document": lambda _: "a paper is not signed yet, or the term stands in an e-mail",
}
KINDS: Final = frozenset(_WORDINGS)


def reading_of(value: Value) -> str:
    """One sentence, such as "The hourly rate rises by 3 % each January."."""
    text = _WORDINGS[kind_of(value)](value)
    return f"{text[0].upper()}{text[1:]}."
