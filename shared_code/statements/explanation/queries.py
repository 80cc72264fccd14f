"""Explanations and the rows behind them. Each is a fixed number of SQL statements."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy.engine import Connection

from shared_code.facts.source_rows import repository as sources
from shared_code.facts.source_rows.model import SourceRow
from shared_code.foundation.database import AnyRow, reading
from shared_code.foundation.errors import BillingError, Detail
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page, each
from shared_code.foundation.visibility import Visibility
from shared_code.statements import errors
from shared_code.statements.explanation import repository
from shared_code.statements.explanation.model import ExplainedFacts, ExplainedStep, Explanation


def explain(line_id: str, visible: Visibility) -> Explanation:
    """How the amount of a line came about, from the trace that was stored with it (design 3).

    Raises LINE_NOT_FOUND, also for a line of a site that the caller may not see.
    """
    with reading() as connection:
        row = _visible(connection, line_id, visible)
    trace = json.loads(row.trace)
    return Explanation(
        line_id=row.line_id,
        statement_id=row.statement_id,
        invoice_number=row.invoice_number,
        site_number=row.site_number,
        period=row.period,
        block=row.block,
        title=row.title,
        code=row.code,
        amount=row.amount,
        contract_id=row.contract_id,
        contract_version=row.contract_version,
        effective_from=row.effective_from,
        inputs=trace["inputs"],
        steps=tuple(ExplainedStep(step["text"], Decimal(step["value"])) for step in trace["steps"]),
        facts=tuple(_fact(number, fact) for number, fact in enumerate(trace["facts"], start=1)),
    )


def source_rows(line_id: str, fact: str, asked: PageRequest, visible: Visibility) -> Page[SourceRow]:
    """The rows that a fact of an explanation counts, in the order of their file, with file and row number.

    Raises LINE_NOT_FOUND, FACT_NOT_FOUND, SORT_INVALID, CURSOR_INVALID.
    """
    with reading() as connection:
        row = _visible(connection, line_id, visible)
        facts = [_fact(number, found) for number, found in enumerate(json.loads(row.trace)["facts"], start=1)]
        wanted = next((found for found in facts if str(found.number) == fact), None)
        if wanted is None:
            message = f"the line has {len(facts)} facts, numbered from 1; there is no fact {fact!r}"
            raise BillingError(errors.FACT_NOT_FOUND, message, [Detail("fact", message)])
        if not wanted.batches:
            return Page((), None, 0)
        batch = wanted.batches[0]  # the facts of a site and month come from one batch
        name, found = sources.rows(connection, wanted.dataset, batch, row.site_number, wanted.selection, asked)
    return each(found, lambda one: _source_row(one, wanted, batch, name))


def _visible(connection: Connection, line_id: str, visible: Visibility) -> AnyRow:
    row = repository.line_row(connection, line_id, visible)
    if row is None:
        raise BillingError(errors.LINE_NOT_FOUND, f"there is no line {line_id}")
    return row


def _fact(number: int, found: dict[str, Any]) -> ExplainedFacts:
    return ExplainedFacts(
        number=number,
        dataset=found["dataset"],
        period=found["period"],
        predicate=found["predicate"],
        selection=found["selection"],
        rows=found["rows"],
        amount=Decimal(found["amount"]),
        batches=tuple(found["batches"]),
    )


def _source_row(row: AnyRow, fact: ExplainedFacts, batch: str, name: str) -> SourceRow:
    source = sources.SOURCES[fact.dataset]
    values = row._mapping
    return SourceRow(
        batch_id=batch,
        file=name,
        row_number=row.row_number,
        day=values.get("day"),
        amount=source.amount(fact.selection, row),
        fields={name: str(values[name]) for name in source.fields if values[name] is not None},
    )
