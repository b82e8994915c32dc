"""second factors, prompts' reviews and rules, suggestions in versions, exclusions by two, appeals, teams' links

Revision ID: 0007
Revises: 0006
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

COLUMNS: dict[str, tuple[sa.Column[Any], ...]] = {
    "admin": (
        sa.Column("totp_secret", AutoString(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=True),
        sa.Column("subject", AutoString(), nullable=True),
        sa.Column("disabled_at", UTCDateTime(), nullable=True),
    ),
    "admin_session": (
        sa.Column("full", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=True),
        sa.Column("browser", AutoString(length=200), server_default="", nullable=False),
    ),
    "suggestion": (
        sa.Column("since", sa.Integer(), server_default="1", nullable=False),
        sa.Column("until", sa.Integer(), nullable=True),
    ),
    "turn": (sa.Column("masked", sa.JSON(none_as_null=True), nullable=True),),
}
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("uq_admin_subject", "admin", ["subject"], unique=True)
    op.create_index(op.f("ix_act_who"), "act", ["who"])
    op.create_table(
        "ruleset",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("published_by", AutoString(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_ruleset")),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", AutoString(length=64), nullable=False),
        sa.Column("address", AutoString(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_failure")),
    )
    op.create_index(op.f("ix_sign_in_failure_at"), "sign_in_failure", ["at"])
    op.create_table(
        "suggestion_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("published_by", AutoString(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_suggestion_version_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion_version")),
        sa.UniqueConstraint("round_id", "number", name=op.f("uq_suggestion_version_round_id_number")),
    )
    op.create_table(
        "team_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", AutoString(length=64), nullable=False),
        sa.Column("made_by", AutoString(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_team_link_entry_id_entry")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_team_link_token_hash")),
    )
    op.create_index(op.f("ix_team_link_entry_id"), "team_link", ["entry_id"])
    op.create_table(
        "appeal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("vote_id", sa.Integer(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("reply", AutoString(), nullable=False),
        sa.Column("decided_by", AutoString(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'upheld', 'declined')", name=op.f("ck_appeal_state")),
        sa.ForeignKeyConstraint(["vote_id"], ["vote.id"], name=op.f("fk_appeal_vote_id_vote")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appeal")),
    )
    op.create_index(op.f("ix_appeal_vote_id"), "appeal", ["vote_id"])
    op.create_index(
        "uq_appeal_vote", "appeal", ["vote_id"], unique=True, sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_table(
        "review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.Integer(), nullable=True),
        sa.Column("voter_id", AutoString(), nullable=False),
        sa.Column("locale", AutoString(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("masked", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("flagged", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("ruleset", sa.Integer(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("claimed_by", AutoString(), nullable=True),
        sa.Column("claimed_until", UTCDateTime(), nullable=True),
        sa.Column("before", AutoString(), nullable=True),
        sa.Column("decided_by", AutoString(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("reason", AutoString(), nullable=True),
        sa.CheckConstraint(
            "state in ('held', 'waiting', 'approved', 'hidden', 'rejected', 'escalated')",
            name=op.f("ck_review_state"),
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_review_round_id_round")),
        sa.ForeignKeyConstraint(["turn_id"], ["turn.id"], name=op.f("fk_review_turn_id_turn")),
        sa.ForeignKeyConstraint(["voter_id"], ["voter.id"], name=op.f("fk_review_voter_id_voter")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review")),
    )
    op.create_index("ix_review_round", "review", ["round_id", "id"])
    op.create_index("ix_review_state", "review", ["round_id", "state", "flagged", "id"])
    op.create_index("ix_review_voter", "review", ["voter_id"])
    decided, claimed = sa.text("decided_by is not null"), sa.text("claimed_until is not null")
    op.create_index(
        "ix_review_decided",
        "review",
        ["decided_by", "decided_at"],
        sqlite_where=decided,
        postgresql_where=decided,
    )
    op.create_index("ix_review_claimed", "review", ["claimed_until"], sqlite_where=claimed, postgresql_where=claimed)
    op.create_index("uq_review_turn", "review", ["turn_id"], unique=True)
    op.create_table(
        "exclusion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("battles", sa.JSON(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.Column("proposed_by", AutoString(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("decided_by", AutoString(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("kind in ('exclude', 'reinstate')", name=op.f("ck_exclusion_kind")),
        sa.CheckConstraint("state in ('waiting', 'done', 'withdrawn', 'refused')", name=op.f("ck_exclusion_state")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_exclusion_review_id_review")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_exclusion_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index("ix_exclusion_state", "exclusion", ["round_id", "state"])
    op.create_index(
        "uq_exclusion_review", "exclusion", ["review_id"], unique=True, sqlite_where=WAITING, postgresql_where=WAITING
    )
    op.create_table(
        "suggestion_draft",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("locale", AutoString(), nullable=False),
        sa.Column("topic", AutoString(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=True),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("proposed_by", AutoString(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("edited_by", AutoString(), nullable=True),
        sa.Column("edited_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by", AutoString(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("code", AutoString(), nullable=True),
        sa.CheckConstraint(
            "state in ('proposed', 'approved', 'declined', 'published')", name=op.f("ck_suggestion_draft_state")
        ),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_suggestion_draft_review_id_review")),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name=op.f("fk_suggestion_draft_round_id_round")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suggestion_draft")),
    )
    op.create_index("ix_suggestion_draft_state", "suggestion_draft", ["round_id", "state"])


def downgrade() -> None:
    for table in (
        "suggestion_draft", "exclusion", "review", "appeal", "team_link", "suggestion_version",
        "sign_in_failure", "ruleset",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_index(op.f("ix_act_who"), "act")
    op.drop_index("uq_admin_subject", "admin")
    for table, columns in COLUMNS.items():
        for column in columns:
            op.drop_column(table, column.name)
