"""The visitor's cookie: a random id, signed, and the CSRF token that goes with it."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, Signer

COOKIE = "arena_visitor"
YEAR_S = 365 * 24 * 3600
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever holds this browser; `known` is False until the cookie has come back once."""

    id: str
    known: bool


class Identity:
    """Reads and signs visitors' cookies and CSRF tokens with the secret key."""

    def __init__(self, secret: str) -> None:
        self._cookies = Signer(secret, salt="visitor", digest_method=hashlib.sha256)
        self._tokens = Signer(secret, salt="csrf", digest_method=hashlib.sha256)

    def visitor(self, cookie: str | None) -> Visitor:
        """The visitor of a cookie; a new one when it is missing or forged."""
        try:
            found = self._cookies.unsign(cookie or "").decode("ascii", "replace")
        except BadSignature:
            found = ""
        if _ID.fullmatch(found):
            return Visitor(found, known=True)
        return Visitor(secrets.token_hex(16), known=False)

    def cookie(self, visitor: Visitor) -> str:
        return self._cookies.sign(visitor.id).decode()

    def csrf(self, visitor: Visitor) -> str:
        return self._tokens.get_signature(visitor.id).decode()

    def csrf_fits(self, visitor: Visitor, token: str) -> bool:
        return hmac.compare_digest(self.csrf(visitor).encode(), token.encode())
