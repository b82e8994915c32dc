"""A citizen's way through a battle, over a real socket."""

import httpx

from arena.battles.pages import CONSENT_VERSION
from tests.support import Citizen


def test_a_battle_runs_from_the_question_to_the_recorded_vote(minji: Citizen) -> None:
    path = minji.ask()
    played = minji.read(path)
    assert played.outcome == "complete"
    assert played.a != played.b
    assert minji.vote(path, "tie").status_code == 303
    page = minji.http.get(path).text
    assert "표가 기록" in page


def test_a_finished_turn_replays_at_once_and_the_page_shows_the_same_answers(minji: Citizen) -> None:
    path = minji.ask()
    first, again = minji.read(path), minji.read(path)
    assert (again.a, again.b, again.outcome) == (first.a, first.b, "complete")
    page = minji.http.get(path).text
    assert first.a in page
    assert first.b in page


def test_the_same_vote_again_finds_the_same_receipt_and_another_is_refused(minji: Citizen) -> None:
    path = minji.battle("a")
    receipt = minji.http.get(path).text.split('class="receipt">')[1][:32]
    assert minji.vote(path, "a").status_code == 303
    assert receipt in minji.http.get(path).text
    assert minji.vote(path, "b").status_code == 409


def test_a_battle_is_seen_by_its_voter_alone(minji: Citizen, junho: Citizen) -> None:
    path = minji.ask()
    junho.ask("다른 질문이에요")
    assert junho.http.get(path).status_code == 404
    assert junho.http.get(f"{path}/turns/1/stream").status_code == 404
    assert junho.vote(path).status_code == 404
    assert httpx.get(minji.origin + path).status_code == 404


def test_a_consent_to_an_older_text_does_not_count(minji: Citizen) -> None:
    refused = minji.post("/battles", prompt="안녕하세요", consent=["participate"], consent_version="1")
    assert refused.status_code == 422
    assert "안녕하세요" in refused.text
    again = minji.post("/battles", prompt="안녕하세요", consent=["participate"], consent_version=CONSENT_VERSION)
    assert again.status_code == 303
