"""Follow-up questions are checked as first ones are; a rejected question ends the asking, not the battle."""

import html

import httpx
import pytest

from arena.battles import arrivals
from tests.battles.words import stored
from tests.screening.flow import BLOCKED, HELD, MASKED, NOTED, NUMBER, Flow
from tests.support import Citizen


def asks_again(citizen: Citizen, path: str, prompt: str, *, partial: bool = False) -> httpx.Response:
    return citizen.post(f"{path}/turns", prompt=prompt, headers={"HX-Request": "true"} if partial else {})


def test_a_follow_up_is_masked_and_reviewed_too(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji)
    assert asks_again(minji, path, f"{NUMBER}로 보낼 문자도요").status_code == 303
    assert minji.read(path, 2).outcome == "complete"

    turn = flow.stage.turn(path, 2)
    assert turn.masked == {"phone": 1}
    assert flow.reviews()[1].turn_id == turn.id
    assert [said for said in flow.heard() if NUMBER in said] == []
    assert flow.heard().count(f"{MASKED}로 보낼 문자도요") == 2
    assert NUMBER not in stored(flow.stage.db)
    assert "전화번호 1개를 가리고 물었어요" in minji.http.get(path).text


@pytest.mark.parametrize("words", [BLOCKED, "때리", ""], ids=["rule", "classifier", "empty"])
@pytest.mark.parametrize("partial", [False, True], ids=["plain form", "htmx"])
def test_a_refused_follow_up_is_given_back_beside_the_reason(
    flow: Flow, minji: Citizen, words: str, partial: bool
) -> None:
    path = flow.votable(minji)
    typed = f"{words} <b>{NUMBER}</b>" if words else " "
    answer = asks_again(minji, path, typed, partial=partial)

    assert answer.status_code == 422
    assert f">{html.escape(typed)}</textarea>" in answer.text
    assert "battle-problem" in answer.text
    assert "<details" in answer.text
    assert len(flow.reviews()) == 1
    assert minji.vote(path).status_code == 303


def test_a_held_follow_up_waits_and_is_asked_in_the_same_battle_when_approved(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji)
    assert asks_again(minji, path, HELD).headers["location"] == f"{path}#held"
    assert flow.stage.battle(path).state == "votable"
    for page in (path, "/"):
        assert "먼저 살펴보고 있어요" in minji.http.get(page).text

    flow.decides("approved", HELD)
    assert f'value="{HELD}"' in minji.http.get(path).text
    assert asks_again(minji, path, HELD).status_code == 303
    assert minji.read(path, 2).outcome == "complete"
    assert flow.reviews()[1].turn_id == flow.stage.turn(path, 2).id


def test_the_sixth_held_follow_up_stays_in_the_form(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji)
    for number in range(5):
        assert asks_again(minji, path, f"{HELD} {number}").status_code == 303
    refused = asks_again(minji, path, f"{HELD} 여섯")
    assert refused.status_code == 409
    assert f">{HELD} 여섯</textarea>" in refused.text


@pytest.mark.parametrize("state", ["rejected", "hidden"])
def test_a_battle_with_a_rejected_question_can_be_read_and_voted_on_but_not_asked_in(
    flow: Flow, minji: Citizen, state: str
) -> None:
    path = flow.votable(minji, "물어본 질문이에요")
    flow.decides(state, "물어본 질문이에요", "spam")
    page = minji.http.get(path)
    assert page.status_code == 200
    assert "물어본 질문이에요" in page.text
    assert ('id="follow-up"' in page.text) is (state == "hidden")
    assert ("더 물을 수 없어요" in page.text) is (state == "rejected")

    assert asks_again(minji, path, "더 물을게요").status_code == (409 if state == "rejected" else 303)
    if state == "rejected":
        assert minji.vote(path).status_code == 303


def test_nobody_has_a_question_checked_in_anothers_battle(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji)
    read = len(flow.judge.read)
    junho = flow.stage.citizen()
    assert asks_again(junho, path, "안녕?").status_code == 404
    assert len(flow.judge.read) == read


def test_a_voted_battle_holds_no_question(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji)
    assert minji.vote(path).status_code == 303
    assert asks_again(minji, path, HELD).status_code == 409
    assert len(flow.reviews()) == 1


def test_a_follow_up_that_was_handed_on_is_checked_as_any_other_when_asked_again(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji, NOTED)
    flow.decides("escalated", NOTED)
    assert asks_again(minji, path, NOTED).status_code == 303
    assert minji.read(path, 2).outcome == "complete"
    assert [(review.state, review.flags) for review in flow.reviews()] == [
        ("escalated", [{"source": "rule", "code": "spam", "level": "log"}]),
        ("waiting", [{"source": "rule", "code": "spam", "level": "log"}]),
    ]


def test_follow_ups_without_end_are_given_back(flow: Flow, minji: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    path = flow.votable(minji)
    monkeypatch.setattr(arrivals, "A_PERSON", 2)
    assert [asks_again(minji, path, "때리").status_code for _ in range(3)] == [422, 422, 429]
    assert ">때리 또</textarea>" in asks_again(minji, path, "때리 또").text
    assert minji.vote(path).status_code == 303
