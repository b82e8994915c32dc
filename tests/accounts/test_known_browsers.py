"""A browser where somebody of the office has come in is not locked out by those who guess elsewhere."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from arena.accounts.actions import create_admin
from arena.accounts.attempts import ADDRESS, EMAIL, TOGETHER, begin_attempt
from arena.accounts.known import Browser
from arena.accounts.second_factor import Vault, set_up
from arena.accounts.tables import Act, Admin
from arena.accounts.trail import COMMAND_LINE, record
from arena.clock import now
from arena.db import Database
from tests.staff import JIWOO, PASSWORD, hire, signed_in
from tests.support import Citizen, serving, settings_for

COOKIE = "arena_known"
NEW = "another long password"
KEY = "k" * 40
STEP = timedelta(seconds=30)


@pytest.fixture
def arena(db: Database, database_url: str) -> Iterator[str]:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        yield origin


@pytest.fixture
def jiwoo(arena: str) -> Iterator[Citizen]:
    """A moderator's browser, which has signed in before and not now."""
    person = signed_in(arena, "jiwoo")
    person.post("/sign-out")
    yield person
    person.close()


@pytest.fixture
def stranger(arena: str) -> Iterator[Citizen]:
    """A browser that has never signed in."""
    person = Citizen(arena)
    yield person
    person.close()


def enters(person: Citizen, name: str = "jiwoo", password: str = PASSWORD) -> int:
    return person.post("/sign-in", email=f"{name}@example.org", password=password).status_code


def guesses(person: Citizen) -> int:
    """A guess of the present password, by who is signed in."""
    return person.post("/account/password", present="a wrong password", new=NEW, again=NEW).status_code


def fail(db: Database, email: str, address: str) -> None:
    db.writing(lambda session: begin_attempt(session, email, Browser("", "", address), now()))


def flood(db: Database, name: str = "jiwoo") -> None:
    """Outsiders use up every limit: the e-mail's from many addresses, and that of the address of all tests."""
    for number in range(EMAIL - TOGETHER):
        fail(db, f"{name}@example.org", f"198.51.100.{number}")
    for _ in range(TOGETHER):
        fail(db, f"{name}@example.org", "127.0.0.1")
    for number in range(ADDRESS - TOGETHER):
        fail(db, f"{number}@example.org", "127.0.0.1")


def carry(cookie: str, to: Citizen) -> None:
    to.http.cookies.set(COOKIE, cookie)


def test_who_floods_the_limits_locks_a_known_browser_out_neither_at_the_door_nor_inside(
    jiwoo: Citizen, stranger: Citizen, db: Database
) -> None:
    flood(db)
    assert enters(stranger) == 429, "an unknown browser's limits stay"
    assert enters(jiwoo) == 303
    changed = jiwoo.post("/account/password", present=PASSWORD, new=NEW, again=NEW)
    assert changed.status_code == 303


def test_a_known_browser_is_limited_after_failures_of_its_own(
    jiwoo: Citizen, stranger: Citizen, db: Database
) -> None:
    for _ in range(TOGETHER):
        assert enters(jiwoo, password="a wrong password") == 422
    assert enters(jiwoo) == 429
    assert enters(stranger) == 303, "nor does it use up what others have"
    with db.reading() as session:
        limits = session.exec(select(Act).where(Act.what == "auth.limit")).all()
    assert [act.subject for act in limits] == [JIWOO]


def test_copies_of_a_stolen_cookie_share_its_browsers_limit(jiwoo: Citizen, arena: str) -> None:
    stolen = jiwoo.http.cookies[COOKIE]
    answers = []
    for _ in range(TOGETHER + 1):
        thief = Citizen(arena)
        carry(stolen, thief)
        answers.append(enters(thief, password="a wrong password"))
        thief.close()
    assert answers == [422] * TOGETHER + [429]


def test_a_cookie_opens_nothing(jiwoo: Citizen, stranger: Citizen) -> None:
    carry(jiwoo.http.cookies[COOKIE], stranger)
    stranger.http.cookies.set("arena_admin", jiwoo.http.cookies[COOKIE])
    assert stranger.http.get("/account").status_code == 401


@pytest.mark.parametrize("change", [lambda cookie: cookie[:-2], lambda cookie: "x" + cookie, lambda _cookie: "x"])
def test_a_forged_cookie_is_an_unknown_browsers(
    jiwoo: Citizen, stranger: Citizen, db: Database, change: Callable[[str], str]
) -> None:
    flood(db)
    carry(change(jiwoo.http.cookies[COOKIE]), stranger)
    assert enters(stranger) == 429


