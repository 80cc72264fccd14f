"""`make mutants`: the calculators are broken in thousands of ways, one at a time, and a test must fail each time.

Prints one JSON line, and ends with 1 when fewer than `LEAST` of the mutants are killed. One that only runs out of time
does not count as killed. What has survived stands in `mutants/`: `mutmut results`, then `mutmut show <name>`.
"""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "mutants"
LEAST = 0.9
PROCESSES = "2"


def main() -> int:
    """Run all mutants afresh and report. The exit code says whether enough were killed."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    begun = time.perf_counter()
    # With a pattern, mutmut first runs every test by its id. An id that pytest cannot find again (one with characters
    # beyond ASCII) stops it there; later it would end the tests of a mutant, and pass for a test that has failed.
    _mutmut("run", "--max-children", PROCESSES, "shared_code.billing.*")
    seconds = time.perf_counter() - begun
    _mutmut("export-cicd-stats")
    found = json.loads((FOLDER / "mutmut-cicd-stats.json").read_text(encoding="utf-8"))
    ratio = found["killed"] / found["total"]
    line = {
        "mutants": found["total"],
        "killed": found["killed"],
        "survived": found["survived"],
        "timeout": found["timeout"],
        "noTests": found["no_tests"],
        "ratio": round(ratio, 4),
        "seconds": round(seconds),
    }
    print(json.dumps(line), flush=True)
    return 0 if ratio >= LEAST else 1


def _mutmut(*arguments: str) -> None:
    """Its progress goes to stderr, so that stdout has the figures alone."""
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    subprocess.run(command, cwd=ROOT, stdout=sys.stderr, check=True)


if __name__ == "__main__":
    sys.exit(main())
