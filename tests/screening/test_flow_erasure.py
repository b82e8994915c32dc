"""Erasing one's words empties the reviews of them."""

from tests.battles.words import stored
from tests.screening.flow import HELD, NUMBER, Flow
from tests.screening.test_flow import sends
from tests.support import Citizen

ASKED, WAITS = "주황우산은 어디에 두었나요?", f"노랑구두 {HELD}"


def erases(citizen: Citizen, battle: str = "") -> None:
    assert citizen.post("/privacy/erase", battle=battle.removeprefix("/battles/")).status_code == 303


def test_one_battle_takes_its_reviews_with_it_and_leaves_held_questions(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji, f"{ASKED} {NUMBER}")
    sends(minji, WAITS)
    erases(minji, path)

    assert "주황우산" not in stored(flow.stage.db)
    assert flow.states() == [("", "waiting"), (WAITS, "held")]
    assert flow.stage.turn(path).masked == {"phone": 1}


def test_all_of_it_takes_held_questions_too_and_nobody_looks_at_them_any_more(flow: Flow, minji: Citizen) -> None:
    minji.ask(ASKED)
    sends(minji, WAITS)
    confirm = minji.http.get("/privacy/erase").text
    assert "맡겨 둔 질문 1개도 지워지고" in confirm
    erases(minji)

    found = stored(flow.stage.db)
    assert [word for word in ("주황우산", "노랑구두") if word in found] == []
    assert flow.states() == [("", "waiting"), ("", "hidden")]


def test_who_has_only_held_questions_can_erase_them(flow: Flow, minji: Citizen) -> None:
    sends(minji, WAITS)
    assert "/privacy/erase" in minji.http.get("/privacy").text
    assert "<button" in minji.http.get("/privacy/erase").text
    erases(minji)
    assert "노랑구두" not in stored(flow.stage.db)


def test_anothers_words_stay(flow: Flow, minji: Citizen) -> None:
    sends(minji, WAITS)
    junho = flow.stage.citizen()
    junho.ask(ASKED)
    erases(junho)
    assert flow.states() == [(WAITS, "held"), ("", "waiting")]
