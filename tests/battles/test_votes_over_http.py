"""Votes over real sockets: one each, final, and what is refused leaves nothing behind."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select

from arena.accounts.tables import Consent, Voter
from arena.battles.tables import Battle, Feedback, Vote
from arena.clock import now
from arena.db import Database
from arena.ratings.actions import close_round
from arena.rounds.tables import Round
from tests.battles.endpoint import Endpoint, endpoint, mute
from tests.battles.stage import Stage, staged
from tests.processes import arena_command
from tests.support import KEY, Citizen, open_round, round_file, settings_for


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint() as played:
        yield played


@pytest.fixture
def stage(sqlite_url: str, team: Endpoint) -> Iterator[Stage]:
    with staged(sqlite_url, team) as found:
        yield found


@pytest.fixture
def each_stage(database_url: str, team: Endpoint) -> Iterator[Stage]:
    """On SQLite and on PostgreSQL."""
    with staged(database_url, team) as found:
        yield found


@pytest.fixture
def minji(stage: Stage) -> Citizen:
    return stage.citizen()


@pytest.fixture
def junho(stage: Stage) -> Citizen:
    return stage.citizen()


def rows(stage: Stage, table: type[Vote] | type[Battle] | type[Voter] | type[Consent] | type[Feedback]) -> int:
    with stage.db.reading() as session:
        return len(session.exec(select(table)).all())


def votable(minji: Citizen) -> str:
    path = minji.ask()
    assert minji.read(path).outcome == "complete"
    return path


def receipt(html: str) -> str:
    found = re.search(r'class="receipt">([0-9a-f]{32})<', html)
    assert found, html
    return found[1]


def at_once(send: Callable[[int], httpx.Response], count: int = 50) -> list[httpx.Response]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, range(count)))


@pytest.mark.parametrize("partial", [False, True], ids=["plain form", "htmx"])
def test_fifty_posts_of_one_vote_are_one_vote_and_one_receipt(each_stage: Stage, partial: bool) -> None:
    minji = each_stage.citizen()
    path, csrf = votable(minji), minji.csrf()
    headers = {"HX-Request": "true"} if partial else {}
    answers = at_once(lambda _: minji.post(f"{path}/vote", headers=headers, csrf=csrf, choice="b"))
    assert {answer.status_code for answer in answers} == {200 if partial else 303}
    if partial:
        assert len({receipt(answer.text) for answer in answers}) == 1
    else:
        assert {answer.headers["location"] for answer in answers} == {path}
    assert rows(each_stage, Vote) == 1
    assert each_stage.battle(path).state == "voted"


def test_of_fifty_different_votes_the_first_counts_and_the_others_are_told(each_stage: Stage) -> None:
    minji = each_stage.citizen()
    path, csrf = votable(minji), minji.csrf()
    choices = ["a", "b", "tie", "both_bad"]
    answers = at_once(lambda n: minji.post(f"{path}/vote", csrf=csrf, choice=choices[n % 4]))
    with each_stage.db.reading() as session:
        vote = session.exec(select(Vote)).one()
    told = {(choices[n % 4], answer.status_code) for n, answer in enumerate(answers)}
    assert told == {(choice, 303 if choice == vote.choice else 409) for choice in choices}


def test_fifty_posts_of_one_question_are_one_battle(each_stage: Stage, team: Endpoint) -> None:
    minji = each_stage.citizen()
    csrf = minji.csrf()
    answers = at_once(lambda _: minji.post("/battles", csrf=csrf, prompt="안녕?", consent=["participate"]))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert minji.read(answers[0].headers["location"]).outcome == "complete"
    assert (rows(each_stage, Battle), rows(each_stage, Voter), len(team.asked)) == (1, 1, 2)


def test_reasons_and_a_comment_may_follow_the_vote_once(stage: Stage, minji: Citizen) -> None:
    path = votable(minji)
    assert minji.vote(path, "a").status_code == 303
    given = minji.vote(path, "a", reasons=["a:clear", "b:inaccurate"], comment="좋아요\0")
    assert given.status_code == 303
    assert minji.vote(path, "a", reasons=["a:unsafe"], comment="다시").status_code == 303
    with stage.db.reading() as session:
        feedback = session.exec(select(Feedback)).one()
    assert (feedback.reasons, feedback.comment) == (["a:clear", "b:inaccurate"], "좋아요")


def assert_refused(answer: httpx.Response, status: int, stage: Stage, path: str, state: str = "votable") -> None:
    """Refused with its status and a whole page that says why, and nothing was stored."""
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert "<h1" in answer.text
    assert rows(stage, Vote) == rows(stage, Feedback) == 0
    assert stage.battle(path).state == state


def test_a_vote_before_both_answers_ended_is_refused(stage: Stage, minji: Citizen, team: Endpoint) -> None:
    team.default = mute
    path = minji.ask()
    assert_refused(minji.vote(path), 409, stage, path, "streaming")


def test_a_vote_on_another_voters_battle_finds_nothing(stage: Stage, minji: Citizen, junho: Citizen) -> None:
    path = votable(minji)
    votable(junho)
    assert_refused(junho.vote(path), 404, stage, path)


def test_a_vote_on_a_battle_that_does_not_exist_finds_nothing(stage: Stage, minji: Citizen) -> None:
    path = votable(minji)
    assert_refused(minji.vote("/battles/" + "0" * 32), 404, stage, path)
    assert_refused(minji.vote("/battles/'; DROP TABLE vote"), 404, stage, path)


def test_a_vote_after_the_round_closed_is_refused(stage: Stage, minji: Citizen) -> None:
    path, csrf = votable(minji), minji.csrf()
    stage.db.writing(lambda session: close_round(session, "stage-1", KEY, now()))
    answer = minji.vote(path, csrf=csrf)
    assert_refused(answer, 409, stage, path, "expired")


def test_a_vote_after_the_rounds_closing_time_is_refused(stage: Stage, minji: Citizen) -> None:
    path, csrf = votable(minji), minji.csrf()

    def end(session: Session) -> None:
        round_ = session.get_one(Round, stage.battle(path).round_id)
        round_.closes_at = now()
        session.add(round_)

    stage.db.writing(end)
    assert_refused(minji.vote(path, csrf=csrf), 409, stage, path)


@pytest.mark.parametrize("choice", ["", "c", "A", "a\0", "tie ", "both-bad", "a' OR 1=1"])
def test_an_unknown_choice_is_refused(stage: Stage, minji: Citizen, choice: str) -> None:
    path = votable(minji)
    assert_refused(minji.vote(path, choice), 422, stage, path)


def test_an_unknown_reason_is_refused_and_the_vote_with_it(stage: Stage, minji: Citizen) -> None:
    path = votable(minji)
    assert_refused(minji.vote(path, reasons=["c:clear"]), 422, stage, path)


@pytest.mark.parametrize("token", ["", "forged", "another's"])
def test_a_missing_or_forged_token_is_refused(stage: Stage, minji: Citizen, junho: Citizen, token: str) -> None:
    path = votable(minji)
    assert_refused(minji.vote(path, csrf=junho.csrf() if token == "another's" else token), 403, stage, path)


def test_a_form_without_a_token_is_refused(stage: Stage, minji: Citizen) -> None:
    path = votable(minji)
    answer = minji.http.post(f"{path}/vote", data={"choice": "a"}, headers={"Origin": minji.origin})
    assert_refused(answer, 403, stage, path)


def test_a_forged_cookie_is_a_strangers(stage: Stage, minji: Citizen, junho: Citizen) -> None:
    path = votable(minji)
    cookie = minji.http.cookies["arena_visitor"]
    junho.http.cookies.set("arena_visitor", cookie.partition(".")[0] + ".forged")
    assert junho.http.get(path).status_code == 404
    assert_refused(junho.vote(path), 404, stage, path)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1.evil.example:80"]
)
def test_a_foreign_origin_is_refused(stage: Stage, minji: Citizen, origin: str) -> None:
    path = votable(minji)
    answer = minji.post(f"{path}/vote", headers={"Origin": origin}, choice="a")
    assert_refused(answer, 403, stage, path)


def test_a_missing_origin_is_refused_unless_the_referer_is_our_own(stage: Stage, minji: Citizen) -> None:
    path = votable(minji)
    form = {"choice": "a", "csrf": minji.csrf()}
    assert_refused(minji.http.post(f"{path}/vote", data=form), 403, stage, path)
    foreign = {"Referer": "https://evil.example/" + minji.origin}
    assert_refused(minji.http.post(f"{path}/vote", data=form, headers=foreign), 403, stage, path)
    own = {"Referer": minji.origin + path}
    assert minji.http.post(f"{path}/vote", data=form, headers=own).status_code == 303


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
def test_a_body_that_is_too_large_is_refused(stage: Stage, minji: Citizen, chunked: bool) -> None:
    path, csrf = votable(minji), minji.csrf()
    body = f"csrf={csrf}&choice=a&comment={'x' * 100_000}".encode()
    headers = {"Origin": minji.origin, "Content-Type": "application/x-www-form-urlencoded"}
    pieces = iter([body[i : i + 8192] for i in range(0, len(body), 8192)])
    answer = minji.http.post(f"{path}/vote", content=pieces if chunked else body, headers=headers)
    assert_refused(answer, 413, stage, path)


def test_without_consent_the_question_is_kept_and_nothing_is_stored(
    stage: Stage, minji: Citizen, team: Endpoint
) -> None:
    for ticked in ([], ["publish"]):
        answer = minji.post("/battles", prompt="<기억해> 주세요", consent=ticked)
        assert answer.status_code == 422
        assert "&lt;기억해&gt; 주세요</textarea>" in answer.text
        assert 'value="participate"' in answer.text
    assert (rows(stage, Battle), rows(stage, Voter), rows(stage, Consent), team.asked) == (0, 0, 0, [])


@pytest.mark.parametrize("publish", [False, True])
def test_the_second_tick_is_the_voters_choice(stage: Stage, minji: Citizen, publish: bool) -> None:
    ticked = ["participate", "publish"] if publish else ["participate"]
    assert minji.post("/battles", prompt="안녕?", consent=ticked).status_code == 303
    with stage.db.reading() as session:
        assert session.exec(select(Consent)).one().publish is publish
    assert 'name="consent"' not in minji.http.get("/").text


def test_the_voters_address_is_stored_nowhere(sqlite_url: str, team: Endpoint, tmp_path: Path) -> None:
    address = "127.83.51.97"
    db = Database(sqlite_url)
    open_round(db, round_file(team.origin))
    db.close()
    with arena_command(tmp_path / "log", "serve", settings=settings_for(sqlite_url)) as served:
        minji = Citizen(served.origin)
        minji.http = httpx.Client(
            base_url=served.origin,
            transport=httpx.HTTPTransport(local_address=address),
            headers={"X-Forwarded-For": "203.0.113.77", "Forwarded": "for=203.0.113.77"},
            timeout=30,
        )
        minji.battle()
        assert minji.vote("/battles/" + "0" * 32).status_code == 404
        assert minji.post("/battles", csrf="forged").status_code == 403
        minji.close()
        written = {file: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}
    assert b'"route": "vote"' in written[tmp_path / "log"]
    for file, data in written.items():
        for found in (address.encode(), b"203.0.113.77", bytes(map(int, address.split(".")))):
            assert found not in data, (file, found)
        assert "김치찌개".encode() not in data or file.name != "log"
