"""Rules about the agreement itself: its beginning and end, renewal, notice, payment, papers."""

from shared_code.contracts.notes.grammar import Built, Found, pattern, rule
from shared_code.contracts.notes.note_terms import (
    ContractEnd,
    ContractLength,
    ContractStart,
    NoIncrease,
    PendingDocument,
    Renewal,
    TerminationNotice,
)
from shared_code.contracts.schema.clauses import AnniversaryAnchor
from shared_code.contracts.schema.header import DayOfMonth, NetDays, OnReceipt

_UNIT = r"(?P<unit>years?|yrs?\.?|months?|mos?\.?)"
_BEGINS = (
    r"(?:commenc\w*|beg[ai]n(?:s|ning)?|start(?:s|ed|ing)?(?: date)?(?: is)?"
    r"|effective(?: date)?(?: of (?:the |this )?(?:contract|agreement|term|lease))?|runs?(?: from)?)"
)
_ENDS = (
    r"(?:expir(?:es?|ing|ation(?: date)?)|ends?|ending|terminates|end date|extended (?:through|to|until"
    r"|thru)|term ends"
    r"|runs? (?:through|until|thru))"
)
_TERM = r"(?:contract|agreement|term|lease|deal|initial term)"
_RANGE = pattern(r"\b(?:runs?|from|term:?|dates?:?)(?: from)? <date> (?:to|through|thru|until|-) $")
# "New rates start 4/1/2027" begins no agreement.
_OF_RATES = pattern(r"\b(?:rates?|fees?|prices?|pricing|increases?|credits?|advances?)(?: (?:are|is|will be|to be))? $")
# "Advance of $9,000 effective 6/1/2025" begins no agreement, "agreement effective 6/1/2025, fee $9,000" does.
_OF_MONEY = pattern("<money>|<percent>")
_NAMED = pattern(rf"\b(?:{_TERM}|commenc\w*|operations?|services?)\b")
_DAYS = r"(?:\([0-9]{1,3}\)[ -])?-?\s?(?:calendar |business )?days?'?"


def _months(found: Found, count: str = "count", unit: str = "unit") -> int | None:
    number = found.count(count)
    text = found.text(unit)
    if number is None or text is None:
        return None
    return number * (12 if text.startswith("y") else 1)


def _begin(found: Found) -> Built:
    day = found.day()
    text = found.sentence.plain
    if day is None or _OF_RATES.search(text[: found.start]) or _is_about_money(text):
        return None
    return ContractStart(date=day)


def _is_about_money(text: str) -> bool:
    return _OF_MONEY.search(text) is not None and _NAMED.search(text) is None


def _end(found: Found) -> Built:
    day = found.day(last=True)
    return None if day is None or _is_about_money(found.sentence.plain) else ContractEnd(date=day)


def _length(found: Found) -> Built:
    months = _months(found) or _months(found, "other", "unit_two")
    return None if months is None else ContractLength(months=months)


def _until_end(found: Found) -> Built:
    """The second day of "7/1/2024 to 6/30/2027"."""
    begins = found.sentence.plain[: found.start]
    return _end(found) if _RANGE.search(begins) else None


def _anchor(found: Found) -> Built:
    day = found.day() or found.day("opened")
    return None if day is None else AnniversaryAnchor(anchor=day)


def _automatic(found: Found) -> Built:
    months = _months(found)
    if months is None and found.text("every"):
        months = 12
    return Renewal(mode="automatic", months=months)


def _option(found: Found) -> Built:
    return Renewal(mode="option", periods=found.count("periods"), months=_months(found))


def _notice(found: Found) -> Built:
    days = found.count()
    return None if days is None else TerminationNotice(days=days)


def _net(found: Found) -> Built:
    days = found.count()
    return None if days is None else NetDays(days=days)


def _day_of_month(found: Found) -> Built:
    day = found.count()
    return None if day is None else DayOfMonth(day=day, long_form="of the month" in found.match[0])


def _none_rises(found: Found) -> Built:
    year = found.text("year")
    return NoIncrease(year=int(year) if year else None)


