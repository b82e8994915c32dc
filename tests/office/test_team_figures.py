"""A team's own figures: what they count, and that they tell no citizen who is on which side of a comparison."""

import json
import re
import secrets
from collections import Counter
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Update, update
from sqlmodel import Session, col, select

from arena.battles.column import Said
from arena.battles.tables import Battle, Turn, Vote
from arena.battles.votes import cast_vote
from arena.clock import now
from arena.db import Database
from arena.office.team_page import DAYS_SHOWN, FEW, STEP, team_page
from arena.office.team_pages import OwnOutage, TeamPage
from arena.teams.tables import Outage
from arena.web.i18n import SEOUL
from tests.data import (
    ANSWERS,
    MINJI,
    asks,
    cell,
    closes,
    ends,
    excludes,
    expires,
    opened,
    voted,
    voter,
    votes,
)
from tests.rounds.offices import by_code, changes, runs_sql
from tests.staff import hire

CODES = ("e1", "e2", "e3")


@pytest.fixture
def office(db: Database) -> Database:
    """An open round of three teams that can pause, and the office's people."""
    opened(db, teams=3, may_change=["pause"])
    hire(db)
    voter(db, MINJI)
    return db


def own(db: Database, code: str, at: datetime | None = None) -> TeamPage:
    with db.reading() as session:
        return team_page(session, by_code(db, code), "en", at or now())


def pages(db: Database, at: datetime) -> list[TeamPage]:
    return [own(db, code, at) for code in CODES]


def tomorrow() -> datetime:
    return now() + timedelta(days=1)


def fills(db: Database, number: int, at: datetime | None = None) -> None:
    """So many votes, each of another citizen."""
    for _ in range(number):
        voted(db, voter(db, secrets.token_hex(4)), at=at)


def rows_of_turns(db: Database) -> list[int | None]:
    with db.reading() as session:
        return list(session.exec(select(Turn.id).order_by(col(Turn.id))))


def _run(session: Session, statement: Update) -> None:
    session.execute(statement)


def _add(session: Session, row: Outage) -> None:
    session.add(row)


def battles(db: Database) -> list[Battle]:
    with db.reading() as session:
        return list(session.exec(select(Battle).order_by(col(Battle.created_at))))


def test_a_team_sees_its_own_exposure_beside_an_equal_share(office: Database) -> None:
    fills(office, 2 * STEP)
    codes = {by_code(office, code).id: code for code in CODES}
    for code in CODES:
        mine = [
            (codes[b.entry_a], codes[b.entry_b])
            for b in battles(office)
            if code in (codes[b.entry_a], codes[b.entry_b])
        ]
        page = own(office, code, tomorrow()).exposure
        assert (page.battles, page.as_a, page.as_b) == (
            len(mine),
            sum(a == code for a, _ in mine),
            sum(b == code for _, b in mine),
        )
        assert page.share == len(mine) / (2 * STEP)
        assert page.equal == pytest.approx(2 / 3)
        met = [a if b == code else b for a, b in mine]
        numbers = sorted(met.count(other) for other in set(met))
        assert (page.opponents, page.fewest, page.most) == (2, numbers[0], numbers[-1])


def test_an_equal_share_allows_for_pauses(office: Database) -> None:
    fills(office, STEP)
    before = own(office, "e2", tomorrow()).exposure.battles
    changes(office, "pause")
    fills(office, STEP)
    exposure = own(office, "e2", tomorrow()).exposure
    assert exposure.battles == before
    assert exposure.equal == pytest.approx(1 / 3)
    assert own(office, "e1", tomorrow()).exposure.equal == pytest.approx((2 / 3 + 1) / 2)


def test_whatever_a_citizen_does_no_teams_page_tells_of_it_before_the_hour_is_over(office: Database) -> None:
    fills(office, STEP - 1, at=now() - timedelta(hours=3))
    hour = now().replace(minute=0, second=0, microsecond=0)
    moments = (hour, hour + timedelta(minutes=59, seconds=59))
    before = [pages(office, at) for at in moments]

    def unmoved() -> bool:
        return [pages(office, at) for at in moments] == before

    battle, turn = asks(office)
    assert unmoved()
    ends(office, turn, said=(Said("[모델]", "complete", 10, 20, 1, "가온"), ANSWERS[1]))
    assert unmoved()
    office.writing(lambda s: cast_vote(s, MINJI, battle.id, "a", hour + timedelta(minutes=30)))
    assert unmoved()
    told = pages(office, hour + timedelta(hours=1))
    assert sum(page.exposure.battles for page in told) == 2 * STEP
    assert sum(page.masked for page in told) == 1
    assert {page.at for page in told} == {hour + timedelta(hours=1)}


def test_what_is_dealt_again_is_not_told_however_long_one_waits(office: Database) -> None:
    fills(office, STEP)
    later = [tomorrow() + timedelta(days=days) for days in range(3)]
    before = [pages(office, at) for at in later]
    left, _ = asks(office)
    expires(office, left)
    again, failing = asks(office)
    assert cell(again) == cell(left), "its side would be known"
    ends(office, failing, "failed", (Said("", "refused", None, 30), ANSWERS[1]))
    assert [pages(office, at) for at in later] == before


