"""Teams and their entries."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Column, Index, UniqueConstraint, text
from sqlmodel import Field

from arena.db import Row


class Team(Row, table=True):
    """A consortium taking part, known by its names in both languages."""

    __table_args__ = (UniqueConstraint("name_ko", "name_en"),)

    id: int | None = Field(default=None, primary_key=True)
    name_ko: str
    name_en: str


class Entry(Row, table=True):
    """A team's model in a round.

    `code` (`e1`, `e2`, ... in the round file's order) is its public id; `api_key_env` names the variable that
    holds the endpoint's key, never the key. `address_salt` (hex) hides `base_url` and `api_key_env` in the ledger.
    """

    __table_args__ = (UniqueConstraint("round_id", "code"), UniqueConstraint("round_id", "team_id"))

    id: int | None = Field(default=None, primary_key=True)
    round_id: int = Field(foreign_key="round.id")
    team_id: int = Field(foreign_key="team.id")
    code: str
    model: str
    base_url: str
    api_key_env: str | None = None
    address_salt: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    aliases: list[str] = Field(sa_column=Column(JSON, nullable=False))
    extra_body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))


class Failures(Row, table=True):
    """How many answers of an entry have failed in a row; no row is none."""

    entry_id: int = Field(foreign_key="entry.id", primary_key=True)
    in_a_row: int


class Outage(Row, table=True):
    """A time in which an entry was not dealt, as its endpoint had failed too often.

    `ending` is how its last answer failed. The endpoint is checked at `check_at`, `checks` counts how often it was.
    `salt` (hex) hides the entry in the ledger.
    """

    __table_args__ = (
        Index(
            "uq_outage_open",
            "entry_id",
            unique=True,
            sqlite_where=text("ended_at is null"),
            postgresql_where=text("ended_at is null"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    entry_id: int = Field(foreign_key="entry.id", index=True)
    began_at: datetime
    ended_at: datetime | None = None
    ending: str
    salt: str = Field(default="", max_length=64, sa_column_kwargs={"server_default": ""})
    checks: int = 0
    check_at: datetime


class TeamLink(Row, table=True):
    """A link by which a team sees its own entry; only the SHA-256 of its token is stored."""

    __tablename__: ClassVar[str] = "team_link"

    id: int | None = Field(default=None, primary_key=True)
    entry_id: int = Field(foreign_key="entry.id", index=True)
    token_hash: str = Field(unique=True, max_length=64)
    made_by: str
    made_at: datetime
    ended_at: datetime | None = None
