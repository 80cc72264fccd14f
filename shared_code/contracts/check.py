"""`python -m shared_code.contracts.check DIR`: does every legacy contract under a folder load and survive its export?

Prints what a person should know of each file, what is true of the folder, and last one JSON line
`{"files":…,"loaded":…,"identical":…,"refused":…}`. Needs no database and no setting, and writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from shared_code.contracts.checking.folder import check_file, legacy_files
from shared_code.contracts.checking.wording import Tally, lines_of_file, lines_of_folder
from shared_code.foundation.calendar import Period


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every file is identical, 1 when one is refused or differs, 2 when there is no such folder."""
    given = _parser().parse_args(arguments)
    folder: Path = given.folder
    if not folder.is_dir():
        sys.stderr.write(f"nothing was checked: there is no folder {folder}\n")
        return 2
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    tally = Tally()
    for path in legacy_files(folder):
        report = check_file(path, folder, given.rates_as_of, lenient=given.lenient)
        tally.add(report)
        sys.stdout.writelines(f"{line}\n" for line in lines_of_file(report))
    if not tally.outcomes:
        sys.stderr.write(f"note: there is no *.json file under {folder}\n")
    sys.stdout.writelines(f"{line}\n" for line in lines_of_folder(tally))
    sys.stdout.write(f"{tally.json_line()}\n")
    return 0 if tally.clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m shared_code.contracts.check")
    parser.add_argument("folder", type=Path, metavar="DIR", help="checked with everything below it, *.json only")
    parser.add_argument(
        "--rates-as-of",
        type=_period,
        metavar="YYYY-MM",
        help="the month in which the files state their rates: shows what their escalators make of them in a year",
    )
    parser.add_argument(
        "--lenient", action="store_true", help="keep unknown fields and choices aside instead of refusing the file"
    )
    return parser


def _period(text: str) -> Period | None:
    try:
        return Period.parse(text) if text else None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no month; write it as 2025-12") from error


if __name__ == "__main__":
    sys.exit(main())
