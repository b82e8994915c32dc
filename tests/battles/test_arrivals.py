"""Battles begun from one address by browsers that never voted: a school may, somebody who fishes may not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from arena.battles import arrivals
from arena.battles.arrivals import A_VOTE_ALLOWS, NEWCOMERS, Arrivals
from arena.errors import LimitError
from tests.battles.endpoint import endpoint
from tests.battles.stage import Stage, staged
from tests.support import Citizen

AT = datetime(2026, 11, 22, 10, 12, 30, tzinfo=UTC)


def admits(counted: Arrivals, address: str, at: datetime = AT) -> bool:
    try:
        counted.admit(address, at)
    except LimitError:
        return False
    return True


def test_a_school_that_begins_at_once_is_let_in() -> None:
    counted = Arrivals()
    assert all(admits(counted, "203.0.113.9") for _ in range(1200))


def test_beginning_without_ever_voting_comes_to_an_end_for_an_address_and_no_other() -> None:
    counted = Arrivals()
    assert sum(admits(counted, "203.0.113.9") for _ in range(2 * NEWCOMERS)) == NEWCOMERS
    assert admits(counted, "203.0.113.10")


def test_whoever_is_refused_learns_when_to_come_back() -> None:
    counted = Arrivals()
    for _ in range(NEWCOMERS):
        counted.admit("203.0.113.9", AT)
    with pytest.raises(LimitError) as refused:
        counted.admit("203.0.113.9", AT)
    assert AT + timedelta(seconds=refused.value.retry_after_s) >= datetime(2026, 11, 22, 11, tzinfo=UTC)
    assert admits(counted, "203.0.113.9", AT + timedelta(seconds=refused.value.retry_after_s))


def test_votes_let_more_people_begin() -> None:
    counted = Arrivals()
    for _ in range(NEWCOMERS):
        counted.admit("203.0.113.9", AT)
    counted.voted("203.0.113.9", AT)
    assert sum(admits(counted, "203.0.113.9") for _ in range(50)) == A_VOTE_ALLOWS


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("", "", True),
    ],
)
def test_an_address_stands_for_one_subscriber(one: str, other: str, *, same: bool) -> None:
    counted = Arrivals()
    for _ in range(NEWCOMERS):
        counted.admit(one, AT)
    assert admits(counted, other) is not same


@pytest.fixture
def stage(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(arrivals, "NEWCOMERS", 3)
    with endpoint() as team, staged(sqlite_url, team) as found:
        yield found


def starts(citizen: Citizen) -> int:
    return citizen.post("/battles", prompt="안녕하세요?", consent=["participate"]).status_code


def test_new_cookies_from_one_address_meet_the_limit_and_a_vote_makes_room(stage: Stage) -> None:
    people = [stage.citizen() for _ in range(5)]
    assert [starts(citizen) for citizen in people[:4]] == [303, 303, 303, 429]
    refused = people[4].post("/battles", prompt="제 질문이에요", consent=["participate"])
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert "제 질문이에요" in refused.text
    path = people[0].http.get("/").text.split('href="/battles/')[1][:32]
    assert people[0].read(f"/battles/{path}").outcome == "complete"
    for _ in range(3):
        assert people[0].vote(f"/battles/{path}").status_code == 303
    assert [starts(stage.citizen()) for _ in range(6)] == [303] * A_VOTE_ALLOWS + [429]


def test_whoever_has_voted_is_not_held_back_by_newcomers(stage: Stage) -> None:
    regular = stage.citizen()
    regular.battle()
    while starts(stage.citizen()) == 303:
        pass
    assert starts(regular) == 303


def test_whoever_has_voted_has_a_limit_of_their_own(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "A_PERSON", 2)
    regular, other = stage.citizen(), stage.citizen()
    for citizen in (regular, other):
        citizen.battle()
    assert [starts(regular) for _ in range(3)] == [303, 303, 429]
    assert starts(other) == 303


def test_reload_back_a_new_tab_and_an_old_cookie_show_the_same_pair(stage: Stage) -> None:
    minji = stage.citizen()
    path = minji.ask()
    pair = stage.battle(path).entry_a, stage.battle(path).entry_b
    cookies = dict(minji.http.cookies.items())
    for question in ("김치찌개 끓이는 법을 알려 주세요", "다른 질문이에요"):
        tab = stage.citizen()
        tab.http.cookies.update(cookies)
        again = tab.ask(question)
        assert (stage.battle(again).entry_a, stage.battle(again).entry_b) == pair
        assert stage.battle(again).k == stage.battle(path).k
