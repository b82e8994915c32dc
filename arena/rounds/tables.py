"""Rounds: their frozen rules, their pairing epochs, and the suggestions they offer."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from arena.db import Row


class Round(Row, table=True):
    """One stage of evaluation.

    `rules` is RFC 8785 JSON and `rules_hash` its SHA-256, in hex. `seed` (hex, 32 bytes) decides the pairing and
    stays secret until the round is closed; `seed_commitment` is its SHA-256.
    """

    __table_args__ = (
        CheckConstraint("state in ('draft', 'open', 'closed')", name="state"),
        Index(
            "uq_round_open",
            "state",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True, max_length=64)
    title_ko: str
    title_en: str
    state: str = "draft"
    demo: bool = False
    rules: str
    rules_hash: str = Field(max_length=64)
    seed: str = Field(max_length=64)
    seed_commitment: str = Field(max_length=64)
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    created_at: datetime


class Epoch(Row, table=True):
    """A stretch of a round in which the same entries take part; pairing starts anew in each."""

    __table_args__ = (UniqueConstraint("round_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    number: int
    entries: list[str] = Field(sa_column=Column(JSON, nullable=False))
    started_at: datetime


class Proposal(Row, table=True):
    """A change of an open round that one operator proposes and another approves.

    `payload` says what is to be: an `entry`'s code, its new address, or a joiner's fields as in a round file.
    `proposed_by` and `decided_by` are admins' codes.
    """

    __table_args__ = (
        CheckConstraint("kind in ('address', 'pause', 'resume', 'join')", name="kind"),
        CheckConstraint("state in ('waiting', 'done', 'withdrawn', 'refused')", name="state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id", index=True)
    kind: str
    payload: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    reason: str
    proposed_by: str
    proposed_at: datetime
    state: str = "waiting"
    decided_by: str | None = None
    decided_at: datetime | None = None


class Suggestion(Row, table=True):
    """A question a citizen may ask with one tap, from version `since` of the round's suggestions until `until`."""

    __tablename__: ClassVar[str] = "suggestion"
    __table_args__ = (UniqueConstraint("round_id", "code"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    code: str
    locale: str
    topic: str
    text: str
    since: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    until: int | None = None


class SuggestionDraft(Row, table=True):
    """A question on its way to the suggestions; whoever approves it neither proposed nor last edited it.

    `review_id` is the citizen's prompt it comes from. The persons are admins' codes.
    """

    __tablename__: ClassVar[str] = "suggestion_draft"
    __table_args__ = (
        CheckConstraint("state in ('proposed', 'approved', 'declined', 'published')", name="state"),
        Index("ix_suggestion_draft_state", "round_id", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    locale: str
    topic: str
    text: str
    review_id: int | None = Field(default=None, foreign_key="review.id")
    state: str = "proposed"
    proposed_by: str
    proposed_at: datetime
    edited_by: str | None = None
    edited_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    code: str | None = None


class SuggestionVersion(Row, table=True):
    """A publication of a round's suggestions; the first is what the round was made with, and has no row."""

    __tablename__: ClassVar[str] = "suggestion_version"
    __table_args__ = (UniqueConstraint("round_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    number: int
    note: str
    published_by: str
    published_at: datetime
