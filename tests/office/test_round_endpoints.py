"""An operator's test of an entry's endpoint, with real endpoints: what it shows, and what it never touches."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import Session, func, select

from arena.battles.tables import Answer, Battle
from arena.db import Database
from arena.errors import LimitError
from arena.ledger.tables import Leaf
from arena.office.endpoint_test import one_at_a_time, uncovered
from arena.teams.queries import entries_of
from arena.teams.tables import Failures, Outage
from tests.battles.endpoint import Answering, Endpoint, endpoint, saying, status
from tests.office.rounds import Office, drafted, form, office
from tests.staff import SORA
from tests.support import open_round, round_file

TEST = "/office/rounds/stage-1/entries/e1/test"
NAME = "Hanbit Intelligence"


async def thinking(answer: Answering) -> None:
    await answer.begin()
    await answer.chunk({"reasoning_content": "the user greets me"})
    await answer.say("<think>I am ", "secret</think>", "안녕하세요. ", "저는 한빛이 만든 가온이에요.")
    await answer.finish()


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint(saying("안녕하세요, ", "<b>반가워요</b>.")) as played:
        yield played


@pytest.fixture
def desk(db: Database, database_url: str) -> Iterator[Office]:
    with office(db, database_url) as made:
        yield made


def tries(desk: Office, question: str = "안녕하세요?", path: str = TEST, **fields: str) -> str:
    answer = desk.sends({"question": [question], **{name: [value] for name, value in fields.items()}}, path)
    assert answer.status_code == 200, answer.status_code
    return answer.text


def drafts(desk: Office, team: Endpoint, **fields: str) -> None:
    named = {f"entries.0.{name}": value for name, value in {"base_url": f"{team.origin}/a/v1", **fields}.items()}
    assert desk.sends(form(**named)).status_code == 303


def rows(db: Database) -> list[int]:
    def count(session: Session) -> list[int]:
        return [
            session.exec(select(func.count()).select_from(table)).one()
            for table in (Battle, Answer, Failures, Outage, Leaf)
        ]

    with db.reading() as session:
        return count(session)


def test_a_test_asks_as_citizens_questions_are_asked_and_shows_inert_text(
    desk: Office, team: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TEAM_A_KEY", "the-key-itself")
    drafts(desk, team)
    page = tries(desk)
    assert "answered to the end" in page
    assert page.count("안녕하세요, &lt;b&gt;반가워요&lt;/b&gt;.") == 2
    assert "the-key-itself" not in page
    (asked,) = team.asked
    assert asked.headers["authorization"] == "Bearer the-key-itself"
    assert asked.body["messages"] == [{"role": "user", "content": "안녕하세요?"}]
    assert (asked.body["max_tokens"], asked.body["temperature"], asked.body["top_p"]) == (1024, 0.7, 0.95)


def test_it_shows_what_citizens_would_read_beside_what_came_and_the_thoughts(desk: Office, team: Endpoint) -> None:
    team.default = thinking
    drafts(desk, team, aliases="한빛\n가온")
    page = tries(desk, who="yes")
    said = re.findall(r'<pre class="said">(.*?)</pre>', page, flags=re.DOTALL)
    assert said[0] == "안녕하세요. 저는 [model]이 만든 [model]이에요."
    assert said[1] == "안녕하세요. 저는 한빛이 만든 가온이에요."
    assert said[2] == "the user greets meI am secret"
    questions = [asked.body["messages"][0]["content"] for asked in team.asked]
    assert sorted(questions) == sorted(["안녕하세요?", "Who are you, and which company made you?"])
    facts = desk.told()[-1].detail["found"]
    assert [(fact["entry"], fact["names"], fact["hidden"]) for fact in facts] == [("e1", 2, 29)] * 2
    assert "한빛" not in str(facts)


@pytest.mark.parametrize(
    ("line", "words"), [("500 Internal Server Error", "refused the question"), ("", "could not be reached")]
)
def test_how_it_failed_is_said_in_plain_words(desk: Office, team: Endpoint, line: str, words: str) -> None:
    team.default = status(line)
    drafts(desk, team, **({} if line else {"base_url": "http://127.0.0.1:9/v1"}))
    page = tries(desk)
    assert words in page
    assert NAME not in page
    assert desk.told()[-1].detail["found"][0]["good"] is False
    page = desk.sora.http.get("/office/rounds/stage-1").text
    assert re.search(r'standing-bad">(?:(?!</li>).)*All endpoints', page, re.DOTALL)


def test_a_teams_key_reaches_no_host_that_one_operator_names(
    desk: Office, team: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is tried in another round, in the same one, and after the draft has let go of it."""
    monkeypatch.setitem(os.environ, "TEAM_A_KEY", "the-key-itself")
    assert desk.sends(form()).status_code == 303
    evil = {"entries.0.base_url": f"{team.origin}/a/v1"}
    page = desk.sends(form(slug="stage-2", **evil))
    assert page.status_code == 422
    assert "The key in this variable belongs to another host" in page.text
    assert f"{team.origin}/a/v1" in page.text
    for fields in (form(**evil), form(**{"entries.0.api_key_env": ""}, **evil), form(**evil)):
        seen = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get("/office/rounds/stage-1/edit").text)
        assert seen
        desk.sends(fields | {"seen": [seen[1]]}, "/office/rounds/stage-1/edit")
        tries(desk)
    assert all("authorization" not in asked.headers for asked in team.asked)
    assert [act[0::2] for act in desk.acts() if act[0] == "round.revise"] == [
        ("round.revise", "refused"),
        ("round.revise", "done"),
        ("round.revise", "refused"),
    ]


