"""Who takes part: voters (pseudonymous), admins and what they did, and the pipeline's API keys."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, CheckConstraint, Column
from sqlmodel import Field

from arena.db import Row


class Voter(Row, table=True):
    """A citizen, known by a random id and by nothing else."""

    id: str = Field(primary_key=True, max_length=32)
    created_at: datetime


class Consent(Row, table=True):
    """What a voter agreed to, under which version of the text. Never changed; a new answer is a new row."""

    id: int | None = Field(default=None, primary_key=True)
    voter_id: str = Field(foreign_key="voter.id", index=True)
    version: str
    publish: bool
    given_at: datetime


class Admin(Row, table=True):
    __table_args__ = (CheckConstraint("role in ('operator', 'moderator', 'auditor')", name="role"),)

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=254)
    password_hash: str
    role: str
    created_at: datetime


class AdminSession(Row, table=True):
    """A sign-in; the id is the SHA-256 of the cookie's token, so a stolen database signs nobody in."""

    __tablename__: ClassVar[str] = "admin_session"

    id: str = Field(primary_key=True, max_length=64)
    admin_id: int = Field(foreign_key="admin.id", index=True)
    created_at: datetime
    expires_at: datetime


class ApiKey(Row, table=True):
    """A pipeline's key: only its SHA-256 is stored (the key itself has 256 random bits)."""

    __tablename__: ClassVar[str] = "api_key"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=100)
    key_hash: str = Field(unique=True, max_length=64)
    scopes: str
    created_at: datetime


class Act(Row, table=True):
    """What somebody of the office did or tried, such as `round.revise`. Never changed: triggers refuse it.

    `who` is an admin's code (`operator-3`) or "command line", `subject` a round's slug, `why` the refusal's code or
    message. `detail` holds no secret.
    """

    __table_args__ = (CheckConstraint("outcome in ('done', 'refused')", name="outcome"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    who: str
    what: str
    subject: str = Field(index=True)
    outcome: str
    why: str = ""
    detail: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
