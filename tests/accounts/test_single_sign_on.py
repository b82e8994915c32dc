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
from arena.accounts.people import disable
from arena.accounts.queries import admin_by_email
from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from tests.accounts.provider import CLIENT, SECRET, Provider, providing
from tests.support import Citizen, serving, settings_for

PASSWORD = "a long enough password"


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


def test_an_email_told_at_the_userinfo_endpoint_alone_will_do(person: Citizen, provider: Provider) -> None:
    provider.in_userinfo = True
    assert come_back(person).status_code == 303
    assert who(person) == "operator-1"


@pytest.mark.parametrize(
    ("wrong", "says", "status", "trail"),
    [
        ({"nonce": "another"}, "could not be trusted", 403, None),
        ({"nonce": None}, "could not be trusted", 403, None),
        ({"aud": "another"}, "could not be trusted", 403, None),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "could not be trusted", 403, None),
        ({"iss": "https://elsewhere.example"}, "could not be trusted", 403, None),
        ({"exp": 1_700_000_000, "iat": 1_699_999_000}, "could not be trusted", 403, None),
        ({"exp": None}, "could not be trusted", 403, None),
        ({"sub": None}, "could not be trusted", 403, None),
        ({"email_verified": False}, "has not confirmed", 403, ("operator-1", "oidc_unverified")),
        ({"email_verified": "true"}, "has not confirmed", 403, ("operator-1", "oidc_unverified")),
        ({"email_verified": None}, "has not confirmed", 403, ("operator-1", "oidc_unverified")),
        ({"email": "minji@example.org"}, "may not sign in here", 403, ("unknown", "oidc_nobody")),
        ({"email": ["sora@example.org"]}, "may not sign in here", 403, ("unknown", "oidc_nobody")),
    ],
    ids=str,
)
def test_what_does_not_prove_who_it_is_signs_nobody_in(
    person: Citizen,
    provider: Provider,
    office: Database,
    wrong: dict[str, Any],
    says: str,
    status: int,
    trail: tuple[str, str] | None,
) -> None:
    provider.says(**wrong)
    with capture_logs() as logged:
        answer = come_back(person)
    assert (answer.status_code, says in answer.text) == (status, True)
    assert answer.text.count('role="alert"><svg') == 1
    assert "arena_admin" not in person.http.cookies
    assert refusals(office) == ([trail] if trail else [])
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
    assert refusals(office) == [("operator-1", "oidc_subject")]


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
