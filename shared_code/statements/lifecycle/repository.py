"""All SQL of the life of statements and of comments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from shared_code.contracts.tables import contract_version
from shared_code.facts.tables import site
from shared_code.foundation.database import AnyRow
from shared_code.foundation.dialect import locked
from shared_code.foundation.listing import Listing, PageRequest, SortField
from shared_code.foundation.paging import Page
from shared_code.foundation.visibility import Visibility
from shared_code.statements.tables import site_comment, statement, statement_run

COMMENTS = Listing(
    columns=(site_comment,),
    fields={"createdAt": SortField(site_comment.c.created_at, datetime)},
    default="createdAt",
    key=SortField(site_comment.c.comment_id, str),
)


def statement_for_change(connection: Connection, statement_id: str, visible: Visibility) -> AnyRow | None:
    """A statement that the caller may see, kept from others until this transaction ends.

    With `billing_type` of the version that was billed, and `requested_by_id`: who has started the run that made it.
    """
    c = statement.c
    chosen = (
        sa.select(statement, contract_version.c.billing_type, statement_run.c.requested_by_id)
        .select_from(
            statement.join(statement_run, statement_run.c.run_id == c.run_id).outerjoin(
                contract_version,
                sa.and_(
                    contract_version.c.contract_id == c.contract_id, contract_version.c.version == c.contract_version
                ),
            )
        )
        .where(c.statement_id == statement_id, visible.limit(c.site_number, c.period))
    )
    return connection.execute(locked(chosen, statement)).one_or_none()


def change(connection: Connection, read: AnyRow, values: Mapping[str, object]) -> bool:
    """Change a statement that is as it was read. False when its status or what makes it stale is another by now."""
    c = statement.c
    changed = connection.execute(
        statement.update()
        .where(
            c.statement_id == read.statement_id,
            c.status == read.status,
            c.stale_since == read.stale_since if read.stale_since is not None else c.stale_since.is_(None),
        )
        .values(**values)
    )
    return changed.rowcount == 1


def is_commented(connection: Connection, site_number: str, period: str) -> bool:
    """Whether anybody said anything about a month of a site."""
    c = site_comment.c
    chosen = sa.select(sa.func.count()).where(c.site_number == site_number, c.period == period)
    return bool(connection.scalar(chosen))


def has_site(connection: Connection, site_number: str, visible: Visibility) -> bool:
    """Whether the site master has a site that the caller may see."""
    chosen = sa.select(sa.func.count()).where(site.c.site_number == site_number, visible.limit(site.c.site_number))
    return bool(connection.scalar(chosen))


def comment(connection: Connection, comment_id: str) -> AnyRow | None:
    return connection.execute(sa.select(site_comment).where(site_comment.c.comment_id == comment_id)).one_or_none()


def add_comment(connection: Connection, row: Mapping[str, object]) -> None:
    connection.execute(site_comment.insert(), dict(row))


def list_comments(connection: Connection, site_number: str, period: str | None, asked: PageRequest) -> Page[AnyRow]:
    """What was said about a site, of one month or of all, the oldest first unless sorted otherwise."""
    conditions = [site_comment.c.site_number == site_number]
    if period is not None:
        conditions.append(site_comment.c.period == period)
    return COMMENTS.page(connection, asked, *conditions)
