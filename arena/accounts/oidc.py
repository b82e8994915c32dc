"""Signing in with an organisation's account: OpenID Connect Core 1.0, the authorization code flow with PKCE."""

import math
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from pydantic import SecretStr

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA", "Ed25519")
"""Only signatures by the provider's own keys: never `none`, never our secret."""
TIMEOUT_S: Final = 10
LEEWAY_S: Final = 60
KEPT_S: Final = 600
DOWN_S: Final = 10
"""How long a provider's description is kept, and for how long it is down when it did not give one: so that nobody can
make us ask for it again and again."""
ABOUT_EMAIL: Final = frozenset({"email", "email_verified"})

Claims = dict[str, Any]


class ProviderDownError(Exception):
    """The provider does not answer, or not as a provider does."""


class NotTrustedError(Exception):
    """What came does not prove who signs in; the text says what failed and holds nothing secret."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What one sign-in keeps in its browser until it comes back: the state, and whence the browser came."""

    state: str
    nonce: str
    verifier: str
    next_path: str

    @classmethod
    def begin(cls, next_path: str) -> "Flow":
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, next_path)


class Provider:
    """A provider, and this arena's name and secret there."""

    def __init__(self, issuer: str, client_id: str, client_secret: SecretStr) -> None:
        self.issuer = issuer
        self._id = client_id
        self._secret = client_secret
        self._described: tuple[float, Claims | str] = (-math.inf, {})

    async def address(self, flow: Flow, redirect_uri: str) -> str:
        """Where to send the browser. Raises ProviderDownError."""
        query = {
            "response_type": "code",
            "client_id": self._id,
            "redirect_uri": redirect_uri,
            "scope": "openid email",
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": create_s256_code_challenge(flow.verifier),
            "code_challenge_method": "S256",
        }
        start = str((await self._description())["authorization_endpoint"])
        return f"{start}{'&' if '?' in start else '?'}{urlencode(query)}"

    async def claims(self, code: str, flow: Flow, redirect_uri: str) -> Claims:
        """Who signs in, as the verified ID token says. Raises ProviderDownError or NotTrustedError."""
        described = await self._description()
        async with _client() as client:
            token = await self._token(client, described, code, flow, redirect_uri)
            keys = await _json(client.get(described["jwks_uri"]))
            claims = self._verified(token, keys, flow.nonce)
            if not claims.keys() >= ABOUT_EMAIL and "userinfo_endpoint" in described:
                told = await _userinfo(client, described["userinfo_endpoint"], token, claims["sub"])
                claims = {name: claims[name] for name in claims.keys() - ABOUT_EMAIL} | told
        return claims

    async def _description(self) -> Claims:
        if self._described[0] < time.monotonic():
            try:
                described = await self._asked_description()
                self._described = (time.monotonic() + KEPT_S, described)
            except ProviderDownError as error:
                self._described = (time.monotonic() + DOWN_S, str(error))
        found = self._described[1]
        if isinstance(found, str):
            raise ProviderDownError(found)
        return found

    async def _asked_description(self) -> Claims:
        async with _client() as client:
            url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
            described = await _json(client.get(url))
        needed = {"authorization_endpoint", "token_endpoint", "jwks_uri"}
        if described.get("issuer") != self.issuer or not needed <= described.keys():
            raise ProviderDownError("the description is another issuer's, or not whole")
        return described

    async def _token(
        self, client: httpx.AsyncClient, described: Claims, code: str, flow: Flow, redirect_uri: str
    ) -> Claims:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": flow.verifier,
        }
        secret = self._secret.get_secret_value()
        methods = described.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" not in methods:
            form |= {"client_id": self._id, "client_secret": secret}
            return await _json(client.post(described["token_endpoint"], data=form))
        auth = httpx.BasicAuth(_form_encoded(self._id), _form_encoded(secret))
        return await _json(client.post(described["token_endpoint"], data=form, auth=auth))

    def _verified(self, token: Claims, keys: Claims, nonce: str) -> Claims:
        options = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self._id}}
        params = {"client_id": self._id, "nonce": nonce, "access_token": token.get("access_token")}
        try:
            decoded = jwt.decode(
                str(token.get("id_token")),
                KeySet(_understood(keys["keys"])),
                algorithms=ALGORITHMS,
            )
            claims = CodeIDToken(decoded.claims, decoded.header, options, params)
            claims.validate(leeway=LEEWAY_S)
        except JoseError as error:
            raise NotTrustedError(f"{error.error}: {error.description}"[:200]) from None
        except (KeyError, TypeError, ValueError) as error:
            raise NotTrustedError(type(error).__name__) from None
        return dict(decoded.claims)


def _form_encoded(text: str) -> str:
    """As RFC 6749 (2.3.1) wants names and secrets before they go into the header."""
    return urlencode({"": text})[1:]


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=TIMEOUT_S, headers={"Accept": "application/json"})


async def _json(asked: Any) -> Claims:
    try:
        answer: httpx.Response = await asked
        found = answer.json() if answer.status_code == httpx.codes.OK else None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ProviderDownError(type(error).__name__) from None
    if not isinstance(found, dict):
        raise ProviderDownError(f"answered {answer.status_code}")
    return found


async def _userinfo(client: httpx.AsyncClient, url: str, token: Claims, subject: str) -> Claims:
    """What providers that keep it out of the ID token say of the e-mail (OpenID Connect Core, 5.3)."""
    bearer = {"Authorization": f"Bearer {token.get('access_token')}"}
    told = await _json(client.get(url, headers=bearer))
    if told.get("sub") != subject:
        raise NotTrustedError("userinfo is about another subject")
    return {name: told[name] for name in ABOUT_EMAIL & told.keys()}


def _understood(keys: list[Any]) -> list[Key]:
    """The keys of a set; one of a kind that we do not know is passed over, as RFC 7517 (5) wants."""
    found = []
    for key in keys:
        with suppress(JoseError, KeyError, TypeError, ValueError):
            found.append(JWKRegistry.import_key(key))
    return found
