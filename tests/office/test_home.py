"""The office's first page: what waits for whom, each with a link, and no team's name for moderators."""

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from arena.accounts.queries import SignedIn
from arena.battles.tables import Appeal, Exclusion
from arena.clock import now
from arena.db import Database, Row
from arena.demo.personas import PERSONAS
from arena.office.home import home_page
from arena.rounds.tables import Proposal, SuggestionDraft
from arena.screening.tables import Review
from arena.teams.tables import Outage
from tests.data import MINJI, opened, voted, voter
from tests.rounds.offices import by_code
from tests.staff import BORA, HANA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

NOTHING = "Nothing is waiting for you."


@pytest.fixture
def office(db: Database, database_url: str) -> Iterator[str]:
    """The origin of an arena with an open round and its people."""
    opened(db)
    hire(db)
    voter(db, MINJI)
    with serving(settings_for(database_url)) as origin:
        yield origin


def adds(db: Database, *rows: Row) -> None:
    db.writing(partial(_add, rows=rows))


def _add(session: Any, rows: tuple[Row, ...]) -> None:
    session.add_all(rows)


def review(state: str, **values: Any) -> Review:
    usual: dict[str, Any] = {
        "round_id": 1, "voter_id": MINJI, "locale": "ko", "text": "질문", "masked": {}, "flags": [], "ruleset": 0
    }  # fmt: skip
    return Review(**usual, state=state, created_at=now(), **values)


def draft(by: str, **values: Any) -> SuggestionDraft:
    usual: dict[str, Any] = {"round_id": 1, "locale": "ko", "topic": "work", "text": "질문"}
    return SuggestionDraft(**usual, proposed_by=by, proposed_at=now(), **values)


def proposal(by: str, **values: Any) -> Proposal:
    usual: dict[str, Any] = {"round_id": 1, "kind": "pause", "payload": {"entry": "e1"}, "reason": "mistake"}
    return Proposal(**usual, proposed_by=by, proposed_at=now(), **values)


def exclusion(by: str, **values: Any) -> Exclusion:
    usual: dict[str, Any] = {"round_id": 1, "kind": "exclude", "battles": [], "reason": "mistake"}
    return Exclusion(**usual, proposed_by=by, proposed_at=now(), **values)


def seen(origin: str, name: str) -> tuple[str, dict[str, str]]:
    """Somebody's first page, and on it what waits by the page it leads to."""
    person = signed_in(origin, name)
    page = person.http.get("/office")
    person.close()
    assert page.status_code == 200
    return page.text, dict(re.findall(r'<a class="card" href="([^"]+)"><span>([^<]+)</span>', page.text))


def test_where_nothing_waits_the_page_says_so_and_what_could_be_done(office: str) -> None:
    for name, leads in (("sora", "/rounds/stage-1/health"), ("jiwoo", "/office/queue")):
        page, waiting = seen(office, name)
        assert NOTHING in page
        assert waiting == {}
        assert f'<li><a href="{leads}">' in page


def test_a_moderator_is_told_of_questions_and_of_suggestions_by_others(db: Database, office: str) -> None:
    adds(db, review("held"), review("held"), review("waiting"), review("waiting", flagged=True), review("approved"))
    adds(db, review("escalated", decided_by=BORA), review("escalated", decided_by=JIWOO))
    adds(db, draft(BORA), draft(BORA, edited_by=JIWOO), draft(JIWOO), draft(BORA, state="declined"))

    page, waiting = seen(office, "jiwoo")

    assert waiting == {
        "/office/queue?state=held": "2 questions are held until somebody decides",
        "/office/queue?state=flagged": "1 question was flagged",
        "/office/queue?state=escalated": "1 question was passed on to you by another moderator",
        "/office/suggestions": "1 suggestion waits for your approval",
    }
    assert NOTHING not in page


def test_an_operator_is_told_of_what_needs_a_second_person_and_of_outages(db: Database, office: str) -> None:
    vote = voted(db, MINJI, at=now())
    adds(db, proposal(HANA), proposal(SORA), proposal(HANA, state="done"))
    adds(db, exclusion(JIWOO), exclusion(HANA), exclusion(SORA), exclusion(HANA, state="refused"))
    adds(db, Appeal(vote_id=vote.id, text="왜요?", made_at=now()))
    entry = by_code(db, "e2").id or 0
    adds(db, Outage(entry_id=entry, began_at=now(), ending="refused", check_at=now()))
    adds(db, Outage(entry_id=entry, began_at=now(), ended_at=now(), ending="refused", check_at=now()))

    _, waiting = seen(office, "sora")

    exclusions = re.compile("proposals? about excluded votes|asks? to have a vote counted")
    assert {path: words for path, words in waiting.items() if path != "/office/exclusions"} == {
        "/rounds/stage-1/changes": "1 change of the round waits for a second person",
        "/rounds/stage-1/health": "1 endpoint does not answer now",
    }
    assert exclusions.search(waiting["/office/exclusions"])
    page, _ = seen(office, "sora")
    assert "2 proposals about excluded votes wait for a second person" in page
    assert "1 citizen asks to have a vote counted again" in page


def test_the_round_is_shown_with_its_votes_and_those_of_today(db: Database, office: str) -> None:
    for _ in range(2):
        voted(db, MINJI, at=now())
    page, _ = seen(office, "sora")
    assert re.findall(r"<dt>(Votes[^<]*)</dt><dd>(\d+)</dd>", page) == [("Votes", "2"), ("Votes today", "2")]
    with db.reading() as session:
        reader = SignedIn(SORA, "sora@example.org", "operator")
        tomorrow = home_page(session, reader, "en", now() + timedelta(days=1)).now
    assert tomorrow
    assert (tomorrow.votes, tomorrow.votes_today) == (2, 0)


def test_an_auditor_finds_the_trail_the_exclusions_and_of_each_round_ledger_and_masked_names(office: str) -> None:
    page, waiting = seen(office, "doyun")
    assert waiting == {}
    for path in ("/office/trail", "/office/exclusions", "/rounds/stage-1/ledger", "/rounds/stage-1/leaks"):
        assert f'href="{path}"' in page


def test_no_page_of_a_moderator_names_a_team(db: Database, office: str) -> None:
    adds(db, review("held"), draft(BORA), Outage(entry_id=1, began_at=now(), ending="refused", check_at=now()))
    moderator = signed_in(office, "jiwoo")
    names = [name for persona in PERSONAS.values() for name in (*persona.name.values(), persona.model)]
    for path in ("/office", "/office/help"):
        assert [name for name in names if name in moderator.http.get(path).text] == []
    moderator.close()


def test_without_a_round_the_page_leads_operators_to_make_one(db: Database, database_url: str) -> None:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        page, _ = seen(origin, "sora")
        assert "No round is open." in page
        assert 'href="/office/rounds"' in page
        assert "No round was opened yet." in seen(origin, "doyun")[0]


def test_strangers_are_asked_to_sign_in(office: str) -> None:
    stranger = Citizen(office)
    assert stranger.http.get("/office").status_code == 401
    assert stranger.http.get("/office/help").status_code == 401
    stranger.close()
