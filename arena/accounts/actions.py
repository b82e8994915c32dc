"""Writes of accounts."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete
from sqlmodel import Session, col, select

from arena.accounts.tables import Admin, AdminSession, ApiKey, Consent, Voter
from arena.db import add_unless_there
from arena.errors import RefusedError

ROLES = ("operator", "moderator", "auditor")
SCOPES = ("rounds:read", "ratings:read", "votes:read")
SESSION_LENGTH = timedelta(hours=12)
PASSWORD_MIN = 12
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


def create_admin(session: Session, email: str, role: str, password: str, now: datetime) -> Admin:
    """Makes an admin. Raises RefusedError for an unknown role, a short password or a known e-mail."""
    if role not in ROLES:
        raise RefusedError(f"role: expected one of {', '.join(ROLES)}, not {role!r}")
    if "@" not in email or len(email) > 254:
        raise RefusedError(f"email: expected an address such as name@example.org, not {email!r}")
    if len(password) < PASSWORD_MIN:
        raise RefusedError(f"password: expected at least {PASSWORD_MIN} characters")
    if session.exec(select(Admin).where(Admin.email == email.lower())).first():
        raise RefusedError(f"email: {email} is an admin already")
    admin = Admin(email=email.lower(), password_hash=_hasher.hash(password), role=role, created_at=now)
    session.add(admin)
    session.flush()
    return admin


def password_fits(admin: Admin | None, password: str) -> bool:
    """Checks a password; takes as long for an unknown admin as for a known one. About 50 ms of CPU."""
    try:
        _hasher.verify(admin.password_hash if admin else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return admin is not None


def start_session(session: Session, admin_id: int, now: datetime) -> str:
    """Signs an admin in; returns the token for the cookie. Sessions that have ended are swept away."""
    session.execute(delete(AdminSession).where(col(AdminSession.expires_at) < now))
    token = secrets.token_urlsafe(32)
    session.add(
        AdminSession(id=token_hash(token), admin_id=admin_id, created_at=now, expires_at=now + SESSION_LENGTH)
    )
    return token


def end_session(session: Session, token: str) -> None:
    session.execute(delete(AdminSession).where(col(AdminSession.id) == token_hash(token)))


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
