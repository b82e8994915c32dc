"""Moderators look at the rules, try texts, change them after a dry run, publish and go back; all over HTTP."""

import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest
from sqlmodel import Session

from arena.accounts.trail import acts_on
from arena.clock import now
from arena.db import Database
from arena.errors import ConflictError
from arena.screening.actions import publish
from arena.screening.queries import RECENT, recent_prompts, rules_in_force
from arena.screening.rules import Rules, RulesInForce, Threshold, built_in
from arena.screening.rules_page import dry_run
from arena.screening.tables import Review
from tests.battles.endpoint import endpoint, sending, status
from tests.data import opened, voter
from tests.screening.test_classifier import answer
from tests.screening.test_rules import rule
from tests.staff import BORA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

PAGE = "/office/rules"
HOSTILE = "<script>alert(1)</script> & {{ 7 * 7 }}"

Fields = dict[str, str]


class Form(HTMLParser):
    """What a browser would send of the editor's form."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.fields: Fields = {}
        self._name = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = "rules-form" in given.get("class", "")
        elif not self._inside:
            return
        elif tag in ("select", "textarea"):
            self._name = given["name"]
            self.fields.setdefault(self._name, "")
        elif tag == "option" and "selected" in given:
            self.fields[self._name] = given["value"]
        elif tag == "input" and (given["type"] != "checkbox" or "checked" in given):
            self.fields[given["name"]] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._name = ""

    def handle_data(self, data: str) -> None:
        if self._inside and self._name and self.lasttag == "textarea":
            self.fields[self._name] += data.removeprefix("\n")


@dataclass(frozen=True, slots=True)
class Office:
    db: Database
    jiwoo: Citizen
    bora: Citizen
    sora: Citizen
    public: Citizen


@pytest.fixture
def office(db: Database, database_url: str) -> Iterator[Office]:
    hire(db)
    with ExitStack() as open_:
        origin = open_.enter_context(serving(settings_for(database_url)))
        made = Office(
            db,
            jiwoo=signed_in(origin, "jiwoo"),
            bora=signed_in(origin, "bora"),
            sora=signed_in(origin, "sora"),
            public=Citizen(origin, language="en"),
        )
        for person in (made.jiwoo, made.bora, made.sora, made.public):
            open_.callback(person.close)
        yield made


def sends(person: Citizen, path: str, fields: Fields) -> httpx.Response:
    """Sends a form in parts, as the editor's is sent."""
    parts: dict[str, Any] = {name: (None, value) for name, value in fields.items()}
    return person.http.post(path, files=parts, headers={"Origin": person.origin})


def editor(person: Citizen, query: str = "") -> Fields:
    return Form(person.http.get(f"{PAGE}/edit{query}").text).fields


def added(fields: Fields, **values: str) -> Fields:
    """The form with its empty rule filled in."""
    number = max(int(name.split("-")[1]) for name in fields if name.startswith("rule-"))
    return fields | {f"rule-{number}-{name}": value for name, value in values.items()}


NEW = {"category": "spam", "kind": "words", "level": "block", "on": "on", "entries": "돈나무 화분\n김치찌개"}


def publishes(person: Citizen, fields: Fields, note: str = "because") -> httpx.Response:
    """Looks at what would change, then publishes."""
    looked = Form(sends(person, f"{PAGE}/edit", fields).text).fields
    return sends(person, f"{PAGE}/publish", looked | {"note": note})


def asked(db: Database, *texts: str) -> None:
    round_ = opened(db)
    minji = voter(db, "minji")

    def work(session: Session) -> None:
        for text in texts:
            session.add(
                Review(
                    round_id=round_.id or 0,
                    voter_id=minji,
                    locale="ko",
                    text=text,
                    masked={},
                    flags=[],
                    ruleset=0,
                    state="approved",
                    created_at=now(),
                )
            )

    db.writing(work)


def in_force(db: Database) -> RulesInForce:
    with db.reading() as session:
        return rules_in_force(session)


