"""Amounts, percentages, months and dates as people write them, and what they say.

Patterns are for the plain text of `text.plain`. Dates are American (month first); a year of two digits is of this
century.
"""

import calendar
import re
from datetime import date
from decimal import Decimal
from typing import Final, cast

from shared_code.contracts.schema.base import Month

_MONTHS: Final = tuple(date(2000, month, 1).strftime("%B") for month in range(1, 13))
_COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_WORDS: Final = {word: number for number, word in enumerate(_COUNTED, start=1)}
_SPELLED = "|".join(_WORDS)
NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3}){1,3}|[0-9]{1,12})(?:\.[0-9]{1,4})?(?![0-9])"
MONEY = (
    rf"(?:(?:\$|usd)\s?(?:{NUMBER}|\.[0-9]{{1,4}})(?:\s?[km]\b)?|(?:{NUMBER}|\.[0-9]{{1,4}})\s?(?:dollars"
    rf"|usd|cents?)\b)"
)
PERCENT = (
    rf"(?<![0-9.,])(?:(?:[0-9]{{1,3}}(?:\.[0-9]{{1,4}})?|\.[0-9]{{1,4}})\s?(?:%|percent\b|pct\b)|"
    rf"(?:{_SPELLED})\s?percent\b)"
)
POINTS = (
    r"(?:(?:[0-9]{1,2}(?:\.[0-9]{1,4})?|\.[0-9]{1,4}|1/2|1/4|(?:one[ -])?(?:half|quarter)|(?:a )?(?:half"
    r"|quarter)(?: of)?"
    r"(?: an?)?|one|a)\s?-?\s?(?:%\s?)?(?:percentage |percent )?(?:points?|pts?)\b)"
)
MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
YEAR = r"20[0-9]{2}(?![0-9])"
_DAY = r"[0-9]{1,2}"
DATE = (
    rf"(?:{YEAR}-{_DAY}-{_DAY}|{_DAY}[/-]{_DAY}[/-](?:20)?[0-9]{{2}}(?![0-9/])|{_DAY}/{YEAR}"
    rf"|{MONTH}\s?{_DAY}(?:st|nd|rd|th)?,?\s(?:20[0-9]{{2}}|'[0-9]{{2}})|{_DAY}[- ]{MONTH}[- ]"
    rf"(?:20)?[0-9]{{2}}(?![0-9])"
    rf"|{MONTH},?\s?(?:of\s)?{YEAR})"
)
COUNT = rf"(?:[0-9]{{1,4}}|{_SPELLED})"

_NUMERIC = re.compile(NUMBER + r"|\.[0-9]{1,4}")
_MONTH_WORD = re.compile(MONTH)
_YEAR_FIRST = re.compile(r"(20[0-9]{2})-([0-9]{1,2})-([0-9]{1,2})")
_MONTH_FIRST = re.compile(r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{2,4})")
_MONTH_AND_YEAR = re.compile(r"([0-9]{1,2})/(20[0-9]{2})")
_FRACTIONS: Final = (
    ("half", Decimal("0.5")),
    ("quarter", Decimal("0.25")),
    ("1/2", Decimal("0.5")),
    ("1/4", Decimal("0.25")),
)


def read_money(text: str) -> Decimal:
    """`$1,250.50`, `24k` and `5 cents` as an amount in dollars."""
    number = _decimal(text)
    if text.endswith("k"):
        return number * 1000
    if text.endswith("m"):
        return number * 1_000_000
    return number / 100 if "cent" in text else number


def read_percent(text: str) -> Decimal:
    """`3.5 %` and `three percent` as 3.5 and 3."""
    return _decimal(text)


def read_points(text: str) -> Decimal:
    """`0.5 points`, `a quarter point` and `1/2 point` as percentage points."""
    return next((value for word, value in _FRACTIONS if word in text), None) or _decimal(text)


def read_count(text: str) -> int:
    """`12` and `twelve` as a number."""
    return _WORDS[text] if text in _WORDS else int(text)


def read_month(text: str) -> Month | None:
    """`sept.` as September."""
    found = _MONTH_WORD.search(text)
    return month_name(_month_number(found[0])) if found else None


def month_name(number: int) -> Month | None:
    """4 as April; None for a number that is no month."""
    return cast(Month, _MONTHS[number - 1]) if 1 <= number <= len(_MONTHS) else None


def read_date(text: str, *, last: bool = False) -> date | None:
    """A day in any of the forms of DATE, or a year; None for a day that does not exist.

    A month or a year alone is its first day, with `last` its last.
    """
    parts = _date_parts(text)
    if parts is None:
        return None
    year, month, day = parts
    year += 2000 if year < 100 else 0
    if not (2000 <= year <= 2199 and 1 <= (month or 1) <= 12):
        return None
    month = month or (12 if last else 1)
    longest = calendar.monthrange(year, month)[1]
    day = day or (longest if last else 1)
    return date(year, month, day) if day <= longest else None


def _date_parts(text: str) -> tuple[int, int, int] | None:
    """Year, month and day; 0 for what the text leaves out."""
    if found := _YEAR_FIRST.fullmatch(text):
        return int(found[1]), int(found[2]) or 99, int(found[3]) or 99
    if found := _MONTH_FIRST.fullmatch(text):
        return int(found[3]), int(found[1]) or 99, int(found[2]) or 99
    if found := _MONTH_AND_YEAR.fullmatch(text):
        return int(found[2]), int(found[1]) or 99, 0
    numbers = [int(number) for number in re.findall("[0-9]+", text)]
    word = _MONTH_WORD.search(text)
    if not numbers or len(numbers) > 2:
        return None
    return numbers[-1], _month_number(word[0]) if word else 0, numbers[0] if len(numbers) == 2 else 0


def _month_number(word: str) -> int:
    return next(number for number, name in enumerate(_MONTHS, start=1) if name[:3].lower() == word[:3])


def _decimal(text: str) -> Decimal:
    found = _NUMERIC.search(text)
    if found:
        return Decimal(found[0].replace(",", ""))
    return Decimal(next((number for word, number in _WORDS.items() if word in text), 1))
