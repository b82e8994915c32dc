"""A question is checked before it is stored and before anyone is asked."""

import html
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from sqlalchemy import update
from sqlmodel import col, select

from arena.battles import arrivals
from arena.battles.tables import Battle
from arena.ledger.tables import Leaf
from arena.proofs.leaves import commitment
from arena.screening.findings import reason
from arena.screening.tables import Review
from arena.web.i18n import translations
from tests.battles.words import stored
from tests.data import rows
from tests.screening.flow import BLOCKED, DOWN, HELD, IN_NEED, MASKED, NOTED, NUMBER, SAD, Flow
from tests.support import Citizen

PERSONAL = f"제 번호는 {NUMBER} 이고 메일은 minji@naver.com 이에요. 문자를 써 주세요"
TICKED = ["participate"]


def sends(citizen: Citizen, prompt: str, **form: Any) -> httpx.Response:
    return citizen.post("/battles", prompt=prompt, consent=TICKED, **form)


def blocked(category: str) -> float:
    return REGISTRY.get_sample_value("arena_prompts_blocked_total", {"category": category}) or 0.0


def prompts(flow: Flow) -> set[str]:
    return set(flow.heard())


def test_personal_data_is_masked_before_it_is_stored_classified_or_asked(flow: Flow, minji: Citizen) -> None:
    path = minji.ask(PERSONAL)
    assert minji.read(path).outcome == "complete"

    told = flow.stage.turn(path).prompt
    assert told.count(MASKED) == 1
    assert flow.stage.turn(path).masked == {"phone": 1, "email": 1}
    assert (prompts(flow), flow.judge.read) == ({told}, [told])
    assert [word for word in (NUMBER, "2345", "minji@naver") if word in stored(flow.stage.db)] == []


def test_the_citizen_is_told_what_was_masked_once_for_both_sides(flow: Flow, minji: Citizen) -> None:
    path = minji.ask(PERSONAL)
    page = minji.http.get(path).text
    assert page.count("이메일 주소 1개, 전화번호 1개를 가리고 물었어요") == 1
    english = minji.http.get(path, headers={"Accept-Language": "en"}).text
    assert "Hidden before asking: 1 e-mail address, 1 phone number" in english


def test_the_ledger_commits_to_the_masked_question(flow: Flow, minji: Citizen) -> None:
    path = minji.ask(PERSONAL)
    battle = flow.stage.battle(path)
    with flow.stage.db.reading() as session:
        started = session.exec(select(Leaf).where(col(Leaf.body).contains('"battle.started"'))).one()
    assert battle.salt
    assert commitment(bytes.fromhex(battle.salt), flow.stage.turn(path).prompt) in started.body


def test_the_same_question_sent_again_finds_its_battle_and_one_review(flow: Flow, minji: Citizen) -> None:
    assert minji.ask(PERSONAL) == minji.ask(PERSONAL)
    assert len(flow.reviews()) == 1


def test_every_question_that_is_asked_has_its_review(flow: Flow, minji: Citizen) -> None:
    path = minji.ask(f"{NOTED} 뜻이 뭐예요? {NUMBER}")
    (review,) = flow.reviews()
    assert (review.state, review.turn_id, review.text) == (
        "waiting",
        flow.stage.turn(path).id,
        flow.stage.turn(path).prompt,
    )
    assert (review.masked, review.ruleset, review.locale) == ({"phone": 1}, 1, "ko")
    assert review.flags == [{"source": "rule", "code": "spam", "level": "log"}]
    assert review.flagged


def test_what_the_classifier_only_notes_is_asked_and_flagged(flow: Flow, minji: Citizen) -> None:
    minji.ask("미운 사람이 있어요")
    minji.ask("고운 사람이 있어요")
    noted, plain = flow.reviews()
    assert noted.flags == [{"source": "classifier", "code": "hate", "level": "log"}]
    assert (noted.flagged, plain.flagged, plain.flags) == (True, False, [])


