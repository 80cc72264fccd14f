"""How a benchmark reports: one JSON line with the figure, its baseline of the same run, the ratio and the budget."""

import json
import statistics
import time
from collections.abc import Callable


def report(name: str, figure: float, unit: str, budget: str, baseline: tuple[str, float] | None = None) -> None:
    """Print one figure. `baseline` is what was measured beside it, with its name."""
    line: dict[str, object] = {"name": name, "figure": round(figure, 3), "unit": unit}
    if baseline:
        line |= {
            "baseline": baseline[0],
            "baselineFigure": round(baseline[1], 3),
            "ratio": round(figure / baseline[1], 3),
        }
    print(json.dumps(line | {"budget": budget}, ensure_ascii=False), flush=True)


def median_seconds(work: Callable[[], object], times: int = 5) -> float:
    """Median wall time of `work` after one warm-up."""
    work()
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        found.append(time.perf_counter() - begun)
    return statistics.median(found)
