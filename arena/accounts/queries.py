"""Reads of accounts: who is asking."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from arena.accounts.actions import token_hash
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


def signed_in(session: Session, token: str, now: datetime) -> SignedIn | None:
    """Who holds this session token, if it has not expired."""
    row = session.exec(
        select(Admin)
        .join(AdminSession, col(AdminSession.admin_id) == Admin.id)
        .where(AdminSession.id == token_hash(token), AdminSession.expires_at > now)
    ).first()
    return SignedIn(f"{row.role}-{row.id}", row.email, row.role) if row else None


def is_operator(session: Session, code: str) -> bool:
    """Whether the admin of this code, such as `operator-3`, is an operator now."""
    role, _, number = code.rpartition("-")
    found = session.get(Admin, int(number)) if number.isdecimal() else None
    return found is not None and found.role == role == "operator"


def key_scopes(session: Session, key: str) -> frozenset[str] | None:
    """The scopes of an API key; None when nobody holds such a key."""
    found = session.exec(select(ApiKey.scopes).where(ApiKey.key_hash == token_hash(key))).first()
    return None if found is None else frozenset(found.split())
