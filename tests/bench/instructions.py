"""The instructions that a contract takes to be closed, counted: they hardly differ from run to run, where times swing.

For comparing two versions on a machine that others use too; what they take in time, `bench_close` says. Needs valgrind.
Counted is a process that closes 1,000 contracts twice, less one that does so once, which has all that is done once.
"""

import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.bench_close import PARTS, close, prepared
from tests.bench.figures import report

CONTRACTS = 1_000
ROOT = Path(__file__).parents[2]


def main() -> None:
    if "--close" in sys.argv:
        _close_again(int(sys.argv[-1]))
        return
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("valgrind is not installed; it counts the instructions. `make bench` measures times without it.")
    prepared(CONTRACTS)
    once, twice = (_counted(valgrind, times) for times in (1, 2))
    report("P2 instructions to close a contract", (twice - once) / CONTRACTS, "instructions", "none")


def _close_again(times: int) -> None:
    """Close the month of the same contracts in this process, each time from the beginning and without timers."""
    logging.disable(logging.WARNING)
    PARTS.clear()
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "close.sqlite"
            shutil.copyfile(prepared(CONTRACTS), path)
            close(path, CONTRACTS)


def _counted(valgrind: str, times: int) -> int:
    tool = [valgrind, "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    command = [*tool, sys.executable, "-m", "tests.bench.instructions", "--close", str(times)]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
    if found is None:
        raise RuntimeError(f"valgrind says nothing of instructions: {done.stderr[-500:]}")
    return int(found[1].replace(",", ""))


if __name__ == "__main__":
    main()
