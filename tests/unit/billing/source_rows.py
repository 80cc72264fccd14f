"""From source rows to facts by the app's own SQL: stored rows, their monthly sums, the pointers, then `load_facts`."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

from shared_code.edw.datasets import DATASETS
from shared_code.edw.publication import repository as publication
from shared_code.facts.loading import Reading, load_facts
from shared_code.facts.model import SiteFacts
from shared_code.facts.tables import import_batch, site
from shared_code.foundation.calendar import Period
from shared_code.foundation.clock import now
from shared_code.operations.schema import metadata
from tests.unit.billing.builders import SITE

type SourceRow = Mapping[str, Any]
"""One row of a fact table by column, without batch, row number and site."""
type SourceRows = Mapping[tuple[str, Period], Sequence[SourceRow]]
"""The rows of the site by dataset and month, in the order of the file. Each month is complete."""


def empty_database() -> sa.Engine:
    """A database in memory with every table of the app. One connection: what it rolls back is gone."""
    engine = sa.create_engine("sqlite://", poolclass=StaticPool)
    metadata.create_all(engine)
    return engine


def load(engine: sa.Engine, rows: SourceRows, period: Period, reading: Reading) -> SiteFacts:
    """The facts of the site for `period`. The database is empty before and after."""
    with engine.connect() as connection, connection.begin() as work:
        connection.execute(site.insert(), {"site_number": SITE, "name": "Site", "batch_no": 1, "row_number": 1})
        for number, ((dataset, month), found) in enumerate(rows.items(), start=1):
            _store(connection, number, dataset, month, found)
        facts = load_facts(connection, [SITE], period, reading)[SITE]
        work.rollback()
    return facts


def _store(connection: Connection, number: int, dataset: str, month: Period, rows: Sequence[SourceRow]) -> None:
    daily = DATASETS[dataset].dated
    first, last, gap = (month.first_day, month.last_day, 0) if daily else (None, None, None)
    batch = {"batch_no": number, "batch_id": f"{dataset}-{month}", "effect_key": f"{dataset}|{month}"}
    head = {"dataset": dataset, "period": str(month), "container": "edw-drops", "source_name": "rows.csv"}
    end = {"sha256": "0", "byte_count": 1, "state": "current", "last_day": last, "created_at": now()}
    connection.execute(import_batch.insert(), batch | head | end)
    placed = [{**row, "batch_no": number, "row_number": place, "site": SITE} for place, row in enumerate(rows, start=1)]
    connection.execute(DATASETS[dataset].table.insert(), placed)
    publication.write_monthly(connection, DATASETS[dataset], number)
    whole = publication.Pointer(SITE, len(rows), 0, first, last, gap)
    publication.point(connection, dataset, str(month), number, [whole])
