"""Writes of accounts."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import CursorResult, Update, delete, update
from sqlmodel import Session, col, select

from arena.accounts.tables import Admin, AdminSession, ApiKey, Consent, Voter
from arena.db import add_unless_there
from arena.errors import N_, InvalidError, RefusedError

ROLES = ("operator", "moderator", "auditor")
SCOPES = ("rounds:read", "ratings:read", "votes:read")
SESSION_LENGTH = timedelta(hours=12)
HALF_LENGTH = timedelta(minutes=10)
"""How long a session waits for the second factor."""
SEEN_EVERY = timedelta(minutes=5)
BROWSER_LENGTH = 200
PASSWORD_MIN = 12
TOO_SHORT = N_("The new password is too short: at least %(length)s characters are needed.")
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex())


def token_hash(token: str) -> str:
    """SHA-256 in hex: enough for tokens of 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def record_consent(session: Session, voter_id: str, version: str, *, publish: bool, now: datetime) -> None:
    """Stores what a voter agreed to, making the voter known."""
    if session.get(Voter, voter_id) is None:
        add_unless_there(session, Voter(id=voter_id, created_at=now))
    session.add(Consent(voter_id=voter_id, version=version, publish=publish, given_at=now))
    session.flush()


def create_admin(session: Session, email: str, role: str, password: str | None, now: datetime) -> Admin:
    """Makes an admin; without a password one who signs in by OpenID Connect alone.

    Raises RefusedError for an unknown role, a short password or a known e-mail.
    """
    if role not in ROLES:
        raise RefusedError(f"role: expected one of {', '.join(ROLES)}, not {role!r}")
    if "@" not in email or len(email) > 254:
        raise RefusedError(f"email: expected an address such as name@example.org, not {email!r}")
    if password is not None and len(password) < PASSWORD_MIN:
        raise RefusedError(f"password: expected at least {PASSWORD_MIN} characters")
    if session.exec(select(Admin).where(Admin.email == email.lower())).first():
        raise RefusedError(f"email: {email} is an admin already")
    hashed = "" if password is None else _hasher.hash(password)
    admin = Admin(email=email.lower(), password_hash=hashed, role=role, created_at=now)
    session.add(admin)
    session.flush()
    return admin


def password_fits(admin: Admin | None, password: str) -> bool:
    """Whether an admin may come in with it; takes as long for who is unknown, disabled, or has none.

    About 50 ms of CPU.
    """
    known = admin is not None and admin.password_hash
    try:
        _hasher.verify(admin.password_hash if admin and known else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return admin is not None and admin.disabled_at is None


def set_password(session: Session, admin_id: int, password: str) -> None:
    """Raises InvalidError when it is too short."""
    if len(password) < PASSWORD_MIN:
        raise InvalidError(TOO_SHORT, code="password_short", length=PASSWORD_MIN)
    session.execute(update(Admin).where(col(Admin.id) == admin_id).values(password_hash=_hasher.hash(password)))


def start_session(session: Session, admin_id: int, now: datetime, *, full: bool = True, browser: str = "") -> str:
    """Signs an admin in; returns the token for the cookie. Sessions that have ended are swept away.

    A session that is not `full` opens nothing and waits for the second factor.
    """
    session.execute(delete(AdminSession).where(col(AdminSession.expires_at) < now))
    token = secrets.token_urlsafe(32)
    session.add(
        AdminSession(
            id=token_hash(token),
            admin_id=admin_id,
            created_at=now,
            expires_at=now + (SESSION_LENGTH if full else HALF_LENGTH),
            full=full,
            seen_at=now,
            browser=browser[:BROWSER_LENGTH],
        )
    )
    return token


def touch_session(session: Session, token: str, now: datetime) -> None:
    """Notes that a session is in use."""
    session.execute(update(AdminSession).where(col(AdminSession.id) == token_hash(token)).values(seen_at=now))


def end_session(session: Session, token: str) -> None:
    session.execute(delete(AdminSession).where(col(AdminSession.id) == token_hash(token)))


def end_sessions(session: Session, admin_id: int, *, but: str = "") -> int:
    """Ends all sessions of an admin, save that of the token `but`; returns how many."""
    of_admin = delete(AdminSession).where(col(AdminSession.admin_id) == admin_id)
    ended = session.execute(of_admin.where(col(AdminSession.id) != token_hash(but)))
    return cast(CursorResult[Any], ended).rowcount


def end_one_session(session: Session, admin_id: int, mark: str) -> bool:
    """Ends the session of an admin whose id begins with `mark`; whether there was one."""
    of_admin = delete(AdminSession).where(col(AdminSession.admin_id) == admin_id)
    ended = session.execute(of_admin.where(col(AdminSession.id).startswith(mark, autoescape=True)))
    return cast(CursorResult[Any], ended).rowcount > 0


def changes_one(session: Session, statement: Update) -> bool:
    """Carries out a conditional UPDATE; whether its condition held."""
    done = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], done).rowcount == 1


def create_key(session: Session, name: str, scopes: Sequence[str], now: datetime) -> str:
    """Makes an API key and returns it; only its hash is stored.

    Raises RefusedError for an unknown scope, none at all, or a known name.
    """
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise RefusedError(f"scope: expected some of {', '.join(SCOPES)}, not {', '.join(unknown) or 'none'}")
    if session.exec(select(ApiKey).where(ApiKey.name == name)).first():
        raise RefusedError(f"name: a key {name!r} exists already")
    key = "arena_" + secrets.token_urlsafe(32)
    session.add(ApiKey(name=name, key_hash=token_hash(key), scopes=" ".join(sorted(set(scopes))), created_at=now))
    return key
