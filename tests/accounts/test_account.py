"""One's own account: sessions are seen and ended, the password and the phone changed."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from sqlalchemy import update
from sqlmodel import col, select

from arena.accounts.actions import SEEN_EVERY
from arena.accounts.attempts import TOGETHER
from arena.accounts.browsers import browser_words
from arena.accounts.queries import admin_by_email
from arena.accounts.tables import Act, AdminSession
from arena.clock import now
from arena.db import Database
from tests.staff import JIWOO, PASSWORD, hire, signed_in
from tests.support import Citizen, serving, settings_for

NEW = "another long password"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture
def arena(db: Database, database_url: str) -> Iterator[str]:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        yield origin


@pytest.fixture
def jiwoo(arena: str) -> Iterator[Citizen]:
    """A moderator at her desk."""
    person = signed_in(arena, "jiwoo")
    yield person
    person.close()


@pytest.fixture
def elsewhere(arena: str) -> Iterator[Citizen]:
    """The same moderator at another browser."""
    person = signed_in(arena, "jiwoo")
    yield person
    person.close()


def is_in(person: Citizen) -> bool:
    return person.http.get("/account").status_code == 200


def acts(db: Database) -> list[tuple[str, str, str]]:
    with db.reading() as session:
        return [(act.who, act.what, act.subject) for act in session.exec(select(Act).order_by(col(Act.id)))]


def end_forms(person: Citizen) -> list[str]:
    return re.findall(r'action="(/account/sessions/[0-9a-f]{16}/end)"', person.http.get("/account").text)


def change(person: Citizen, present: str, new: str = NEW, again: str | None = None) -> tuple[int, str]:
    answer = person.post("/account/password", present=present, new=new, again=new if again is None else again)
    return answer.status_code, answer.text


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (CHROME, "Chrome, Windows"),
        (PHONE, "Safari, iPhone"),
        (CHROME.replace("Safari/537.36", "Safari/537.36 Edg/140.0"), "Edge, Windows"),
        (CHROME.replace("Chrome/140.0", "Chrome/140.0 Whale/4.0"), "Whale, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        ("curl/8", "curl/8"),
        ("", ""),
        ("x" * 300, "x" * 60),
    ],
)
def test_browsers_are_called_as_people_call_them(agent: str, words: str) -> None:
    assert browser_words(agent) == words


def test_the_page_says_who_i_am_and_where_i_am_signed_in(arena: str, jiwoo: Citizen) -> None:
    phone = Citizen(arena)
    phone.http.headers["User-Agent"] = PHONE
    phone.post("/sign-in", email="jiwoo@example.org", password=PASSWORD)
    page = jiwoo.http.get("/account").text
    assert "jiwoo@example.org" in page
    assert JIWOO in page
    assert "Safari, iPhone" in page
    assert page.count('class="state">here') == 1
    assert len(end_forms(jiwoo)) == 1
    phone.close()


def test_a_browsers_name_is_shown_as_inert_text(arena: str, jiwoo: Citizen) -> None:
    other = Citizen(arena)
    other.http.headers["User-Agent"] = "<script>alert(1)</script>"
    other.post("/sign-in", email="jiwoo@example.org", password=PASSWORD)
    assert "<script>alert" not in jiwoo.http.get("/account").text
    other.close()


def test_one_session_is_ended_and_that_is_on_the_trail(jiwoo: Citizen, elsewhere: Citizen, db: Database) -> None:
    (form,) = end_forms(jiwoo)
    there = jiwoo.post(form).headers["location"]
    assert "The sign-in was ended." in jiwoo.http.get(there).text
    assert "The sign-in was ended." not in jiwoo.http.get("/account?done=session").text, "any link could say so"
    assert is_in(jiwoo)
    assert not is_in(elsewhere)
    assert acts(db)[-1] == (JIWOO, "auth.session_end", JIWOO)
    assert jiwoo.post(form).status_code == 404


def test_nobody_ends_a_session_of_somebody_else(arena: str, jiwoo: Citizen, db: Database) -> None:
    sora = signed_in(arena, "sora")
    with db.reading() as session:
        every = session.exec(select(AdminSession.id)).all()
    for mark in every:
        assert sora.post(f"/account/sessions/{mark[:16]}/end").status_code in (303, 404, 401)
    assert is_in(jiwoo)
    sora.close()


def test_all_others_are_ended_at_once(jiwoo: Citizen, elsewhere: Citizen) -> None:
    jiwoo.post("/account/sessions/end-others")
    assert is_in(jiwoo)
    assert not is_in(elsewhere)


def test_a_new_password_needs_the_present_one_and_ends_the_others(
    jiwoo: Citizen, elsewhere: Citizen, db: Database
) -> None:
    for present, new, again, says in (
        ("a wrong password", NEW, NEW, "present password is not right"),
        (PASSWORD, "short", "short", "at least 12"),
        (PASSWORD, NEW, NEW + "x", "not the same"),
    ):
        status, page = change(jiwoo, present, new, again)
        assert (status, says in page) == (422, True)
    assert is_in(elsewhere)
    assert change(jiwoo, PASSWORD)[0] == 303
    assert is_in(jiwoo)
    assert not is_in(elsewhere)
    assert elsewhere.post("/sign-in", email="jiwoo@example.org", password=PASSWORD).status_code == 422
    assert elsewhere.post("/sign-in", email="jiwoo@example.org", password=NEW).status_code == 303
    assert (JIWOO, "auth.password", JIWOO) in acts(db)
    with db.reading() as session:
        assert NEW not in str([act.model_dump() for act in session.exec(select(Act))])


def test_guesses_of_the_present_password_are_limited(jiwoo: Citizen) -> None:
    for _ in range(TOGETHER):
        assert change(jiwoo, "a wrong password")[0] == 422
    assert change(jiwoo, PASSWORD)[0] == 429


def new_key(person: Citizen) -> str:
    """That of the phone which may be set up now."""
    found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', person.http.get("/account/second-factor").text)
    assert found
    return found[1].replace(" ", "")


def code_of_phone(key: str, steps: int = 0) -> str:
    return pyotp.TOTP(key).at(now() + steps * timedelta(seconds=30))


def test_a_phone_is_set_up_with_the_password(jiwoo: Citizen, elsewhere: Citizen, db: Database) -> None:
    key = new_key(jiwoo)
    code = code_of_phone(key)
    assert jiwoo.post("/account/second-factor", password="a wrong password", code=code).status_code == 422
    assert jiwoo.post("/account/second-factor", password=PASSWORD, code="000000").status_code == 422
    assert is_in(elsewhere)
    assert jiwoo.post("/account/second-factor", password=PASSWORD, code=code).status_code == 303
    assert not is_in(elsewhere)
    assert (JIWOO, "auth.totp", JIWOO) in acts(db)
    assert key not in jiwoo.http.get("/account/second-factor").text
    with db.reading() as session:
        admin = admin_by_email(session, "jiwoo@example.org")
        assert admin is not None
        assert key not in str(admin.totp_secret)
    answer = elsewhere.post("/sign-in", email="jiwoo@example.org", password=PASSWORD)
    assert answer.headers["location"].startswith("/sign-in/code")


def test_another_phone_needs_a_code_of_the_one_before(jiwoo: Citizen, db: Database) -> None:
    first = new_key(jiwoo)
    jiwoo.post("/account/second-factor", password=PASSWORD, code=code_of_phone(first, -1))
    second = new_key(jiwoo)
    assert 'name="present"' in jiwoo.http.get("/account/second-factor").text

    def replaced(code: str, present: dict[str, Any]) -> tuple[int, str]:
        answer = jiwoo.post("/account/second-factor", password=PASSWORD, code=code, **present)
        return answer.status_code, answer.text

    for wrong in ({}, {"present": ""}, {"present": "000000"}, {"present": code_of_phone(second)}):
        status, page = replaced(code_of_phone(second), wrong)
        assert (status, "the phone you use now does not fit" in page) == (422, True)
    present = {"present": code_of_phone(first)}
    status, page = replaced("000000", present)
    assert (status, "the new phone does not fit" in page) == (422, True)
    assert replaced(code_of_phone(second), present)[0] == 303, "what was right is not used up by what was wrong"
    with db.reading() as session:
        assert [act.detail["before"] for act in session.exec(select(Act).where(Act.what == "auth.totp"))] == [
            "none",
            "set",
        ]


def test_guesses_of_the_present_phones_code_are_limited(jiwoo: Citizen) -> None:
    first = new_key(jiwoo)
    jiwoo.post("/account/second-factor", password=PASSWORD, code=code_of_phone(first, -1))
    second = new_key(jiwoo)
    for present in ["000000"] * TOGETHER + [code_of_phone(first)]:
        answer = jiwoo.post("/account/second-factor", password=PASSWORD, code=code_of_phone(second), present=present)
    assert answer.status_code == 429
    assert change(jiwoo, PASSWORD)[0] == 429, "they count with guesses of the password"


def test_signing_in_and_out_is_on_the_trail_once_each(jiwoo: Citizen, db: Database) -> None:
    jiwoo.post("/sign-out")
    assert acts(db) == [(JIWOO, "auth.sign_in", JIWOO), (JIWOO, "auth.sign_out", JIWOO)]


def test_signing_in_anew_ends_the_session_before_and_adopts_none(jiwoo: Citizen, arena: str) -> None:
    before = jiwoo.http.cookies["arena_admin"]
    jiwoo.post("/sign-in", email="jiwoo@example.org", password=PASSWORD)
    assert jiwoo.http.cookies["arena_admin"] != before
    thief = Citizen(arena)
    thief.http.cookies.set("arena_admin", before)
    assert not is_in(thief)
    thief.close()


def test_when_a_session_was_seen_is_noted_every_few_minutes(jiwoo: Citizen, db: Database) -> None:
    def seen() -> object:
        with db.reading() as session:
            return session.exec(select(AdminSession.seen_at)).one()

    first = seen()
    jiwoo.http.get("/account")
    assert seen() == first
    long_ago = now() - SEEN_EVERY - timedelta(seconds=1)
    db.writing(lambda session: session.execute(update(AdminSession).values(seen_at=long_ago)))
    jiwoo.http.get("/account")
    assert seen() != long_ago
