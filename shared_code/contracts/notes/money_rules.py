"""Rules about money: fees between limits, claims, credits, splits, taxes, who pays what."""

from decimal import Decimal

from shared_code.contracts.notes.grammar import Built, Found, pattern, rule
from shared_code.contracts.notes.model import UNNAMED
from shared_code.contracts.notes.note_terms import (
    AdvanceAmount,
    CardFee,
    ClaimsCap,
    MaximumFee,
    MinimumFee,
    Split,
    ValidationThreshold,
)
from shared_code.contracts.notes.numbers import read_date
from shared_code.contracts.notes.targets import names_in, targets_at
from shared_code.contracts.schema.clauses import (
    ClaimsCapPerClaim,
    ClaimsOverflowSplit,
    ClientCredit,
    ClientPaidExpense,
    EarlyTermination,
    EquipmentBillback,
    KpiFee,
    ParkingTax,
    PooledWith,
    ProfitShareCap,
    RefundableDeposit,
    RentPassThrough,
    SigningBonus,
)

CLIENT = r"(?:client|owner|hotel|customer|property|landlord|hospital|garage owner)"
OPERATOR = r"(?:operator|us|we|our company)"
_YEARLY = r"(?:annual(?:ly)?|yearly|year|yr|annum)"
_PER = rf"(?:\s?(?:/|per|a|each|every)?\s?(?P<per>{_YEARLY}|monthly|month|mo|quarter)\b\.?)?"
_CAPPED = r"(?:capped at|cap(?: is| of)?:?|max(?:imum)?\.?(?: of| is)?:?|not to exceed|limited to|no more than|up to)"
_MOST = Decimal(100)


def _year_or_month(found: Found) -> str:
    words = " ".join(filter(None, (found.text("per"), found.text("before"))))
    return "year" if any(word in words for word in ("annual", "year", "yr", "annum")) else "month"


def _profit_cap(found: Found) -> Built:
    """A cap is one of the profit share when that is what the sentence was speaking of."""
    names = [name for _, end, name in names_in(found.sentence) if end <= found.start]
    if names[-1:] != ["managementAgreement.profitShare"]:
        return None
    return ProfitShareCap.model_validate({"amount": found.money(), "period": _year_or_month(found)})


def _claims_behind(found: Found) -> Built:
    """ "Claims cap for all three sites: $25,000 per year": the amount far behind the name."""
    names = [name for _, end, name in names_in(found.sentence) if end <= found.start]
    if names[-1:] != ["managementAgreement.claims.cap"] or "cap" not in found.sentence.plain[: found.start]:
        return None
    return ClaimsCap.model_validate({"amount": found.money()})


def _floor(found: Found) -> Built:
    return MinimumFee.model_validate(_limit(found))


def _top(found: Found) -> Built:
    return MaximumFee.model_validate(_limit(found))


def _limit(found: Found) -> dict[str, object]:
    target = targets_at(found.sentence, found.start, found.end)[0]
    # "Minimum monthly fee" names no rate: it is a floor of whatever the month's fee is.
    named = "fixedFee.fee" if any(word in found.match[0] for word in ("fixed", "flat", "base")) else UNNAMED
    return {
        "target": named if target == "fixedFee.fee" else target,
        "amount": found.money(),
        "per": _year_or_month(found),
    }


def _split_of(found: Found) -> str:
    return "profit" if "profit" in found.sentence.plain else "revenue"


def _share(found: Found) -> Built:
    """A percentage with the party that gets it, or (without a party) the operator's, as the contract states it."""
    pct = found.percent() or Decimal(0)
    of = found.text("of") or _split_of(found)
    return Split.model_validate({"of": of, "operator_pct": _MOST - pct if found.text("client") else pct})


_OF_COSTS = pattern(r"\b(?:rents?|claims?|costs?|expenses?|damages?|tax(?:es)?)\b[^;\n]*$")


