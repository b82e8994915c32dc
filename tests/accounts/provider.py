"""A small OpenID Connect provider on a socket: who signs in and what it gets wrong is for the test to say."""

import base64
import hashlib
import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from arena.accounts.actions import create_admin
from arena.clock import now
from arena.db import Database
from arena.demo.endpoints import serve_in_thread
from arena.settings import Settings
from tests.staff import PASSWORD
from tests.support import Citizen, settings_for

CLIENT, SECRET = "arena", "a secret: of the arena"
_KEY, _OTHER_KEY = (RSAKey.generate_key(2048, {"kid": "1", "use": "sig"}) for _ in range(2))


@dataclass
class Provider:
    """`claims` replace those of the ID token, None leaves one out; `asked` are the authorization requests.

    `in_userinfo` are those that are told at the userinfo endpoint, None where there is none. `forged`: another key
    signs. `more_keys` stand before the one that signs. `requests` counts them by path.
    """

    origin: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    in_userinfo: dict[str, Any] | None = None
    more_keys: list[dict[str, Any]] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    down: bool = False
    forged: bool = False
    denies: bool = False

    def says(self, **claims: Any) -> None:
        self.claims = claims

    def id_token(self) -> str:
        person: dict[str, Any] = {"email": "sora@example.org", "email_verified": True}
        claims = {
            "iss": self.origin,
            "aud": CLIENT,
            "sub": "sora-1",
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "nonce": self.asked[-1]["nonce"],
            **person,
            **self.claims,
        }
        whole = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "1"}, whole, _OTHER_KEY if self.forged else _KEY)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._description),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
                Route("/userinfo", self._userinfo),
            ]
        )

    async def _description(self, _request: Request) -> Response:
        self.requests["description"] += 1
        if self.down:
            return JSONResponse({}, 503)
        places = {"authorization": "authorize", "token": "token"}
        if self.in_userinfo is not None:
            places["userinfo"] = "userinfo"
        endpoints = {f"{name}_endpoint": f"{self.origin}/{path}" for name, path in places.items()}
        return JSONResponse({"issuer": self.origin, "jwks_uri": f"{self.origin}/keys", **endpoints})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.asked.append(asked)
        answer = {"error": "access_denied"} if self.denies else {"code": "the-code"}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(answer | {'state': asked['state']})}")

    async def _token(self, request: Request) -> Response:
        self.requests["token"] += 1
        form, asked = await request.form(), self.asked[-1]
        challenge = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        expected = base64.b64encode(f"{CLIENT}:{urlencode({'': SECRET})[1:]}".encode()).decode()
        checks = (
            request.headers["authorization"] == f"Basic {expected}",
            base64.urlsafe_b64encode(challenge).decode().rstrip("=") == asked["code_challenge"],
            asked["code_challenge_method"] == "S256",
            form["redirect_uri"] == asked["redirect_uri"],
            form["code"] == "the-code",
        )
        if not all(checks):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": self.id_token()})

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [*self.more_keys, _KEY.as_dict(private=False)]})

    async def _userinfo(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer opaque"
        self.requests["userinfo"] += 1
        return JSONResponse({"sub": "sora-1", **(self.in_userinfo or {})})


@contextmanager
def providing() -> Iterator[Provider]:
    made = Provider()
    with serve_in_thread(made.app()) as origin:
        made.origin = origin
        yield made


def hire_for_provider(db: Database) -> None:
    """Sora has no password; Hana and Jiwoo have one."""
    db.writing(partial(create_admin, email="sora@example.org", role="operator", password=None, now=now()))
    for name, role in (("hana", "operator"), ("jiwoo", "moderator")):
        db.writing(partial(create_admin, email=f"{name}@example.org", role=role, password=PASSWORD, now=now()))


def known_to(issuer: str, database_url: str) -> Settings:
    """Settings of an arena that the provider knows, where passwords need a second factor."""
    return settings_for(
        database_url,
        second_factor=True,
        oidc_issuer=issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SecretStr(SECRET),
    )


def come_back(person: Citizen, to: str = "/office", **changed: str) -> httpx.Response:
    """From the button to the arena's answer; `changed` replaces what the provider's answer carries."""
    there = person.http.get("/sign-in/oidc", params={"next": to})
    assert there.status_code == 303
    back = httpx.get(there.headers["location"]).headers["location"]
    carried = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()} | changed
    return person.http.get(urlsplit(back).path, params=carried)


def who(person: Citizen) -> str | None:
    found = re.search(r"<code>(\w+-\d+)</code>", person.http.get("/account").text)
    return found and found[1]
