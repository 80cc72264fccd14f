"""How Alembic reaches the database: through the app's own engine, so that both dialects behave as in the app."""

from typing import Literal

import sqlalchemy as sa
from alembic import context

import shared_code.operations.schema  # noqa: F401 - registers every table
from shared_code.foundation.database import Fixed, Instant, create_database, metadata
from shared_code.foundation.dialect import as_azure_sql


def render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """How a generated migration writes our column types."""
    if kind == "type" and isinstance(item, Fixed):
        return f"Fixed({item.precision}, {item.scale})"
    if kind == "type" and isinstance(item, Instant):
        return "Instant()"
    if kind == "type" and isinstance(item, sa.UnicodeText):
        return "long_text()"
    return False


included = context.config.attributes.get("include_object", lambda *_: True)
url = context.config.get_main_option("sqlalchemy.url") or ""

if context.is_offline_mode():
    context.configure(url=url, target_metadata=metadata, literal_binds=True, transaction_per_migration=True)
    as_azure_sql(context.get_context().dialect)
    with context.begin_transaction():
        context.run_migrations()
else:
    with create_database(url).connect().execution_options(sqlite_begin="IMMEDIATE") as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=True,
            render_item=render,
            include_object=included,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