def _slashed(found: Found) -> Built:
    """ "70/30" does not say whose number is which, unless both are the same."""
    first, second = Decimal(found.text("first") or 0), Decimal(found.text("second") or 0)
    if first + second != _MOST or _OF_COSTS.search(found.sentence.plain[: found.start]):
        return None
    of = _split_of(found)
    sides = dict.fromkeys((first, second))
    return tuple(Split.model_validate({"of": of, "operator_pct": pct}) for pct in sides)


def _overflow(found: Found) -> Built:
    second = found.number("second")
    first = found.number("first")
    if first is not None and second is not None and first != second:
        return None
    return ClaimsOverflowSplit(client_pct=found.percent() or Decimal(50))


# A sum "over 12 months" is no monthly amount.
_SPREAD = pattern(r"^,? (?:(?:spread|amortized|applied|paid|taken) )?over\b")
_ANNUAL = pattern(r"\b(?:annual|yearly) $")


def _credit(found: Found) -> Built:
    if _SPREAD.search(found.sentence.plain[found.end :]):
        return None
    until, text = None, found.text("date")
    if text:
        until = read_date(text, last=True)
    once = found.text("once") is not None
    yearly = _ANNUAL.search(found.sentence.plain[: found.start]) is not None
    period = "once" if once else "year" if yearly else _year_or_month(found)
    values = {"amount": found.money(), "period": period, "until": until}
    return ClientCredit.model_validate({**values, "occurrences": found.count()})


def _tax(found: Found) -> Built:
    return ParkingTax(responsible="client" if found.text("client") else "operator")


def _advance(found: Found) -> Built:
    return AdvanceAmount.model_validate({"amount": found.money(), "removed": found.text("removed") is not None})


def _validations(found: Found) -> Built:
    vehicles = found.number("vehicles")
    values = {"pct": found.percent(), "vehicles": int(vehicles) if vehicles is not None else None}
    return ValidationThreshold.model_validate({**values, "amount": found.money()})


def _paid(found: Found) -> Built:
    title = (found.written("title") or "").strip()
    amount = found.money() if found.money() is not None else found.money("after")
    return ClientPaidExpense.model_validate({"title": title or None, "amount": amount})


def _rent(found: Found) -> Built:
    if found.money() is None and found.percent() is None:
        return None
    return RentPassThrough.model_validate({"amount": found.money(), "pct": found.percent()})


def _pool(found: Found) -> Built:
    sites = [word for word in (found.text("sites") or "").replace(",", " ").replace("&", " ").split() if word.isdigit()]
    return PooledWith.model_validate({"what": found.text("what") or "threshold", "site_numbers": sites})


def _kpi(found: Found) -> Built:
    return KpiFee.model_validate({"amount": found.money(), "per": found.text("each")})


_DOLLARS = "<money:amount>"
_VALIDATED = r"\b(?:validations?|comps?|comp(?:limentary|ed)? (?:vehicles|cars|tickets|parking))\b"
_BEYOND = r"(?:in excess of|over|above|beyond|exceeding|more than|greater than)"
_CREDIT_END = (
    r"(?:[^;\n$]{0,20}?\b(?:through|thru|until|till|ending) (?P<date><date>|<year>)"
    r"|(?:,? for| x) <count:count> months)?"
)
_PAYS = (
    rf"\b(?P<client>{CLIENT})(?: (?:shall|will|to|is|also))? (?:pays?|remits?|responsible for|owes?|handles?|files?)"
)

