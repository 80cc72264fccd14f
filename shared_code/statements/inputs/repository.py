"""SQL of earlier months, ad-hoc lines, GL accounts, and what holds for all contracts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import batched
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.index_values import repository as index_values
from shared_code.contracts.index_values.tables import index_value
from shared_code.contracts.openings.repository import select_balances
from shared_code.contracts.openings.tables import opening_balance
from shared_code.contracts.rates.model import Indexes
from shared_code.contracts.tables import contract
from shared_code.foundation.business_settings import repository as settings
from shared_code.foundation.business_settings.model import BusinessSettings
from shared_code.foundation.business_settings.tables import business_setting
from shared_code.foundation.calendar import Period
from shared_code.foundation.database import AnyRow
from shared_code.foundation.many import from_storage, named_rows, stored_rows, write_many
from shared_code.statements.tables import (
    adhoc_line,
    gl_account,
    monthly_profit,
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What holds for all contracts: settings, price indexes, and GL accounts by purpose."""

    decided: BusinessSettings
    indexes: Indexes
    accounts: Mapping[str, str]


_CONTRACTS = 1_000  # to a statement
_NO_TEXT: sa.ColumnElement[str] = sa.literal_column("''")


def _in_parts(
    connection: Connection, chosen: sa.Executable, contract_ids: Sequence[str], **more: object
) -> list[AnyRow]:
    found: list[AnyRow] = []
    for start in range(0, len(contract_ids), _CONTRACTS):
        found += named_rows(connection, chosen, {"contract_ids": contract_ids[start : start + _CONTRACTS], **more})
    return found


def _among(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return column.in_(sa.bindparam("contract_ids", (), expanding=True))


_ADHOC = (
    sa.select(adhoc_line)
    .where(
        _among(adhoc_line.c.contract_id),
        adhoc_line.c.period == sa.bindparam("period"),
        adhoc_line.c.removed_at.is_(None),
    )
    .order_by(adhoc_line.c.contract_id, adhoc_line.c.created_at, adhoc_line.c.line_id)
)


def adhoc_lines(connection: Connection, contract_ids: Sequence[str], period: Period) -> Sequence[AnyRow]:
    """The ad-hoc lines of contracts for `period` that were not taken back, in the order in which they were added."""
    return _in_parts(connection, _ADHOC, contract_ids, period=str(period))


def add_adhoc_lines(connection: Connection, rows: Sequence[dict[str, object]]) -> None:
    """Store ad-hoc lines. Nothing is computed anew; the next generation prints them."""
    if rows:
        connection.execute(adhoc_line.insert(), list(rows))


def _past() -> sa.CompoundSelect[Any]:
    chosen = sa.select(contract.c.contract_id).where(_among(contract.c.contract_id)).cte("chosen")
    profit, opening = monthly_profit.c, opening_balance.c
    no_amount = sa.cast(sa.null(), opening.to_date.type)
    return sa.union_all(
        select_balances(
            opening.contract_id,
            opening.as_of.label("month"),
            opening.kind,
            opening.row_id,
            opening.basis,
            opening.to_date,
            opening.high_water_mark,
            sa.cast(sa.null(), profit.profit.type).label("profit"),
        ).join(chosen, chosen.c.contract_id == opening.contract_id),
        sa.select(profit.contract_id, profit.period, _NO_TEXT, _NO_TEXT, _NO_TEXT, no_amount, no_amount, profit.profit)
        .join(chosen, chosen.c.contract_id == profit.contract_id)
        .where(profit.period >= sa.bindparam("first"), profit.period <= sa.bindparam("last")),
    )


_PAST = _past()


def past(connection: Connection, contract_ids: Sequence[str], first: Period, last: Period) -> Iterator[tuple[Any, ...]]:
    """The opening balances of contracts, and their monthly profits from `first` through `last`, which have no kind.
    Amounts are as they are stored (`exact_amounts`). One statement for a thousand contracts."""
    for part in batched(contract_ids, _CONTRACTS, strict=False):
        yield from stored_rows(connection, _PAST, {"contract_ids": part, "first": str(first), "last": str(last)})


def exact_amounts(connection: Connection) -> tuple[Callable[[Any], Decimal], ...]:
    """What makes exact numbers of `to_date`, `high_water_mark` and `profit` in rows of `past`."""
    columns = (opening_balance.c.to_date, opening_balance.c.high_water_mark, monthly_profit.c.profit)
    return tuple(from_storage(connection, column) for column in columns)


_PROFIT = monthly_profit.insert()
_PROFITS_GONE = monthly_profit.delete().where(
    _among(monthly_profit.c.contract_id), monthly_profit.c.period == sa.bindparam("of_period")
)


def set_profits(
    connection: Connection, period: Period, rows: Sequence[dict[str, object]], replaced: Sequence[str]
) -> None:
    """Store monthly profits of `period`; those of `replaced` contracts take the place of one (rules R3, R44)."""
    for start in range(0, len(replaced), _CONTRACTS):
        asked = {"contract_ids": replaced[start : start + _CONTRACTS], "of_period": str(period)}
        connection.execute(_PROFITS_GONE, asked)
    write_many(connection, _PROFIT, rows)


_earlier = gl_account.alias("earlier")
_ACCOUNTS = sa.select(gl_account.c.purpose, gl_account.c.account).where(
    gl_account.c.effective_from
    == sa.select(sa.func.max(_earlier.c.effective_from))
    .where(_earlier.c.purpose == gl_account.c.purpose, _earlier.c.effective_from <= sa.bindparam("day", type_=sa.Date))
    .correlate(gl_account)
    .scalar_subquery()
)


def gl_accounts(connection: Connection, day: date) -> dict[str, str]:
    """The GL main account of each purpose on a day: the row that took effect last (rules R34)."""
    return {row.purpose: row.account for row in connection.execute(_ACCOUNTS, {"day": day})}


def _agreed() -> sa.CompoundSelect[Any]:
    # Names of indexes stand apart, since SQL Server compares them in another way than those of the others.
    index, setting = index_value.c, business_setting.c
    of_index = index.name.label("index_name"), index.year, index.value.label("percent")
    no_index = _NO_TEXT, sa.cast(sa.null(), index.year.type), sa.cast(sa.null(), index.value.type)
    return sa.union_all(
        _parts_of(
            index_values.select_latest(for_change=False),
            "index",
            _NO_TEXT.label("name"),
            _NO_TEXT.label("value"),
            *of_index,
        ),
        _parts_of(settings.select_latest(for_change=False), "setting", setting.name, setting.value, *no_index),
        _parts_of(_ACCOUNTS, "account", gl_account.c.purpose, gl_account.c.account, *no_index),
    )


def _parts_of(chosen: sa.Select[Any], kind: str, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return chosen.order_by(None).with_only_columns(sa.literal_column(f"'{kind}'").label("kind"), *columns)


_AGREED = _agreed()


def agreed(connection: Connection, day: date) -> Agreed:
    """What holds for all contracts in this transaction. One statement.

    Raises SETTINGS_INVALID for a stored setting that the catalogue does not allow any more.
    """
    rows: dict[str, list[AnyRow]] = {"index": [], "setting": [], "account": []}
    for row in named_rows(connection, _AGREED, {"day": day}):
        rows[row.kind].append(row)
    return Agreed(
        decided=settings.over_app_settings(rows["setting"]),
        indexes={(row.index_name, row.year): row.percent for row in rows["index"] if row.percent is not None},
        accounts={row.name: row.value for row in rows["account"]},
    )
