"""Into the trace of a line: how the rates of its row became what they are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from shared_code.billing.model import Line
from shared_code.contracts.rates.model import RateInPeriod


def with_rate_history(lines: Iterable[Line], rates: Iterable[RateInPeriod]) -> list[Line]:
    """The lines, with `rateHistory` among the inputs where a rate of the line's row has changed since it was stated."""
    changed = {rate.key: list(rate.explanation) for rate in rates if rate.steps}
    return [_with_history(line, changed) for line in lines] if changed else list(lines)


def _with_history(line: Line, changed: Mapping[str, list[str]]) -> Line:
    row = line.trace.inputs.get("row")
    place = f"{line.block}/{str(row).strip().casefold()}/" if row is not None else f"{line.block}/"
    history = {key: steps for key, steps in changed.items() if key.startswith(place)}
    if not history:
        return line
    return replace(line, trace=replace(line.trace, inputs={**line.trace.inputs, "rateHistory": history}))
