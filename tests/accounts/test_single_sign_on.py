"""Signing in with an organisation's account, against a provider on a socket."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlmodel import select
from structlog.testing import capture_logs

from arena.accounts.actions import create_admin
from arena.accounts.attempts import ADDRESS, begin_attempt
from arena.accounts.known import Browser
from arena.accounts.people import disable, reset_account
from arena.accounts.queries import admin_by_email
from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from tests.accounts.provider import CLIENT, SECRET, Provider, providing
from tests.support import Citizen, serving, settings_for

PASSWORD = "a long enough password"
CONFIRMED = {"email": "sora@example.org", "email_verified": True}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture
def office(db: Database) -> Database:
    """Sora has no password; Hana and Jiwoo have one."""
    db.writing(partial(create_admin, email="sora@example.org", role="operator", password=None, now=now()))
    for name, role in (("hana", "operator"), ("jiwoo", "moderator")):
        db.writing(partial(create_admin, email=f"{name}@example.org", role=role, password=PASSWORD, now=now()))
    return db


@pytest.fixture
def arena(office: Database, database_url: str, provider: Provider) -> Iterator[str]:
    with serving(known_to(provider.origin, database_url)) as origin:
        yield origin


@pytest.fixture
def person(arena: str) -> Iterator[Citizen]:
    someone = Citizen(arena, language="en")
    yield someone
    someone.close()


def known_to(issuer: str, database_url: str) -> Any:
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


def refusals(db: Database) -> list[tuple[str, str]]:
    with db.reading() as session:
        acts = session.exec(select(Act).where(Act.outcome == "refused")).all()
    return [(act.subject, act.why) for act in acts]


def stored(db: Database) -> str:
    with db.reading() as session:
        tables = ("act", "admin", "admin_session", "sign_in_failure")
        return str([session.execute(text(f"select * from {table}")).all() for table in tables])


def test_whom_the_provider_knows_comes_in_without_a_second_factor_of_ours(
    person: Citizen, provider: Provider, office: Database
) -> None:
    assert "/sign-in/oidc?next=/rounds" in person.http.get("/sign-in?next=/rounds").text
    answer = come_back(person, to="/rounds")
    assert (answer.status_code, answer.headers["location"]) == (303, "/rounds")
    assert who(person) == "operator-1"
    asked = provider.asked[0]
    assert {"openid", "email"} == set(asked["scope"].split())
    with office.reading() as session:
        sora = admin_by_email(session, "sora@example.org")
        signed = session.exec(select(Act).where(Act.what == "auth.sign_in")).one()
    assert sora is not None
    assert sora.subject == f"{provider.origin} sora-1"
    assert (signed.who, signed.outcome, signed.detail) == ("operator-1", "done", {"way": "oidc"})
    assert come_back(person).status_code == 303, "the same account again"


def test_the_session_is_as_safe_as_any_other_and_the_flow_leaves_no_cookie(person: Citizen) -> None:
    cookies = {line.partition("=")[0]: line.lower() for line in come_back(person).headers.get_list("set-cookie")}
    assert {"httponly", "samesite=lax"} <= {part.strip() for part in cookies["arena_admin"].split(";")}
    assert "arena_oidc" not in person.http.cookies


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


def test_another_account_with_the_same_address_is_refused(
    person: Citizen, provider: Provider, office: Database
) -> None:
    assert come_back(person).status_code == 303
    person.post("/sign-out")
    provider.says(sub="sora-2")
    answer = come_back(person)
    assert (answer.status_code, "Another account" in answer.text) == (403, True)
    office.writing(lambda session: reset_account(session, "sora@example.org"))
    assert come_back(person).status_code == 303, "until the command line lets another account in"
    provider.says(sub="sora-1")
    assert come_back(person).status_code == 403


def test_one_account_is_one_person_even_when_its_address_changes(person: Citizen, provider: Provider) -> None:
    come_back(person)
    person.post("/sign-out")
    provider.says(email="hana@example.org")
    assert come_back(person).status_code == 403
    assert who(person) is None


def test_a_forged_or_foreign_state_is_refused(person: Citizen, arena: str, provider: Provider) -> None:
    for forged in ("forged", "", "é"):
        answer = come_back(person, state=forged)
        assert (answer.status_code, "begun elsewhere" in answer.text) == (403, True)
    there = person.http.get("/sign-in/oidc").headers["location"]
    back = httpx.get(there).headers["location"]
    stranger = Citizen(arena, language="en")
    assert stranger.http.get(back).status_code == 403, "begun in another browser"
    stranger.http.cookies.set("arena_oidc", person.http.cookies["arena_oidc"][::-1])
    assert stranger.http.get(back).status_code == 403
    stranger.close()
    assert who(person) is None


def test_an_answer_is_good_once(person: Citizen, provider: Provider) -> None:
    there = person.http.get("/sign-in/oidc").headers["location"]
    back = httpx.get(there).headers["location"]
    assert person.http.get(back).status_code == 303
    assert person.http.get(back).status_code == 403


def test_who_is_refused_again_and_again_is_limited_and_fills_neither_the_trail_nor_the_providers_time(
    person: Citizen, arena: str, provider: Provider, office: Database
) -> None:
    provider.says(email="minji@example.org")
    there = person.http.get("/sign-in/oidc").headers["location"]
    back, flow = httpx.get(there).headers["location"], person.http.cookies["arena_oidc"]

    def replayed() -> httpx.Response:
        person.http.cookies.set("arena_oidc", flow)
        answer = person.http.get(back)
        person.http.cookies.clear()
        return answer

    assert [replayed().status_code for _ in range(ADDRESS)] == [403] * ADDRESS
    for _ in range(3):
        answer = replayed()
        assert (answer.status_code, "too many attempts" in answer.text) == (429, True)
        assert int(answer.headers["retry-after"]) > 0
    assert provider.requests["token"] == ADDRESS
    assert refusals(office) == [("unknown", "attempts")]


def test_who_comes_in_rightly_or_brings_no_answer_is_no_failure(person: Citizen, provider: Provider) -> None:
    """An answer that this browser did not ask for is anybody's: a page elsewhere could send it."""
    for _ in range(ADDRESS + 1):
        assert person.http.get("/sign-in/oidc/back?state=x&code=x").status_code == 403
        assert come_back(person).status_code == 303


