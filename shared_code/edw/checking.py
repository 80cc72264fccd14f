"""Rows of a slice, checked a column at a time: what is stored, and what is rejected with row, column, rule and value.

Nothing is lost: every row is in exactly one of the two frames, and so is its money where it can be read.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from shared_code.edw import timesheets, values
from shared_code.edw.datasets import TIMESHEET, Dataset, Kind
from shared_code.edw.errors import ConservationError
from shared_code.edw.values import Context

VALUE_LENGTH = 400  # of rejected_row.value
REJECTED_SCHEMA = {
    "row_number": pl.Int64,
    "site": pl.String,
    "column_name": pl.String,
    "rule": pl.String,
    "value": pl.String,
    "amount": pl.Int64,
}


@dataclass(frozen=True, slots=True)
class Checked:
    """A slice after the checks. Money is in stored units (ten-thousandths); `amount` of a rejected row may be null."""

    accepted: pl.DataFrame  # row_number and the target columns
    rejected: pl.DataFrame  # REJECTED_SCHEMA
    duplicates: int = 0

    money_accepted: int = 0
    money_rejected: int = 0

    @property
    def rows(self) -> int:
        return self.accepted.height + self.rejected.height + self.duplicates


def check(dataset: Dataset, rows: pl.DataFrame, malformed: pl.DataFrame, context: Context) -> Checked:
    """Check `rows` (row_number and one text column per source column) and add the `malformed` ones.

    Raises ConservationError when rows or money of the result are not those of the input.
    """
    stored, faults = _read(dataset, rows, context)
    control = _control(dataset, stored)
    rejected = _rejected(dataset, rows, stored, faults, control, context)
    targets = [c.name for c in dataset.table.columns if c.name in stored.columns and c.name != "row_number"]
    good = stored if rejected.is_empty() else _without(stored, rejected)
    accepted = good.select("row_number", *targets)
    duplicates = 0
    if dataset.whole:
        accepted, conflicts, duplicates = _collapse(dataset, accepted)
        rejected = pl.concat([rejected, conflicts])
    money = _total(_control(dataset, good))
    result = Checked(
        accepted,
        pl.concat([rejected, malformed.select(*REJECTED_SCHEMA)]).sort("row_number"),
        duplicates,
        money_accepted=money,
        money_rejected=_total(rejected["amount"]),
    )
    if result.rows != rows.height + malformed.height or _total(control) != money + result.money_rejected:
        raise ConservationError(f"{dataset.name}: rows or money of a slice do not add up after the checks")
    return result


def _without(frame: pl.DataFrame, rejected: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(~pl.col("row_number").is_in(rejected["row_number"].implode()))


def _collapse(dataset: Dataset, accepted: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Keys of reference data, which are read in one piece: identical rows collapse, differing ones are rejected.

    Facts are compared over the whole batch in the database instead (`publication`).
    """
    content = [name for name in accepted.columns if name != "row_number"]
    single = accepted.unique(content, keep="first", maintain_order=True)
    clash = single.select(dataset.key).is_duplicated()
    keys = single.filter(clash).select(dataset.key).unique()
    conflicting = accepted.join(keys, on=list(dataset.key), how="semi")
    site = dataset.key[0]
    lines = conflicting.select(
        pl.col("row_number").cast(pl.Int64),
        pl.col(site).alias("site"),
        pl.lit(next(c.source for c in dataset.columns if c.target == site)).alias("column_name"),
        pl.lit(values.KEY_CONFLICT).alias("rule"),
        pl.col(site).alias("value"),
        pl.lit(0, dtype=pl.Int64).alias("amount"),
    )
    kept = single.filter(~clash)
    return kept, lines, accepted.height - kept.height - lines.height


def _total(amounts: pl.Series) -> int:
    return int(amounts.sum() or 0)


def _read(dataset: Dataset, rows: pl.DataFrame, context: Context) -> tuple[pl.DataFrame, list[tuple[str, pl.Series]]]:
    """Every column in storage form, and the faults by source column, in the order of the declaration."""
    stored = [rows["row_number"]]
    faults: list[tuple[str, pl.Series]] = []
    for column in dataset.columns:
        if column.source not in rows.columns:
            stored.append(
                pl.repeat(None, rows.height, dtype=pl.String, eager=True).alias(column.target or column.source)
            )
            continue
        read = values.read_column(rows[column.source], column, context)
        stored.append(read.values.alias(column.target or column.source))
        if read.faults is not None:
            faults.append((column.source, read.faults))
    frame = pl.DataFrame(stored)
    if dataset is TIMESHEET:
        frame, day = timesheets.derive(frame, context)
        if day.is_not_null().any():
            faults.append(("DAY_OF_THE_YEAR", day))
    return frame, faults


def _control(dataset: Dataset, stored: pl.DataFrame) -> pl.Series:
    """The amount of each row in the control total; null where a part of it cannot be read."""
    if not dataset.control:
        return pl.repeat(0, stored.height, dtype=pl.Int64, eager=True)
    total = stored[dataset.control[0]]
    for name in dataset.control[1:]:
        total = total + stored[name]
    return total


def _rejected(
    dataset: Dataset,
    rows: pl.DataFrame,
    stored: pl.DataFrame,
    faults: list[tuple[str, pl.Series]],
    control: pl.Series,
    context: Context,
) -> pl.DataFrame:
    """One line per rejected row: the first column, in the order of the declaration, that breaks a rule."""
    if not faults:
        return pl.DataFrame(schema=REJECTED_SCHEMA)
    site_column = next(c for c in dataset.columns if c.kind is Kind.SITE)
    found = []
    for source, rule in faults:
        at = rule.is_not_null().arg_true()
        found.append(
            pl.DataFrame(
                {
                    "at": at,
                    "column_name": pl.repeat(source, len(at), dtype=pl.String, eager=True),
                    "rule": rule.gather(at),
                    "value": rows[source].gather(at),
                }
            )
        )
    first = pl.concat(found).unique("at", keep="first", maintain_order=True)
    at = first["at"]
    return (
        first.with_columns(
            rows["row_number"].gather(at).cast(pl.Int64),
            control.gather(at).alias("amount"),
            stored[site_column.target or "site"].gather(at).alias("site"),
        )
        .with_columns(_named_site(context))
        .with_columns(_shown_value())
        .select(*REJECTED_SCHEMA)
    )


def _named_site(context: Context) -> pl.Expr:
    """The site whose billing waits for the row: the one it names, or means after losing its leading zeros."""
    site = pl.col("site")
    if context.sites is None:
        return pl.when(site.str.len_chars() <= 10).then(site)
    known = sorted(context.sites)
    meant = pl.when(site.str.contains("^[0-9]+$")).then(site.str.zfill(4)).otherwise(site)
    return pl.when(meant.is_in(known)).then(meant).when(site.str.len_chars() <= 10).then(site)


def _shown_value() -> pl.Expr:
    shown = pl.col("value").fill_null("").str.slice(0, VALUE_LENGTH - 40)
    meant = (pl.col("rule") == values.SITE_UNKNOWN) & (
        pl.col("value").str.strip_chars().str.to_uppercase() != pl.col("site")
    )
    return (
        pl.when(meant.fill_null(value=False))
        .then(pl.format("{} (did you mean {}?)", shown, pl.col("site")))
        .otherwise(shown)
        .alias("value")
    )
