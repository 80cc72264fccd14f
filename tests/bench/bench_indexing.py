"""P6: importing the app as the platform indexes it, against `import azure.functions` alone, in fresh interpreters.

The three programs alternate, so that a machine that slows down or speeds up does it to all of them.
"""

import os
import statistics
import subprocess
import sys
import time

from tests.bench.figures import report

ROUNDS = 15
ENVIRONMENT = os.environ | {"OPERATOR_NAME": "Example Parking"}  # without it the app does not start
PROGRAMS = {
    "interpreter": "pass",
    "library": "import azure.functions",
    "app": "import function_app; function_app.app.get_functions()",
}


def _seconds(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
    return time.perf_counter() - begun


def main() -> None:
    """Print the medians over the rounds, without the start of the interpreter; the first round only warms up."""
    rounds = [{name: _seconds(code) for name, code in PROGRAMS.items()} for _ in range(ROUNDS + 1)][1:]
    median = {name: statistics.median(found[name] for found in rounds) for name in PROGRAMS}
    library, app = (median[name] - median["interpreter"] for name in ("library", "app"))
    report(
        "P6 indexing", app * 1000, "ms", "≤ 2.5 × import azure.functions", ("import azure.functions", library * 1000)
    )


if __name__ == "__main__":
    main()
