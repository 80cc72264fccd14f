"""Values to JSON: decimals as exact numbers with at least two decimals, dates, periods and instants as text.

Money in cents prints as `12.50`. Rates, quantities and totals of facts may carry up to six decimals and print them all:
nothing is rounded on the way out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal

from shared_code.foundation.calendar import Period
from shared_code.foundation.money import plain

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_CENTS = Decimal("0.01")


def dumps(value: object) -> str:
    """JSON text of dataclasses, mappings, sequences and plain values (http-api, money)."""
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts)


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _write(value: object, out: list[str]) -> None:
    if isinstance(value, Decimal):
        out.append(_number(value))
    elif isinstance(value, datetime):
        out.append(_ENCODE(value.isoformat().replace("+00:00", "Z")))
    elif isinstance(value, date | Period):
        out.append(_ENCODE(str(value)))
    elif isinstance(value, Mapping):
        _write_pairs([(str(key), item) for key, item in value.items()], out)
    elif is_dataclass(value):
        _write_pairs([(camel(field.name), getattr(value, field.name)) for field in fields(value)], out)
    elif isinstance(value, list | tuple | set | frozenset):
        _write_items(list(value), out)
    elif value is None or isinstance(value, str | int | float | bool):
        out.append(_ENCODE(value))
    else:
        out.append(_ENCODE(str(value)))


def _write_pairs(pairs: list[tuple[str, object]], out: list[str]) -> None:
    out.append("{")
    for place, (key, item) in enumerate(pairs):
        out.append(("," if place else "") + _ENCODE(key) + ":")
        _write(item, out)
    out.append("}")


def _write_items(items: list[object], out: list[str]) -> None:
    out.append("[")
    for place, item in enumerate(items):
        if place:
            out.append(",")
        _write(item, out)
    out.append("]")


def _number(value: Decimal) -> str:
    return f"{value:.2f}" if value == value.quantize(_CENTS) else plain(value)
