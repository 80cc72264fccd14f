"""Explanations and the rows behind them. Each is a fixed number of SQL statements."""

from __future__ import annotations

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
from shared_code.statements.explanation.model import ExplainedFacts, Explanation
from shared_code.statements.explanation.trace import marked, read_trace


def explain(line_id: str, visible: Visibility) -> Explanation:
    """How the amount of a line came about, from the trace that was stored with it (design 3). Two statements.

    Raises LINE_NOT_FOUND, also for a line of a site, or of a month, that the caller may not see.
    """
    with reading() as connection:
        row = _visible(connection, line_id, visible)
        trace = read_trace(row.trace)
        months = sorted({fact.period for fact in trace.facts})
        current = repository.current_batches(connection, row.site_number, months)
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
        rates_as_of=row.rates_as_of,
        inputs=trace.inputs,
        steps=trace.steps,
        facts=tuple(marked(fact, current) for fact in trace.facts),
    )


def source_rows(line_id: str, fact: str, asked: PageRequest, visible: Visibility) -> Page[SourceRow]:
    """The rows that a fact of an explanation counts, in the order of their file, with file and row number.

    They are those that were billed, also when a later file has replaced them.
    Raises LINE_NOT_FOUND, FACT_NOT_FOUND, SORT_INVALID, CURSOR_INVALID.
    """
    with reading() as connection:
        row = _visible(connection, line_id, visible)
        trace = read_trace(row.trace)
        wanted = trace.fact(fact)
        if wanted is None:
            message = f"the line has {len(trace.facts)} facts, numbered from 1; there is no fact {fact!r}"
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