def test_before_anything_was_published_the_built_in_rules_are_in_force(office: Office) -> None:
    page = office.jiwoo.http.get(PAGE)
    assert page.status_code == 200
    assert "The built-in rules" in page.text
    assert "No classifier is set" in page.text
    assert in_force(office.db).rules == built_in()


def test_the_editor_sends_back_what_it_was_given(office: Office) -> None:
    looked = sends(office.jiwoo, f"{PAGE}/edit", editor(office.jiwoo))
    assert looked.status_code == 200
    assert "Nothing differs from the rules in force" in looked.text
    assert "Publish version" not in looked.text


def test_a_moderator_publishes_after_a_dry_run_and_it_is_on_the_trail(office: Office) -> None:
    asked(office.db, "김치찌개 끓이는 법", "날씨가 어때요", HOSTILE)
    fields = added(editor(office.jiwoo), **NEW)
    looked = sends(office.jiwoo, f"{PAGE}/edit", fields)
    assert "Tried on the newest 3 questions" in looked.text
    assert re.search(r"<strong>1 question</strong>: nothing found → <strong>not asked</strong>", looked.text)
    assert "김치찌개 끓이는 법" in looked.text
    assert "+ spam/words/block: 돈나무 화분" in looked.text
    assert in_force(office.db).version == 0, "a dry run publishes nothing"

    assert publishes(office.jiwoo, fields, note="Plants are enough").status_code == 303
    now_in_force = in_force(office.db)
    assert now_in_force.version == 1
    assert [finding.level for finding in now_in_force.findings("김치찌개")] == ["block"]
    assert "Plants are enough" in office.jiwoo.http.get(PAGE).text
    with office.db.reading() as session:
        (act,) = acts_on(session, "rules", limit=10)
    assert (act.who, act.what, act.outcome) == (JIWOO, "rules.publish", "done")
    assert act.detail == {
        "before": 0,
        "after": 1,
        "note": "Plants are enough",
        "difference": ["+ spam/words/block: 돈나무 화분", "+ spam/words/block: 김치찌개"],
    }


def test_examples_are_shown_as_inert_text(office: Office) -> None:
    asked(office.db, HOSTILE)
    fields = added(editor(office.jiwoo), **NEW | {"entries": "alert"})
    page = sends(office.jiwoo, f"{PAGE}/edit", fields).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ 7 * 7 }}" in page
    assert "<script>alert" not in page


def test_mistakes_are_said_beside_each_row_and_nothing_typed_is_lost(office: Office) -> None:
    fields = added(editor(office.jiwoo), **NEW | {"kind": "pattern", "entries": "fine\n(unfinished", "note": "kept"})
    fields |= {"threshold-1-at": "many", "threshold-2-name": "Not A Name!"}
    fields["threshold-3-name"] = fields["threshold-4-name"]
    looked = sends(office.jiwoo, f"{PAGE}/edit", fields)
    assert looked.status_code == 422
    for words in (
        "“(unfinished” is not understood as a pattern.",
        "Please give a number from 0 to 1",
        "Please give the category as the classifier calls it",
        "This category is in the table twice.",
    ):
        assert words in looked.text
    kept = Form(looked.text).fields
    assert {name: kept[name] for name in fields if name in kept} | {"csrf": ""} == {
        name: value for name, value in fields.items() if name in kept
    } | {"csrf": ""}
    assert "fine\n(unfinished" in kept.values()
    assert "Publish version" not in looked.text


def test_nothing_is_published_without_a_note(office: Office) -> None:
    answered = publishes(office.jiwoo, added(editor(office.jiwoo), **NEW), note="  ")
    assert answered.status_code == 422
    assert "Please say in a few words why" in answered.text
    assert in_force(office.db).version == 0


def test_a_note_with_personal_data_is_refused_and_given_back(office: Office) -> None:
    answered = publishes(office.jiwoo, added(editor(office.jiwoo), **NEW), note="문의는 010-1234-5678")
    assert answered.status_code == 422
    assert "This seems to hold personal details" in answered.text
    assert "문의는 010-1234-5678" in answered.text
    assert in_force(office.db).version == 0


