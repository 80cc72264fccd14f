"""Into the trace of a line: how the rates of its row became what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from shared_code.billing.model import Line, Trace
from shared_code.contracts.rates.model import RateInPeriod


def with_rate_history(
    lines: Sequence[Line], rates: Iterable[RateInPeriod], places: Mapping[str, str]
) -> Sequence[Line]:
    """The lines, with `rateHistory` among the inputs where a rate of the line's row has changed since it was stated.

    `places` says where the rates of a block stand: the component, and the part of its row where it has several, as
    `managementAgreement/fee`. Keys of rates are made by contracts/rates/fields.py.
    """
    changed: dict[str, list[_Changed]] = {}
    for rate in rates:
        if rate.steps:
            component, *place = rate.key.split("/")
            changed.setdefault(component, []).append(_Changed(rate.key, place, list(rate.explanation)))
    return [_with_history(line, changed, places) for line in lines] if changed else lines


class _Changed(NamedTuple):
    """A rate that has changed: its key, the parts of that behind the component, and what was done to it."""

    key: str
    place: list[str]
    steps: list[str]


def _with_history(line: Line, changed: Mapping[str, Sequence[_Changed]], places: Mapping[str, str]) -> Line:
    component, _, part = places.get(line.block, line.block).partition("/")
    if component not in changed:
        return line
    trace = line.trace
    rows = list(_rows(trace.inputs))
    history = {one.key: one.steps for one in changed[component] if _is_of(one.place, part, rows)}
    if not history:
        return line
    explained = Trace({**trace.inputs, "rateHistory": history}, trace.steps, trace.facts)
    return replace(line, trace=explained)


def _is_of(place: Sequence[str], part: str, rows: Sequence[str]) -> bool:
    """Whether a rate belongs to that part of its component, and to one of the rows where there are any."""
    return (not part or part in place) and (not rows or any(row in place for row in rows))


def _rows(inputs: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the contract's rows that a line is made from, as keys spell them."""
    for name, value in inputs.items():
        if name == "row":
            yield str(value).strip().casefold()
        elif isinstance(value, dict):
            yield from _rows(value)
