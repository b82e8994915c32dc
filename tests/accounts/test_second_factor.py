"""The second factor: codes of a phone (RFC 6238), set up at the first sign-in, and how secrets are stored."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import httpx
import pyotp
import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from arena.accounts.actions import create_admin
from arena.accounts.attempts import TOGETHER
from arena.accounts.people import reset_second_factor
from arena.accounts.second_factor import Vault, set_up, step_of, use_code
from arena.accounts.tables import Act, Admin
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from tests.data import in_parallel
from tests.support import Citizen, serving, settings_for

AT = datetime(2026, 5, 1, 12, 0, 10, tzinfo=UTC)
STEP = timedelta(seconds=30)
PASSWORD = "a long enough password"
EMAIL = "sora@example.org"
VAULT = Vault("k" * 32)
SECRET = pyotp.random_base32()


def code_at(moment: datetime, secret: str = SECRET) -> str:
    return pyotp.TOTP(secret).at(moment)


@pytest.fixture
def sora(db: Database) -> Admin:
    """An operator whose phone is set up, with the code of a minute before `AT`."""

    def make(session: Session) -> Admin:
        admin = create_admin(session, EMAIL, "operator", PASSWORD, AT)
        before = AT - 2 * STEP
        assert set_up(session, VAULT, admin, SECRET, code_at(before), before)
        return admin

    made = db.writing(make)
    with db.reading() as session:
        return session.get_one(Admin, made.id)


def used(db: Database, admin: Admin, code: str, at: datetime = AT) -> bool:
    return db.writing(lambda session: use_code(session, VAULT, admin, code, at))


def test_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, the SHA-1 rows; of their eight digits the last six."""
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, digits in ((59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")):
        moment = datetime.fromtimestamp(seconds, UTC)
        assert step_of(secret, digits[-6:], moment) == seconds // 30


def test_a_code_is_good_one_step_before_and_after(db: Database, sora: Admin) -> None:
    for steps, fits in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        assert (step_of(SECRET, code_at(AT + steps * STEP), AT) is not None) == fits, steps


def test_each_code_is_good_once_and_no_older_one_after_it(db: Database, sora: Admin) -> None:
    assert used(db, sora, code_at(AT))
    assert not used(db, sora, code_at(AT))
    assert not used(db, sora, code_at(AT - STEP))
    assert used(db, sora, code_at(AT + STEP))


def test_a_code_that_is_used_twice_at_once_is_good_once(db: Database, sora: Admin) -> None:
    assert in_parallel([partial(used, db, sora, code_at(AT))] * 6).count(True) == 1


@pytest.mark.parametrize("code", ["", " ", "12345", "1234567", "abcdef", "１２３４５６", "é", "0" * 20])
def test_what_is_no_code_does_not_fit(db: Database, sora: Admin, code: str) -> None:
    assert not used(db, sora, code)


def test_spaces_in_a_code_do_not_matter(db: Database, sora: Admin) -> None:
    code = code_at(AT)
    assert used(db, sora, f" {code[:3]} {code[3:]}")


def test_the_secret_is_stored_encrypted_for_its_admin_alone(db: Database, sora: Admin) -> None:
    with db.reading() as session:
        assert SECRET not in str(session.execute(text("select * from admin")).all())
    assert sora.id is not None
    assert sora.totp_secret is not None
    assert VAULT.unseal(sora.id, sora.totp_secret) == SECRET
    assert VAULT.seal(sora.id, SECRET) != VAULT.seal(sora.id, SECRET)
    for vault, owner in ((VAULT, sora.id + 1), (Vault("another key of the arena, long enough"), sora.id)):
        with pytest.raises(ConflictError):
            vault.unseal(owner, sora.totp_secret)


def test_what_is_offered_is_a_sessions_own_and_new_after_each_set_up(sora: Admin) -> None:
    first = VAULT.offer("session", sora)
    assert first == VAULT.offer("session", sora)
    again = sora.model_copy(update={"totp_secret": "another"})
    others = {VAULT.offer("other", sora), VAULT.offer("session", again), Vault("x" * 32).offer("session", sora)}
    assert first not in others
    assert len(others) == 3
    assert len(first) == 32


@pytest.fixture
def arena(db: Database, database_url: str) -> Iterator[str]:
    db.writing(partial(create_admin, email=EMAIL, role="operator", password=PASSWORD, now=now()))
    with serving(settings_for(database_url, second_factor=True)) as origin:
        yield origin


@pytest.fixture
def person(arena: str) -> Iterator[Citizen]:
    someone = Citizen(arena, language="en")
    yield someone
    someone.close()


def sign_in(person: Citizen, to: str = "/account") -> httpx.Response:
    return person.post("/sign-in", email=EMAIL, password=PASSWORD, next=to)


def key_on(page: str) -> str:
    """The key as text, as somebody without a camera types it."""
    found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page)
    assert found, page
    return found[1].replace(" ", "")


def set_up_phone(person: Citizen) -> str:
    sign_in(person)
    key = key_on(person.http.get("/sign-in/set-up").text)
    assert person.post("/sign-in/set-up", code=code_at(now(), key), next="/account").status_code == 303
    return key


def is_in(person: Citizen) -> bool:
    return person.http.get("/account").status_code == 200


def test_the_first_sign_in_leads_to_setting_up_the_phone(person: Citizen, db: Database) -> None:
    answer = sign_in(person)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/set-up?next=%2Faccount")
    assert not is_in(person), "the password alone opens nothing"
    page = person.http.get(answer.headers["location"]).text
    assert '<svg class="qr"' in page
    key = key_on(page)
    half = person.http.cookies["arena_admin"]

    wrong = person.post("/sign-in/set-up", code="000000", next="/account")
    assert wrong.status_code == 422
    assert key_on(wrong.text) == key, "the app that took the picture stays right"
    assert not is_in(person)

    answer = person.post("/sign-in/set-up", code=code_at(now(), key), next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert is_in(person)
    assert person.http.cookies["arena_admin"] != half
    with db.reading() as session:
        assert [act.what for act in session.exec(select(Act))] == ["auth.totp", "auth.sign_in"]
        assert key not in str([act.model_dump() for act in session.exec(select(Act))])


def test_later_a_code_is_asked_for_and_each_is_good_once(person: Citizen, arena: str) -> None:
    key = set_up_phone(person)
    code = code_at(now() + STEP, key)
    other = Citizen(arena, language="en")
    assert sign_in(other).headers["location"] == "/sign-in/code?next=%2Faccount"
    assert not is_in(other)
    assert other.http.get("/sign-in/set-up").headers["location"].startswith("/sign-in/code"), "no second phone"
    assert other.post("/sign-in/set-up", code=code, next="/account").headers["location"] == "/sign-in"
    assert other.post("/sign-in/code", code=code, next="/account").headers["location"] == "/account"
    assert is_in(other)
    other.post("/sign-out")
    sign_in(other)
    again = other.post("/sign-in/code", code=code)
    assert (again.status_code, "used already" in again.text) == (422, True)
    assert not is_in(other)
    other.close()


def test_a_half_session_cannot_be_planted_and_completed_by_another(person: Citizen, arena: str) -> None:
    key = set_up_phone(person)
    victim, thief = Citizen(arena), Citizen(arena)
    sign_in(thief)
    planted = thief.http.cookies["arena_admin"]
    victim.http.cookies.set("arena_admin", planted)
    sign_in(victim)
    victim.post("/sign-in/code", code=code_at(now() + STEP, key))
    assert not is_in(thief)
    assert thief.http.get("/sign-in/code").headers["location"] == "/sign-in", "what was planted has ended"
    victim.close()
    thief.close()


def test_wrong_codes_are_limited_like_wrong_passwords(person: Citizen, arena: str) -> None:
    key = set_up_phone(person)
    person.post("/sign-out")
    sign_in(person)
    for _ in range(TOGETHER):
        assert person.post("/sign-in/code", code="000000").status_code == 422
    refused = person.post("/sign-in/code", code=code_at(now() + STEP, key))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert sign_in(person).status_code == 429, "the password counts with it"
    assert not is_in(person)


def test_without_a_password_there_is_no_second_step(person: Citizen) -> None:
    for path in ("/sign-in/code", "/sign-in/set-up"):
        assert person.http.get(path).headers["location"] == "/sign-in"
        assert person.post(path, code="123456").headers["location"] == "/sign-in"


def test_a_second_step_leads_to_our_own_pages_only(person: Citizen) -> None:
    sign_in(person)
    key = key_on(person.http.get("/sign-in/set-up").text)
    answer = person.post("/sign-in/set-up", code=code_at(now(), key), next="//elsewhere.example")
    assert answer.headers["location"] == "/"


def test_a_lost_phone_is_reset_which_ends_the_sessions(person: Citizen, db: Database) -> None:
    set_up_phone(person)
    db.writing(lambda session: reset_second_factor(session, EMAIL))
    assert not is_in(person)
    assert sign_in(person).headers["location"].startswith("/sign-in/set-up")


def test_where_it_is_off_the_password_is_enough_but_who_has_a_phone_is_asked(
    person: Citizen, db: Database, database_url: str
) -> None:
    set_up_phone(person)
    db.writing(partial(create_admin, email="hana@example.org", role="auditor", password=PASSWORD, now=now()))
    with serving(settings_for(database_url, second_factor=False)) as trial:
        hana, sora = Citizen(trial), Citizen(trial)
        hana.post("/sign-in", email="hana@example.org", password=PASSWORD)
        assert is_in(hana)
        assert sign_in(sora).headers["location"].startswith("/sign-in/code")
        assert not is_in(sora)
        hana.close()
        sora.close()


def test_a_secret_that_another_key_sealed_is_told_plainly(person: Citizen, database_url: str) -> None:
    set_up_phone(person)
    with serving(settings_for(database_url)) as moved:
        sora = Citizen(moved, language="en")
        sign_in(sora)
        answer = sora.post("/sign-in/code", code="123456")
        assert (answer.status_code, "can no longer be read" in answer.text) == (409, True)
        sora.close()
