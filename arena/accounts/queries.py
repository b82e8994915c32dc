"""Reads of accounts: who is asking."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from arena.accounts.actions import ROLES, token_hash
from arena.accounts.tables import Admin, AdminSession, ApiKey, Consent


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An admin who is signed in; `code` is what the ledger and the trail call them."""

    code: str
    email: str
    role: str


def consent_given(session: Session, voter_id: str, version: str) -> Consent | None:
    """The voter's newest consent to this version of the text."""
    return session.exec(
        select(Consent)
        .where(Consent.voter_id == voter_id, Consent.version == version)
        .order_by(col(Consent.id).desc())
    ).first()


def admin_by_email(session: Session, email: str) -> Admin | None:
    return session.exec(select(Admin).where(Admin.email == email.lower())).first()


def code_of(admin: Admin) -> str:
    return f"{admin.role}-{admin.id}"


def codes_of(number: int) -> list[str]:
    """All codes that a person may have had: the number stays, the role may change."""
    return [f"{role}-{number}" for role in ROLES]


def signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Who holds this session token, if it is full and has not expired."""
    row = session_holder(session, token, now, full=True)
    return SignedIn(code_of(row), row.email, row.role) if row else None


def session_holder(session: Session, token: str, now: datetime, *, full: bool) -> Admin | None:
    """Whose session this is; not `full`: one that waits for the second factor."""
    return session.exec(
        select(Admin)
        .join(AdminSession, col(AdminSession.admin_id) == Admin.id)
        .where(AdminSession.id == token_hash(token), AdminSession.expires_at > now, col(AdminSession.full) == full)
        .where(col(Admin.disabled_at).is_(None))
    ).first()


def seen_since(session: Session, token: str, moment: datetime) -> bool:
    """Whether the session's use was noted after the moment."""
    seen = session.exec(select(AdminSession.seen_at).where(AdminSession.id == token_hash(token))).first()
    return seen is not None and seen > moment


def open_sessions(session: Session, now: datetime) -> list[AdminSession]:
    """Everybody's sessions that are full and have not expired, the newest first."""
    lasting = select(AdminSession).where(col(AdminSession.full), AdminSession.expires_at > now)
    return list(session.exec(lasting.order_by(col(AdminSession.created_at).desc())))


def in_office(session: Session, code: str, *roles: str) -> bool:
    """Whether the admin of this code, such as `operator-3`, has that role, one of `roles`, and may sign in."""
    role, _, number = code.rpartition("-")
    found = session.get(Admin, int(number)) if number.isdecimal() else None
    return found is not None and found.role == role and role in roles and found.disabled_at is None


def is_operator(session: Session, code: str) -> bool:
    """Whether the admin of this code is an operator now."""
    return in_office(session, code, "operator")


def key_scopes(session: Session, key: str) -> frozenset[str] | None:
    """The scopes of an API key; None when nobody holds such a key."""
    found = session.exec(select(ApiKey.scopes).where(ApiKey.key_hash == token_hash(key))).first()
    return None if found is None else frozenset(found.split())
