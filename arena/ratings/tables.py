"""Computed ratings, kept so that no page or API call ever scans the votes."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from arena.db import Row
from arena.proofs.merkle import EMPTY_ROOT


class RatingSnapshot(Row, table=True):
    """The newest ratings of a round; `final` ones were computed at its closing and stay as they are.

    `ledger_size` and `ledger_root` are those of the tree that holds the votes they were computed from, and no others.

    `changes` says which state of the cells was rated. `outlook` is for operators. `beside` is what stands beside
    the final ratings, computed once after the closing. `differences` are those between cells and votes that the
    last recount found.
    """

    __tablename__ = "rating_snapshot"

    round_id: int = Field(foreign_key="round.id", primary_key=True)
    last_vote_id: int
    changes: int
    final: bool = False
    computed_at: datetime
    ledger_size: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    ledger_root: str = Field(
        default=EMPTY_ROOT.hex(), max_length=64, sa_column_kwargs={"server_default": EMPTY_ROOT.hex()}
    )
    pairs: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    ratings: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    scores: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    outlook: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    beside: dict[str, Any] | None = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    live: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    recounted_at: datetime | None = None
    differences: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))
