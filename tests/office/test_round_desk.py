"""The desk of a round: progress by pair and side, leaks, abandons, endpoints hour by hour, each as it really is."""

import re
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Update, update
from sqlmodel import Session, col

from arena.battles.column import Said
from arena.battles.tables import Turn
from arena.clock import now
from arena.db import Database
from arena.office import turn_sample
from arena.office.desk_pages import DeskPage, Hours, Outcomes
from arena.office.round_desk import desk_page, rounds_page
from arena.ratings.actions import Computed, store
from arena.teams.queries import entries_of
from arena.teams.tables import Outage
from tests.data import asks, closes, ends, expires, opened, rated_now, voted, voter
from tests.office.rounds import drafted, office
from tests.support import Citizen, open_round, round_file


def desk(db: Database, at: datetime | None = None, *, whole: bool = True) -> DeskPage:
    with db.reading() as session:
        return desk_page(session, "stage-1", "en", at or now(), whole=whole)


def hours(db: Database, at: datetime | None = None) -> Hours:
    found = desk(db, at).hours
    assert found is not None
    return found


def days(db: Database) -> Outcomes:
    found = desk(db).outcomes
    assert found is not None
    return found


def _run(session: Session, statement: Update) -> None:
    session.execute(statement)


def rates(db: Database) -> Computed:
    """Has the worker's ratings stored."""
    computed = rated_now(db)
    db.writing(lambda session: store(session, 1, computed, now()))
    return computed


def votes(db: Database, number: int, choice: str = "a") -> None:
    for n in range(number):
        voted(db, voter(db, f"voter-{choice}-{n}"), choice)


def test_votes_are_told_pair_by_pair_and_by_who_stood_at_side_a(db: Database) -> None:
    opened(db, teams=3)
    votes(db, 9)
    numbers = desk(db).numbers
    cells = [list(row.cells) for row in numbers.rows]
    assert (numbers.votes, numbers.counted, numbers.wanted, numbers.wanted_pair) == (9, 9, 100, 50)
    assert sum(row.votes for row in numbers.rows) == 2 * 9
    for i, row in enumerate(cells):
        assert row[i] is None
        for j, cell in enumerate(row):
            other = cells[j][i]
            if cell is not None and other is not None:
                assert (cell.first, cell.second) == (other.second, other.first)


def test_the_side_is_told_as_the_ratings_tell_it(db: Database) -> None:
    opened(db, teams=2)
    assert desk(db).numbers.side is None
    votes(db, 2)
    side = desk(db).numbers.side
    assert side is not None
    assert (side.decided, side.share, side.rated) == (2, 1.0, None)
    votes(db, 40, "b")
    votes(db, 40, "tie")
    computed = rates(db)
    side, effect = desk(db).numbers.side, computed.ratings["side"]
    assert side is not None
    assert side.rated is not None
    assert (side.decided, side.share) == (42, 2 / 42)
    assert side.rated.share == float(effect["win_share"])
    assert list(side.rated.interval) == [float(end) for end in effect["interval"]]


def test_one_persons_many_votes_for_a_side_are_not_taken_for_many_persons(db: Database) -> None:
    opened(db, teams=2, rated_votes_per_voter=30, max_battles_per_voter=40)
    for n in range(50):
        voted(db, voter(db, f"even-{n}"), "a" if n % 2 else "b")
    for _ in range(25):
        voted(db, voter(db, "fond of a"), "a")
    rates(db)
    side = desk(db).numbers.side
    assert side is not None
    assert side.share == 50 / 75
    assert side.rated is not None
    assert not side.rated.telling


def test_what_became_of_battles_is_counted_and_told_by_day(db: Database) -> None:
    opened(db, teams=2)
    votes(db, 2)
    left, _ = asks(db, voter_id=voter(db, "left"))
    expires(db, left)
    _, failing = asks(db, voter_id=voter(db, "unlucky"))
    ends(db, failing, "failed", (Said("", "refused", None, 5), Said("b", "complete", 10, 20)))
    asks(db, voter_id=voter(db, "reading"))
    numbers = desk(db).numbers
    assert (numbers.started, numbers.votes, numbers.expired, numbers.void, numbers.going) == (5, 2, 1, 1, 1)
    (day,) = days(db).days
    assert (day.started, day.voted, day.expired, day.void) == (5, 2, 1, 1)


def test_a_day_ends_at_midnight_in_korea_and_old_days_are_left_out(db: Database) -> None:
    opened(db, teams=2)
    turns = [asks(db, voter_id=voter(db, f"v{n}"))[1] for n in range(3)]
    today = now()
    for turn, ago in zip(turns, (20, 1, 0), strict=True):
        values = update(Turn).where(col(Turn.id) == turn.id).values(created_at=today - timedelta(days=ago))
        db.writing(partial(_run, statement=values))
    assert [row.started for row in days(db).days] == [1, 1]


def test_leaks_are_counted_by_entry(db: Database) -> None:
    round_ = opened(db, teams=2)
    battle, turn = asks(db, voter_id=voter(db, "minji"))
    ends(db, turn, "complete", (Said("[모델]", "complete", 10, 20, 1, "가온"), Said("나", "complete", 11, 21)))
    with db.reading() as session:
        names = {entry.id: entry.name_en for entry in entries_of(session, round_.id or 0)}
    leaks = {row.team: (row.answers, row.named) for row in days(db).leaks}
    assert leaks == {names[battle.entry_a]: (1, 1), names[battle.entry_b]: (1, 0)}