def test_the_trail_has_the_addresses_and_the_variables_of_drafts_and_tests(desk: Office, team: Endpoint) -> None:
    drafts(desk, team)
    tries(desk)
    made, tested = desk.told()
    mine = {"address": f"{team.origin}/a/v1", "key": "TEAM_A_KEY"}
    assert made.detail["after"]["endpoints"]["e1"] == mine
    assert tested.detail["endpoints"] == {"e1": mine}
    assert "endpoints" not in made.detail.get("before", {})


def test_a_key_that_another_team_uses_elsewhere_is_not_sent_by_a_test(
    desk: Office, team: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a pair comes from a round file on the command line."""
    monkeypatch.setitem(os.environ, "TEAM_A_KEY", "the-key-itself")
    file = round_file(team.origin)
    with_key = [each.model_copy(update={"api_key_env": "TEAM_A_KEY"}) for each in file.entries]
    elsewhere = with_key[1].model_copy(update={"base_url": "http://127.0.0.1:9/v1"})
    drafted(desk.db, file.model_copy(update={"entries": [with_key[0], elsewhere, *file.entries[2:]]}))
    answer = desk.sends({"question": ["안녕?"]}, TEST)
    assert answer.status_code == 409
    assert "another team uses the same variable for a key at another host" in answer.text
    assert desk.sends({}, "/office/rounds/stage-1/tests").status_code == 409
    assert team.asked == []
    assert [act[2:] for act in desk.acts()] == [("refused", "anothers_key")] * 2


def test_a_test_of_an_open_round_touches_no_battle_no_breaker_and_no_ledger(desk: Office, team: Endpoint) -> None:
    team.default = status("500 Internal Server Error")
    open_round(desk.db, round_file(team.origin))
    before = rows(desk.db)
    for _ in range(4):
        tries(desk)
    after = rows(desk.db)
    assert after == before
    assert desk.acts() == [("endpoint.test", "stage-1", "done", "")] * 4


def test_all_endpoints_are_tested_at_once_and_a_changed_draft_is_untested_again(desk: Office, team: Endpoint) -> None:
    drafts(desk, team, api_key_env="")
    draft = "/office/rounds/stage-1"
    assert desk.sora.post(f"{draft}/tests").status_code == 303
    page = desk.sora.http.get(draft).text
    assert "answered to the end" in page
    assert "could not be reached" in page
    token = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get(f"{draft}/edit").text)
    assert token
    desk.sends(form(seen=token[1]), f"{draft}/edit")
    page = desk.sora.http.get(draft).text
    assert page.count("Not tested since the draft was changed") == 2


def test_a_test_that_cannot_be_is_refused_on_record(desk: Office, team: Endpoint) -> None:
    drafts(desk, team)
    for question in ("", "가" * 4001):
        answer = desk.sends({"question": [question]}, TEST)
        assert answer.status_code == 422
        assert "Nobody" not in answer.text
    assert desk.sends({"question": ["?"]}, TEST.replace("e1", "e9")).status_code == 404
    assert desk.sends({"question": ["?"]}, TEST, by=desk.jiwoo).status_code == 403
    assert [act[2:] for act in desk.acts()[1:]] == [
        ("refused", "empty_prompt"),
        ("refused", "long_prompt"),
        ("refused", "not_found"),
        ("refused", "role"),
    ]
    assert team.asked == []


def test_nobody_runs_two_tests_at_once(tmp_path: Path) -> None:
    with one_at_a_time(tmp_path, SORA):
        with pytest.raises(LimitError), one_at_a_time(tmp_path, SORA):
            pass
        with one_at_a_time(tmp_path, "operator-2"):
            pass
    with one_at_a_time(tmp_path, SORA):
        pass


def test_words_of_names_that_no_alias_masks_are_found(db: Database) -> None:
    file = round_file("http://127.0.0.1:9")
    entry = file.entries[0].model_copy(update={"model": "hanbit/Areum-32B-instruct", "aliases": ["아름"]})
    round_ = drafted(db, file.model_copy(update={"entries": [entry, *file.entries[1:]]}))
    with db.reading() as session:
        first = entries_of(session, round_.id or 0)[0]
        assert set(uncovered(session, first.id, round_)) == {"가온", "Gaon", "hanbit", "Areum"}
