"""Keep superseded statements, with ids of their own for invoices; kinds and cancelling of runs; comments and dry runs

A number is unique among invoices that count, so it cannot be their key any more (rules R56). The four tables that hang
together are made anew: neither SQLite nor SQL Server changes a key in place while another table refers to it.

Revision: 0006, after 0005.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared_code.foundation.database import Fixed, Instant, long_text

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_STATUS = sa.column("status", sa.Unicode(20))
_LIVE = _STATUS != "Superseded"
_UNSENT = sa.and_(_LIVE, _STATUS != "Sent")
# Indexes that hold what a chunk of a run asks for: its pending items, and ledger balances without their rows.
_WIDER: list[tuple[str, dict[str, list[str]], dict[str, list[str]]]] = [
    (
        "run_item",
        {"ix_run_item_run_id_chunk": ["run_id", "chunk"]},
        {"ix_run_item_run_id_chunk_outcome": ["run_id", "chunk", "outcome"]},
    ),
    (
        "account_summary",
        {"ix_account_summary_batch_no_site": ["batch_no", "site"]},
        {"ix_account_summary_by_account": ["batch_no", "site", "main_account", "entity", "balance"]},
    ),
]
_TABLES = ("statement", "invoice", "statement_document", "invoice_line")  # parents first


def _statement(*, anew: bool) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        sa.Column("statement_id", sa.Unicode(length=32), nullable=False),
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("contract_version", sa.Integer(), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("site_name", sa.Unicode(length=200), nullable=False),
        sa.Column("status", sa.Unicode(length=20), nullable=False),
        sa.Column("status_reason", sa.Unicode(length=40), nullable=True),
        sa.Column("total", Fixed(19, 4), nullable=False),
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("warnings", long_text(), nullable=False),
        sa.Column("comparison", long_text(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("superseded_at", Instant(), nullable=True),
        sa.Column("checked_at", Instant(), nullable=False),
        sa.Column("stale_since", Instant(), nullable=True),
        sa.Column("stale_reason", sa.Unicode(length=40), nullable=True),
        sa.Column("stale_difference", long_text(), nullable=True),
    ]
    new = {"generation", "superseded_at", "checked_at", "stale_since", "stale_reason", "stale_difference"}
    return [column for column in columns if anew or column.name not in new]


def _invoice(*, anew: bool) -> list[sa.Column[Any]]:
    columns: list[sa.Column[Any]] = [
        sa.Column("invoice_id", sa.Unicode(length=40), nullable=False),
        sa.Column("number", sa.Unicode(length=40), nullable=False),
        sa.Column("statement_id", sa.Unicode(length=32), nullable=False),
        sa.Column("invoice_group", sa.Integer(), nullable=False),
        sa.Column("invoice_date", sa.Date(), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=True),
        sa.Column("payment_terms", long_text(), nullable=False),
        sa.Column("purchase_order", long_text(), nullable=True),
        sa.Column("title", long_text(), nullable=True),
        sa.Column("description", long_text(), nullable=True),
        sa.Column("customer_name", long_text(), nullable=True),
        sa.Column("vendor_id", long_text(), nullable=True),
        sa.Column("emails", long_text(), nullable=True),
        sa.Column("amount", Fixed(19, 4), nullable=False),
        sa.Column("superseded_at", Instant(), nullable=True),
    ]
    new = {"invoice_id", "customer_name", "vendor_id", "emails", "superseded_at"}
    return [column for column in columns if anew or column.name not in new]


def _invoice_line(*, anew: bool) -> list[sa.Column[Any]]:
    owner = "invoice_id" if anew else "invoice_number"
    return [
        sa.Column("line_id", sa.Unicode(length=32), nullable=False),
        sa.Column(owner, sa.Unicode(length=40), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("block", sa.Unicode(length=40), nullable=False),
        sa.Column("title", long_text(), nullable=False),
        sa.Column("description", long_text(), nullable=False),
        sa.Column("code", long_text(), nullable=False),
        sa.Column("amount", Fixed(19, 4), nullable=False),
        sa.Column("meta", long_text(), nullable=False),
        sa.Column("trace", long_text(), nullable=False),
    ]


def _statement_document(**_: bool) -> list[sa.Column[Any]]:
    return [
        sa.Column("statement_id", sa.Unicode(length=32), nullable=False),
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("state", sa.Unicode(length=20), nullable=False),
        sa.Column("snapshot", long_text(), nullable=False),
        sa.Column("blob_path", sa.Unicode(length=400), nullable=True),
        sa.Column("sha256", sa.Unicode(length=64), nullable=True),
        sa.Column("byte_count", sa.Integer(), nullable=True),
        sa.Column("rendered_at", Instant(), nullable=True),
    ]


_COLUMNS: dict[str, Callable[..., list[sa.Column[Any]]]] = {
    "statement": _statement,
    "invoice": _invoice,
    "statement_document": _statement_document,
    "invoice_line": _invoice_line,
}


def _constraints(name: str, *, anew: bool) -> list[sa.schema.SchemaItem]:
    def key(table: str, column: str) -> sa.PrimaryKeyConstraint:
        return sa.PrimaryKeyConstraint(column, name=op.f(f"pk_{table}"))

    def refers(table: str, column: str, parent: str, to: str) -> sa.ForeignKeyConstraint:
        return sa.ForeignKeyConstraint([column], [f"{parent}.{to}"], name=op.f(f"fk_{table}_{parent}"))

    if name == "statement":
        found: list[sa.schema.SchemaItem] = [
            refers(name, "run_id", "statement_run", "run_id"),
            key(name, "statement_id"),
        ]
        unique = op.f("uq_statement_contract_id_period_version")
        return found if anew else [*found, sa.UniqueConstraint("contract_id", "period", "version", name=unique)]
    if name == "invoice":
        return [
            refers(name, "statement_id", "statement", "statement_id"),
            key(name, "invoice_id" if anew else "number"),
        ]
    if name == "statement_document":
        return [refers(name, "statement_id", "statement", "statement_id"), key(name, "statement_id")]
    owner, to = ("invoice_id", "invoice_id") if anew else ("invoice_number", "number")
    return [refers(name, owner, "invoice", to), key(name, "line_id")]


def _indexes(*, anew: bool) -> list[tuple[str, str, list[str]]]:
    owner = "invoice_id" if anew else "invoice_number"
    return [
        ("ix_statement_period_site_number", "statement", ["period", "site_number"]),
        ("ix_statement_run_id", "statement", ["run_id"]),
        ("ix_statement_site_number_statement_id", "statement", ["site_number", "statement_id"]),
        ("ix_invoice_statement_id", "invoice", ["statement_id"]),
        ("ix_statement_document_run_id_state", "statement_document", ["run_id", "state"]),
        (f"ix_invoice_line_{owner}", "invoice_line", [owner]),
    ]


def _made_anew(kept: dict[str, dict[str, str]], conditions: dict[str, sa.ColumnElement[bool]], *, up: bool) -> None:
    """Make the four tables anew with their rows. `kept` says which old column a new one takes its values from."""
    for name in _TABLES:
        columns = _COLUMNS[name](anew=not up)
        op.create_table(f"{name}_kept", *columns)
        _copy(name, f"{name}_kept", {column.name: column.name for column in columns}, conditions.get(name))
    for name in reversed(_TABLES):
        for index, table, _ignored in _indexes(anew=not up):
            if table == name:
                op.drop_index(index, table_name=table)
        op.drop_table(name)
    for name in _TABLES:
        op.create_table(name, *_COLUMNS[name](anew=up), *_constraints(name, anew=up))
        known = {column.name for column in _COLUMNS[name](anew=not up)}
        same = {column.name: column.name for column in _COLUMNS[name](anew=up) if column.name in known}
        _copy(f"{name}_kept", name, same | kept.get(name, {}))
    for name in _TABLES:
        op.drop_table(f"{name}_kept")
    for index, table, keys in _indexes(anew=up):
        op.create_index(index, table, keys, unique=False)


def _copy(source: str, target: str, columns: dict[str, str], condition: sa.ColumnElement[bool] | None = None) -> None:
    """Copy rows; `columns` are SQL expressions of the source by the column of the target."""
    chosen: sa.Select[*tuple[Any, ...]] = sa.select(
        *(sa.literal_column(taken) for taken in columns.values())
    ).select_from(sa.table(source))
    if condition is not None:
        chosen = chosen.where(condition)
    into: Sequence[sa.ColumnClause[Any]] = [sa.column(name) for name in columns]
    op.execute(sa.insert(sa.table(target, *into)).from_select(list(columns), chosen))


def _index_anew(changes: Sequence[tuple[str, dict[str, list[str]], dict[str, list[str]]]]) -> None:
    """Put indexes in the place of others."""
    for table, old, new in changes:
        for name in old:
            op.drop_index(name, table_name=table)
        for name, columns in new.items():
            op.create_index(name, table, columns, unique=False)


def upgrade() -> None:
    _made_anew(
        {
            "statement": {"generation": "1", "checked_at": "created_at"},
            "invoice": {"invoice_id": "number"},
            "invoice_line": {"invoice_id": "invoice_number"},
        },
        {},
        up=True,
    )
    for name, columns, chosen in (
        ("uq_statement_contract_id_period_version", ["contract_id", "period", "version"], _LIVE),
        ("uq_statement_contract_id_period_unsent", ["contract_id", "period"], _UNSENT),
    ):
        op.create_index(name, "statement", columns, unique=True, sqlite_where=chosen, mssql_where=chosen)
    current = sa.column("superseded_at").is_(None)
    op.create_index("uq_invoice_number", "invoice", ["number"], unique=True, sqlite_where=current, mssql_where=current)
    op.add_column("statement_run", sa.Column("kind", sa.Unicode(length=12), nullable=False, server_default="Generate"))
    op.add_column(
        "statement_run", sa.Column("requested_by_id", sa.Unicode(length=100), nullable=False, server_default="")
    )
    op.add_column("statement_run", sa.Column("cancelled_at", Instant(), nullable=True))
    op.add_column("run_item", sa.Column("started_at", Instant(), nullable=True))
    op.create_index("ix_run_item_contract_id", "run_item", ["contract_id"], unique=False)
    _index_anew(_WIDER)
    op.create_index(
        "ix_statement_contract_id_period_generation", "statement", ["contract_id", "period", "generation"], unique=False
    )
    op.create_table(
        "site_comment",
        sa.Column("comment_id", sa.Unicode(length=32), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("period", sa.Unicode(length=7), nullable=False),
        sa.Column("source", sa.Unicode(length=12), nullable=False),
        sa.Column("text", long_text(), nullable=False),
        sa.Column("author", sa.Unicode(length=200), nullable=False),
        sa.Column("author_id", sa.Unicode(length=100), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("comment_id", name=op.f("pk_site_comment")),
    )
    op.create_index("ix_site_comment_site_number_period", "site_comment", ["site_number", "period"], unique=False)
    op.create_table(
        "dry_run_statement",
        sa.Column("run_id", sa.Unicode(length=32), nullable=False),
        sa.Column("contract_id", sa.Unicode(length=32), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.Column("document", long_text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["statement_run.run_id"], name=op.f("fk_dry_run_statement_statement_run")),
        sa.PrimaryKeyConstraint("run_id", "contract_id", name=op.f("pk_dry_run_statement")),
    )


def downgrade() -> None:
    """What the older schema cannot hold goes: superseded statements, comments, dry runs."""
    op.drop_table("dry_run_statement")
    op.drop_index("ix_site_comment_site_number_period", table_name="site_comment")
    op.drop_table("site_comment")
    op.drop_index("ix_statement_contract_id_period_generation", table_name="statement")
    _index_anew([(table, new, old) for table, old, new in _WIDER])
    op.drop_index("ix_run_item_contract_id", table_name="run_item")
    op.drop_column("run_item", "started_at")
    op.drop_column("statement_run", "cancelled_at")
    op.drop_column("statement_run", "requested_by_id", mssql_drop_default=True)
    op.drop_column("statement_run", "kind", mssql_drop_default=True)
    op.drop_index("uq_invoice_number", table_name="invoice")
    op.drop_index("uq_statement_contract_id_period_unsent", table_name="statement")
    op.drop_index("uq_statement_contract_id_period_version", table_name="statement")
    statement, invoice = sa.table("statement", sa.column("statement_id")), sa.table("invoice", sa.column("invoice_id"))
    live = sa.column("statement_id").in_(sa.select(statement.c.statement_id).where(_LIVE))
    counting = sa.column("invoice_id").in_(sa.select(invoice.c.invoice_id).where(live))
    number = "(SELECT number FROM invoice_kept WHERE invoice_kept.invoice_id = invoice_line_kept.invoice_id)"
    _made_anew(
        {"invoice_line": {"invoice_number": number}},
        {"statement": _LIVE, "invoice": live, "statement_document": live, "invoice_line": counting},
        up=False,
    )