def test_what_was_typed_after_the_dry_run_is_looked_at_anew(office: Office) -> None:
    looked = Form(sends(office.jiwoo, f"{PAGE}/edit", added(editor(office.jiwoo), **NEW)).text).fields
    changed = {name: "다른 낱말" if value == NEW["entries"] else value for name, value in looked.items()}
    answered = sends(office.jiwoo, f"{PAGE}/publish", changed | {"note": "because"})
    assert answered.status_code == 200
    assert "+ spam/words/block: 다른 낱말" in answered.text
    assert in_force(office.db).version == 0


def test_of_two_who_publish_at_once_the_second_compares_again(office: Office) -> None:
    looked = Form(sends(office.bora, f"{PAGE}/edit", added(editor(office.bora), **NEW)).text).fields
    assert publishes(office.jiwoo, added(editor(office.jiwoo), **NEW | {"entries": "먼저"})).status_code == 303

    answered = sends(office.bora, f"{PAGE}/publish", looked | {"note": "because"})
    assert answered.status_code == 409
    assert "Somebody else published version 1 meanwhile" in answered.text
    assert "- spam/words/block: 먼저" in answered.text, "what would be lost is shown"
    assert sends(office.bora, f"{PAGE}/publish", Form(answered.text).fields).status_code == 303
    assert in_force(office.db).version == 2
    with office.db.reading() as session:
        acts = [(act.who, act.outcome, act.why) for act in acts_on(session, "rules", limit=10)]
    assert acts == [(BORA, "done", ""), (BORA, "refused", "moved_on"), (JIWOO, "done", "")]


def test_of_many_who_publish_at_the_same_moment_one_does(db: Database) -> None:
    def tries(number: int) -> str:
        rules = Rules(rules=(rule(f"낱말 {number}"),), thresholds={})
        try:
            db.writing(lambda session: publish(session, rules, 0, "why", JIWOO, now()))
        except ConflictError as error:
            return error.text(str)
        return "published"

    with ThreadPoolExecutor(8) as pool:
        told = Counter(pool.map(tries, range(8)))
    assert told.pop("published") == 1
    assert [words[:41] for words in told] == ["Somebody else published version 1 meanwhi"]
    assert in_force(db).version == 1


def test_a_long_list_of_words_can_be_published(office: Office) -> None:
    words = [f"긴낱말{number}번째것이에요" for number in range(2000)]
    fields = editor(office.jiwoo)
    for number in range(4):
        fields |= {
            f"rule-{90 + number}-{name}": value
            for name, value in (NEW | {"entries": "\n".join(words[number * 500 : number * 500 + 500])}).items()
        }
    assert sum(len(value.encode()) for value in fields.values()) > 64 * 1024
    assert publishes(office.jiwoo, fields).status_code == 303
    assert in_force(office.db).findings(words[-1])


def test_an_older_version_is_looked_at_and_published_anew(office: Office) -> None:
    assert publishes(office.jiwoo, added(editor(office.jiwoo), **NEW)).status_code == 303
    old = office.jiwoo.http.get(f"{PAGE}/versions/0")
    assert "/office/rules/edit?from=0" in old.text
    new = office.jiwoo.http.get(f"{PAGE}/versions/1")
    assert "+ spam/words/block: 김치찌개" in new.text
    assert publishes(office.jiwoo, editor(office.jiwoo, "?from=0"), note="back").status_code == 303
    assert in_force(office.db).version == 2
    assert in_force(office.db).rules == built_in()


def test_a_version_that_is_not_there_is_not_found(office: Office) -> None:
    for path in ("/versions/99", "/versions/-1", "/edit?from=7", "/versions/" + "9" * 30):
        assert office.jiwoo.http.get(PAGE + path).status_code in (404, 422), path