AGREEMENT_RULES = (
    rule(
        rf"\b(?:{_TERM} )?(?P<runs>runs?|from|term:?|dates?:?)(?: from)? (?P<date><date>)(?= (?:to|through"
        rf"|thru|until|-) <date>)",
        _begin,
    ),
    rule(r"(?:(?<=to\s)|(?<=through\s)|(?<=thru\s)|(?<=until\s)|(?<=-\s))(?P<date><date>)(?=\W*$)", _until_end),
    rule(rf"\b{_BEGINS}(?: on| in)?:? (?P<date><date>)", _begin),
    rule(rf"\b{_ENDS}(?: on| in)?:? (?P<date><date>)", _end),
    rule(
        r"\banniversary(?: date)?(?: is| of|:)? (?P<date><date>)|\b(?:commencement|opening) date(?: is|:)? "
        r"(?P<opened><date>)",
        _anchor,
    ),
    rule(
        r"\b(?:auto(?:matic(?:ally)?)?[ -]?renew\w*|renew\w* automatically|evergreen)(?:[^;\n0-9]{0,30}?"
        r"(?:<count:count>[ -]" + _UNIT + r"|\b(?P<every>every year|each year|annually|year to year|yearly)))?",
        _automatic,
    ),
    rule(
        rf"(?:\b(?P<periods><count>)(?: \([0-9]{{1,2}}\))?[ -](?:additional )?)?<count:count>[ -]{_UNIT} "
        rf"(?:renewal |extension )?options?\b",
        _option,
    ),
    rule(
        rf"\boptions? (?:to )?(?:renew|extend)(?:[^;\n0-9]{{0,12}}?(?P<periods><count>)(?: \([0-9]{{1,2}}\))?"
        rf"(?: additional| more)?"
        rf" <count:count>[ -]{_UNIT})?",
        _option,
    ),
    rule(r"\bmonth[ -]to[ -]month\b", lambda _: Renewal(mode="month_to_month")),
    rule(rf"\b<count:count> ?{_DAYS}(?: of)?(?: (?:prior|advance|written))* notice\b", _notice),
    rule(
        rf"\b(?:{_TERM}:? (?:of |is )?)<count:count>[ -]{_UNIT}\b|\b<count:other>[ -](?P<unit_two>years?"
        rf"|months?) (?:initial )?(?:term|contract|agreement)\b",
        _length,
    ),
    rule(r"(?:\bnet\s?|\bn\s?/?(?=(?:10|15|20|30|45|60|90)\b))<count:count>(?: days)?\b", _net),
    rule(rf"\b(?:due|pay(?:able|s|ment)?)(?: due)? (?:in|within) <count:count> ?{_DAYS}", _net),
    rule(r"\b(?:due|payable) (?:up)?on receipt\b", lambda _: OnReceipt()),
    rule(
        r"\b(?:due|pays?|payable|payment)(?: (?:due|invoices?))?(?: on or)? (?:by|on|before)(?: the)? "
        r"(?P<count>[0-9]{1,2})(?:st|nd|rd|th)"
        r"(?: day)?(?: (?:of (?:the|each|every) month))?",
        _day_of_month,
    ),
    rule(
        r"\b(?:pending|awaiting|await|unsigned|not (?:yet )?signed|by e-?mail|per e-?mail|via e-?mail)"
        r"(?:[^;\n]{0,25}?\b(?:signature|signed|addendum|amendment|copy|pending))?",
        lambda _: PendingDocument(),
        "medium",
        negative=True,
    ),
    rule(
        r"\bno (?:\w+ ){0,3}?(?:increas\w*|incras\w*|incr\b|escalat\w*)\b(?! (?:until|till|before)\b)"
        r"(?:[^;\n0-9]{0,12}?\b(?:for|in) <year:year>)?",
        _none_rises,
        negative=True,
    ),
    rule(
        r"\b(?:rates?|fees?|pricing) (?:are |is |to be |will be |stays? |remains? |to remain )?(?:frozen|flat"
        r"|held|unchanged)"
        r"(?:[^;\n0-9]{0,12}?\b(?:for|in) <year:year>)?",
        _none_rises,
        negative=True,
    ),
)
