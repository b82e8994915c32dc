"""Attempts to sign in are few, however many processes count them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlmodel import select

from arena.accounts.actions import create_admin
from arena.accounts.attempts import ADDRESS, EMAIL, TOGETHER, WINDOW, begin_attempt, forget_attempt, seconds_to_wait
from arena.accounts.known import Browser
from arena.accounts.tables import Act, SignInFailure
from arena.clock import now
from arena.db import Database
from arena.errors import LimitError
from tests.data import in_parallel
from tests.support import Citizen, serving, settings_for

AT = now()
PASSWORD = "a long enough password"
HERE, THERE = "192.0.2.1", "192.0.2.2"
SORA, HANA = "sora@example.org", "hana@example.org"


def fails(db: Database, email: str, address: str, at: datetime = AT) -> int:
    return db.writing(lambda session: begin_attempt(session, email, Browser("", "", address), at))


def waits(db: Database, email: str, address: str, at: datetime = AT) -> int:
    with db.reading() as session:
        return seconds_to_wait(session, email, Browser("", "", address), at)


def test_of_one_email_from_one_address_five_may_fail(db: Database) -> None:
    for _ in range(TOGETHER):
        assert waits(db, SORA, HERE) == 0
        fails(db, SORA, HERE)
    assert waits(db, SORA, HERE) == WINDOW.total_seconds()
    assert waits(db, " SORA@Example.org", HERE) > 0, "however it is written"
    assert waits(db, SORA, THERE) == waits(db, HANA, HERE) == 0


def test_of_one_address_twenty_may_fail(db: Database) -> None:
    for number in range(ADDRESS):
        fails(db, f"{number}@example.org", HERE)
    assert waits(db, SORA, HERE) > 0
    assert waits(db, SORA, THERE) == 0


def test_of_one_email_from_anywhere_fifty_may_fail(db: Database) -> None:
    for number in range(EMAIL):
        fails(db, SORA, f"198.51.100.{number}")
    assert waits(db, SORA, HERE) > 0
    assert waits(db, HANA, HERE) == 0


def test_addresses_of_one_ipv6_network_count_as_one(db: Database) -> None:
    for number in range(TOGETHER):
        fails(db, SORA, f"2001:db8::{number}")
    assert waits(db, SORA, "2001:db8:0:0:ffff::1") > 0
    assert waits(db, SORA, "2001:db8:0:1::1") == 0


def test_ipv4_addresses_that_are_written_as_ipv6_count_each_by_itself(db: Database) -> None:
    for _ in range(TOGETHER):
        fails(db, SORA, f"::ffff:{HERE}")
    assert waits(db, SORA, HERE) > 0
    assert waits(db, SORA, f"::ffff:{THERE}") == 0


def test_the_next_may_be_made_when_the_oldest_that_counts_is_old_enough(db: Database) -> None:
    for minute in range(TOGETHER):
        fails(db, SORA, HERE, AT + timedelta(minutes=minute))
    late = AT + timedelta(minutes=10)
    with pytest.raises(LimitError) as refused:
        fails(db, SORA, HERE, late)
    assert refused.value.retry_after_s == 5 * 60
    assert waits(db, SORA, HERE, late + timedelta(minutes=5)) == 0
    fails(db, SORA, HERE, late + timedelta(minutes=5))
    assert waits(db, SORA, HERE, late + timedelta(minutes=5)) == 60


def test_one_that_succeeded_does_not_count(db: Database) -> None:
    for _ in range(3 * TOGETHER):
        attempt = fails(db, SORA, HERE)
        db.writing(partial(forget_attempt, attempt=attempt))
    assert waits(db, SORA, HERE) == 0


def test_old_ones_are_swept_away_and_no_email_is_stored(db: Database) -> None:
    fails(db, SORA, HERE)
    fails(db, HANA, HERE, AT + WINDOW)
    with db.reading() as session:
        left = session.exec(select(SignInFailure)).all()
    assert len(left) == 1
    assert HANA not in str(left)


def test_many_at_once_find_no_more_room_than_one_by_one(database_url: str) -> None:
    processes = [Database(database_url) for _ in range(3)]

    def attempt(db: Database) -> bool:
        try:
            fails(db, SORA, HERE)
        except LimitError:
            return False
        return True

    tried = in_parallel([partial(attempt, db) for db in processes * 5])
    for db in processes:
        db.close()
    assert tried.count(True) == TOGETHER


@pytest.fixture
def arena(db: Database, database_url: str) -> Iterator[str]:
    db.writing(partial(create_admin, email=SORA, role="operator", password=PASSWORD, now=now()))
    with serving(settings_for(database_url)) as origin:
        yield origin


@pytest.fixture
def person(arena: str) -> Iterator[Citizen]:
    someone = Citizen(arena, language="en")
    yield someone
    someone.close()


@pytest.mark.parametrize(("email", "subject"), [(SORA, "operator-1"), ("minji@example.org", "unknown")])
def test_while_the_limit_holds_the_right_password_is_refused_too(
    person: Citizen, db: Database, email: str, subject: str
) -> None:
    for _ in range(TOGETHER):
        assert person.post("/sign-in", email=email, password="a wrong password").status_code == 422
    answer = person.post("/sign-in", email=email, password=PASSWORD, next="/rounds")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW.total_seconds()
    assert "too many attempts" in answer.text
    assert f'value="{email}"' in answer.text
    assert 'value="/rounds"' in answer.text
    assert "arena_admin" not in person.http.cookies
    with db.reading() as session:
        acts = session.exec(select(Act)).all()
    assert [(act.who, act.what, act.subject, act.outcome) for act in acts] == [
        ("unknown", "auth.limit", subject, "refused")
    ]
    assert "minji" not in str([act.model_dump() for act in acts])


def test_signing_in_rightly_again_and_again_is_no_failure(person: Citizen) -> None:
    for _ in range(2 * TOGETHER):
        assert person.post("/sign-in", email=SORA, password=PASSWORD).status_code == 303
