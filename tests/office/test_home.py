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
from arena.rounds.actions import create_round
from arena.rounds.tables import Proposal, SuggestionDraft
from arena.screening.tables import Review
from arena.teams.tables import Outage
from tests.data import MINJI, NOWHERE, answered, closes, opened, voted, voter, votes
from tests.rounds.offices import by_code
from tests.staff import BORA, HANA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, round_file, serving, settings_for

NOTHING = "Nothing is waiting for you."
STAGE = '<span class="muted">Stage 1</span>'


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
    return Review(**(usual | values), state=state, created_at=now())


def draft(by: str, **values: Any) -> SuggestionDraft:
    usual: dict[str, Any] = {"round_id": 1, "locale": "ko", "topic": "work", "text": "질문"}
    return SuggestionDraft(**(usual | values), proposed_by=by, proposed_at=now())


def proposal(by: str, **values: Any) -> Proposal:
    usual: dict[str, Any] = {"round_id": 1, "kind": "pause", "payload": {"entry": "e1"}, "reason": "mistake"}
    return Proposal(**usual, proposed_by=by, proposed_at=now(), **values)


def exclusion(by: str, **values: Any) -> Exclusion:
    usual: dict[str, Any] = {"round_id": 1, "kind": "exclude", "battles": [], "reason": "mistake"}
    return Exclusion(**(usual | values), proposed_by=by, proposed_at=now())


def seen(origin: str, name: str) -> tuple[str, dict[str, str]]:
    """Somebody's first page, and on it what waits by the page it leads to."""
    person = signed_in(origin, name)
    page = person.http.get("/office")
    person.close()
    assert page.status_code == 200
    return page.text, dict(re.findall(r'<a class="card" href="([^"]+)"><span>(.+?)</span><svg', page.text))


def test_where_nothing_waits_the_page_says_so_and_what_could_be_done(office: str) -> None:
    for name, leads in (("sora", "/rounds/stage-1/health"), ("jiwoo", "/office/queue")):
        page, waiting = seen(office, name)
        assert NOTHING in page
        assert waiting == {}
        assert f'<li><a href="{leads}">' in page


def test_a_moderator_is_told_of_questions_and_of_suggestions_by_others(db: Database, office: str) -> None:
    adds(db, review("held"), review("held"), review("waiting"), review("waiting", flagged=True), review("approved"))
    adds(db, review("escalated", decided_by=BORA, flagged=True), review("escalated", decided_by=JIWOO, flagged=True))
    adds(db, *(review(state, text="", flagged=True) for state in ("held", "waiting", "escalated")))
    adds(db, draft(BORA), draft(BORA, edited_by=JIWOO), draft(JIWOO), draft(BORA, state="declined"))

    page, waiting = seen(office, "jiwoo")

    assert waiting == {
        "/office/queue?state=held": "2 questions are held until somebody decides",
        "/office/queue?state=flagged": "2 questions were flagged",
        "/office/queue?state=escalated": "1 question was passed on to you by another moderator",
        "/office/suggestions?round=stage-1": "1 suggestion waits for your approval",
    }
    assert NOTHING not in page
    jiwoo = signed_in(office, "jiwoo")
    for path, words in waiting.items():
        if "queue" in path:
            shown = jiwoo.http.get(path).text
            others = shown.count("<article") - shown.count("You handed this on")
            assert words.startswith(f"{others} "), "as many as the list that it leads to has to decide on"
    jiwoo.close()


def test_a_moderator_is_told_of_the_round_that_the_queue_shows_and_of_each_rounds_suggestions(
    db: Database, office: str
) -> None:
    adds(db, review("held"), draft(BORA))
    closes(db)
    file = round_file(NOWHERE, slug="stage-2")
    db.writing(lambda session: create_round(session, file, allow=["127.0.0.0/8"], now=now()))
    adds(db, draft(BORA, round_id=2), draft(BORA, round_id=2))

    _, waiting = seen(office, "jiwoo")

    assert waiting == {
        "/office/queue?state=held": "1 question is held until somebody decides",
        "/office/suggestions?round=stage-2": f"2 suggestions wait for your approval {STAGE}",
    }
    opened(db, slug="stage-3")
    adds(db, draft(BORA, round_id=3))
    _, waiting = seen(office, "jiwoo")
    places = ["/office/suggestions?round=stage-3", "/office/suggestions?round=stage-2"]
    assert list(waiting) == places, "the queue shows the new round"
    assert waiting[places[0]] == "1 suggestion waits for your approval"


def test_counts_of_the_queue_end_at_a_thousand(db: Database, office: str) -> None:
    adds(db, *(review("held") for _ in range(1001)))
    assert seen(office, "jiwoo")[1] == {
        "/office/queue?state=held": "1,000+ questions are held until somebody decides"
    }


def test_an_operator_is_told_of_what_needs_a_second_person_and_of_outages(db: Database, office: str) -> None:
    battle = answered(db, MINJI)
    vote = votes(db, battle)
    adds(db, proposal(HANA), proposal(SORA), proposal(HANA, state="done"))
    ready = {"battles": [battle.id]}
    adds(db, *(exclusion(by, **ready) for by in (JIWOO, HANA, SORA, "moderator-1")))
    adds(db, exclusion(HANA, state="refused", **ready), exclusion(HANA), exclusion(JIWOO, kind="reinstate", **ready))
    adds(db, Appeal(vote_id=vote.id, text="왜요?", made_at=now()))
    entry = by_code(db, "e2").id or 0
    adds(db, Outage(entry_id=entry, began_at=now(), ending="refused", check_at=now()))
    adds(db, Outage(entry_id=entry, began_at=now(), ended_at=now(), ending="refused", check_at=now()))

    _, waiting = seen(office, "sora")

    assert waiting == {
        "/rounds/stage-1/changes": "1 change of the round waits for a second person",
        "/office/exclusions": "2 proposals about excluded votes wait for a second person",
        "/rounds/stage-1/health": "1 endpoint does not answer now",
        "/office/exclusions?round=stage-1": "1 citizen asks to have a vote counted again",
    }


def test_an_appeal_that_waits_is_told_of_after_the_round_too(db: Database, office: str) -> None:
    adds(db, Appeal(vote_id=voted(db, MINJI, at=now()).id, text="왜요?", made_at=now()))
    closes(db)
    opened(db, slug="stage-2")

    _, waiting = seen(office, "sora")

    path = "/office/exclusions?round=stage-1"
    assert waiting == {path: f"1 citizen asks to have a vote counted again {STAGE}"}
    sora = signed_in(office, "sora")
    assert "왜요?" in sora.http.get(path).text
    sora.close()


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
