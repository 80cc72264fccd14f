"""Values to JSON: money as numbers with exactly two decimals, other decimals plain, dates and instants as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal

from shared_code.foundation.money import plain

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
# names of quantities and rates; every other decimal is money
_RATES = frozenset({"rate", "overtimeRate", "percent", "quantity", "hours", "rooms"})


def dumps(value: object) -> str:
    """JSON text of dataclasses, mappings, sequences and plain values (http-api: money is a number, `12.50`)."""
    parts: list[str] = []
    _write(value, "", parts)
    return "".join(parts)


def camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)


def _write(value: object, name: str, out: list[str]) -> None:
    if isinstance(value, Decimal):
        out.append(_number(value, name))
    elif isinstance(value, datetime):
        out.append(_ENCODE(value.isoformat().replace("+00:00", "Z")))
    elif isinstance(value, date):
        out.append(_ENCODE(value.isoformat()))
    elif isinstance(value, Mapping):
        _write_pairs([(str(key), item) for key, item in value.items()], out)
    elif is_dataclass(value):
        _write_pairs([(camel(field.name), getattr(value, field.name)) for field in fields(value)], out)
    elif isinstance(value, list | tuple | set | frozenset):
        _write_items(list(value), name, out)
    elif value is None or isinstance(value, str | int | float | bool):
        out.append(_ENCODE(value))
    else:
        out.append(_ENCODE(str(value)))


def _write_pairs(pairs: list[tuple[str, object]], out: list[str]) -> None:
    out.append("{")
    for place, (key, item) in enumerate(pairs):
        out.append(("," if place else "") + _ENCODE(key) + ":")
        _write(item, key, out)
    out.append("}")


def _write_items(items: list[object], name: str, out: list[str]) -> None:
    out.append("[")
    for place, item in enumerate(items):
        if place:
            out.append(",")
        _write(item, name, out)
    out.append("]")


def _number(value: Decimal, name: str) -> str:
    """Money that has more than cents would be a fault of ours: it is refused, never rounded on the way out."""
    if name in _RATES:
        return plain(value)
    if value != value.quantize(Decimal("0.01")):
        raise ValueError(f"{name}: {value} is not an amount in cents")
    return f"{value:.2f}"
