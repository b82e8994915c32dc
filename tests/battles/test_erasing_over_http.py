"""Erasing words as a citizen does: what the pages say, whose words go, and a relay that still streams."""

import re
from collections.abc import Iterator

import pytest

from tests.battles.endpoint import Endpoint, endpoint, gated
from tests.battles.stage import Stage, staged
from tests.battles.words import ANSWER, COMMENT, QUESTION, RAW, WORDS, left, stored
from tests.data import turn_state
from tests.support import eventually


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint(gated(ANSWER, RAW)) as played:
        yield played


@pytest.fixture
def stage(database_url: str, team: Endpoint) -> Iterator[Stage]:
    with staged(database_url, team) as found:
        yield found


@pytest.mark.parametrize("goes_on", [True, False], ids=["answers end", "at the next checkpoint"])
def test_a_running_relay_writes_nothing_afterwards(
    stage: Stage, team: Endpoint, monkeypatch: pytest.MonkeyPatch, goes_on: bool
) -> None:
    monkeypatch.setattr("arena.battles.relay.CHECKPOINT_S", 0.05)
    minji = stage.citizen()
    path = minji.ask(QUESTION)
    assert eventually(lambda: "보라양말" in stored(stage.db))

    assert minji.post("/privacy/erase").status_code == 303
    if goes_on:
        team.open_gate()

    assert minji.read(path).outcome == "stopped"
    assert eventually(lambda: team.active == 0)
    assert (stage.battle(path).state, turn_state(stage.db, stage.turn(path))) == ("expired", "stopped")
    assert left(stage.db) == []


def test_a_citizen_sees_what_is_stored_erases_it_and_sees_that_it_is_gone(stage: Stage, team: Endpoint) -> None:
    team.open_gate()
    minji = stage.citizen()
    minji.http.headers["Accept-Language"] = "en"
    assert "/privacy/erase" not in minji.http.get("/privacy").text
    assert "No conversation" in minji.http.get("/privacy/erase").text

    path = minji.battle(prompt=QUESTION)
    minji.vote(path, "a", comment=COMMENT)
    privacy = minji.http.get("/privacy").text
    assert "The words of 1 conversation of this browser" in privacy
    assert 'href="/privacy/erase"' in privacy
    assert "vote without" not in minji.http.get("/privacy/erase").text
    minji.ask("12 * 3")
    assert "without a vote" in minji.http.get("/privacy/erase").text

    assert minji.post("/privacy/erase").headers["location"] == "/privacy/erase"
    assert "The words of 2 conversations were erased" in minji.http.get("/privacy/erase").text
    page = minji.http.get(path).text
    assert "The words of this conversation were erased" in page
    assert 'class="turn"' not in page
    assert 'class="receipt"' in page
    assert "/privacy/erase" not in page
    assert not [word for word in WORDS if word in page + stored(stage.db)]


def test_one_conversation_alone_can_be_erased_from_its_page(stage: Stage, team: Endpoint) -> None:
    team.open_gate()
    minji = stage.citizen()
    kept, path = minji.battle(prompt="12 * 3"), minji.battle(prompt=QUESTION)
    battle = path.split("/")[2]
    found = re.search(r'href="(/privacy/erase\?battle=\w+)"', minji.http.get(path).text)
    assert found
    assert QUESTION in minji.http.get(found[1]).text

    assert minji.post("/privacy/erase", battle=battle).headers["location"] == path
    page = minji.http.get(path).text
    assert "이 대화의 글은 지워졌어요" in page
    assert '<form id="feedback"' not in page
    assert "12 * 3" in minji.http.get(kept).text


def test_nobody_erases_what_is_not_theirs(stage: Stage, team: Endpoint) -> None:
    team.open_gate()
    minji, junho = stage.citizen(), stage.citizen()
    path = minji.battle(prompt=QUESTION)
    battle = path.split("/")[2]

    for other in (junho.http.get(f"/privacy/erase?battle={battle}"), junho.post("/privacy/erase", battle=battle)):
        assert other.status_code == 404
        assert QUESTION not in other.text
    assert junho.post("/privacy/erase").status_code == 303
    assert minji.post("/privacy/erase", csrf=junho.csrf()).status_code == 403
    assert minji.post("/privacy/erase", headers={"Origin": "https://elsewhere.example"}).status_code == 403
    for hostile in ("\0", "x", f"{battle}\n", "0" * 33):
        assert minji.post("/privacy/erase", battle=hostile).status_code == 422
    assert stage.battle(path).erased_at is None
    assert QUESTION in minji.http.get(path).text
