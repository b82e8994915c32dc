"""Who takes part: voters (pseudonymous), admins and what they did, and the pipeline's API keys."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Index, true
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
    """Somebody of the office.

    `password_hash` is empty for who signs in by OpenID Connect alone, whose `subject` is the issuer and its name for
    them. `totp_secret` is encrypted; `totp_step` is the last step whose code was used, as each is good once.
    """

    __table_args__ = (
        CheckConstraint("role in ('operator', 'moderator', 'auditor')", name="role"),
        Index("uq_admin_subject", "subject", unique=True),
    )

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(unique=True, max_length=254)
    password_hash: str
    role: str
    created_at: datetime
    totp_secret: str | None = None
    totp_step: int | None = None
    subject: str | None = None
    disabled_at: datetime | None = None


class AdminSession(Row, table=True):
    """A sign-in; the id is the SHA-256 of the cookie's token, so a stolen database signs nobody in.

    It opens nothing until it is `full`: until the second factor was shown. `browser` is what the browser calls
    itself.
    """

    __tablename__: ClassVar[str] = "admin_session"

    id: str = Field(primary_key=True, max_length=64)
    admin_id: int = Field(foreign_key="admin.id", index=True)
    created_at: datetime
    expires_at: datetime
    full: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    seen_at: datetime | None = None
    browser: str = Field(default="", max_length=200, sa_column_kwargs={"server_default": ""})


class SignInFailure(Row, table=True):
    """A sign-in that was refused. `email` is the SHA-256 of what was typed, in hex: it may have been a password."""

    __tablename__: ClassVar[str] = "sign_in_failure"

    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(max_length=64)
    address: str
    at: datetime = Field(index=True)


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
    message. `detail` holds no secret; where something was changed, `before` and `after` in it tell from what to what,
    and `reason` and `note` why.
    """

    __table_args__ = (CheckConstraint("outcome in ('done', 'refused')", name="outcome"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime
    who: str = Field(index=True)
    what: str
    subject: str = Field(index=True)
    outcome: str
    why: str = ""
    detail: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