def test_votes_count_in_whole_steps(office: Database) -> None:
    def shown() -> int:
        return sum(page.exposure.battles for page in pages(office, tomorrow()))

    fills(office, STEP - 1)
    assert shown() == 0
    fills(office, 1)
    assert shown() == 2 * STEP
    fills(office, STEP - 1)
    assert shown() == 2 * STEP
    closes(office)
    assert shown() == 2 * (2 * STEP - 1), "closed, all is told"


def test_a_closed_round_that_never_tells_names_keeps_to_whole_steps(db: Database) -> None:
    opened(db, teams=3, reveal="never")
    fills(db, STEP + 1)
    closes(db)
    assert sum(page.exposure.battles for page in pages(db, tomorrow())) == 2 * STEP


def test_a_team_sees_its_times_and_masked_names_of_days_that_are_over(office: Database) -> None:
    fills(office, STEP - 1)
    battle, turn = asks(office)
    ends(office, turn, said=(Said("가" * 50, "complete", 100, 600, 2), Said("나", "complete", 40, 90)))
    votes(office, battle)
    first = next(code for code in CODES if by_code(office, code).id == battle.entry_a)
    assert [page.days for page in pages(office, now())] == [(), (), ()]
    page = own(office, first, tomorrow())
    assert page.masked == 1
    (day,) = page.days
    assert day.answers == page.exposure.battles
    assert day.total_s is not None
    assert day.total_s.p95 <= 0.6


def test_failures_are_told_from_five_a_day_on_and_only_when_the_day_is_over(office: Database) -> None:
    failed: Counter[int] = Counter()
    while max(failed.values(), default=0) < FEW:
        battle, turn = asks(office, voter_id=voter(office, f"v{failed.total()}"))
        ends(office, turn, "failed", (Said("", "refused", None, 30), ANSWERS[1]))
        failed[battle.entry_a] += 1
        runs_sql(office, "delete from failures")  # so that no outage begins
    for code in CODES:
        number = failed[by_code(office, code).id or 0]
        told = [(f.ending, f.number) for day in own(office, code, tomorrow()).days for f in day.failures]
        assert told == ([("refused", number)] if number >= FEW else [])
        assert own(office, code).days == ()
        assert own(office, code, tomorrow()).void is None
    closes(office)
    every = pages(office, tomorrow())
    assert sum(page.void or 0 for page in every) == failed.total()
    assert sum(f.number for page in every for day in page.days for f in day.failures) == failed.total()


def test_outages_are_told_by_their_day_once_it_is_over(office: Database) -> None:
    began = now() - timedelta(days=2)
    row = Outage(
        entry_id=by_code(office, "e1").id or 0, began_at=began, ended_at=now(), ending="idle", check_at=began
    )
    office.writing(partial(_add, row=row))
    (outage,) = own(office, "e1").outages
    midnight = began.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    assert outage == OwnOutage(midnight, None, "idle")
    assert own(office, "e1", began + timedelta(seconds=1)).outages == ()
    closes(office)
    assert own(office, "e1").outages == (OwnOutage(began, row.ended_at, "idle"),)


def test_the_last_seven_days_are_seven_whole_days_in_korea(office: Database) -> None:
    fills(office, STEP, at=now() - timedelta(days=1))
    turns = rows_of_turns(office)
    today = datetime.now(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    for n, turn in enumerate(reversed(turns)):
        at = today - timedelta(hours=12 * n, seconds=1)
        office.writing(partial(_run, statement=update(Turn).where(col(Turn.id) == turn).values(created_at=at)))
    days = {day.day for page in pages(office, today + timedelta(hours=5)) for day in page.days}
    assert len(days) == DAYS_SHOWN
    assert (min(days), max(days)) == (today - timedelta(days=DAYS_SHOWN), today - timedelta(days=1))
    every = sum(day.answers for page in pages(office, today + timedelta(hours=5)) for day in page.days)
    assert every == 2 * 2 * DAYS_SHOWN, "the oldest day is whole"


def test_the_page_is_the_same_whatever_is_voted_and_excluded(office: Database) -> None:
    for n, choice in enumerate(("a", "b", "tie", "both_bad") * (STEP // 4)):
        voted(office, voter(office, f"v{n}"), choice)
    with office.reading() as session:
        every = list(session.exec(select(Vote.id)))
    moment = tomorrow()
    before = pages(office, moment)
    assert sum(page.exposure.battles for page in before) == 2 * STEP
    excludes(office, *(id_ or 0 for id_ in every[:7]))
    assert pages(office, moment) == before
    words = json.dumps([asdict(page) for page in before], default=str)
    assert not {"tie", "both_bad", "choice"} & set(re.findall(r"\w+", words))
