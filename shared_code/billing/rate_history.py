"""Into the trace of a line: how the rates of its row became what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared_code.billing.model import Line
from shared_code.contracts.rates.model import RateInPeriod


def with_rate_history(
    lines: Sequence[Line], rates: Iterable[RateInPeriod], places: Mapping[str, str]
) -> Sequence[Line]:
    """The lines, with `rateHistory` among the inputs where a rate of the line's row has changed since it was stated.

    `places` says where the rates of a block stand: the component, and the part of its row where it has several, as
    `managementAgreement/fee`. Keys of rates are made by contracts/rates/fields.py.
    """
    changed = {rate.key: list(rate.explanation) for rate in rates if rate.steps}
    return [_with_history(line, changed, places) for line in lines] if changed else lines


def _with_history(line: Line, changed: Mapping[str, list[str]], places: Mapping[str, str]) -> Line:
    component, _, part = places.get(line.block, line.block).partition("/")
    rows = list(_rows(line.trace.inputs))
    history = {key: steps for key, steps in changed.items() if _is_of(key.split("/"), component, part, rows)}
    if not history:
        return line
    return replace(line, trace=replace(line.trace, inputs={**line.trace.inputs, "rateHistory": history}))


def _is_of(key: list[str], component: str, part: str, rows: list[str]) -> bool:
    """Whether a rate belongs to the component, to that part of it, and to one of the rows where there are any."""
    return key[0] == component and (not part or part in key) and (not rows or any(row in key for row in rows))


def _rows(inputs: Mapping[str, Any]) -> Iterator[str]:
    """The ids of the contract's rows that a line is made from, as keys spell them."""
    for name, value in inputs.items():
        if name == "row":
            yield str(value).strip().casefold()
        elif isinstance(value, dict):
            yield from _rows(value)
