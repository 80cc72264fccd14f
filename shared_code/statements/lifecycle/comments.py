"""What site people say about a month (rules R25): kept by site and period, so it is there before any statement is.

A comment changes no statement that exists. The next generation of a contract in arrears goes to AR Review because of
it.
"""

from __future__ import annotations

from dataclasses import asdict

from shared_code.foundation import audit, clock, context
from shared_code.foundation.calendar import read_period
from shared_code.foundation.database import AnyRow, reading, transaction
from shared_code.foundation.errors import BillingError
from shared_code.foundation.listing import PageRequest
from shared_code.foundation.paging import Page, each
from shared_code.foundation.visibility import Visibility
from shared_code.statements import errors as statements
from shared_code.statements.lifecycle import errors, repository
from shared_code.statements.lifecycle.model import Comment, Commented, CommentSource
from shared_code.statements.reading import repository as reads
from shared_code.statements.scope import billed_period


def comments_of_statement(statement_id: str, asked: PageRequest, visible: Visibility) -> Page[Comment]:
    """What was said about the site and month of a statement, the oldest first. Raises STATEMENT_NOT_FOUND."""
    with reading() as connection:
        site_number, period = _place(reads.statement_row(connection, statement_id, visible), statement_id)
        return each(repository.list_comments(connection, site_number, period, asked), _comment)


def comments_of_site(site_number: str, period: str | None, asked: PageRequest, visible: Visibility) -> Page[Comment]:
    """What was said about a site, of one month or of all, the oldest first. Raises SITE_NOT_FOUND, PERIOD_INVALID."""
    month = str(read_period(period)) if period is not None else None
    with reading() as connection:
        if not repository.has_site(connection, site_number, visible):
            raise _no_site(site_number)
        return each(repository.list_comments(connection, site_number, month, asked), _comment)


def comment_on_statement(statement_id: str, text: str, visible: Visibility) -> Commented:
    """Say something about the month of a statement. Raises STATEMENT_NOT_FOUND."""
    with reading() as connection:
        site_number, period = _place(reads.statement_row(connection, statement_id, visible), statement_id)
    return _add(site_number, period, text, "Statement")


def comment_on_site(site_number: str, period: str, text: str, visible: Visibility) -> Commented:
    """Say something about a month of a site. Raises SITE_NOT_FOUND, PERIOD_INVALID, PERIOD_UNKNOWN."""
    month = str(billed_period(period))
    with reading() as connection:
        if not repository.has_site(connection, site_number, visible):
            raise _no_site(site_number)
    return _add(site_number, month, text, "ReadyRow")


def _add(site_number: str, period: str, text: str, source: CommentSource) -> Commented:
    """Keep a comment. Its key is natural, so that a repeated request finds the first one (decision 0017)."""
    actor = context.current()
    comment_id = clock.derived_id("comment", site_number, period, actor.actor_id, text)
    with transaction() as work:
        known = repository.comment(work.connection, comment_id)
        if known is not None:
            return Commented(_comment(known), created=False)
        made = Comment(comment_id, site_number, period, source, text, actor.actor_name, clock.now())
        repository.add_comment(work.connection, _columns(made) | {"author_id": actor.actor_id})
        data = {"period": period, "source": source, "text": text}
        audit.record(work, [audit.Event(f"site/{site_number}", "comment.added", comment_id, data, site=site_number)])
        return Commented(made, created=True)


def _columns(made: Comment) -> dict[str, object]:
    found = asdict(made)
    return {"comment_id": found.pop("id")} | found


def _place(row: AnyRow | None, statement_id: str) -> tuple[str, str]:
    """Site and month of a statement."""
    if row is None:
        raise BillingError(statements.STATEMENT_NOT_FOUND, f"there is no statement {statement_id}")
    return row.site_number, row.period


def _no_site(site_number: str) -> BillingError:
    return BillingError(errors.SITE_NOT_FOUND, f"there is no site {site_number!r}")


def _comment(row: AnyRow) -> Comment:
    return Comment(row.comment_id, row.site_number, row.period, row.source, row.text, row.author, row.created_at)
