"""Parameters of the query: only declared ones, in their form. What is misspelt is refused, never ignored."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import date

from functions.declarations import Query, Route
from shared_code.foundation.calendar import read_period
from shared_code.foundation.errors import BillingError, Detail
from shared_code.operations.errors import PARAMETER_INVALID, PARAMETER_UNKNOWN

# The platform takes its key from the query as well; it is none of the route's.
PLATFORM_PARAMETERS = frozenset({"code"})


def check_query(route: Route, given: Mapping[str, str]) -> None:
    """Raises PARAMETER_UNKNOWN or PARAMETER_INVALID with every parameter that is wrong; PERIOD_INVALID for a period."""
    known = {query.name: query for query in route.query}
    unknown = [name for name in given if name not in known and name not in PLATFORM_PARAMETERS]
    if unknown:
        details = [Detail(name, _nearest(name, known)) for name in unknown]
        message = "; ".join(f"{detail.field}: {detail.message}" for detail in details)
        raise BillingError(PARAMETER_UNKNOWN, message, details)
    wrong = [
        Detail(name, problem)
        for name, value in given.items()
        if name in known and value and (problem := _problem(known[name], value))
    ]
    if wrong:
        raise BillingError(PARAMETER_INVALID, "; ".join(detail.message for detail in wrong), wrong)


def read_whole(name: str, text: str | None, default: int, least: int, most: int) -> int:
    """A whole number in bounds. Raises PARAMETER_INVALID."""
    text = text or str(default)
    if len(text) > 10 or not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
        message = f"{name} is a whole number from {least} to {most}; got {text!r}"
        raise BillingError(PARAMETER_INVALID, message, [Detail(name, message)])
    return int(text)


def _nearest(name: str, known: Mapping[str, Query]) -> str:
    near = difflib.get_close_matches(name.lower(), [n.lower() for n in known], n=1)
    meant = next((n for n in known if near and n.lower() == near[0]), None)
    if meant:
        return f"there is no such parameter; did you mean {meant}?"
    return f"there is no such parameter; there are {', '.join(known)}" if known else "this route takes no parameters"


def _problem(query: Query, value: str) -> str:
    if query.kind == "flag" and value.lower() not in ("true", "false"):
        return f"{query.name} is true or false; got {value!r}"
    if query.choices and value.lower() not in (choice.lower() for choice in query.choices):
        return f"{query.name} is one of {', '.join(query.choices)}; got {value!r}"
    if query.kind == "period":
        read_period(value, query.name)  # one code for a period that is none, wherever it stands
    if query.kind == "date" and not _is_day(value):
        return f"{query.name} is a day, written YYYY-MM-DD; got {value!r}"
    return ""


def _is_day(text: str) -> bool:
    """Whether a text is a day in the form that the API knows. The very last day is none: it has no day after it."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day != date.max and day.isoformat() == text
