"""Battles, turns, answers and votes. The state machines live in CHECKs here and in conditional UPDATEs in actions."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Index, UniqueConstraint, false, text
from sqlmodel import Field

from arena.db import Row

CHOICES = ("a", "b", "tie", "both_bad")
OPEN_STATES = "('streaming', 'votable')"


class Battle(Row, table=True):
    """One blind conversation of a voter with two entries.

        streaming <-> votable -> voted
            |            |
            +-> void     +-> expired

    `k` is the place in the voter's order of pairs in the epoch (`arena.rounds.pairing`). A place is used up only when
    a vote is cast, so that a void or abandoned battle's is dealt again.
    `identity_probe`: the voter asked a model who it is. `unrated` is the reason why a vote on it will not be rated.
    `said` are the ledger's commitments to its complete turns, one after the other (64 hex digits each), and `salt`
    (hex) belongs to them; with the texts it is gone once they are erased.
    """

    __table_args__ = (
        CheckConstraint("state in ('streaming', 'votable', 'voted', 'void', 'expired')", name="state"),
        CheckConstraint("entry_a <> entry_b", name="two_entries"),
        Index(
            "uq_battle_open",
            "round_id",
            "voter_id",
            unique=True,
            sqlite_where=text(f"state in {OPEN_STATES}"),
            postgresql_where=text(f"state in {OPEN_STATES}"),
        ),
        Index("ix_battle_voter", "round_id", "voter_id"),
        Index("ix_battle_state", "round_id", "state"),
    )

    id: str = Field(primary_key=True, max_length=32)
    round_id: int = Field(foreign_key="round.id")
    voter_id: str = Field(foreign_key="voter.id")
    epoch: int
    k: int
    entry_a: int = Field(foreign_key="entry.id")
    entry_b: int = Field(foreign_key="entry.id")
    state: str = "streaming"
    locale: str
    created_at: datetime
    identity_probe: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    unrated: str | None = None
    said: str = Field(default="", sa_column_kwargs={"server_default": ""})
    salt: str | None = Field(default=None, max_length=64)
    erased_at: datetime | None = None


class Turn(Row, table=True):
    """One prompt and the two answers to it.

    `streaming` needs a live relay: its process renews `alive_at` while it runs. `paused` waits for a reader
    (nobody listened any more), `stopped` for the voter (who pressed stop); both start again from the prompt.
    `shown_ms` and `ended_ms` tell when the first text and the end reached readers, in ms since the turn began.
    `masked` counts the personal data that was taken out of the prompt, by kind.
    """

    __table_args__ = (
        UniqueConstraint("battle_id", "number"),
        Index(
            "ix_turn_failed",
            "battle_id",
            sqlite_where=text("state = 'failed'"),
            postgresql_where=text("state = 'failed'"),
        ),
        CheckConstraint("state in ('streaming', 'paused', 'stopped', 'complete', 'failed')", name="state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    battle_id: str = Field(foreign_key="battle.id")
    number: int
    prompt: str
    state: str = "streaming"
    attempt: int = 1
    alive_at: datetime
    created_at: datetime
    shown_ms: int | None = None
    ended_ms: int | None = None
    masked: dict[str, int] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class Answer(Row, table=True):
    """What one side said in a turn. `ending` and the timings are for the operator and the team, never the voter.

    In `text`, names that would give an entry away are masked; `names` is how many. The last five describe its style
    (see `arena.stats.style`), once the turn has ended.
    """

    __table_args__ = (
        UniqueConstraint("turn_id", "side"),
        CheckConstraint("side in ('a', 'b')", name="side"),
    )

    id: int | None = Field(default=None, primary_key=True)
    turn_id: int = Field(foreign_key="turn.id")
    side: str
    text: str = ""
    ending: str | None = None
    first_token_ms: int | None = None
    total_ms: int | None = None
    names: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    characters: int | None = None
    headings: int | None = None
    list_items: int | None = None
    bold: int | None = None
    code: int | None = None


class RawAnswer(Row, table=True):
    """An answer as it came, where names in it were masked. For auditors, and for the model that said it."""

    __tablename__: ClassVar[str] = "raw_answer"

    answer_id: int = Field(foreign_key="answer.id", primary_key=True)
    text: str


class Vote(Row, table=True):
    """One per battle, final. `receipt` is what the voter takes away; an `excluded` vote is kept and not rated.

    `leaf_id` is its entry in the ledger.
    """

    __table_args__ = (
        CheckConstraint("choice in ('a', 'b', 'tie', 'both_bad')", name="choice"),
        Index("uq_vote_leaf", "leaf_id", unique=True),
        Index("ix_vote_excluded", "battle_id", sqlite_where=text("excluded = 1"), postgresql_where=text("excluded")),
    )

    id: int | None = Field(default=None, primary_key=True)
    battle_id: str = Field(foreign_key="battle.id", unique=True)
    receipt: str = Field(unique=True, max_length=32)
    choice: str
    cast_at: datetime
    excluded: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    excluded_why: str | None = None
    leaf_id: int | None = None


class VoteCell(Row, table=True):
    """What the rated votes on one ordered pair of entries add up to, kept up to date with every vote.

    `a`, `b`, `tie` and `both_bad` count choices; `voters` counts those whose first rated vote is one of these.
    `together` says how these votes go with those that the same voters had cast before them, by the pair of
    entry ids those were on ("3-7"): [nn, ny, yn, yy], the sums over these votes of n, y, c n and c y, where n and
    y are the number of the voter's earlier votes on that pair and their credit, and c is the vote's own credit.
    `changes` counts how often the row was changed: a round's sum of it tells whether anything has.
    """

    __tablename__: ClassVar[str] = "vote_cell"

    round_id: int = Field(foreign_key="round.id", primary_key=True)
    entry_a: int = Field(foreign_key="entry.id", primary_key=True)
    entry_b: int = Field(foreign_key="entry.id", primary_key=True)
    a: int = 0
    b: int = 0
    tie: int = 0
    both_bad: int = 0
    voters: int = 0
    together: dict[str, list[int]] = Field(sa_column=Column(JSON, nullable=False))
    changes: int = 0


class Feedback(Row, table=True):
    """Optional reasons and comment, given once after the vote; no part of the rating."""

    vote_id: int = Field(foreign_key="vote.id", primary_key=True)
    reasons: list[str] = Field(sa_column=Column(JSON, nullable=False))
    comment: str
    given_at: datetime


class Exclusion(Row, table=True):
    """Battles whose votes one person wants taken out of the ratings, or back in, and another one decides on.

    `reason` is one of `arena.rounds.decisions.REASONS`. `review_id` is the rejected prompt that it comes from.
    `proposed_by` and `decided_by` are admins' codes.
    """

    __table_args__ = (
        CheckConstraint("kind in ('exclude', 'reinstate')", name="kind"),
        CheckConstraint("state in ('waiting', 'done', 'withdrawn', 'refused')", name="state"),
        Index(
            "uq_exclusion_review",
            "review_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_exclusion_state", "round_id", "state"),
    )

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    kind: str
    battles: list[str] = Field(sa_column=Column(JSON, nullable=False))
    reason: str
    note: str = ""
    review_id: int | None = Field(default=None, foreign_key="review.id")
    proposed_by: str
    proposed_at: datetime
    state: str = "waiting"
    decided_by: str | None = None
    decided_at: datetime | None = None


class Appeal(Row, table=True):
    """A voter's words against the exclusion of their vote, and what became of it."""

    __table_args__ = (
        CheckConstraint("state in ('waiting', 'upheld', 'declined')", name="state"),
        Index(
            "uq_appeal_vote",
            "vote_id",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    vote_id: int = Field(foreign_key="vote.id", index=True)
    text: str
    made_at: datetime
    state: str = "waiting"
    reply: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None
