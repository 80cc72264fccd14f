"""Migrations and tables say the same, up and down, on SQLite and as SQL for SQL Server."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from shared_code.foundation.database import create_database
from shared_code.operations.migrate import configuration, upgrade
from shared_code.operations.schema import metadata

MSSQL = "mssql+pyodbc://server/database?driver=ODBC+Driver+18+for+SQL+Server"


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'migrated.sqlite'}"


def test_migrations_make_exactly_the_tables_of_the_code(url: str) -> None:
    upgrade(url)
    with create_database(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(url: str) -> None:
    upgrade(url)
    upgrade(url)
    with create_database(url).connect() as connection:
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0002"


def test_every_migration_can_be_taken_back(url: str) -> None:
    upgrade(url)
    command.downgrade(configuration(url), "base")
    assert set(sa.inspect(create_database(url)).get_table_names()) <= {"alembic_version"}
    upgrade(url)


@pytest.fixture(scope="module")
def sql_server_script() -> str:
    out = io.StringIO()
    with redirect_stdout(out):
        upgrade(MSSQL, sql=True)
    return out.getvalue()


def test_the_sql_server_script_creates_every_table(sql_server_script: str) -> None:
    created = set(re.findall(r"CREATE TABLE (\w+)", sql_server_script))
    assert {table.name for table in metadata.sorted_tables} | {"alembic_version"} == created


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_no_key_of_sql_server_holds_text_without_a_limit_or_is_too_wide(table: sa.Table) -> None:
    """SQL Server refuses NVARCHAR(MAX) in a key, and more than 900 bytes in a clustered one."""
    keys = [list(table.primary_key.columns), *(list(index.columns) for index in table.indexes)]
    for columns in keys:
        lengths = [column.type.length for column in columns if isinstance(column.type, sa.String)]
        assert None not in lengths, f"{table.name}: {[c.name for c in columns]}"
        assert sum(2 * int(length or 0) for length in lengths) <= 900 - 8 * len(columns)
