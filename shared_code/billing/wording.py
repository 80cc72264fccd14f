"""How traces are worded. A sentence is a template with its values; its text is written when somebody reads it.

Steps and sources are made for every line of a month, and few of them are ever read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from string import Formatter
from typing import Any

from shared_code.facts.model import ACCOUNTS, REVENUE, TIMESHEET
from shared_code.facts.predicates import BY_NAME
from shared_code.foundation.money import plain


def exact_dollars(amount: Decimal) -> str:
    """US dollars with two decimals at least, and all that there are: `$1,234.50`, `-$0.3125`. Nothing is rounded."""
    text = f"{amount:,f}"
    if text[-3:-2] != ".":
        whole, _, part = text.partition(".")
        text = f"{whole}.{part.rstrip('0'):0<2}"
    return "-$" + text[1:] if text[0] == "-" else "$" + text


def _listed(values: Sequence[object]) -> str:
    return ", ".join([str(value) for value in values])


_WRITERS: Mapping[str, Callable[[Any], str]] = {"": str, "dollars": exact_dollars, "number": plain, "list": _listed}


def written(sentence: str, values: Sequence[object]) -> str:
    """The text of a sentence as `{share:number} % of {revenue:dollars}`, whose values come in the order of its places.

    A place names its value, and says how it is written: in exact dollars, as a number, as a list of words, or as it is.
    """
    rest = iter(values)
    return "".join([text + write(next(rest)) if write else text for text, write in _pieces(sentence)])


@lru_cache(maxsize=1024)
def _pieces(sentence: str) -> tuple[tuple[str, Callable[[Any], str] | None], ...]:
    """What stands before each place of a sentence, with the writer of the place; none after the last."""
    return tuple(
        (text, None if how is None else _WRITERS[how]) for text, _name, how, _conversion in Formatter().parse(sentence)
    )


def rows_in_words(dataset: str, selection: Mapping[str, Any]) -> str:
    """Which rows of a dataset a selection takes, see billing/references.py."""
    if dataset == REVENUE:
        codes = f", codes {', '.join(selection['codes'])}" if "codes" in selection else ""
        return BY_NAME[selection["measure"]].text + codes
    if dataset == ACCOUNTS:
        accounts = selection["accounts"]
        return f"accounts {', '.join(accounts)}" if accounts else "none of the accounts has rows"
    if dataset == TIMESHEET:
        return f"work role {selection['roles'][0]}, {selection['unit']}"
    return f"category {selection['category'].title()}, not draft"
