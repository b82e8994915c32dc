"""The second factor: codes of an app on the phone (TOTP, RFC 6238: SHA-1, 6 digits, 30 s).

Secrets are stored encrypted (AES-256-GCM) with a key that HKDF derives from ARENA_SECRET_KEY.
"""

import base64
import hmac
import secrets
from datetime import datetime
from typing import Final

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import or_, update
from sqlmodel import Session, col

from arena.accounts.actions import changes_one
from arena.accounts.tables import Admin
from arena.errors import N_, ConflictError

STEP_S: Final = 30
WINDOW: Final = 1
"""Steps before and after the present one whose codes are taken: clocks differ."""
NONCE_BYTES, SECRET_BYTES = 12, 20
UNREADABLE = N_("Your second factor can no longer be read. Please ask those who run this service to reset it.")


class Vault:
    """Keeps second factors' secrets; what was sealed for one admin opens for no other."""

    def __init__(self, secret_key: str) -> None:
        self._secret = secret_key.encode()
        self._cipher = AESGCM(self._derived(32, b"arena totp"))

    def seal(self, admin_id: int, secret: str) -> str:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret.encode(), _owner(admin_id))).decode()

    def unseal(self, admin_id: int, sealed: str) -> str:
        """Raises ConflictError when another key sealed it."""
        raw = base64.b64decode(sealed)
        try:
            return self._cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _owner(admin_id)).decode()
        except InvalidTag:
            raise ConflictError(UNREADABLE, code="totp_unreadable") from None

    def offer(self, session_id: str, admin: Admin) -> str:
        """A new secret in Base32: the same however often this session asks, another once one is set up."""
        about = f"arena totp offer {session_id} {admin.totp_secret}"
        return base64.b32encode(self._derived(SECRET_BYTES, about.encode())).decode()

    def _derived(self, length: int, about: bytes) -> bytes:
        return HKDF(SHA256(), length, salt=None, info=about).derive(self._secret)


def _owner(admin_id: int) -> bytes:
    return f"admin {admin_id}".encode()


def app_link(secret: str, email: str) -> str:
    """What the QR code tells the phone's app."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Blind Arena")


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The step whose code this is, among those that are near enough; spaces in it do not matter."""
    typed = "".join(code.split()).encode()
    present = int(now.timestamp()) // STEP_S
    for step in range(present - WINDOW, present + WINDOW + 1):
        if hmac.compare_digest(pyotp.TOTP(secret).generate_otp(step).encode(), typed):
            return step
    return None


def use_code(session: Session, vault: Vault, admin: Admin, code: str, now: datetime) -> bool:
    """Whether the code fits and neither it nor a later one was used. Raises ConflictError (`Vault.unseal`)."""
    assert admin.id is not None
    if admin.totp_secret is None:
        return False
    step = step_of(vault.unseal(admin.id, admin.totp_secret), code, now)
    if step is None:
        return False
    unused = or_(col(Admin.totp_step).is_(None), col(Admin.totp_step) < step)
    same = col(Admin.totp_secret) == admin.totp_secret
    return changes_one(session, update(Admin).where(col(Admin.id) == admin.id, same, unused).values(totp_step=step))


def set_up(session: Session, vault: Vault, admin: Admin, offered: str, code: str, now: datetime) -> bool:
    """Keeps the offered secret if the code shows that the phone has it; the code is then used."""
    assert admin.id is not None
    step = step_of(offered, code, now)
    if step is None:
        return False
    unchanged = col(Admin.totp_secret).is_not_distinct_from(admin.totp_secret)
    kept = update(Admin).where(col(Admin.id) == admin.id, unchanged)
    sealed = vault.seal(admin.id, offered)
    return changes_one(session, kept.values(totp_secret=sealed, totp_step=step))