@pytest.mark.parametrize(("words", "category"), [(BLOCKED, "weapons"), ("때리", "violence")])
@pytest.mark.parametrize("partial", [False, True], ids=["plain form", "htmx"])
def test_a_forbidden_question_is_refused_with_a_reason_and_given_back(
    flow: Flow, minji: Citizen, words: str, category: str, partial: bool
) -> None:
    typed = f"{words} 보라양말 <script>alert(1)</script> {NUMBER} </textarea>"
    before = blocked(category)
    answer = sends(minji, typed, headers={"HX-Request": "true"} if partial else {})

    assert answer.status_code == 422
    assert f">{html.escape(typed)}</textarea>" in answer.text.replace("&#34;", "&quot;")
    assert html.escape(translations("ko").gettext(reason(category)), quote=False) in answer.text
    assert "ask-problem" in answer.text
    assert "보라양말" not in stored(flow.stage.db)
    assert (rows(flow.stage.db, Battle), flow.reviews(), flow.team.asked) == (0, [], [])
    assert flow.judge.read == ([] if category == "weapons" else [typed.replace(NUMBER, MASKED)])
    assert blocked(category) == before + 1


def test_no_classifier_reads_a_question_before_consent_was_given(flow: Flow, minji: Citizen) -> None:
    assert minji.post("/battles", prompt="안녕하세요?").status_code == 422
    assert flow.judge.read == []


def test_a_suggestion_is_asked_as_it_is_without_checks_or_review(flow: Flow, minji: Citizen) -> None:
    answer = sends(minji, BLOCKED, suggestion="ko-kimjang")
    with flow.stage.db.reading() as session:
        assert session.exec(select(Battle)).one().id in answer.headers["location"]
    assert (flow.reviews(), flow.judge.read) == ([], [])
    minji.read(answer.headers["location"])
    (asked,) = prompts(flow)
    assert asked.startswith("배추 세 포기로")


@pytest.mark.parametrize("prompt", [f"{HELD} 이야기", "야한 이야기"], ids=["by a rule", "by the classifier"])
def test_a_doubtful_question_waits_and_nobody_is_asked(flow: Flow, minji: Citizen, prompt: str) -> None:
    answer = sends(minji, f"{prompt} {NUMBER}")

    assert (answer.status_code, answer.headers["location"]) == (303, "/#held")
    assert flow.states() == [(f"{prompt} {MASKED}", "held")]
    assert flow.reviews()[0].turn_id is None
    assert flow.team.asked == []
    page = minji.http.get("/").text
    assert f"{prompt} {MASKED}" in page
    assert "담당자가 이 질문을 먼저 살펴보고 있어요" in page
    assert "전화번호 1개를 가렸어요" in page


def test_who_may_need_help_at_once_reads_where_to_call_while_the_question_waits(flow: Flow, minji: Citizen) -> None:
    minji.post("/battles", prompt=f"{HELD} 이야기", consent=["participate"])
    assert "1577-0199" not in minji.http.get("/").text

    minji.post("/battles", prompt=f"{IN_NEED} 이야기")

    assert "1577-0199" in minji.http.get("/").text


def test_who_may_need_help_reads_where_to_call_whatever_else_was_found(flow: Flow, minji: Citizen) -> None:
    """Refused for something else, asked, or refused by a moderator."""
    assert "1577-0199" not in sends(minji, BLOCKED).text
    blocked_too = sends(minji, f"{SAD} {BLOCKED}")
    assert "1577-0199" in blocked_too.text
    assert html.escape(translations("ko").gettext(reason("weapons")), quote=False) in blocked_too.text

    path = minji.ask(SAD)
    assert minji.http.get(path).text.count("1577-0199") == 1
    assert "1577-0199" not in minji.http.get(minji.ask("안녕하세요?")).text

    sends(minji, IN_NEED)
    for state in ("held", "escalated", "approved", "rejected", "hidden"):
        flow.decides(state, IN_NEED, "drugs" if state == "rejected" else None)
        assert minji.http.get("/").text.count("1577-0199") == 1, state
    assert "1577-0199" in sends(minji, IN_NEED).text