def test_somebody_elses_cookie_is_an_unknown_browsers(jiwoo: Citizen, db: Database) -> None:
    flood(db, "sora")
    assert enters(jiwoo, "sora") == 429
    assert enters(jiwoo, "nobody") == 429


@pytest.mark.parametrize("how", ["disable", "end-sessions"])
def test_an_operator_makes_a_persons_browsers_unknown(jiwoo: Citizen, arena: str, db: Database, how: str) -> None:
    sora = signed_in(arena, "sora")
    assert sora.post(f"/office/people/3/{how}", note="업무가 끝났어요").status_code == 303
    sora.post("/office/people/3/enable", note="다시 맡아요")
    flood(db)
    assert enters(jiwoo) == 429
    sora.close()


def test_what_was_refused_or_is_about_another_ends_nothing(jiwoo: Citizen, arena: str, db: Database) -> None:
    sora = signed_in(arena, "sora")
    assert sora.post("/office/people/3/disable", note="").status_code == 422
    assert sora.post("/office/people/4/disable", note="업무가 끝났어요").status_code == 303
    flood(db)
    assert enters(jiwoo) == 303
    sora.close()


@pytest.mark.parametrize("what", ["admin.password", "admin.role", "admin.reset_totp", "admin.reset_oidc"])
def test_so_does_the_command_line(jiwoo: Citizen, db: Database, what: str) -> None:
    """Its acts are noted with the code that the person has then."""
    db.writing(lambda session: record(session, COMMAND_LINE, what, "auditor-3", "done", now(), detail={}))
    flood(db)
    assert enters(jiwoo) == 429


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/account/password", {"present": PASSWORD, "new": PASSWORD, "again": PASSWORD}),
        ("/account/sessions/end-others", {}),
    ],
)
def test_a_new_password_or_ending_the_others_leaves_the_browser_at_hand_known_alone(
    jiwoo: Citizen, arena: str, db: Database, path: str, form: dict[str, Any]
) -> None:
    here = signed_in(arena, "jiwoo")
    assert here.post(path, **form).status_code == 303
    flood(db)
    assert enters(jiwoo) == 429
    assert enters(here) == 303
    here.close()


def test_a_stolen_session_cannot_make_its_browser_known_nor_begin_to_count_anew(
    arena: str, stranger: Citizen, db: Database
) -> None:
    owner = signed_in(arena, "jiwoo")
    stranger.http.cookies.set("arena_admin", owner.http.cookies["arena_admin"])

    assert [guesses(stranger) for _ in range(TOGETHER)] == [422] * TOGETHER
    assert stranger.post("/account/sessions/end-others").status_code == 303
    assert COOKIE not in stranger.http.cookies
    assert guesses(stranger) == 429

    carry(owner.http.cookies[COOKIE], stranger)
    stranger.post("/account/sessions/end-others")  # by now the browser is unknown: it ended the others before
    assert guesses(stranger) == 429
    owner.close()


def test_a_known_browser_goes_on_counting_where_it_was(arena: str, db: Database) -> None:
    owner = signed_in(arena, "jiwoo")
    for _ in range(TOGETHER):
        assert guesses(owner) == 422
        before = owner.http.cookies[COOKIE]
        assert owner.post("/account/sessions/end-others").status_code == 303
        assert owner.http.cookies[COOKIE] != before
    assert guesses(owner) == 429
    owner.close()


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_lasts_a_year(stranger: Citizen) -> None:
    answer = stranger.post("/sign-in", email="jiwoo@example.org", password=PASSWORD)
    cookies = {line.partition("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}
    parts = {part.strip() for part in cookies[COOKIE].split(";")}
    assert {"httponly", "samesite=lax", f"max-age={365 * 24 * 3600}", "path=/"} <= parts


def test_the_password_alone_makes_no_browser_known_where_a_second_factor_is_asked(
    db: Database, database_url: str
) -> None:
    settings = settings_for(database_url, second_factor=True).model_copy(update={"secret_key": SecretStr(KEY)})
    phone = pyotp.random_base32()

    def make(session: Session) -> Admin:
        admin = create_admin(session, "jiwoo@example.org", "moderator", PASSWORD, now())
        assert set_up(session, Vault(KEY), admin, phone, pyotp.TOTP(phone).at(now() - STEP), now())
        return admin

    db.writing(make)
    with serving(settings) as origin:
        person = Citizen(origin)
        assert enters(person) == 303
        assert COOKIE not in person.http.cookies
        assert person.post("/sign-in/code", code=pyotp.TOTP(phone).at(now())).status_code == 303
        assert COOKIE in person.http.cookies
        person.close()
