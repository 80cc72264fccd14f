"""Command line: `python -m sample_data --sites 771 --volume full --periods 2026-10 --seed 7 --out DIR`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sample_data.generate import generate
from sample_data.options import DEFAULT_DIFFICULT, MAX_SITES, SampleOptions, parse_periods


def main(arguments: Sequence[str] | None = None) -> int:
    """Generate a set; the last line is one JSON object. Exit 0, else one sentence of what is wrong:
    2 for an option, 1 for a folder that cannot be written.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    started = time.perf_counter()
    try:
        options = SampleOptions(
            out=given.out,
            sites=given.sites,
            volume=given.volume,
            periods=parse_periods(given.periods),
            seed=given.seed,
            difficult=given.difficult,
            cache=given.cache,
        )
        manifest = generate(options, progress=print)
    except ValueError as error:
        print(f"sample_data: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"sample_data: cannot write the set: {error}", file=sys.stderr)
        return 1
    summary = {
        "out": str(options.out),
        "sites": options.sites,
        "contracts": manifest.contracts.count,
        "component_sets": len(manifest.contracts.component_sets),
        "files": len(manifest.files),
        "rows": manifest.rows,
        "seconds": round(time.perf_counter() - started, 2),
    }
    print(json.dumps(summary))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sample_data", description="Invent a parking operator.")
    parser.add_argument("--out", type=Path, required=True, help="folder to fill")
    parser.add_argument("--sites", type=int, default=771, help=f"1 to {MAX_SITES} (default 771)")
    parser.add_argument("--volume", choices=("full", "light"), default="full", help="rows per site (default full)")
    parser.add_argument("--periods", default="2026-10", help="2026-10, 2026-09,2026-10 or 2026-01:2026-10")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another operator (default 7)")
    parser.add_argument("--difficult", type=float, default=DEFAULT_DIFFICULT, help="share of awkward contracts")
    parser.add_argument("--cache", type=Path, help="folder that keeps finished sets for reuse")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
