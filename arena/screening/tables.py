"""What prompts are checked against, and each prompt's review."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Index, false, text
from sqlmodel import Field

from arena.db import Row


class Ruleset(Row, table=True):
    """A version of the rules for prompts; the newest is in force. Never changed: a new version is a new row."""

    version: int | None = Field(default=None, primary_key=True)
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    note: str
    published_by: str
    published_at: datetime


class Review(Row, table=True):
    """A citizen's prompt as moderators see it; nothing here leads to a team.

        held ----+
                 +-> approved | hidden | rejected | escalated (-> approved | hidden | rejected)
        waiting -+

    `held` prompts were asked of nobody: they have no turn until they are approved and the voter asks again. `waiting`
    ones are being answered meanwhile. `text` is the prompt as it is stored, personal data masked (counted by kind in
    `masked`), and empty once it was erased. `flags` says what rules or the classifier found: a list of
    {"source": "rule" | "classifier" | "system", "code": ..., "level": "log" | "hold"}. `before` is the state that an
    undo goes back to. `claimed_by` works on it until `claimed_until`. Persons are admins' codes.
    """

    __table_args__ = (
        CheckConstraint("state in ('held', 'waiting', 'approved', 'hidden', 'rejected', 'escalated')", name="state"),
        Index("uq_review_turn", "turn_id", unique=True),
        Index("ix_review_state", "round_id", "state", "flagged", "id"),
        Index("ix_review_round", "round_id", "id"),
        Index("ix_review_voter", "voter_id"),
        Index(
            "ix_review_decided",
            "decided_by",
            "decided_at",
            sqlite_where=text("decided_by is not null"),
            postgresql_where=text("decided_by is not null"),
        ),
        Index(
            "ix_review_claimed",
            "claimed_until",
            sqlite_where=text("claimed_until is not null"),
            postgresql_where=text("claimed_until is not null"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    turn_id: int | None = Field(default=None, foreign_key="turn.id")
    voter_id: str = Field(foreign_key="voter.id")
    locale: str
    text: str
    masked: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    flags: list[dict[str, str]] = Field(sa_column=Column(JSON, nullable=False))
    flagged: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    ruleset: int
    state: str
    created_at: datetime
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    before: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    reason: str | None = None
