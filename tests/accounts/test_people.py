"""The office's people: operators see everybody, end sessions, disable and enable; refusals are on record."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from arena.accounts.actions import start_session
from arena.accounts.people import change_role, disable, enable
from arena.accounts.queries import is_operator
from arena.accounts.queries import signed_in as signed_in_as
from arena.accounts.tables import Act
from arena.accounts.trail import record
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError, ForbiddenError, NotFoundError
from tests.staff import BORA, DOYUN, HANA, JIWOO, PASSWORD, SORA, hire, signed_in
from tests.support import Citizen, eventually, serving, settings_for

NOTICE = 'class="alert" role="status"'
WHY = "이 업무를 더는 맡지 않아요"


@pytest.fixture
def arena(db: Database, database_url: str) -> Iterator[str]:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        yield origin


@pytest.fixture
def sora(arena: str) -> Iterator[Citizen]:
    """An operator."""
    person = signed_in(arena, "sora")
    yield person
    person.close()


@pytest.fixture
def jiwoo(arena: str) -> Iterator[Citizen]:
    """A moderator."""
    person = signed_in(arena, "jiwoo")
    yield person
    person.close()


def number(code: str) -> int:
    return int(code.rpartition("-")[2])


def act_on(person: Citizen, code: str, what: str, note: str = WHY) -> int:
    return person.post(f"/office/people/{number(code)}/{what}", note=note).status_code


def is_in(person: Citizen) -> bool:
    return person.http.get("/account").status_code == 200


def trail(db: Database, subject: str) -> list[tuple[str, str, str, str]]:
    with db.reading() as session:
        found = session.exec(select(Act).where(Act.subject == subject).order_by(col(Act.id))).all()
    return [(act.who, act.what, act.outcome, act.why) for act in found if act.what.startswith("admin.")]


def test_operators_see_everybody(sora: Citizen, jiwoo: Citizen) -> None:
    page = sora.http.get("/office/people").text
    for name in ("sora", "hana", "jiwoo", "bora", "doyun"):
        assert f"{name}@example.org" in page
    assert page.count("never") == 3
    person = sora.http.get(f"/office/people/{number(JIWOO)}").text
    assert "python-httpx" in person
    assert sora.http.get("/office/people/99").status_code == 404


def test_a_person_was_seen_whatever_their_task_was_then(sora: Citizen, db: Database) -> None:
    def act_and_change(session: Session) -> None:
        record(session, HANA, "round.close", "stage-1", "done", now(), detail={})
        change_role(session, "hana@example.org", "auditor")

    page = f"/office/people/{number(HANA)}"
    assert "never" in sora.http.get(page).text
    db.writing(act_and_change)
    assert "never" not in sora.http.get(page).text


def test_only_we_say_what_was_done(arena: str, sora: Citizen) -> None:
    page, says = f"/office/people/{number(BORA)}", "can no longer sign in, and is signed out"
    there = sora.post(f"{page}/disable", note=WHY).headers["location"]
    assert says in sora.http.get(there).text
    told = there.partition("?")[2]
    for forged in ("done=disable", "done=%C3%A9", told[:-1], told.replace("disable", "enable")):
        assert NOTICE not in sora.http.get(f"{page}?{forged}").text
    assert NOTICE not in sora.http.get(f"/office/people/{number(JIWOO)}?{told}").text, "of another person"
    hana = signed_in(arena, "hana")
    assert NOTICE not in hana.http.get(there).text, "to another reader"
    hana.close()


def test_a_disabled_person_is_out_at_once_and_stays_out(sora: Citizen, jiwoo: Citizen, db: Database) -> None:
    assert act_on(sora, JIWOO, "disable") == 303
    assert not is_in(jiwoo)
    answer = jiwoo.post("/sign-in", email="jiwoo@example.org", password=PASSWORD)
    assert (answer.status_code, "e-mail or the password" in answer.text) == (422, True)
    assert trail(db, JIWOO) == [(SORA, "admin.disable", "done", "")]
    with db.reading() as session:
        act = session.exec(select(Act).where(Act.what == "admin.disable")).one()
    assert act.detail == {"note": WHY, "before": "enabled", "after": "disabled", "sessions_ended": 1}

    assert act_on(sora, JIWOO, "enable") == 303
    assert jiwoo.post("/sign-in", email="jiwoo@example.org", password=PASSWORD).status_code == 303
    assert is_in(jiwoo)
    assert trail(db, JIWOO)[-1] == (SORA, "admin.enable", "done", "")


def test_what_cannot_be_is_refused_on_record_and_nothing_typed_is_lost(sora: Citizen, db: Database) -> None:
    answer = sora.post(f"/office/people/{number(SORA)}/disable", note=WHY)
    assert (answer.status_code, "cannot disable yourself" in answer.text) == (409, True)
    assert act_on(sora, HANA, "enable") == 409
    assert act_on(sora, HANA, "disable", note="  ") == 422
    answer = sora.post(f"/office/people/{number(HANA)}/disable", note="x" * 501)
    assert (answer.status_code, "x" * 501 in answer.text) == (422, True)
    assert trail(db, SORA) == [(SORA, "admin.disable", "refused", "self")]
    assert [why for *_, why in trail(db, HANA)] == ["enabled", "note", "note"]


def test_sessions_of_somebody_are_ended(sora: Citizen, jiwoo: Citizen, db: Database) -> None:
    assert sora.post(f"/office/people/{number(JIWOO)}/end-sessions").status_code == 303
    assert not is_in(jiwoo)
    assert trail(db, JIWOO) == [(SORA, "admin.end_sessions", "done", "")]
    assert jiwoo.post("/sign-in", email="jiwoo@example.org", password=PASSWORD).status_code == 303


def test_one_operator_is_always_left_and_a_disabled_one_is_none(db: Database) -> None:
    hire(db)
    db.writing(lambda session: disable(session, number(HANA), SORA, now()))
    with db.reading() as session:
        assert not is_operator(session, HANA)
    with pytest.raises(ForbiddenError):
        db.writing(lambda session: disable(session, number(SORA), HANA, now()))
    with pytest.raises(ConflictError) as refused:
        db.writing(lambda session: disable(session, number(HANA), SORA, now()))
    assert refused.value.code == "disabled"
    with pytest.raises(ConflictError):
        db.writing(lambda session: disable(session, number(SORA), SORA, now()))
    with db.reading() as session:
        assert is_operator(session, SORA)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_operators_who_disable_each_other_at_once_do_not_both_succeed(db: Database) -> None:
    """On SQLite a writer is alone anyway."""
    hire(db)

    def disabled(code: str, by: str) -> bool:
        try:
            db.writing(lambda session: disable(session, number(code), by, now()))
        except ForbiddenError:
            return False
        return True

    def waits() -> bool:
        with db.reading() as session:
            return bool(session.execute(text("select count(*) from pg_locks where not granted")).scalar())

    with Session(db.engine) as first, ThreadPoolExecutor() as pool:
        disable(first, number(HANA), SORA, now())
        second = pool.submit(disabled, SORA, HANA)
        assert eventually(lambda: second.done() or waits())
        first.commit()
        assert not second.result()
    with db.reading() as session:
        assert is_operator(session, SORA)
        assert not is_operator(session, HANA)


def test_a_sign_in_that_a_disabling_overtook_opens_nothing(db: Database) -> None:
    hire(db)
    db.writing(lambda session: disable(session, number(HANA), SORA, now()))
    token = db.writing(lambda session: start_session(session, number(HANA), now()))
    with db.reading() as session:
        assert signed_in_as(session, token, now()) is None


@pytest.mark.parametrize("by", [JIWOO, DOYUN, "operator-3", "operator-99", "command line"])
def test_only_operators_decide_about_others(db: Database, by: str) -> None:
    hire(db)
    with pytest.raises(ForbiddenError):
        db.writing(lambda session: disable(session, number(HANA), by, now()))
    with pytest.raises(ForbiddenError):
        db.writing(lambda session: enable(session, number(HANA), by))


def test_somebody_who_is_not_there_is_not_found(db: Database) -> None:
    hire(db)
    with pytest.raises(NotFoundError):
        db.writing(lambda session: disable(session, 99, SORA, now()))
