"""Suggestions over HTTP: two moderators at their browsers, who else tries, and what citizens are offered."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from arena.db import Database
from arena.demo.personas import PERSONAS
from tests.data import closes, in_parallel, opened
from tests.moderation.suggesting import (
    BIKE,
    LIBRARY,
    acts,
    approves,
    asked,
    draft_of,
    proposes,
    publishes,
    retires,
    version,
)
from tests.staff import BORA, DOYUN, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

PAGE = "/office/suggestions"
HERE: dict[str, Any] = {"round": "stage-1"}


@dataclass(frozen=True, slots=True)
class Office:
    """A served round, two moderators and a citizen at their browsers."""

    db: Database
    origin: str
    jiwoo: Citizen
    bora: Citizen
    public: Citizen


@pytest.fixture
def office(db: Database, database_url: str) -> Iterator[Office]:
    hire(db)
    opened(db)
    with serving(settings_for(database_url)) as origin:
        jiwoo, bora = signed_in(origin, "jiwoo"), signed_in(origin, "bora")
        public = Citizen(origin, language="en")
        yield Office(db, origin, jiwoo, bora, public)
        for person in (jiwoo, bora, public):
            person.close()


def sends(person: Citizen, text: str = BIKE, **fields: Any) -> httpx.Response:
    return person.post(PAGE, **{**HERE, "text": text, "topic": "everyday", "locale": "ko", **fields})


def seen(person: Citizen, path: str) -> str:
    """What a page says it shows, as its forms send it back."""
    found = re.search(r'name="seen" value="([^"]+)"', person.http.get(path).text)
    assert found, path
    return found[1]


def decides(person: Citizen, path: str, what: str, **fields: Any) -> httpx.Response:
    return person.post(f"{path}/{what}", seen=seen(person, path), **fields)


def test_from_a_proposal_to_the_landing_page(office: Office) -> None:
    proposed = sends(office.jiwoo)
    assert proposed.status_code == 303
    path = proposed.headers["location"]
    assert "another moderator has to approve it" in office.jiwoo.http.get(path).text
    assert f'action="{path}/approve"' not in office.jiwoo.http.get(path).text
    assert f'href="{path}"' in office.bora.http.get(PAGE).text
    assert decides(office.bora, path, "approve").status_code == 303
    assert decides_mark(office.bora, "retire", "ko-move").status_code == 303

    following = f"{PAGE}/next?round=stage-1"
    preview = office.jiwoo.http.get(following).text
    assert "1 question comes in" in preview
    assert "1 goes" in preview
    sent = office.jiwoo.post(f"{PAGE}/next", **HERE, seen=seen(office.jiwoo, following), note="Cycling")
    assert sent.headers["location"] == f"{PAGE}/versions/2?round=stage-1"
    page = office.bora.http.get(sent.headers["location"]).text
    for words in ("Cycling", JIWOO, BIKE, "전입신고"):
        assert words in page
    citizen = Citizen(office.origin)
    offered = "".join(citizen.http.get(f"/?shuffle={number}").text for number in range(60))
    assert BIKE in offered
    assert "전입신고" not in offered
    old = citizen.post("/battles", suggestion="ko-move", consent=["participate"])
    assert old.status_code == 303, "it was on a page that somebody still has"
    assert "전입신고" in citizen.http.get(old.headers["location"]).text
    citizen.close()
    assert [(act.who, act.what, act.outcome) for act in acts(office.db)] == [
        (JIWOO, "suggestion.propose", "done"),
        (BORA, "suggestion.approve", "done"),
        (BORA, "suggestion.retire", "done"),
        (JIWOO, "suggestion.publish", "done"),
    ]


def decides_mark(person: Citizen, what: str, code: str) -> httpx.Response:
    return person.post(f"{PAGE}/{what}", **HERE, code=code)


def test_approving_ones_own_is_refused_clearly_and_on_record(office: Office) -> None:
    path = sends(office.jiwoo).headers["location"]
    answer = decides_own(office, path)
    assert answer.status_code == 422
    assert "another moderator has to approve it. Nobody approves their own words." in answer.text
    last = acts(office.db)[-1]
    assert (last.who, last.what, last.subject, last.outcome, last.why) == (
        JIWOO,
        "suggestion.approve",
        "suggestion-1",
        "refused",
        "same_person",
    )
    assert ">refused<" in office.bora.http.get(path).text
    assert draft_of(office.db, 1).state == "proposed"


def decides_own(office: Office, path: str) -> httpx.Response:
    return office.jiwoo.post(f"{path}/approve", seen=seen(office.bora, path))


def test_an_edit_and_a_declining_are_told_with_their_authors(office: Office) -> None:
    path = sends(office.jiwoo).headers["location"]
    edited = decides(office.bora, path, "edit", text=LIBRARY, topic="study", locale="ko")
    assert edited.status_code == 303
    page = office.jiwoo.http.get(path).text
    assert LIBRARY in page
    assert f"Last edited by</dt><dd>{BORA}" in page
    declined = decides(office.jiwoo, path, "decline", reason="narrow", note="Few libraries")
    assert declined.status_code == 303
    for text in (office.jiwoo.http.get(path).text, office.bora.http.get(PAGE).text):
        assert "It is of use to few people: Few libraries" in text


def test_a_refused_form_says_why_and_keeps_what_was_typed(office: Office) -> None:
    proposes(office.db)
    for text, words in (
        ("짧음", "in 10 to 300 letters"),
        ("<b>제 번호</b>는 010-1234-5678인데 어떻게 막나요?", "personal details"),
        (BIKE, "waiting already: proposal 1"),
    ):
        answer = sends(office.bora, text, topic="trip")
        assert answer.status_code in (409, 422)
        assert words in answer.text
        assert text.replace("<", "&lt;").replace(">", "&gt;") in answer.text
        assert 'value="trip" selected' in answer.text
        assert 'id="form-problem" role="alert"' in answer.text
        assert 'aria-describedby="form-problem text-hint" aria-invalid="true"' in answer.text
    refused = [act for act in acts(office.db) if act.outcome == "refused"]
    assert [act.why for act in refused] == ["text", "personal", "waiting_there"]
    assert "010-1234-5678" not in str([act.model_dump() for act in refused])


def test_what_somebody_changed_meanwhile_is_not_decided_on_unseen(office: Office) -> None:
    path = sends(office.jiwoo).headers["location"]
    before = seen(office.bora, path)
    decides(office.jiwoo, path, "edit", text=LIBRARY, topic="study", locale="ko")
    late = office.bora.post(f"{path}/approve", seen=before)
    assert late.status_code == 409
    assert "Somebody changed this in the meantime" in late.text
    assert LIBRARY in late.text


def test_of_two_moderators_who_publish_at_once_one_does_and_the_other_is_told(office: Office) -> None:
    approves(office.db, proposes(office.db))
    mark = seen(office.jiwoo, f"{PAGE}/next?round=stage-1")
    calls = [
        partial(person.post, f"{PAGE}/next", **HERE, seen=mark, note="New ones")
        for person in (office.jiwoo, office.bora)
    ]
    answers = [answer for answer in in_parallel(calls) if isinstance(answer, httpx.Response)]
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert version(office.db) == 2


@pytest.mark.parametrize("note", ["", "010-1234-5678"])
def test_a_version_without_a_proper_note_is_refused_and_the_note_is_kept(office: Office, note: str) -> None:
    approves(office.db, proposes(office.db))
    mark = seen(office.jiwoo, f"{PAGE}/next?round=stage-1")
    answer = office.jiwoo.post(f"{PAGE}/next", **HERE, seen=mark, note=note)
    assert answer.status_code == 422
    assert f'value="{note}"' in answer.text
    assert version(office.db) == 1


def test_a_citizens_words_come_into_the_form_where_they_agreed(office: Office) -> None:
    review = asked(office.db, LIBRARY)
    form = office.jiwoo.http.get(f"{PAGE}/new?review={review}").text
    assert f">{LIBRARY}</textarea>" in form
    assert "They agreed that their questions are published." in form
    path = sends(office.jiwoo, LIBRARY, review=str(review)).headers["location"]
    assert f"number {review}" in office.bora.http.get(path).text


def test_else_the_form_says_so_kindly_and_is_empty(office: Office) -> None:
    review = asked(office.db, LIBRARY, publish=False)
    form = office.jiwoo.http.get(f"{PAGE}/new?review={review}").text
    assert LIBRARY not in form
    assert "The citizen did not agree that their questions are published." in form
    answer = sends(office.jiwoo, f" {LIBRARY}! ", review=str(review))
    assert answer.status_code == 422
    assert "These are the citizen&#39;s own words" in answer.text
    assert sends(office.jiwoo, BIKE, review=str(review)).status_code == 303


def test_others_may_not_see_or_do_anything_and_who_of_the_office_tries_is_on_record(office: Office) -> None:
    path = sends(office.jiwoo).headers["location"]
    sora, doyun = signed_in(office.origin, "sora"), signed_in(office.origin, "doyun")
    pages = (PAGE, f"{PAGE}/new", f"{PAGE}/next", path, f"{PAGE}/versions/1?round=stage-1")
    for page in pages:
        assert office.public.http.get(page).status_code == 401
        assert sora.http.get(page).status_code == 403
        assert doyun.http.get(page).status_code == 403
        assert office.jiwoo.http.get(page).status_code == 200
    assert sends(sora, LIBRARY).status_code == 403
    assert doyun.post(f"{path}/approve", seen="x").status_code == 403
    assert decides_mark(sora, "retire", "ko-move").status_code == 403
    assert sora.post(f"{PAGE}/next", **HERE, seen="x", note="x").status_code == 403
    assert sends(office.public, LIBRARY).status_code == 401
    assert office.bora.post(f"{path}/approve", csrf="forged", seen="x").status_code == 403
    sora.close()
    doyun.close()
    assert [(act.who, act.what, act.why) for act in acts(office.db)[1:]] == [
        (SORA, "suggestion.propose", "role"),
        (DOYUN, "suggestion.approve", "role"),
        (SORA, "suggestion.retire", "role"),
        (SORA, "suggestion.publish", "role"),
    ]


def test_what_is_not_there_is_not_found_and_nothing_hostile_is_our_fault(office: Office) -> None:
    for path in (
        "/0",
        "/999",
        "/x",
        "/" + "9" * 30,
        "?round=stage-9",
        "/versions/2?round=stage-1",
        "/new?review=999",
    ):
        assert office.jiwoo.http.get(PAGE + path).status_code == 404, path
    for review in ("999", "x", "-1", "²", "9" * 30):
        assert sends(office.jiwoo, BIKE, review=review).status_code == 404, review
    assert sends(office.jiwoo, BIKE, round="\0").status_code == 404
    assert decides_mark(office.jiwoo, "retire", "\0").status_code == 404
    assert office.jiwoo.http.get(f"{PAGE}/new?review={'9' * 30}").status_code == 422
    assert sends(office.jiwoo, "\0" * 20).status_code == 422
    assert office.jiwoo.post(PAGE).status_code == 404


def test_marks_are_taken_off_again_and_a_second_try_says_what_is_so(office: Office) -> None:
    assert decides_mark(office.jiwoo, "retire", "ko-move").headers["location"] == f"{PAGE}?round=stage-1#ko-move"
    assert "goes with the next version" in office.bora.http.get(PAGE).text
    decides_mark(office.bora, "keep", "ko-move")
    assert "goes with the next version" not in office.bora.http.get(PAGE).text
    retires(office.db, "ko-move")
    publishes(office.db)
    late = decides_mark(office.bora, "retire", "ko-move")
    assert late.status_code == 409
    assert "not on the landing page any more" in late.text


def test_taking_out_needs_two_persons_and_the_pages_say_so_before(office: Office) -> None:
    following = f"{PAGE}/next?round=stage-1"
    assert "until another moderator publishes the next version" in office.jiwoo.http.get(PAGE).text
    decides_mark(office.jiwoo, "retire", "ko-move")

    own = office.jiwoo.http.get(following).text
    assert "another moderator has to publish this version" in own
    assert f'action="{PAGE}/next"' not in own
    mark = seen(office.bora, following)
    refused = office.jiwoo.post(f"{PAGE}/next", **HERE, seen=mark, note="Out")
    assert refused.status_code == 409
    assert "Nobody takes a question out alone." in refused.text
    assert (acts(office.db)[-1].what, acts(office.db)[-1].why) == ("suggestion.publish", "own_mark")

    assert f"Marked by {JIWOO}" in " ".join(office.bora.http.get(following).text.split())
    assert office.bora.post(f"{PAGE}/next", **HERE, seen=mark, note="Out").status_code == 303
    assert version(office.db) == 2


def test_the_desk_groups_by_topic_and_shows_the_gaps(office: Office) -> None:
    page = office.jiwoo.http.get(PAGE).text
    gaps = re.search(r"Korean: 10\.</strong>\s*Nothing yet on:(.*?)</p>", page, flags=re.DOTALL)
    assert gaps
    assert "Culture" in gaps[1]
    assert "Cooking" not in gaps[1]
    assert "topic=culture&amp;locale=ko" in page
    form = office.jiwoo.http.get(f"{PAGE}/new?round=stage-1&topic=culture&locale=en").text
    assert '<option value="culture" selected>' in form
    assert '<option value="en" selected>' in form


def test_without_a_round_and_after_it_the_page_says_what_to_do(db: Database, database_url: str) -> None:
    hire(db)
    with serving(settings_for(database_url)) as origin:
        jiwoo = signed_in(origin, "jiwoo")
        assert "No round is open or in preparation" in jiwoo.http.get(PAGE).text
        assert jiwoo.http.get(f"{PAGE}/new").status_code == 404
        opened(db)
        closes(db)
        page = jiwoo.http.get(PAGE).text
        assert "Closed rounds" in page
        assert "No round is open or in preparation" in page
        assert jiwoo.http.get(f"{PAGE}/versions/1?round=stage-1").status_code == 200
        assert sends(jiwoo).status_code in (404, 409)
        jiwoo.close()


def test_no_page_names_a_team_and_each_speaks_korean(office: Office) -> None:
    approves(office.db, proposes(office.db))
    office.jiwoo.http.headers["Accept-Language"] = "ko"
    for path in ("", "/new", "/next", "/1", "/versions/1?round=stage-1"):
        page = office.jiwoo.http.get(PAGE + path).text
        assert "추천 질문" in page
        names = [name for persona in PERSONAS.values() for name in (*persona.name.values(), persona.model)]
        assert [name for name in names if name in page] == []


def test_the_landing_page_names_the_topic_beside_each_suggestion(office: Office) -> None:
    page = office.public.http.get("/").text
    topics = re.findall(r'<span class="topic">([^<]+)</span>', page)
    assert len(set(topics)) == 4
    assert set(topics) <= set(re.findall(r'<th scope="row">([^<]+)</th>', office.jiwoo.http.get(PAGE).text))
