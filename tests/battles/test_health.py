"""What operators see of endpoints and waiting, auditors of masked names, and everybody of outages."""

from collections.abc import Iterator
from functools import partial

import httpx
import pytest
from sqlmodel import Session

from arena.accounts.actions import create_admin
from arena.battles.health import speed, spread
from arena.battles.jobs import check_endpoints
from arena.battles.pages import Spread
from arena.clock import now
from arena.db import Database
from arena.ratings.actions import close_round
from arena.rounds.queries import open_round
from arena.teams.outages import FAILURES_IN_A_ROW, FIRST_CHECK, outages
from arena.teams.tables import Outage
from tests.battles.endpoint import Endpoint, endpoint, saying, status
from tests.battles.stage import FIRST, Stage, staged
from tests.support import KEY, Citizen, eventually

PASSWORD = "correct horse battery staple"
ALLOW = ["127.0.0.0/8"]


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint() as played:
        yield played


@pytest.fixture
def stage(sqlite_url: str, team: Endpoint) -> Iterator[Stage]:
    with staged(sqlite_url, team, teams=3) as found:
        for role in ("operator", "moderator", "auditor"):
            create = partial(create_admin, email=f"{role}@example.org", role=role, password=PASSWORD, now=now())
            found.db.writing(create)
        yield found


def signed_in(stage: Stage, role: str) -> Citizen:
    citizen = stage.citizen()
    assert citizen.post("/sign-in", email=f"{role}@example.org", password=PASSWORD).status_code == 303
    citizen.http.headers["Accept-Language"] = "en"
    return citizen


def page(citizen: Citizen, name: str) -> httpx.Response:
    return citizen.http.get(f"/rounds/stage-1/{name}")


def fails(team: Endpoint, stage: Stage, times: int) -> None:
    """The first team fails whenever it is asked, so often."""
    team.scripts[FIRST] = status("500 Internal Server Error")
    before = sum(asked.team == FIRST for asked in team.asked)
    while sum(asked.team == FIRST for asked in team.asked) - before < times:
        citizen = stage.citizen()
        assert citizen.read(citizen.ask()).outcome in ("complete", "failed")


def found_outages(stage: Stage) -> list[Outage]:
    with stage.db.reading() as session:
        round_ = open_round(session)
        assert round_
        return outages(session, round_.id or 0)


@pytest.mark.parametrize(("name", "role"), [("health", "operator"), ("leaks", "auditor")])
def test_each_page_is_for_one_role_alone(stage: Stage, name: str, role: str) -> None:
    assert page(stage.citizen(), name).status_code == 401
    answers = {who: page(signed_in(stage, who), name).status_code for who in ("operator", "moderator", "auditor")}
    assert answers == {"operator": 403, "moderator": 403, "auditor": 403} | {role: 200}


def test_a_page_without_anything_yet_says_what_will_be_there(stage: Stage) -> None:
    assert "Nothing has been asked yet" in page(signed_in(stage, "operator"), "health").text
    assert "No answer has named a model yet" in page(signed_in(stage, "auditor"), "leaks").text


def test_failures_are_counted_against_the_team_that_failed(stage: Stage, team: Endpoint) -> None:
    fails(team, stage, FAILURES_IN_A_ROW)
    text = page(signed_in(stage, "operator"), "health").text
    assert text.count(f"refused the question {FAILURES_IN_A_ROW}") == 1
    assert "still going on" in text


def test_waiting_left_battles_and_probes_are_shown(stage: Stage) -> None:
    minji = stage.citizen()
    for question in ("너는 누가 만들었어?", "두 번째 질문", "세 번째 질문", "네 번째 질문"):
        assert minji.read(minji.ask(question)).outcome == "complete"
    text = page(signed_in(stage, "operator"), "health").text
    assert "for the first word" in text
    assert "3 comparisons were left without a choice." in text
    assert "1 person left 3 or more." in text
    assert "of the comparisons ask a model who it is." in text


def test_after_an_outage_the_question_is_kept_and_one_press_gets_another_pair(stage: Stage, team: Endpoint) -> None:
    team.default = status("500 Internal Server Error")
    minji = stage.citizen()
    path = minji.ask()
    assert minji.read(path).outcome == "failed"
    assert minji.vote(path).status_code == 409
    void = minji.http.get(path).text
    assert "김치찌개 끓이는 법을 알려 주세요" in void
    again = minji.post("/battles", prompt="김치찌개 끓이는 법을 알려 주세요").headers["location"]
    pairs = [{stage.battle(p).entry_a, stage.battle(p).entry_b} for p in (path, again)]
    assert pairs[0] != pairs[1]


def test_an_endpoint_that_answers_a_check_is_back_in_service(stage: Stage, team: Endpoint) -> None:
    fails(team, stage, FAILURES_IN_A_ROW)
    assert [outage.ended_at for outage in found_outages(stage)] == [None]
    make_due(stage.db)
    assert eventually(lambda: found_outages(stage)[0].checks == 1)
    assert found_outages(stage)[0].ended_at is None
    team.scripts[FIRST] = saying("안녕하세요.")
    make_due(stage.db)
    assert eventually(lambda: found_outages(stage)[0].ended_at is not None)


def make_due(db: Database) -> None:
    """Lets the time until the next check pass."""

    def pass_(session: Session) -> None:
        for outage in outages(session, 1):
            outage.check_at = now() - FIRST_CHECK
            session.add(outage)

    db.writing(pass_)


def test_outages_are_published_with_names_when_the_round_is_closed_and_not_before(
    stage: Stage, team: Endpoint
) -> None:
    fails(team, stage, FAILURES_IN_A_ROW)
    before = stage.citizen().http.get("/rounds/stage-1", headers={"Accept-Language": "en"}).text
    assert "1 so far." in before
    assert "refused the question" not in before
    stage.db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    after = stage.citizen().http.get("/rounds/stage-1", headers={"Accept-Language": "en"}).text
    assert "refused the question" in after


def test_checks_are_asked_only_when_due(stage: Stage) -> None:
    with stage.db.reading() as session:
        assert not check_endpoints(ALLOW).wanted(session, now())


def test_names_are_masked_for_citizens_kept_for_auditors_and_told_to_their_own_model(
    stage: Stage, team: Endpoint
) -> None:
    team.default = saying("저는 누", "리 팀의 모델이에요. ", "반가워요.")
    minji = stage.citizen()
    path = minji.ask()
    played = minji.read(path)
    assert (played.a, played.b) == ("<p>저는 [모델]의 모델이에요. 반가워요.</p>\n",) * 2
    assert "누리" not in minji.http.get(path).text
    assert minji.post(f"{path}/turns", prompt="또?").status_code == 303
    minji.read(path, 2)
    assert team.asked[-1].body["messages"][-2]["content"] == "저는 누리 팀의 모델이에요. 반가워요."
    assert minji.vote(path).status_code == 303
    text = page(signed_in(stage, "auditor"), "leaks").text
    assert "저는 누리 팀의 모델이에요" in text
    assert "저는 [모델]의 모델이에요" in text


def test_what_95_of_100_do_not_exceed_lies_within_what_was_measured() -> None:
    assert spread([]) is None
    assert spread([3.0]) == Spread(3.0, 3.0)
    two = spread([1.0, 2.0])
    assert two is not None
    assert two.median == 1.5
    assert two.p95 == pytest.approx(1.95)


def test_characters_a_second_are_counted_from_the_first_on() -> None:
    assert speed(100, 500, 1000) == 200
    assert [speed(0, 1, 2), speed(None, 1, 2), speed(9, None, 2), speed(9, 1, None), speed(9, 5, 5)] == [None] * 5
