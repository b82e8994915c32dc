"""Computed ratings, kept so that no page or API call ever scans the votes."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field

from arena.db import Row


class RatingSnapshot(Row, table=True):
    """The newest ratings of a round; `final` ones were computed at its closing and stay as they are."""

    __tablename__ = "rating_snapshot"

    round_id: int = Field(foreign_key="round.id", primary_key=True)
    last_vote_id: int
    final: bool = False
    computed_at: datetime
    pairs: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    ratings: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    live: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
