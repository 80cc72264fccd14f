"""Check every legacy file under a folder: does it load, and does its export have the same bytes?

Nothing is stored, no database and no setting is needed. One bad file never stops the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from shared_code.contracts.checking.readiness import Readiness, readiness
from shared_code.contracts.errors import CONTRACT_UNREADABLE
from shared_code.contracts.findings import Finding, LegacyWarning
from shared_code.contracts.legacy import LegacyResult, read_legacy, write_legacy
from shared_code.contracts.legacy.portfolio import portfolio_warnings, twin_key
from shared_code.contracts.parsing import parse
from shared_code.contracts.rates.model import RateBases, RateInPeriod
from shared_code.contracts.schema import Contract
from shared_code.contracts.terms import terms_for
from shared_code.contracts.validation import check
from shared_code.foundation.calendar import Period
from shared_code.foundation.errors import BillingError, Detail

LARGEST_FILE: Final = 8 * 1024 * 1024
"""Bytes. The largest real contract file has 31 KiB; beyond this it is something else, and is not read."""

Outcome = Literal["identical", "different", "refused"]


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found of one file. `refusals` say why it did not load, each with its JSON pointer.

    `portfolio` is what is told once for the folder, `notices` what the rules say of a contract that bills all the same.
    """

    name: str
    outcome: Outcome
    code: str = ""
    refusals: tuple[Detail, ...] = ()
    warnings: tuple[LegacyWarning, ...] = ()
    portfolio: tuple[LegacyWarning, ...] = ()
    notices: tuple[Finding, ...] = ()
    readiness: Readiness | None = None
    twin_key: str = ""
    rates: tuple[RateInPeriod, ...] = ()

    @property
    def loaded(self) -> bool:
        return self.outcome != "refused"


def legacy_files(folder: Path) -> Iterator[Path]:
    """Every `*.json` under a folder in the order of names, and every folder that cannot be entered.

    Broken links are among them, to be refused. A folder of such a name is a folder; links to folders are not followed.
    """
    closed: list[Path] = []
    for place, folders, names in folder.walk(on_error=lambda error: closed.append(Path(error.filename))):
        folders.sort()
        yield from (place / name for name in sorted(names) if name.lower().endswith(".json"))
    yield from closed


def check_file(path: Path, folder: Path, rates_as_of: Period | None = None, *, lenient: bool = False) -> FileReport:
    """The report of one file. With `rates_as_of`, the rates a year after the month in which the file states them.

    `lenient` keeps unknown fields and choices aside instead of refusing the file.
    """
    name = path.relative_to(folder).as_posix()
    try:
        data = _read(path)
        result = read_legacy(data, str(folder.resolve() / name), lenient=lenient)
        return _report(name, data, result, rates_as_of)
    except BillingError as error:
        details = tuple(error.details) or (Detail("", error.message),)
        return FileReport(name, "refused", error.code, details)
    except Exception as error:  # whatever is wrong with one file, the others are checked
        reason = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        return FileReport(
            name, "refused", CONTRACT_UNREADABLE.code, (Detail("", f"the file cannot be read: {reason}"),)
        )


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise _unreadable("this is a folder, or a link to one, which was not entered")
    if not path.exists():
        raise _unreadable("the file is a link to nothing")
    if not path.is_file():
        raise _unreadable("this is no ordinary file")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise _unreadable(f"the file has {size:,} bytes; a contract has at most {LARGEST_FILE:,}")
    return path.read_bytes()


def _unreadable(reason: str) -> BillingError:
    return BillingError(CONTRACT_UNREADABLE, reason, [Detail("", reason)])


def _report(name: str, data: bytes, result: LegacyResult, rates_as_of: Period | None) -> FileReport:
    # The way of a contract through the database: what is exported is what was stored.
    stored = Contract.model_validate_json(result.contract.model_dump_json(by_alias=True))
    return FileReport(
        name,
        "identical" if write_legacy(stored) == data else "different",
        warnings=result.warnings,
        portfolio=tuple(portfolio_warnings(stored, parse(data))),
        notices=tuple(finding for finding in check(stored) if not finding.blocks_generation),
        readiness=readiness(stored),
        twin_key=twin_key(stored),
        rates=_rates_a_year_later(stored, rates_as_of) if rates_as_of is not None else (),
    )


def _rates_a_year_later(contract: Contract, stated: Period) -> tuple[RateInPeriod, ...]:
    later = Period(stated.year + 1, stated.month)
    rates = terms_for(contract, later, RateBases(otherwise=stated.first_day)).rates
    return tuple(rate for rate in rates if rate.steps or rate.notes)
