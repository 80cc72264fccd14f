"""Every container and blob name of the app, in one place (datasets, Containers and names; requirements PDF-09).

A name is built from values of the database and of file drops, so each part is checked: it never leaves its folder.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared_code.foundation.calendar import Period

EDW_DROPS = "edw-drops"
CONTRACT_DROPS = "contract-drops"
SITE_WORKBOOKS = "site-workbooks"
STATEMENTS = "statements"
IMPORT_REPORTS = "import-reports"
RUN_REPORTS = "run-reports"
QUARANTINE = "quarantine"
IMPORT_WORK = "import-work"  # working copies of compressed drops, while they are read

CONTAINERS = (
    EDW_DROPS,
    CONTRACT_DROPS,
    SITE_WORKBOOKS,
    STATEMENTS,
    IMPORT_REPORTS,
    RUN_REPORTS,
    QUARANTINE,
    IMPORT_WORK,
)
"""All containers that the app needs; the set-up creates them."""


@dataclass(frozen=True, slots=True)
class BlobPath:
    """A blob: its container and its name inside it."""

    container: str
    name: str

    def __str__(self) -> str:
        return f"{self.container}/{self.name}"


def statement_pdf(period: Period, site_number: str, statement_id: str, version: int) -> BlobPath:
    """The PDF of one version of a statement: a sent version is never overwritten by the next."""
    name = f"{period}/{_part(site_number)}/{_part(statement_id)}-v{version:02d}.pdf"
    return BlobPath(STATEMENTS, name)


def attachment_name(invoice_numbers: Iterable[str]) -> str:
    """`<highest invoice number>_Invoice.pdf`, the highest by group, then version (PDF-09, rules R27).

    Raises ValueError without a number, or when one is not written `site-yyyyMM-group-version`.
    """
    highest = max(invoice_numbers, key=_group_and_version, default=None)
    if highest is None:
        raise ValueError("an attachment needs at least one invoice number")
    return f"{_part(highest)}_Invoice.pdf"


def import_report(batch: str) -> BlobPath:
    """The report of an import batch: counts, totals, findings."""
    return BlobPath(IMPORT_REPORTS, f"{_part(batch)}.json")


def rejected_rows(batch: str) -> BlobPath:
    """The rejected rows of an import batch, as CSV beside its report."""
    return BlobPath(IMPORT_REPORTS, f"{_part(batch)}.csv")


def run_report(run: str) -> BlobPath:
    """The report of a statement run: what was expected and what became of each contract."""
    return BlobPath(RUN_REPORTS, f"{_part(run)}.json")


def quarantine(batch: str, container: str, name: str) -> BlobPath:
    """The copy of a dropped file that could not be read; the batch keeps two drops of one name apart."""
    parts = [_part(part) for part in (batch, container, *name.split("/"))]
    return BlobPath(QUARANTINE, "/".join(parts))


def edw_drop(dataset: str, period: Period, file_name: str) -> BlobPath:
    """Where the warehouse drops a month's file: `{dataset}/{period}/{any name}`."""
    return BlobPath(EDW_DROPS, f"{_part(dataset)}/{period}/{_part(file_name)}")


def _group_and_version(number: str) -> tuple[int, int]:
    _, _, group, version = _numbered(number)
    return int(group), int(version)


def _numbered(number: str) -> list[str]:
    parts = number.rsplit("-", 3)
    if len(parts) != 4 or not (parts[2].isdecimal() and parts[3].isdecimal()):
        raise ValueError(f"an invoice number is written site-yyyyMM-group-version; got {number!r}")
    return parts


def _part(text: str) -> str:
    """One segment of a name, refused when it is empty or would point elsewhere."""
    if not text.strip() or text in (".", "..") or any(c in "/\\" or not c.isprintable() for c in text):
        raise ValueError(f"not a part of a blob name: {text!r}")
    return text
