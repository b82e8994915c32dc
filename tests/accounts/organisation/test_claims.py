"""What a provider says of who signs in has to prove it: claims, signatures, keys, the userinfo endpoint."""

from typing import Any

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from arena.db import Database
from tests.accounts.provider import (
    CLIENT,
    SECRET,
    Provider,
    come_back,
    who,
)
from tests.support import Citizen

CONFIRMED = {"email": "sora@example.org", "email_verified": True}


def stored(db: Database) -> str:
    with db.reading() as session:
        tables = ("act", "admin", "admin_session", "sign_in_failure")
        return str([session.execute(text(f"select * from {table}")).all() for table in tables])


@pytest.mark.parametrize(
    ("token", "userinfo", "comes_in"),
    [
        ({"email": None, "email_verified": None}, CONFIRMED, "operator-1"),
        ({"email_verified": None}, CONFIRMED, "operator-1"),
        ({"email": None}, CONFIRMED, "operator-1"),
        ({"email": "hana@example.org", "email_verified": None}, CONFIRMED, "operator-1"),
        ({"email_verified": None}, {"email_verified": True}, None),
        ({"email": None}, {"email": "sora@example.org"}, None),
        ({"email_verified": None}, CONFIRMED | {"email_verified": False}, None),
        ({"email_verified": None}, CONFIRMED | {"sub": "sora-2"}, None),
    ],
    ids=str,
)
def test_email_and_its_confirmation_count_only_from_one_source(
    person: Citizen,
    provider: Provider,
    office: Database,
    token: dict[str, Any],
    userinfo: dict[str, Any],
    comes_in: str | None,
) -> None:
    provider.says(**token)
    provider.in_userinfo = userinfo
    come_back(person)
    assert who(person) == comes_in


def test_where_the_id_token_says_all_nothing_more_is_asked(person: Citizen, provider: Provider) -> None:
    provider.in_userinfo = CONFIRMED
    assert come_back(person).status_code == 303
    assert provider.requests["userinfo"] == 0


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "crv": "P-1024", "x": "AA", "y": "AA", "kid": "2"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "2"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "2"},
        {"kty": ["RSA"]},
        {},
    ],
    ids=str,
)
def test_keys_that_we_do_not_understand_are_passed_over(
    person: Citizen, provider: Provider, key: dict[str, Any]
) -> None:
    provider.more_keys = [key]
    assert come_back(person).status_code == 303


@pytest.mark.parametrize(
    ("wrong", "says", "why"),
    [
        ({"nonce": "another"}, "could not be trusted", "untrusted"),
        ({"nonce": None}, "could not be trusted", "untrusted"),
        ({"aud": "another"}, "could not be trusted", "untrusted"),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "could not be trusted", "untrusted"),
        ({"iss": "https://elsewhere.example"}, "could not be trusted", "untrusted"),
        ({"exp": 1_700_000_000, "iat": 1_699_999_000}, "could not be trusted", "untrusted"),
        ({"exp": None}, "could not be trusted", "untrusted"),
        ({"sub": None}, "could not be trusted", "untrusted"),
        ({"email_verified": False}, "has not confirmed", "unverified"),
        ({"email_verified": "true"}, "has not confirmed", "unverified"),
        ({"email_verified": None}, "has not confirmed", "unverified"),
        ({"email": "minji@example.org"}, "may not sign in here", "nobody"),
        ({"email": ["sora@example.org"]}, "may not sign in here", "nobody"),
    ],
    ids=str,
)
def test_what_does_not_prove_who_it_is_signs_nobody_in(
    person: Citizen,
    provider: Provider,
    office: Database,
    wrong: dict[str, Any],
    says: str,
    why: str,
) -> None:
    provider.says(**wrong)
    with capture_logs() as logged:
        answer = come_back(person)
    assert (answer.status_code, says in answer.text) == (403, True)
    assert [line["why"] for line in logged if line["event"] == "oidc"] == [why]
    assert answer.text.count('role="alert"><svg') == 1
    assert "arena_admin" not in person.http.cookies
    written = str(logged) + stored(office)
    assert "/sign-in/oidc" in written, "what is logged was captured"
    for secret in (SECRET, "the-code", "opaque", "minji@example.org", provider.id_token()[-40:]):
        assert secret not in written


def test_a_token_that_another_key_signed_is_refused(person: Citizen, provider: Provider) -> None:
    provider.forged = True
    answer = come_back(person)
    assert (answer.status_code, "could not be trusted" in answer.text) == (403, True)
    assert who(person) is None
