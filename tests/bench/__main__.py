"""`make bench`: every benchmark in a process of its own, one JSON line per figure."""

import subprocess
import sys

BENCHMARKS = (
    "bench_indexing",
    "bench_contracts",
    "bench_notes",
    "bench_billing",
    "bench_ingestion",
    "bench_pdf",
    "bench_audit",
    "bench_close",
)


def main() -> int:
    """Run them all; the exit code says whether every one could run, never whether it was fast."""
    failed = 0
    for name in BENCHMARKS:
        failed += subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
