"""snapshots of official figures: scores, what stands beside them, recounts

Snapshots are computed anew from the votes, so the table begins empty.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _snapshots(*further: sa.Column[object]) -> None:
    op.drop_table("rating_snapshot")
    op.create_table(
        "rating_snapshot",
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("last_vote_id", sa.Integer(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("computed_at", UTCDateTime(), nullable=False),
        sa.Column("pairs", sa.JSON(), nullable=False),
        sa.Column("ratings", sa.JSON(), nullable=False),
        sa.Column("live", sa.JSON(), nullable=False),
        *further,
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_rating_snapshot_round_id_round")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_rating_snapshot")),
    )


def upgrade() -> None:
    _snapshots(
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("outlook", sa.JSON(), nullable=False),
        sa.Column("beside", sa.JSON(), nullable=True),
        sa.Column("recounted_at", UTCDateTime(), nullable=True),
        sa.Column("differences", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    _snapshots()