def test_nobody_but_moderators_comes_near_the_rules(office: Office) -> None:
    for path in (PAGE, f"{PAGE}/edit", f"{PAGE}/versions/0"):
        assert office.sora.http.get(path).status_code == 403
        assert office.public.http.get(path).status_code in (303, 401)
    for person, expected in ((office.sora, 403), (office.public, 401)):
        for path in (f"{PAGE}/edit", f"{PAGE}/publish", f"{PAGE}/try"):
            assert person.post(path, text="x").status_code == expected
    with office.db.reading() as session:
        assert [(act.who, act.outcome, act.why) for act in acts_on(session, "rules", limit=10)] == [
            (SORA, "refused", "role")
        ]


def test_forms_without_their_token_are_refused(office: Office) -> None:
    fields = added(editor(office.jiwoo), **NEW) | {"csrf": "forged"}
    for path in (f"{PAGE}/edit", f"{PAGE}/publish"):
        assert sends(office.jiwoo, path, fields).status_code == 403
    assert office.jiwoo.post(f"{PAGE}/try", text="x", csrf="forged").status_code == 403


def test_a_text_can_be_tried_and_nothing_of_it_is_stored(office: Office) -> None:
    for text, words in (
        ("오늘 날씨", "It is asked."),
        ("제 번호는 010-1234-5678이에요", "phone number: 1"),
        ("자살 예방 교육", "It is asked, and flagged for moderators."),
        ("폭탄 제조법을 올리면 처벌받나요", "It waits until a moderator has looked at it."),
        ("자살하는 방법 알려줘", "1577-0199"),
        (HOSTILE, "&lt;script&gt;"),
    ):
        page = office.jiwoo.post(f"{PAGE}/try", text=text)
        assert page.status_code == 200
        assert words in page.text
    with office.db.reading() as session:
        assert recent_prompts(session) == []


@pytest.mark.parametrize("works", [True, False])
def test_trying_a_text_tells_whether_the_classifier_answers(db: Database, database_url: str, works: bool) -> None:
    hire(db)
    script = sending(answer({"violence/graphic": 0.9})) if works else status("500 Internal Server Error")
    with endpoint(script) as made:
        settings = settings_for(database_url, classifier_url=made.origin + "/v1")
        with serving(settings) as origin:
            jiwoo = signed_in(origin, "jiwoo")
            page = jiwoo.post(f"{PAGE}/try", text="제 메일은 hong@naver.com").text
            jiwoo.close()
        assert [asked.body["input"] for asked in made.asked] == ["제 메일은 [이메일]"]
    assert ("it answered" in page) == works
    assert ("Violence, by the classifier" in page) == works
    assert ("The classifier did not judge this text." in page) == (not works)


def test_a_dry_run_tells_what_changes_in_either_direction_the_gravest_first() -> None:
    old = RulesInForce(1, Rules(rules=(rule("하나둘", level="block"), rule("셋넷", level="log")), thresholds={}))
    new = Rules(rules=(rule("하나둘", level="log"), rule("셋넷", level="hold"), rule("다섯")), thresholds={})
    run = dry_run(old, new, ["하나둘", "셋넷", "셋넷은", "다섯", "여섯"])
    assert [(shift.before, shift.after, shift.count) for shift in run.shifts] == [
        ("log", "hold", 2),
        (None, "hold", 1),
        ("block", "log", 1),
    ]
    assert run.prompts == 5


def test_a_dry_run_is_over_the_newest_prompts_and_none_that_was_erased(db: Database) -> None:
    asked(db, *(f"질문 {number}" for number in range(RECENT)), "", "마지막")
    with db.reading() as session:
        found = recent_prompts(session)
    assert len(found) == RECENT
    assert found[0] == "마지막"
    assert "" not in found
    assert "질문 0" not in found


def test_the_rules_in_force_are_read_anew_when_published_elsewhere(db: Database) -> None:
    assert in_force(db) is in_force(db), "compiled once"
    rules = Rules(rules=(rule("물뽕"),), thresholds={"violence": Threshold(level="log", at=0.25)})
    db.writing(lambda session: publish(session, rules, 0, "why", JIWOO, now()))
    assert in_force(db).version == 1
    assert in_force(db).thresholds == {"violence": Threshold(level="log", at=0.25)}
