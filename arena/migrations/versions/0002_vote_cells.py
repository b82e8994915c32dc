"""vote cells, excluded votes, style of answers

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STYLE = ("characters", "headings", "list_items", "bold", "code")


def upgrade() -> None:
    op.create_table(
        "vote_cell",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("entry_a", sa.Integer(), nullable=False),
        sa.Column("entry_b", sa.Integer(), nullable=False),
        sa.Column("a", sa.Integer(), nullable=False),
        sa.Column("b", sa.Integer(), nullable=False),
        sa.Column("tie", sa.Integer(), nullable=False),
        sa.Column("both_bad", sa.Integer(), nullable=False),
        sa.Column("voters", sa.Integer(), nullable=False),
        sa.Column("together", sa.JSON(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["entry_a"], ["entry.id"], name=op.f("fk_vote_cell_entry_a_entry")),
        sa.ForeignKeyConstraint(["entry_b"], ["entry.id"], name=op.f("fk_vote_cell_entry_b_entry")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_vote_cell_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", "entry_a", "entry_b", name=op.f("pk_vote_cell")),
    )
    op.add_column("vote", sa.Column("excluded", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index(
        "ix_vote_excluded",
        "vote",
        ["battle_id"],
        sqlite_where=sa.text("excluded = 1"),
        postgresql_where=sa.text("excluded"),
    )
    for name in STYLE:
        op.add_column("answer", sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in reversed(STYLE):
        op.drop_column("answer", name)
    op.drop_index("ix_vote_excluded", "vote")
    op.drop_column("vote", "excluded")
    op.drop_table("vote_cell")
