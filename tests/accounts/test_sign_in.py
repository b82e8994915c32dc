"""Admins sign in and out over HTTP; what an operator sees that the public does not."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import select

from arena.accounts.actions import create_admin
from arena.accounts.tables import AdminSession
from arena.clock import now
from arena.db import Database
from tests.ratings.pipeline import BALLOTS, cast_ballots
from tests.support import Citizen, eventually, open_round, round_file, serving, settings_for

PASSWORD = "a long enough password"
BOARD = "/rounds/stage-1/leaderboard"


@pytest.fixture(scope="module")
def office(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, teams: str) -> Iterator[Database]:
    """An open round that has votes, and an admin of each role."""
    db = Database(f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('office') / 'arena.db')}")
    cast_ballots(db, open_round(db, round_file(teams)), BALLOTS)
    for name, role in (("sora", "operator"), ("hana", "moderator"), ("jiwoo", "auditor")):
        db.writing(partial(create_admin, email=f"{name}@example.org", role=role, password=PASSWORD, now=now()))
    yield db
    db.close()


@pytest.fixture(scope="module")
def arena(office: Database) -> Iterator[str]:
    with serving(settings_for(str(office.engine.url))) as origin:
        yield origin


def sign_in(person: Citizen, email: str, password: str = PASSWORD, **form: Any) -> httpx.Response:
    return person.post("/sign-in", email=email, password=password, **form)


def sees_ratings(person: Citizen) -> bool:
    page = person.http.get(BOARD)
    assert page.status_code == 200
    return "OpenSkill" in page.text and "<table" in page.text


def signed_in(person: Citizen) -> bool:
    return 'action="/sign-out"' in person.http.get("/rounds").text


def test_an_operator_sees_the_ratings_of_an_open_round_and_the_public_does_not(
    minji: Citizen, junho: Citizen
) -> None:
    answer = sign_in(junho, "sora@example.org", next=BOARD)
    assert (answer.status_code, answer.headers["location"]) == (303, BOARD)
    assert signed_in(junho)
    assert eventually(lambda: sees_ratings(junho))

    public = minji.http.get(BOARD).text
    assert not sees_ratings(minji)
    assert "<table" not in public
    assert '<svg class="plot"' not in public


@pytest.mark.parametrize("name", ["hana", "jiwoo"])
def test_other_admins_sign_in_but_see_no_ratings_of_an_open_round(minji: Citizen, name: str) -> None:
    assert sign_in(minji, f"{name}@example.org").status_code == 303
    assert signed_in(minji)
    assert not sees_ratings(minji)
    assert "<table" not in minji.http.get(BOARD).text


def test_signing_out_ends_the_session_for_every_copy_of_its_cookie(minji: Citizen, junho: Citizen) -> None:
    sign_in(minji, "sora@example.org")
    copy = minji.http.cookies["arena_admin"]
    answer = minji.post("/sign-out")
    assert answer.status_code == 303
    assert not signed_in(minji)
    junho.http.cookies.set("arena_admin", copy)
    assert not signed_in(junho)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("sora@example.org", "another long password"),
        ("sora@example.org", PASSWORD + " "),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        ("' or 1=1 --", PASSWORD),
    ],
)
def test_a_wrong_sign_in_is_refused_in_the_same_words(minji: Citizen, email: str, password: str) -> None:
    answer = sign_in(minji, email, password, next=BOARD)
    assert answer.status_code == 422
    assert "arena_admin" not in answer.headers.get("set-cookie", "")
    assert not signed_in(minji)
    if email:
        assert "이메일이나 비밀번호" in answer.text
        assert PASSWORD not in answer.text
        assert f'value="{BOARD}"' in answer.text


def test_an_email_is_known_in_any_case(minji: Citizen) -> None:
    assert sign_in(minji, "SORA@Example.org").status_code == 303


def test_signing_in_leads_to_our_own_pages_only(minji: Citizen) -> None:
    answer = sign_in(minji, "sora@example.org", next="//elsewhere.example")
    assert answer.headers["location"] == "/"


def test_the_sessions_cookie_is_out_of_reach_of_scripts_and_other_sites(minji: Citizen) -> None:
    cookie = sign_in(minji, "sora@example.org").headers["set-cookie"].lower()
    assert cookie.startswith("arena_admin=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


def test_an_expired_session_is_over(minji: Citizen, office: Database) -> None:
    sign_in(minji, "sora@example.org")
    assert signed_in(minji)
    ended = update(AdminSession).values(expires_at=now() - timedelta(seconds=1))
    office.writing(lambda session: session.execute(ended))
    assert not signed_in(minji)
    assert not sees_ratings(minji)


def test_a_stolen_database_signs_nobody_in(minji: Citizen, junho: Citizen, office: Database) -> None:
    sign_in(minji, "sora@example.org")
    with office.reading() as session:
        rows = session.exec(select(AdminSession)).all()
    token = minji.http.cookies["arena_admin"]
    assert token not in str([row.model_dump() for row in rows])
    for stolen in (*(row.id for row in rows), str(rows[0].admin_id), "sora@example.org"):
        junho.http.cookies.set("arena_admin", stolen)
        assert not signed_in(junho)


def test_two_sign_ins_are_two_sessions(minji: Citizen, junho: Citizen) -> None:
    sign_in(minji, "sora@example.org")
    sign_in(junho, "sora@example.org")
    assert minji.http.cookies["arena_admin"] != junho.http.cookies["arena_admin"]
    minji.post("/sign-out")
    assert signed_in(junho)


def test_signing_in_needs_the_pages_token(minji: Citizen) -> None:
    assert sign_in(minji, "sora@example.org", csrf="forged").status_code == 403
    assert not signed_in(minji)