def test_endpoints_are_told_hour_by_hour(db: Database) -> None:
    round_ = opened(db, teams=2)
    for n in range(4):
        _, turn = asks(db, voter_id=voter(db, f"v{n}"))
        good = Said("a" * 100, "complete", 1000 * (n + 1), 1000 * (n + 1) + 500)
        if n == 3:
            ends(db, turn, "failed", (Said("", "idle", None, 5), Said("", "idle", None, 5)))
        else:
            ends(db, turn, "complete", (good, good))
    for row in hours(db).endpoints:
        assert (row.whole.answers, row.whole.failed) == (4, 1)
        assert row.whole.first_s == 2.0
        assert row.whole.first_p95_s == pytest.approx(2.9)
        assert row.whole.rate == pytest.approx(200)
        assert [hour.answers for hour in row.hours] == [4]
        assert [round(box.height, 2) for box in row.failures.bars] == [18.0]
    assert [row.whole.answers for row in hours(db, now() + timedelta(hours=60)).endpoints] == [0, 0]
    assert round_.state == "open"


def test_an_outage_shades_its_hours(db: Database) -> None:
    opened(db, teams=2)
    with db.reading() as session:
        first = entries_of(session, 1)[0]
    began = now() - timedelta(hours=3)
    outage = Outage(entry_id=first.id, began_at=began, ending="idle", check_at=began)
    db.writing(lambda session: session.add(outage))
    failing, other = hours(db).endpoints
    (shade,) = failing.failures.shades
    assert shade.width == pytest.approx(4 * 6)
    assert (failing.outages, failing.out_now) == (1, True)
    assert (other.failures.shades, other.out_now) == ((), False)
    assert desk(db).numbers.out_now == (first.name_en,)


def test_of_many_turns_so_many_are_read_evenly_apart(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    opened(db, teams=2)
    for n in range(10):
        ends(db, asks(db, voter_id=voter(db, f"v{n}"))[1])
    assert (hours(db).every, hours(db).answers) == (1, 20)
    monkeypatch.setattr(turn_sample, "TURNS", 4)
    sampled = hours(db)
    assert (sampled.every, sampled.answers) == (3, 8)
    assert (days(db).every, sum(day.started for day in days(db).days)) == (3, 4)


def test_another_rounds_turns_are_not_read(db: Database) -> None:
    opened(db, teams=2)
    ends(db, asks(db, voter_id=voter(db, "minji"))[1])
    closes(db)
    open_round(db, round_file("http://127.0.0.1:9", slug="stage-2", teams=2))
    with db.reading() as session:
        later = desk_page(session, "stage-2", "en", now(), whole=True)
    assert later.hours is not None
    assert later.outcomes is not None
    assert (later.hours.answers, later.outcomes.days, later.numbers.started) == (0, (), 0)
    assert hours(db, now() + timedelta(days=30)).answers == 2, "up to its closing"


def test_all_rounds_are_listed_the_open_one_first(db: Database) -> None:
    drafted(db, round_file("http://127.0.0.1:9", slug="stage-2"))
    opened(db, teams=2)
    votes(db, 1)
    with db.reading() as session:
        rows = rounds_page(session, "en").rounds
    assert [(row.round.slug, row.round.state, row.entries, row.votes) for row in rows] == [
        ("stage-1", "open", 2, 1),
        ("stage-2", "draft", 5, 0),
    ]


def test_the_desk_shows_it_all_and_htmx_gets_the_numbers_alone(db: Database, database_url: str) -> None:
    opened(db, may_change=["pause", "join"])
    votes(db, 3)
    asks_and_fails = asks(db, voter_id=voter(db, "unlucky"))[1]
    ends(db, asks_and_fails, "failed", (Said("", "refused", None, 5), Said("b", "complete", 10, 20)))
    with office(db, database_url) as at_work:
        page = at_work.sora.http.get("/office/rounds/stage-1").text
        part = at_work.sora.http.get("/office/rounds/stage-1", headers={"HX-Request": "true"}).text
        assert at_work.jiwoo.http.get("/office/rounds/stage-1").status_code == 403
        empty = Citizen(at_work.origin)
        assert "/office/rounds/stage-1" not in empty.http.get("/rounds/stage-1").text
        empty.close()
    assert page.count("needs two people") == 2
    assert page.count('role="img" aria-labelledby="failed-') >= 2
    assert page.count("As a table") == page.count('id="failed-e') // 2
    assert part.lstrip().startswith('<div id="numbers"')
    assert "<svg" not in re.sub(r'<svg class="icon".*?</svg>', "", part, flags=re.DOTALL)
    assert "Votes pair by pair" in part


def test_a_desk_before_the_first_question_is_empty(db: Database) -> None:
    opened(db)
    found = desk(db)
    assert (found.numbers.votes, found.numbers.needed) == (0, ())
    assert [row.hours for row in hours(db).endpoints] == [()] * 5


def test_a_closed_round_has_a_desk_too(db: Database) -> None:
    opened(db, teams=2)
    votes(db, 2)
    closes(db)
    found = desk(db)
    assert (found.round.state, found.numbers.votes) == ("closed", 2)
    assert found.numbers.needed
