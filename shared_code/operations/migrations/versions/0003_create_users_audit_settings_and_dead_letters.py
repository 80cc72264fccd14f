"""Create users, audit, business settings, dead letters and idempotent requests

Revision: 0003, after 0002.
"""

import sqlalchemy as sa
from alembic import op

from shared_code.foundation.audit.tables import JsonField, append_only
from shared_code.foundation.database import Instant, long_text
from shared_code.foundation.dialect import exact_text

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "app_user",
        sa.Column("user_id", exact_text(100), nullable=False),
        sa.Column("name", sa.Unicode(length=200), nullable=False),
        sa.Column("kind", sa.Unicode(length=10), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_app_user")),
    )
    op.create_index("ix_app_user_name_user_id", "app_user", ["name", "user_id"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("body", long_text(), nullable=False),
        sa.Column("stream", exact_text(100), sa.Computed(JsonField("$.stream", 100), persisted=True), nullable=False),
        sa.Column(
            "sequence", sa.BigInteger(), sa.Computed(JsonField("$.sequence", None), persisted=True), nullable=False
        ),
        sa.Column("recorded_at", exact_text(27), sa.Computed(JsonField("$.at", 27), persisted=True), nullable=False),
        sa.Column(
            "actor_id", exact_text(100), sa.Computed(JsonField("$.actor.id", 100), persisted=True), nullable=False
        ),
        sa.Column("action", exact_text(60), sa.Computed(JsonField("$.action", 60), persisted=True), nullable=False),
        sa.Column("subject", exact_text(400), sa.Computed(JsonField("$.subject", 400), persisted=True), nullable=False),
        sa.Column("site", exact_text(20), sa.Computed(JsonField("$.site", 20), persisted=True), nullable=True),
        sa.Column(
            "correlation_id",
            exact_text(64),
            sa.Computed(JsonField("$.correlationId", 64), persisted=True),
            nullable=False,
        ),
        sa.UniqueConstraint("stream", "sequence", name=op.f("uq_audit_event_stream_sequence"), mssql_clustered=True),
    )
    op.create_index("ix_audit_event_recorded_at", "audit_event", ["recorded_at"], unique=False)
    op.create_index("ix_audit_event_site_recorded_at", "audit_event", ["site", "recorded_at"], unique=False)
    op.create_index("ix_audit_event_subject_recorded_at", "audit_event", ["subject", "recorded_at"], unique=False)
    for statement in append_only(op.get_context().dialect.name):
        op.execute(statement)
    op.create_table(
        "audit_head",
        sa.Column("stream", exact_text(100), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Unicode(length=64), nullable=False),
        sa.PrimaryKeyConstraint("stream", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "business_setting",
        sa.Column("name", sa.Unicode(length=60), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", long_text(), nullable=True),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("changed_by", sa.Unicode(length=100), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_business_setting")),
    )
    op.create_table(
        "dead_letter",
        sa.Column("dead_letter_id", sa.Unicode(length=32), nullable=False),
        sa.Column("queue", sa.Unicode(length=64), nullable=False),
        sa.Column("message_id", sa.Unicode(length=128), nullable=False),
        sa.Column("body", long_text(), nullable=False),
        sa.Column("correlation_id", sa.Unicode(length=64), nullable=False),
        sa.Column("reason", sa.Unicode(length=64), nullable=False),
        sa.Column("description", long_text(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("state", sa.Unicode(length=10), nullable=False),
        sa.Column("died_at", Instant(), nullable=False),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("settled_by", sa.Unicode(length=100), nullable=True),
        sa.Column("settled_reason", sa.Unicode(length=500), nullable=True),
        sa.Column("replay_message_id", sa.Unicode(length=128), nullable=True),
        sa.PrimaryKeyConstraint("dead_letter_id", name=op.f("pk_dead_letter")),
    )
    op.create_index("ix_dead_letter_state_died_at", "dead_letter", ["state", "died_at"], unique=False)
    op.create_table(
        "idempotent_request",
        sa.Column("caller_id", exact_text(100), nullable=False),
        sa.Column("request_key", exact_text(255), nullable=False),
        sa.Column("fingerprint", sa.Unicode(length=64), nullable=False),
        sa.Column("holder", sa.Unicode(length=32), nullable=False),
        sa.Column("held_until", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", long_text(), nullable=True),
        sa.Column("body", long_text(), nullable=True),
        sa.PrimaryKeyConstraint("caller_id", "request_key", name=op.f("pk_idempotent_request")),
    )
    op.create_index("ix_idempotent_request_expires_at", "idempotent_request", ["expires_at"], unique=False)
    op.create_table(
        "user_district",
        sa.Column("user_id", exact_text(100), nullable=False),
        sa.Column("district", sa.Unicode(length=100), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "district", name=op.f("pk_user_district")),
    )
    op.create_table(
        "user_site",
        sa.Column("user_id", exact_text(100), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "site_number", name=op.f("pk_user_site")),
    )
    op.create_table(
        "user_role",
        sa.Column("user_id", exact_text(100), nullable=False),
        sa.Column("role", sa.Unicode(length=30), nullable=False),
        sa.Column("granted_by", sa.Unicode(length=100), nullable=False),
        sa.Column("granted_at", Instant(), nullable=False),
        sa.Column("reason", sa.Unicode(length=500), nullable=False),
        sa.Column("valid_until", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.user_id"], name=op.f("fk_user_role_app_user")),
        sa.PrimaryKeyConstraint("user_id", "role", name=op.f("pk_user_role")),
    )
    # The same assignments under the name that goes with the others; user ids are compared byte by byte from now on.
    op.execute("INSERT INTO user_site (user_id, site_number) SELECT user_id, site_number FROM site_assignment")
    op.drop_table("site_assignment")
    op.create_index("ix_import_batch_created_at_batch_no", "import_batch", ["created_at", "batch_no"], unique=False)
    op.add_column("outbox", sa.Column("trace_parent", sa.Unicode(length=64), nullable=True))
    op.add_column("outbox", sa.Column("claimed_until", Instant(), nullable=True))
    op.create_index("ix_statement_site_number_statement_id", "statement", ["site_number", "statement_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_statement_site_number_statement_id", table_name="statement")
    op.drop_column("outbox", "claimed_until")
    op.drop_column("outbox", "trace_parent")
    op.drop_index("ix_import_batch_created_at_batch_no", table_name="import_batch")
    op.create_table(
        "site_assignment",
        sa.Column("user_id", sa.Unicode(length=100), nullable=False),
        sa.Column("site_number", sa.Unicode(length=10), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "site_number", name=op.f("pk_site_assignment")),
    )
    op.drop_table("user_role")
    op.execute("INSERT INTO site_assignment (user_id, site_number) SELECT user_id, site_number FROM user_site")
    op.drop_table("user_site")
    op.drop_table("user_district")
    op.drop_index("ix_idempotent_request_expires_at", table_name="idempotent_request")
    op.drop_table("idempotent_request")
    op.drop_index("ix_dead_letter_state_died_at", table_name="dead_letter")
    op.drop_table("dead_letter")
    op.drop_table("business_setting")
    op.drop_table("audit_head")
    op.drop_index("ix_audit_event_subject_recorded_at", table_name="audit_event")
    op.drop_index("ix_audit_event_site_recorded_at", table_name="audit_event")
    op.drop_index("ix_audit_event_recorded_at", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_index("ix_app_user_name_user_id", table_name="app_user")
    op.drop_table("app_user")