MONEY_RULES = (
    # Claims and pools
    rule(
        r"\b(?P<what>claims? cap|cap|thresholds?|insurance) (?:is )?(?:shared|pooled|combined"
        r"|consolidated)[^;\n0-9]{0,20}?"
        r"\bsites? (?P<sites>[0-9]{4}(?:(?:\s?,\s?|\s?&\s?| and |\s?,? and )[0-9]{4}){0,20})",
        _pool,
    ),
    rule(
        r"\b(?:shared|pooled|combined|consolidated) (?P<what>claims? cap|cap|thresholds?)[^;\n0-9]{0,20}?"
        r"\bsites? (?P<sites>[0-9]{4}(?:(?:\s?,\s?|\s?&\s?| and |\s?,? and )[0-9]{4}){0,20})",
        _pool,
    ),
    rule(
        rf"{_DOLLARS} (?:cap )?per[ -](?:claim|occurrence|incident)\b(?: cap)?"
        rf"|\bper[ -](?:claim|occurrence) (?:cap|max(?:imum)?|limit)(?: is"
        rf"| of)?:? <money:cap>",
        lambda f: ClaimsCapPerClaim.model_validate({"amount": f.money() or f.money("cap")}),
    ),
    rule(
        r"\b(?:claims?|anything) (?:(?:above|over|beyond|exceeding|in excess of)(?: the)?(?: (?:annual"
        r"|yearly))?(?: cap)?)"
        r"[^;\n]{0,25}?\b(?:shared equally|split equally|(?:split|shared) (?P<first>[0-9]{1,2})\s?/\s?"
        r"(?P<second>[0-9]{1,2})"
        rf"|<percent:pct> (?:to|by|paid by) (?:the )?{CLIENT})",
        _overflow,
    ),
    rule(
        rf"\bclaims? cap(?:ped)?[^;\n$]{{0,40}}?{_DOLLARS}|\bcap on claims[^;\n$]{{0,20}}?<money:cap>",
        lambda f: ClaimsCap.model_validate({"amount": f.money() or f.money("cap")}),
    ),
    rule(rf"{_DOLLARS} ?(?:per|/|a|each)? ?{_YEARLY}\b", _claims_behind),
    # Splits and their caps
    rule(rf"\b{_CAPPED} {_DOLLARS}{_PER}", _profit_cap),
    rule(
        rf"\b<percent:other> (?:to )?(?:the )?{CLIENT}\s?(?:/|,|-|and)\s?<percent:pct> (?:to )?(?:the )?{OPERATOR}\b",
        _share,
    ),
    rule(rf"\b<percent:pct> (?:to|for) (?:the )?(?:{OPERATOR}|(?P<client>{CLIENT}))\b", _share),
    rule(
        r"\b(?P<of>profit|revenue)(?:[ -](?:split|share|sharing))(?: of| is|:"
        r"| at)? <percent:pct>",
        _share,
        "medium",
    ),
    rule(r"\bsplit(?: is| of|:)? (?P<first>[0-9]{1,2})\s?/\s?(?P<second>[0-9]{1,2})(?![0-9/])", _slashed, "medium"),
    # Credits, bonuses, deposits
    rule(rf"\b(?P<once>one[ -](?:time|off)|single) credit(?: of)?:? {_DOLLARS}", _credit),
    rule(rf"{_DOLLARS}{_PER} (?:client )?credits?\b{_PER.replace('per>', 'before>')}{_CREDIT_END}", _credit),
    rule(rf"\bcredit(?: the)?(?: (?:client|owner|hotel))?(?: of)?:? {_DOLLARS}{_PER}{_CREDIT_END}", _credit),
    rule(
        rf"\b(?:signing|sign-on|sign on) bonus(?: of| is|:)? {_DOLLARS}|<money:bonus> (?:signing|sign-on"
        rf"|sign on) bonus",
        lambda f: SigningBonus.model_validate({"amount": f.money() or f.money("bonus")}),
    ),
    rule(
        rf"\b(?:refundable (?:security )?deposit|(?:security )?deposit)(?: of| is|:)? {_DOLLARS}",
        lambda f: RefundableDeposit.model_validate({"amount": f.money()}),
    ),
    rule(
        rf"{_DOLLARS}(?: per (?P<each>month|quarter|year))?(?: (?:for each|per|for every|if)(?: each)?) (?:kpi"
        rf"|goal|target|score)\b[^;\n]{{0,12}}",
        _kpi,
    ),
    rule(
        rf"\b(?:incentive|kpi|merit|performance)(?: fee| bonus)?(?: of|:)? {_DOLLARS}(?: (?:per|each) "
        rf"(?P<each>month|quarter|year))?",
        _kpi,
    ),
    # Equipment and an early end
    rule(
        r"\bequipment[^;\n$]{0,30}?(?:<money:amount>)?[^;\n$]{0,30}?\b(?:billed back|bill[ -]?back|billed to"
        r"|charged back)(?:(?: of| at|:)? <money:after>(?!,?[0-9]| ?/ ?[0-9]| over))?",
        lambda f: EquipmentBillback.model_validate({"amount": f.money() or f.money("after")}),
    ),
    rule(
        rf"\b(?:early )?(?:termination|terminat\w+)[^;\n$]{{0,40}}?\b(?:fee|penalty|charge|payment)(?: of| is"
        rf"|:)? {_DOLLARS}",
        lambda f: EarlyTermination.model_validate({"amount": f.money()}),
    ),
    # Advances, cards, validations
    rule(
        rf"\b(?:advance|pre-?bill|mid-?\s?month billing)(?: amount)?(?: is)?(?: now| reduced to| raised to"
        rf"| changed to| of|:)+ {_DOLLARS}",
        _advance,
    ),
    rule(
        r"\b(?P<removed>remove|stop|discontinue|no more|no longer|cancel)(?: the)? (?:mid-?\s?month "
        r"(?:billing|advance)|advance|pre-?bill)\b",
        _advance,
        negative=True,
    ),
    rule(
        r"\b(?:credit )?card (?:processing |merchant )?(?:fees?|processing|charges?)?(?: of| at| is"
        r"|:)? <percent:pct>",
        lambda f: CardFee.model_validate({"pct": f.percent()}),
    ),
    rule(
        rf"{_VALIDATED} {_BEYOND} (?:<percent:pct>|<money:amount>|(?P<vehicles><number>) (?:vehicles|cars|tickets))",
        _validations,
    ),
    rule(
        r"\bfirst (?P<vehicles><number>) (?:comp(?:limentary|ed)? |validated )?(?:vehicles|cars|tickets"
        r"|validations|comps)(?: are)? free\b",
        _validations,
    ),
    # Taxes and what the client pays
    rule(
        r"\b(?:tax[ -])?exempt(?: from)?(?: (?:all|any))? parking tax(?:es)?|\bno parking tax\b",
        lambda _: ParkingTax(responsible="exempt"),
        negative=True,
    ),
    rule(rf"{_PAYS}(?: for)?(?: all| the| any| own)* parking tax(?:es)?", _tax),
    rule(
        rf"\b(?:{OPERATOR}) (?:pays?|remits?|files?|(?:is|are) responsible for)(?: all"
        rf"| the)* parking tax(?:es)?",
        _tax,
    ),
    rule(
        rf"\bparking tax(?:es)?[^;\n]{{0,20}}?\b(?:by|is|are) (?:the )?(?:(?P<client>{CLIENT})|{OPERATOR})\b(?:'s)?",
        _tax,
    ),
    rule(
        rf"\b(?P<title>[a-z][a-z ]{{1,30}}?)(?: (?:at|of) <money:amount>(?: (?:a|per) month)?)?(?: (?:is"
        rf"|are))?(?: directly)? paid"
        rf"(?: directly)? by (?:the )?{CLIENT}(?:,? <money:after>)?",
        _paid,
    ),
    rule(
        r"\b(?:pass[ -]?through )?(?:<percent:pct> of )?(?:the )?parking rent(?: of)?"
        r"(?: <money:amount>)?[^;\n]{0,20}?(?:passed|pass|split)?\b",
        _rent,
    ),
    # Floors and ceilings
    rule(
        rf"\b(?:guaranteed )?min(?:imum|\.)?(?: guarantee)?(?P<before>(?: (?:monthly|annual"
        rf"|yearly))?)[^;\n$0-9]{{0,25}}? {_DOLLARS}{_PER}",
        _floor,
    ),
    rule(
        rf"\b(?P<what>fees?|billing|total|invoices?)[^;\n$]{{0,20}}?\b(?:not|never|no)(?: be)? (?:less|lower) than "
        rf"{_DOLLARS}{_PER}",
        _floor,
        negative=True,
    ),
    rule(rf"\bfee floor(?: of| is|:)? {_DOLLARS}{_PER}", _floor),
    rule(rf"\b(?P<what>fees?|billing|total|costs?)[^;\n$]{{0,20}}?\b{_CAPPED} {_DOLLARS}{_PER}", _top),
)