def test_who_floods_the_address_does_not_lock_a_known_browser_out(
    person: Citizen, arena: str, office: Database
) -> None:
    assert come_back(person).status_code == 303
    for number in range(ADDRESS):
        strange, here = f"{number}@example.org", Browser("", "", "127.0.0.1")
        office.writing(partial(begin_attempt, email=strange, browser=here, now=now()))
    stranger = Citizen(arena)
    assert come_back(stranger).status_code == 429
    assert come_back(person).status_code == 303
    stranger.close()


def test_a_provider_that_lets_nobody_in_is_told_plainly(person: Citizen, provider: Provider) -> None:
    provider.denies = True
    answer = come_back(person)
    assert (answer.status_code, "did not let you in" in answer.text) == (403, True)


def test_a_provider_that_is_down_is_told_plainly(office: Database, database_url: str) -> None:
    with serving(known_to("http://127.0.0.1:9", database_url)) as origin:
        person = Citizen(origin, language="en")
        answer = person.http.get("/sign-in/oidc")
        assert (answer.status_code, "does not answer" in answer.text) == (503, True)
        assert answer.headers["retry-after"]
        person.close()


def test_a_provider_that_is_down_is_left_alone_for_a_while(person: Citizen, provider: Provider) -> None:
    provider.down = True
    for _ in range(3):
        assert person.http.get("/sign-in/oidc").status_code == 503
    assert provider.requests["description"] == 1


def test_who_was_disabled_does_not_come_in(person: Citizen, office: Database) -> None:
    office.writing(lambda session: disable(session, 1, "operator-2", now()))
    assert come_back(person).status_code == 403
    assert who(person) is None


def test_who_has_no_password_has_none_that_fits(person: Citizen) -> None:
    for guess in ("", " ", PASSWORD):
        assert person.post("/sign-in", email="sora@example.org", password=guess).status_code == 422


def test_without_the_settings_there_is_no_such_way(sqlite_url: str) -> None:
    with serving(settings_for(sqlite_url)) as origin:
        assert "/sign-in/oidc" not in httpx.get(f"{origin}/sign-in").text
        assert httpx.get(f"{origin}/sign-in/oidc").status_code == 404
        assert httpx.get(f"{origin}/sign-in/oidc/back").status_code == 404
