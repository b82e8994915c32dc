"""what blindness needs: masked names, their raw texts, waiting times, outages, reasons for leaving votes out

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = {
    "battle": (
        sa.Column("identity_probe", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("unrated", AutoString(), nullable=True),
    ),
    "turn": (
        sa.Column("shown_ms", sa.Integer(), nullable=True),
        sa.Column("ended_ms", sa.Integer(), nullable=True),
    ),
    "answer": (sa.Column("names", sa.Integer(), server_default="0", nullable=False),),
    "vote": (sa.Column("excluded_why", AutoString(), nullable=True),),
}
FAILED = sa.text("state = 'failed'")
OPEN = sa.text("ended_at is null")


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("ix_turn_failed", "turn", ["battle_id"], sqlite_where=FAILED, postgresql_where=FAILED)
    op.create_table(
        "raw_answer",
        sa.Column("answer_id", sa.Integer(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["answer.id"], name=op.f("fk_raw_answer_answer_id_answer")),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_raw_answer")),
    )
    op.create_table(
        "failures",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("in_a_row", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_failures_entry_id_entry")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_failures")),
    )
    op.create_table(
        "outage",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.Column("ending", AutoString(), nullable=False),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("check_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_outage_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outage")),
    )
    op.create_index(op.f("ix_outage_entry_id"), "outage", ["entry_id"])
    op.create_index("uq_outage_open", "outage", ["entry_id"], unique=True, sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    for table in ("outage", "failures", "raw_answer"):
        op.drop_table(table)
    op.drop_index("ix_turn_failed", "turn")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
