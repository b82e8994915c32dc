"""Opening and closing a round in the office: confirmed by its name, refused on record, with what it says before."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from arena.clock import now
from arena.db import Database
from arena.rounds.changes import propose
from arena.rounds.rules import RoundFile
from arena.rounds.wanted import read_wanted
from tests.data import asks, battle_state, voted, voter
from tests.office.rounds import ALLOW, Office, drafted, form, office
from tests.staff import SORA
from tests.support import open_round, round_file

NOWHERE = "http://127.0.0.1:9"
OPEN, CLOSE = "/office/rounds/stage-1/open", "/office/rounds/stage-1/close"


@pytest.fixture
def desk(db: Database, database_url: str) -> Iterator[Office]:
    with office(db, database_url) as made:
        yield made


def opens(desk: Office, confirm: str = "stage-1", seen: str | None = None) -> httpx.Response:
    found = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get(OPEN).text)
    token = seen if seen is not None else found[1] if found else ""
    return desk.sends({"seen": [token], "confirm": [confirm]}, OPEN)


def closes(desk: Office, confirm: str = "stage-1", why: str = "the money is spent") -> httpx.Response:
    return desk.sends({"confirm": [confirm], "why": [why]}, CLOSE)


def later(file: RoundFile, **times: timedelta) -> RoundFile:
    return file.model_copy(update={name: now() + delta for name, delta in times.items()})


def state(desk: Office) -> str:
    found = desk.round()
    assert found is not None
    return found.state


def test_a_draft_is_opened_once_its_name_is_typed_and_its_rules_stay_as_they_were_shown(desk: Office) -> None:
    made = drafted(desk.db, round_file(NOWHERE, may_change=["pause"]))
    page = desk.sora.http.get(OPEN).text
    assert made.rules_hash in page
    assert "This cannot be taken back" in page
    assert re.search(r"A team may pause, and take part again\.\s*<span class=\"state\">needs two people", page)
    wrong = opens(desk, "stage-2")
    assert (wrong.status_code, state(desk)) == (422, "draft")
    assert 'value="stage-2"' in wrong.text
    assert opens(desk).status_code == 303
    now_open = desk.round()
    assert now_open is not None
    assert (now_open.state, now_open.rules_hash) == ("open", made.rules_hash)
    assert desk.acts() == [
        ("round.open", "stage-1", "refused", "confirm"),
        ("round.open", "stage-1", "done", ""),
    ]
    act = desk.told()[-1]
    assert act.detail["before"] == {"state": "draft", "rules_hash": made.rules_hash}
    assert act.detail["after"] == {"state": "open", "rules_hash": made.rules_hash}
    assert opens(desk, seen="x").status_code == 409


def test_a_draft_that_was_changed_since_its_page_was_read_is_not_opened(desk: Office) -> None:
    desk.sends(form())
    page = desk.sora.http.get(OPEN).text
    was = re.search(r'name="seen" value="([^"]*)"', page)
    assert was
    edit = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get("/office/rounds/stage-1/edit").text)
    assert edit
    changed = form(seen=edit[1], **{"entries.0.aliases": "somebody else"})
    assert desk.sends(changed, "/office/rounds/stage-1/edit", by=desk.hana).status_code == 303
    answer = opens(desk, seen=was[1])
    assert (answer.status_code, state(desk)) == (409, "draft")
    assert desk.acts()[-1][2:] == ("refused", "changed_meanwhile")


def test_what_keeps_a_draft_from_opening_is_said_before_and_refused(desk: Office) -> None:
    open_round(desk.db, round_file(NOWHERE, slug="stage-0"))
    drafted(desk.db)
    assert "Another round is open" in desk.sora.http.get(OPEN).text
    found = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get(OPEN).text)
    assert found is None
    page = desk.sora.http.get("/office/rounds/stage-1/edit").text
    token = re.search(r'name="seen" value="([^"]*)"', page)
    assert token
    assert opens(desk, seen=token[1]).status_code == 409
    assert desk.acts()[-1] == ("round.open", "stage-1", "refused", "another_open")


def test_a_draft_whose_closing_time_has_passed_is_not_opened(desk: Office) -> None:
    drafted(desk.db, later(round_file(NOWHERE), closes_at=timedelta(seconds=-1)))
    assert "The time at which this round closes has passed" in desk.sora.http.get(OPEN).text
    token = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get("/office/rounds/stage-1/edit").text)
    assert token
    assert opens(desk, seen=token[1]).status_code == 409
    assert desk.acts()[-1][3] == "closes_in_the_past"


def test_the_checks_tell_what_is_ready_and_what_is_not(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.sends(form(**{"entries.1.aliases": "", "entries.1.model": "hanbit-32b"}))
    page = desk.sora.http.get(OPEN).text

    def standing(words: str) -> str:
        found = re.search(rf'class="standing-(\w+)">(?:(?!</li>).)*{words}', page, flags=re.DOTALL)
        assert found, words
        return found[1]

    assert standing("All endpoints answered") == "unsure"
    assert standing("Aliases cover") == "bad"
    assert standing("The variables of the keys") == "bad"
    assert standing("The closing time") == "unsure"
    assert standing("No other round is open") == "ok"
    assert standing("This server can sign") == "ok"
    monkeypatch.setenv("TEAM_A_KEY", "one")
    monkeypatch.setenv("TEAM_B_KEY", "two")
    page = desk.sora.http.get(OPEN).text
    assert standing("The variables of the keys") == "ok"
    assert "hanbit" in desk.sora.http.get("/office/rounds/stage-1").text


def test_a_round_is_closed_once_its_name_is_typed_and_its_figures_are_final(desk: Office) -> None:
    open_round(desk.db, later(round_file(NOWHERE, may_change=["pause"]), closes_at=timedelta(days=3)))
    voter(desk.db, "minji")
    voter(desk.db, "junho")
    voted(desk.db, "minji")
    battle, _ = asks(desk.db, voter_id="junho")
    wanted = read_wanted({"kind": "pause", "entry": "e1", "reason": "endpoint_failing"}, ALLOW)
    desk.db.writing(lambda session: propose(session, "stage-1", wanted, SORA, now()))
    page = desk.sora.http.get(CLOSE).text
    assert "This is earlier than announced" in page
    assert "computed from 1 vote." in page
    assert "1 comparison that is going on ends" in page
    assert "1 change that waits for a second person lapses" in page
    assert closes(desk, "").status_code == 422
    assert state(desk) == "open"
    assert closes(desk).status_code == 303
    assert state(desk) == "closed"
    assert battle_state(desk.db, battle.id) == "expired"
    assert [act[2:] for act in desk.acts()] == [("refused", "confirm"), ("done", "")]
    assert desk.sora.http.get(CLOSE).status_code == 409
    assert closes(desk).status_code == 409
    assert desk.acts()[-1] == ("round.close", "stage-1", "refused", "not_open")


def test_whoever_chooses_the_moment_says_why_and_the_public_page_tells_of_it(desk: Office) -> None:
    open_round(desk.db, later(round_file(NOWHERE), closes_at=timedelta(days=3)))
    page = desk.sora.http.get(CLOSE).text
    assert "operators can see the ratings while votes come in" in page
    assert "it was closed early, and for when the end was announced" in page
    refused = closes(desk, why=" ")
    assert (refused.status_code, state(desk)) == (422, "open")
    assert "Please say why you close the round now." in refused.text
    assert 'id="why-hint"' in refused.text
    assert 'value="stage-1"' in refused.text
    assert desk.acts()[-1] == ("round.close", "stage-1", "refused", "why")
    assert "<b>no</b>" not in closes(desk, "stage-2", "<b>no</b>").text
    assert "Closed before" not in desk.jiwoo.http.get("/rounds/stage-1").text
    assert closes(desk).status_code == 303
    assert desk.told()[-1].detail["note"] == "the money is spent"
    assert "Closed before the announced end, by an operator on" in desk.jiwoo.http.get("/rounds/stage-1").text


def test_a_round_without_a_closing_time_is_closed_by_choice_too(desk: Office) -> None:
    open_round(desk.db, round_file(NOWHERE))
    page = desk.sora.http.get(CLOSE).text
    assert "earlier than announced" not in page
    assert "No end was announced" in page
    assert "Close the round now</button>" in page
    assert closes(desk, why="").status_code == 422
    assert closes(desk).status_code == 303
    assert "No end had been announced. An operator closed the round on" in desk.jiwoo.http.get("/rounds/stage-1").text


def test_at_the_announced_end_nobody_is_asked_why(desk: Office) -> None:
    open_round(desk.db, later(round_file(NOWHERE), closes_at=timedelta(milliseconds=1)))
    assert "Why now?" not in desk.sora.http.get(CLOSE).text or state(desk) == "closed"
    closes(desk, why="")
    assert state(desk) == "closed"
    page = desk.jiwoo.http.get("/rounds/stage-1").text
    assert "Closed before" not in page
    assert "No end had been announced" not in page


def test_others_neither_open_nor_close_and_it_is_on_record(desk: Office) -> None:
    drafted(desk.db)
    assert desk.sends({"confirm": ["stage-1"]}, OPEN, by=desk.jiwoo).status_code == 403
    assert desk.sends({"confirm": ["stage-1"]}, CLOSE, by=desk.jiwoo).status_code == 403
    assert desk.acts() == [
        ("round.open", "stage-1", "refused", "role"),
        ("round.close", "stage-1", "refused", "role"),
    ]
    assert desk.sends({"confirm": ["stage-9"]}, "/office/rounds/stage-9/open").status_code == 404
    assert state(desk) == "draft"
