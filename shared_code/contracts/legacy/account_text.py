"""Account lists, which the legacy file holds as JSON text inside JSON (contract-corpus 1.3, DQ06, DQ35)."""

import json
from functools import lru_cache

from shared_code.contracts.parsing import parse_text
from shared_code.contracts.schema.accounts import AccountRow, AccountSelection, Template
from shared_code.contracts.schema.chart import CHARTS
from shared_code.foundation.errors import BillingError

_KEYS = ("code", "title", "isEnabled")


@lru_cache(maxsize=512)
def read_accounts(text: str, template: Template) -> AccountSelection:
    """The selection that an account text states. ValueError says what is wrong with the text.

    Few distinct texts exist in a portfolio (6 for payroll, 26 for expenses in the corpus): each is read once.
    """
    rows = _rows(text)
    selection = _on_template(rows, template) or AccountSelection(rows=rows)
    return selection if write_accounts(selection) == text else selection.model_copy(update={"text": text})


@lru_cache(maxsize=512)
def write_accounts(selection: AccountSelection) -> str:
    """The legacy text of a selection: the source's own text where one is kept."""
    if selection.text is not None:
        return selection.text
    rows = [{"code": row.code, "title": row.title, "isEnabled": row.enabled} for row in selection.accounts()]
    return json.dumps(rows, separators=(",", ":"))


def _rows(text: str) -> tuple[AccountRow, ...]:
    try:
        found = parse_text(text)
    except (ValueError, ArithmeticError, RecursionError, BillingError) as error:
        raise ValueError(f"the account list is not readable JSON text: {error}") from error
    if not isinstance(found, list):
        raise ValueError("the account list must be a list of accounts")  # noqa: TRY004 - a finding
    return tuple(_row(row, place) for place, row in enumerate(found, start=1))


def _row(row: object, place: int) -> AccountRow:
    if not isinstance(row, dict) or tuple(row) != _KEYS:
        raise ValueError(f"account {place} of the list must have exactly code, title and isEnabled")
    code, title, enabled = (row[key] for key in _KEYS)
    if not (isinstance(code, str) and code and isinstance(title, str) and isinstance(enabled, bool)):
        raise ValueError(f"account {place} of the list needs a code, a title and true or false")
    return AccountRow(code=code, title=title, enabled=enabled)


def _on_template(rows: tuple[AccountRow, ...], template: Template) -> AccountSelection | None:
    """The same selection as template plus explicit rows; None when the codes are not the template's (DQ35)."""
    chart = CHARTS[template]
    if tuple(row.code for row in rows) != tuple(code for code, _ in chart):
        return None
    default = sum(row.enabled for row in rows) * 2 > len(rows)
    explicit = tuple(
        AccountRow(code=row.code, title=None if row.title == title else row.title, enabled=row.enabled)
        for row, (_, title) in zip(rows, chart, strict=True)
        if row.enabled is not default or row.title != title
    )
    return AccountSelection(template=template, default_enabled=default, rows=explicit)
