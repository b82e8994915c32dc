"""What becomes of a held question: approved and asked once, refused, taken back; and how many there may be."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from arena.screening.checks import Checks
from arena.screening.findings import reason
from arena.screening.holding import MAY_HOLD, Asker, hold, review_turn
from arena.screening.queries import rules_in_force
from arena.screening.screen import NOT_POSSIBLE
from arena.web.i18n import translations
from tests.battles.words import stored
from tests.data import MINJI, asks, opened, voter
from tests.screening.flow import BLOCKED, HELD, MASKED, NUMBER, Flow
from tests.screening.test_flow import sends
from tests.support import Citizen

MINE = f"{HELD} {MASKED}"


def test_an_approved_question_is_asked_without_another_check_and_keeps_its_review(flow: Flow, minji: Citizen) -> None:
    sends(minji, f"{HELD} {NUMBER}")
    flow.decides("approved", MINE)
    assert "지금 물어보기" in minji.http.get("/").text

    path = minji.ask(MINE)

    assert minji.read(path).outcome == "complete"
    (review,) = flow.reviews()
    assert (review.state, review.turn_id) == ("approved", flow.stage.turn(path).id)
    assert review.flags == [{"source": "rule", "code": "drugs", "level": "hold"}]
    assert set(flow.heard()) == {MINE}
    assert "지금 물어보기" not in minji.http.get("/").text


def test_what_was_masked_is_told_when_it_is_asked_at_last(flow: Flow, minji: Citizen) -> None:
    sends(minji, f"{HELD} {NUMBER}")
    flow.decides("approved", MINE)
    first = flow.votable(minji, MINE)
    assert flow.stage.turn(first).masked == {"phone": 1}
    assert minji.vote(first).status_code == 303
    second = minji.ask(MINE)
    assert flow.stage.turn(second).masked == {"phone": 1}
    assert [review.masked for review in flow.reviews()] == [{"phone": 1}] * 2


def test_typed_anew_with_the_number_it_is_the_same_question(flow: Flow, minji: Citizen) -> None:
    sends(minji, f"{HELD} {NUMBER}")
    flow.decides("approved", MINE)
    path = minji.ask(f"{HELD} {NUMBER}")
    assert flow.reviews()[0].turn_id == flow.stage.turn(path).id


def test_asked_again_later_it_passes_and_has_a_review_of_its_own(flow: Flow, minji: Citizen) -> None:
    sends(minji, MINE)
    flow.decides("approved", MINE)
    first = flow.votable(minji, MINE)
    assert minji.vote(first).status_code == 303
    second = minji.ask(MINE)
    turns = [flow.stage.turn(first).id, flow.stage.turn(second).id]
    assert [(review.state, review.turn_id) for review in flow.reviews()] == [
        ("approved", turns[0]),
        ("waiting", turns[1]),
    ]


def test_an_approval_is_for_its_own_voter(flow: Flow, minji: Citizen) -> None:
    sends(minji, MINE)
    flow.decides("approved", MINE)
    junho = flow.stage.citizen()
    assert sends(junho, MINE).headers["location"] == "/#held"
    assert [state for _, state in flow.states()] == ["approved", "held"]


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        ("rejected", "weapons", reason("weapons")),
        ("rejected", "test_data", reason("other")),
        ("rejected", None, NOT_POSSIBLE),
        ("hidden", None, NOT_POSSIBLE),
    ],
)
def test_a_refused_question_says_why_and_stays_refused(
    flow: Flow, minji: Citizen, state: str, code: str | None, words: str
) -> None:
    sends(minji, HELD)
    flow.decides(state, HELD, code)
    page = minji.http.get("/").text
    assert "이 질문은 여기서 물을 수 없어요" in page
    assert translations("ko").gettext(words) in page

    again = sends(minji, HELD)
    assert again.status_code == 422
    assert f">{HELD}</textarea>" in again.text
    assert (flow.states(), flow.team.asked) == ([(HELD, state)], [])


def test_an_escalated_question_still_waits(flow: Flow, minji: Citizen) -> None:
    sends(minji, HELD)
    flow.decides("escalated", HELD)
    assert sends(minji, HELD).headers["location"] == "/#held"
    assert flow.states() == [(HELD, "escalated")]


@pytest.mark.parametrize("state", ["held", "approved", "rejected"])
def test_taking_it_back_erases_its_words(flow: Flow, minji: Citizen, state: str) -> None:
    sends(minji, "주황우산 멈출낱말")
    flow.decides(state, "주황우산 멈출낱말")
    (review,) = flow.reviews()

    assert minji.post(f"/held/{review.id}/withdraw").headers["location"] == "/"

    assert "주황우산" not in stored(flow.stage.db)
    assert "주황우산" not in minji.http.get("/").text
    assert flow.states() == [("", "hidden" if state == "held" else state)]
    assert minji.post(f"/held/{review.id}/withdraw").status_code == 404


def test_with_htmx_only_the_list_is_answered(flow: Flow, minji: Citizen) -> None:
    sends(minji, HELD)
    answer = minji.post(f"/held/{flow.reviews()[0].id}/withdraw", headers={"HX-Request": "true"})
    assert answer.text.strip().startswith('<div id="held"')
    assert "거두었어요" in answer.text


def test_nobody_takes_back_anothers_question_or_one_that_was_asked(flow: Flow, minji: Citizen) -> None:
    sends(minji, HELD)
    junho = flow.stage.citizen()
    path = junho.ask()
    held, asked = flow.reviews()
    assert junho.post(f"/held/{held.id}/withdraw").status_code == 404
    assert junho.post(f"/held/{asked.id}/withdraw").status_code == 404
    assert junho.post("/held/99999999999/withdraw").status_code == 404
    assert minji.http.post(f"/held/{held.id}/withdraw").status_code == 403
    assert (flow.reviews()[0].text, flow.reviews()[1].text) == (HELD, flow.stage.turn(path).prompt)


def test_so_many_may_wait_and_the_next_is_kept_in_the_form(flow: Flow, minji: Citizen) -> None:
    for number in range(MAY_HOLD):
        assert sends(minji, f"{HELD} {number}").status_code == 303
    refused = sends(minji, f"{HELD} 하나 더")
    assert refused.status_code == 409
    assert f">{HELD} 하나 더</textarea>" in refused.text
    assert len(flow.reviews()) == MAY_HOLD
    assert sends(minji, "괜찮은 질문").headers["location"].startswith("/battles/")

    minji.post(f"/held/{flow.reviews()[0].id}/withdraw")
    assert sends(minji, f"{HELD} 하나 더").headers["location"] == "/#held"


def test_many_at_once_are_held_once_each_and_not_more_than_may_be(flow: Flow, minji: Citizen) -> None:
    csrf = minji.csrf()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda n: sends(minji, f"{HELD} {n % 8}", csrf=csrf).status_code, range(40)))
    assert set(answers) == {303, 409}
    texts = [review.text for review in flow.reviews()]
    assert len(texts) == len(set(texts)) == MAY_HOLD


def test_where_approval_is_taken_back_meanwhile_nothing_is_asked(db: Database) -> None:
    voter(db, MINJI)
    round_ = opened(db)
    by = Asker(round_.id or 0, MINJI, "ko")
    _, turn = asks(db)
    with db.reading() as session:
        checks = Checks({}, (), rules_in_force(session), review=1, state="approved")
    db.writing(lambda s: hold(s, by, BLOCKED, checks, now()))
    with pytest.raises(ConflictError):
        db.writing(lambda s: review_turn(s, by, turn.id or 0, BLOCKED, checks, now()))
