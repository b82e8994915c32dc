"""The review queue's page: filters in the URL, pages by keyset, inert text, no team; its forms without scripts."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from arena.battles.actions import ask_again
from arena.clock import now
from arena.db import Database
from arena.demo.personas import PERSONAS
from arena.moderation.actions import DECIDED
from arena.moderation.queries import PAGE_SIZE
from arena.moderation.queue_filter import STATES
from tests.data import JUNHO, MINJI, answered, opened, voter
from tests.moderation.reviews import DRUGS, acts, claims, does, held, many, review, states, trail, waiting
from tests.staff import BORA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

PAGE = "/office/queue"
PARTIAL = {"HX-Request": "true"}


@dataclass(frozen=True, slots=True)
class Desk:
    db: Database
    jiwoo: Citizen
    bora: Citizen

    def shown(self, query: str = "", person: Citizen | None = None) -> str:
        answer = (person or self.jiwoo).http.get(PAGE + query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def listed(self, query: str = "") -> list[int]:
        return rows(self.shown(query))

    def act(
        self, *, person: Citizen | None = None, headers: dict[str, str] = PARTIAL, **form: object
    ) -> httpx.Response:
        return (person or self.jiwoo).post(f"{PAGE}/acts", headers=headers, **form)


def rows(page: str) -> list[int]:
    """The ids of the prompts on a page, in its order."""
    return [int(found) for found in re.findall(r'<article id="review-(\d+)"', page)]


def next_page(page: str, name: str = "Next ones") -> str:
    """The query of a link to another page."""
    found = re.search(rf'href="{PAGE}(\?[^"]+)">{name}<', page)
    assert found, page
    return found[1].replace("&amp;", "&")


@pytest.fixture
def desk(db: Database, database_url: str) -> Iterator[Desk]:
    hire(db)
    opened(db)
    voter(db, MINJI)
    voter(db, JUNHO)
    with serving(settings_for(database_url)) as origin:
        people = signed_in(origin, "jiwoo"), signed_in(origin, "bora")
        yield Desk(db, *people)
        for person in people:
            person.close()


def test_held_prompts_come_first_then_flagged_ones_then_the_rest_the_oldest_first(desk: Desk) -> None:
    rest = waiting(desk.db)
    flagged = waiting(desk.db, voter_id=JUNHO, flags=[DRUGS])
    handed_on, first, second = held(desk.db), held(desk.db), held(desk.db, flags=[DRUGS])
    does(desk.db, "escalate", handed_on, by=BORA)

    own = held(desk.db)
    does(desk.db, "escalate", own, by=JIWOO)

    assert desk.listed() == [first, second, flagged, handed_on, rest], "without what the reader handed on"
    assert desk.listed("?state=escalated") == [handed_on, own]
    assert desk.listed("?order=newest") == [second, first, handed_on, flagged, rest]


def test_every_filter_finds_its_own_and_says_how_many(desk: Desk) -> None:
    for act in DECIDED:
        does(desk.db, act, held(desk.db, flags=[DRUGS]), by=BORA, reason="drugs")
    english = held(desk.db, "How to cook kimchi?", locale="en")
    flagged = held(desk.db, "약 이름 100%", flags=[DRUGS])
    asked = waiting(desk.db, "기다리는 질문", flags=[DRUGS | {"code": "hate"}])
    approved, hidden, rejected, escalated = 1, 2, 3, 4

    expected = {
        "todo": [english, flagged, escalated, asked],
        "held": [english, flagged],
        "flagged": [flagged, escalated, asked],
        "escalated": [escalated],
        "approved": [approved],
        "hidden": [hidden],
        "rejected": [rejected],
        "all": [approved, hidden, rejected, escalated, english, flagged, asked],
    }
    for state in STATES:
        assert desk.listed(f"?state={state}") == expected[state], state
    counts = re.findall(r'class="count">(\d+)<', desk.shown())
    assert counts == [str(len(expected[state])) for state in STATES]
    assert desk.listed("?language=en") == [english]
    assert desk.listed("?flag=hate") == [asked]
    assert desk.listed("?state=all&flag=drugs&language=ko") == [approved, hidden, rejected, escalated, flagged]
    assert desk.listed("?q=KIMCHI") == [english]
    assert desk.listed("?q=100%25") == [flagged], "a percent sign is no wildcard"
    assert desk.listed("?q=질문&state=todo") == [asked]
    assert "Nothing fits these filters" in desk.shown("?q=없는말")


def test_what_makes_no_sense_in_the_address_is_left_out_and_an_unknown_round_is_not_found(desk: Desk) -> None:
    number = held(desk.db)
    assert desk.listed("?state=x&order=x&after=x&before=1.x&q=") == [number]
    assert desk.listed("?flag=%25") == []
    assert desk.listed("?after=9.99999999999999999") == [number]
    assert desk.jiwoo.http.get(PAGE + "?round=stage-9").status_code == 404
    assert desk.listed("?round=stage-1") == [number]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_pages_go_on_where_the_one_before_ended_also_when_prompts_are_decided_meanwhile(
    desk: Desk, order: str
) -> None:
    many(desk.db, [f"질문 {n}" for n in range(PAGE_SIZE + 10)])
    many(desk.db, [f"표시 {n}" for n in range(PAGE_SIZE)], state="waiting", flags=[DRUGS])
    many(desk.db, [f"나머지 {n}" for n in range(5)], state="waiting")
    page = desk.shown(f"?order={order}")
    first = rows(page)
    does(desk.db, "approve", first[-1], first[0])
    page = desk.shown(next_page(page))
    second = rows(page)
    page = desk.shown(next_page(page))
    third = rows(page)

    every = first + second + third
    assert [len(part) for part in (first, second, third)] == [PAGE_SIZE, PAGE_SIZE, 15]
    assert len(set(every)) == 115
    assert "Next ones" not in page
    page = desk.shown(next_page(page, "Previous ones"))
    assert rows(page) == second
    assert rows(desk.shown(next_page(page, "Previous ones"))) == first[1:-1]


def test_counts_end_at_a_thousand(desk: Desk) -> None:
    many(desk.db, ["질문"] * 1001)
    assert re.findall(r'class="count">([^<]+)<', desk.shown())[:2] == ["1,000+", "1,000+"]


def test_words_of_citizens_are_shown_as_text_whatever_is_in_them(desk: Desk) -> None:
    held(
        desk.db,
        "<script>alert(1)</script> \u202etxt\u202c a\u200bb \x07 {{ 7*7 }} g\u0301\u0301\u0301\u0301\u0301\u0301",
    )
    held(desk.db, "가 " * 1000)
    page = desk.shown()

    assert "&lt;script&gt;alert(1)&lt;/script&gt; ⟨U+202E⟩txt⟨U+202C⟩ a⟨U+200B⟩b ⟨U+0007⟩ {{ 7*7 }}" in page
    assert "g\u0301\u0301\u0301⟨…⟩" in page
    assert "Show all (2000 characters)" in page
    assert not set("\u202e\u202c\u200b\x07") & set(page)


def test_the_earlier_questions_of_a_conversation_are_shown_and_never_the_answers(desk: Desk) -> None:
    battle = answered(desk.db, MINJI, "첫 질문이에요")
    first = waiting(desk.db, "첫 질문이에요", battle=battle)
    desk.db.writing(lambda session: ask_again(session, MINJI, battle.id, "둘째 질문이에요", now()))
    second = waiting(desk.db, "둘째 질문이에요", battle=battle, masked={"phone": 2}, flags=[DRUGS])
    page = desk.shown()

    at_first = page[page.index(f'id="review-{first}"') :]
    at_second = page[page.index(f'id="review-{second}"') : page.index(f'id="review-{first}"')]
    assert "첫 질문이에요" in at_second
    assert "phone number 2" in at_second
    assert "Drugs" in at_second
    assert "of this conversation" not in at_first
    assert "가 답변" not in page


def test_no_page_answer_or_event_names_a_team_or_a_voter(desk: Desk) -> None:
    number = waiting(desk.db, "질문이에요", flags=[DRUGS])
    other = held(desk.db)
    seen = [desk.shown(f"?state={state}") for state in STATES]
    seen.append(desk.act(review=number, reason="spam", then=other).text)
    seen.append(desk.jiwoo.http.get(f"{PAGE}/rows?review={number}&review={other}").text)
    with desk.jiwoo.http.stream("GET", f"{PAGE}/events") as events:
        seen.append(next(events.iter_text()))

    names = [name for persona in PERSONAS.values() for name in (*persona.name.values(), persona.model)]
    aliases = [alias for persona in PERSONAS.values() for alias in persona.aliases]
    whole = "\n".join(seen).lower()
    assert [name for name in [*names, *aliases, MINJI] if name.lower() in whole] == []


def test_only_moderators_see_the_queue_or_act_in_it(desk: Desk) -> None:
    number = held(desk.db)
    for name in ("sora", "doyun"):
        person = signed_in(desk.jiwoo.origin, name)
        for path in ("", "/rows?review=1", "/events"):
            assert person.http.get(PAGE + path).status_code == 403
        assert desk.act(person=person, review=number, act="approve").status_code == 403
        person.close()
    stranger = Citizen(desk.jiwoo.origin)
    assert stranger.http.get(PAGE).status_code == 401
    assert desk.act(person=stranger, review=number, act="approve").status_code == 401
    stranger.close()
    assert desk.act(review=number, act="approve", csrf="forged").status_code == 403
    assert states(desk.db, number) == ["held"]


def test_what_other_people_of_the_office_try_is_on_record_and_so_is_what_cannot_be(desk: Desk) -> None:
    one, two = held(desk.db), held(desk.db)
    sora, jiwoo = signed_in(desk.jiwoo.origin, "sora"), desk.jiwoo
    tries: list[tuple[Citizen, dict[str, Any], int]] = [
        (sora, {"review": one, "act": "approve"}, 403),
        (sora, {"review": [one, two], "reason": "spam"}, 403),
        (sora, {"then": one}, 403),
        (jiwoo, {"review": one, "act": "delete"}, 422),
        (jiwoo, {"review": one, "reason": "boring"}, 422),
        (jiwoo, {"review": one, "act": "hide", "note": "가" * 1001}, 422),
    ]
    assert [desk.act(person=person, **form).status_code for person, form, _ in tries] == [each[2] for each in tries]
    sora.close()

    assert acts(desk.db) == [
        (SORA, "prompt.approve", f"prompt-{one}", "refused", "role"),
        (SORA, "prompt.reject", "prompts", "refused", "role"),
        (SORA, "prompt.decide", "prompts", "refused", "role"),
        (JIWOO, "prompt.decide", f"prompt-{one}", "refused", "unknown_act"),
        (JIWOO, "prompt.reject", f"prompt-{one}", "refused", "no_reason"),
        (JIWOO, "prompt.hide", f"prompt-{one}", "refused", "note"),
    ]
    details = [act.detail for act in trail(desk.db) if act.what.startswith("prompt.")]
    assert details[1] == {"reviews": [one, two], "reason": "spam"}
    assert "note" not in details[-1], "what was refused is not kept"


def lists(page: str) -> dict[str, str]:
    """The counts of the lists, by their states."""
    found = re.findall(r'<a href="/office/queue(?:\?state=(\w+))?"[^>]*>[^<]+<span class="count">([^<]+)<', page)
    return {state or "todo": number for state, number in found}


def test_an_act_brings_the_counts_of_the_lists_along_and_a_claim_or_a_refusal_does_not(desk: Desk) -> None:
    one, two, three = held(desk.db), held(desk.db, flags=[DRUGS]), held(desk.db)
    does(desk.db, "escalate", three, by=JIWOO)
    answer = desk.act(review=one, act="approve", back=f"{PAGE}?state=flagged").text

    expected = {
        "todo": 1,
        "held": 1,
        "flagged": 1,
        "escalated": 1,
        "approved": 1,
        "hidden": 0,
        "rejected": 0,
        "all": 3,
    }
    assert lists(answer) == {state: str(number) for state, number in expected.items()} == lists(desk.shown())
    assert re.search(r'<nav id="queue-states"[^>]* hx-swap-oob="outerHTML"', answer)
    assert re.search(r'href="/office/queue\?state=flagged" aria-current="page"', answer)
    assert lists(desk.act(act="undo").text)["held"] == "2"
    assert lists(desk.act(then=two).text) == {}
    assert lists(desk.act(review=999, act="hide").text) == {}


def test_where_a_page_has_become_empty_the_list_begins_anew(desk: Desk) -> None:
    many(desk.db, [f"질문 {n}" for n in range(PAGE_SIZE + 1)])
    second = next_page(desk.shown())
    (last,) = desk.listed(second)

    answer = desk.act(headers={}, review=last, act="hide", back=PAGE + second)
    page = desk.jiwoo.http.get(answer.headers["location"]).text

    assert len(rows(page)) == PAGE_SIZE
    assert "Nothing is left to do" not in page
    before = re.sub("after=.*", "before=0.1", second)
    assert len(desk.listed(before)) == PAGE_SIZE
    does(desk.db, "hide", *rows(page))
    assert "Nothing is left to do" in desk.shown(second)


def test_an_act_answers_with_the_rows_that_changed_and_claims_the_next_one(desk: Desk) -> None:
    one, two = held(desk.db), held(desk.db)
    answer = desk.act(review=one, act="approve", then=two)

    assert answer.status_code == 200
    assert f"Question {one} is approved." in answer.text
    assert rows(answer.text) == [one]
    assert review(desk.db, two).claimed_by == JIWOO
    answer = desk.act(person=desk.bora, review=two, act="hide")
    assert answer.status_code == 409
    assert f"Question {two}: moderator-3 is looking at this question" in answer.text
    assert "moderator-3 is looking at it" in answer.text
    assert desk.act(left=two).status_code == 200
    assert review(desk.db, two).claimed_by is None


def test_the_next_one_that_somebody_else_has_comes_back_marked(desk: Desk) -> None:
    one, two = held(desk.db), held(desk.db)
    claims(desk.db, two, BORA)
    answer = desk.act(review=one, act="approve", then=two)

    assert rows(answer.text) == [one, two]
    assert "moderator-4 is looking at it" in answer.text


def test_several_acts_at_once_are_told_in_one_answer(desk: Desk) -> None:
    numbers = [held(desk.db) for _ in range(3)]
    does(desk.db, "hide", numbers[1], by=BORA)
    answer = desk.act(review=numbers, act="approve")

    assert answer.status_code == 200
    assert "2 questions are approved." in answer.text
    assert f"Question {numbers[1]}: moderator-4 was quicker" in answer.text
    undone = desk.act(act="undo")
    assert "2 questions are taken back." in undone.text
    assert rows(undone.text) == [numbers[0], numbers[2]]
    nothing = desk.act(act="undo")
    assert nothing.status_code == 409
    assert "There is nothing of yours from the last ten minutes to take back." in nothing.text


def test_rejecting_says_that_an_operator_decides_about_the_vote(desk: Desk) -> None:
    number = waiting(desk.db)
    answer = desk.act(review=number, reason="sexual", note="  메모 ")

    assert "Taking 1 vote out of the ratings was proposed: an operator decides." in answer.text
    assert acts(desk.db, what="exclusion.")[0][:2] == (JIWOO, "exclusion.propose")


def test_senseless_acts_change_nothing(desk: Desk) -> None:
    number = held(desk.db)
    tries: list[dict[str, Any]] = [
        {"review": number, "act": "delete"},
        {"review": number, "act": "reject"},
        {"review": number, "reason": "boring"},
        {"review": number, "reason": "spam", "note": "가" * 1001},
        {"review": "x", "act": "approve"},
        {"review": 2**40, "act": "approve"},
        {"review": [number] * 201, "act": "approve"},
    ]
    assert [desk.act(**form).status_code for form in tries] == [422] * len(tries)
    assert desk.act(act="approve").status_code == 409
    assert desk.act(review=999, act="approve").status_code == 409
    assert states(desk.db, number) == ["held"]


def test_without_scripts_a_form_leads_back_to_the_same_list(desk: Desk) -> None:
    number = held(desk.db)
    back = f"{PAGE}?state=held&q=%EA%B9%80"
    answer = desk.act(headers={}, review=number, act="hide", back=back)

    assert (answer.status_code, answer.headers["location"]) == (303, back)
    page = desk.shown("?state=held")
    assert f"Your last decision: Question {number}, Hidden" in re.sub(r"\s+", " ", page)
    assert desk.act(headers={}, act="undo", back="https://elsewhere.example/").headers["location"] == PAGE
    assert states(desk.db, number) == ["held"]


def test_without_scripts_what_was_refused_is_told_above_the_list(desk: Desk) -> None:
    number = held(desk.db)
    does(desk.db, "hide", number, by=BORA)
    answer = desk.act(headers={}, review=number, act="approve", back=f"{PAGE}?state=hidden")

    assert answer.status_code == 409
    assert "moderator-4 was quicker" in answer.text
    assert rows(answer.text) == [number]


def test_erased_words_are_nothing_to_decide_on(desk: Desk) -> None:
    held(desk.db, "")
    assert desk.listed() == []
    assert "Nothing is left to do" in desk.shown()


def test_before_the_first_round_the_page_says_what_will_be_here(db: Database, database_url: str) -> None:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        jiwoo = signed_in(origin, "jiwoo")
        page = jiwoo.http.get(PAGE)
        assert page.status_code == 200
        assert "No round has been opened yet" in page.text
        assert jiwoo.http.get(f"{PAGE}/events").status_code == 404
        jiwoo.close()