def test_help_lines_go_with_the_words_that_they_belong_to(flow: Flow, minji: Citizen) -> None:
    path = flow.votable(minji, SAD)
    assert minji.vote(path).status_code == 303
    assert "1577-0199" in minji.http.get(path).text
    flow.stage.db.writing(lambda session: session.execute(update(Review).values(text="")))
    assert "1577-0199" not in minji.http.get(path).text


def test_with_htmx_the_landing_page_tells_that_it_waits(flow: Flow, minji: Citizen) -> None:
    answer = sends(minji, HELD, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-push-url"]) == (200, "/")
    assert 'tabindex="-1" autofocus' in answer.text
    assert "</textarea>" in answer.text
    assert f">{HELD}</textarea>" not in answer.text


def test_the_same_held_question_sent_again_is_held_once(flow: Flow, minji: Citizen) -> None:
    for prompt in (HELD, f"  {HELD}\r\n"):
        assert sends(minji, prompt).headers["location"] == "/#held"
    assert flow.states() == [(HELD, "held")]


def test_a_question_that_was_asked_before_the_classifier_failed_is_not_held(flow: Flow, minji: Citizen) -> None:
    path = minji.ask(NOTED)
    flow.judge.status = DOWN
    assert sends(minji, NOTED).headers["location"] == path
    assert flow.states() == [(NOTED, "waiting")]


def test_without_the_classifier_the_rules_decide_and_it_is_noted(flow: Flow, minji: Citizen) -> None:
    flow.judge.status = DOWN
    minji.ask("안녕하세요?")
    (review,) = flow.reviews()
    assert (review.state, review.flagged) == ("waiting", True)
    assert review.flags == [{"source": "system", "code": "not_classified", "level": "log"}]

    assert sends(minji, BLOCKED).status_code == 422
    assert sends(minji, HELD).headers["location"] == "/#held"


def test_without_the_classifier_what_the_rules_noted_waits(flow: Flow, minji: Citizen) -> None:
    flow.judge.status = DOWN
    assert sends(minji, NOTED).headers["location"] == "/#held"
    (review,) = flow.reviews()
    assert [(flag["source"], flag["level"]) for flag in review.flags] == [("rule", "log"), ("system", "hold")]


def test_what_the_classifier_does_not_take_waits(flow: Flow, minji: Citizen) -> None:
    flow.judge.status = "413 Content Too Large"
    assert sends(minji, "아주 긴 질문").headers["location"] == "/#held"
    assert flow.reviews()[0].flags == [{"source": "system", "code": "not_classified", "level": "hold"}]


def test_what_is_refused_costs_as_what_is_asked(flow: Flow, minji: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "NEWCOMERS", 4)
    for _ in range(3):
        assert sends(minji, "때리").status_code == 422
    assert sends(minji, "안녕하세요?").status_code == 303, "who mends the text three times is not locked out"
    refused = sends(minji, "때리 또")
    assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert ">때리 또</textarea>" in refused.text
    assert "때리 또" not in flow.judge.read


@pytest.mark.parametrize(
    "prompt", ["\ud800 \x00 질문", "\u202e질문\u202c", "{{ 7*7 }} %s %(x)s", "[전화번호] 뭐예요?", "ａ" * 4000]
)
def test_hostile_text_is_asked_or_refused_but_never_breaks(flow: Flow, minji: Citizen, prompt: str) -> None:
    answer = minji.http.post(
        "/battles",
        data={"prompt": prompt.encode("utf-8", "replace").decode(), "consent": "participate", "csrf": minji.csrf()},
        headers={"Origin": minji.origin},
    )
    assert answer.status_code == 303
    assert minji.http.get(answer.headers["location"]).status_code == 200
