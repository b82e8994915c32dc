"""A turn while it streams: readers come and go, are slow, stop it; endpoints fail; processes vanish."""

import re
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlmodel import col, update

from arena.battles import actions, relay
from arena.battles import stream as streams
from arena.battles.actions import MAX_ATTEMPTS, finish_turn
from arena.battles.column import Said
from arena.battles.queries import turn_job
from arena.battles.tables import Turn
from arena.clock import now
from tests.battles.endpoint import Endpoint, endpoint, gated, mute, saying
from tests.battles.faults import FAULTS
from tests.battles.stage import FIRST, QUESTION, SECOND, Listener, Stage, staged
from tests.support import Citizen, eventually


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint() as played:
        yield played


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "GRACE_S", 60)  # a busy machine may take a while to open a reader's stream
    monkeypatch.setattr(relay, "CHECKPOINT_S", 0.1)
    monkeypatch.setattr(streams, "FOLLOW_EVERY_S", 0.05)


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for: a turn without readers is paused at once."""
    monkeypatch.setattr(relay, "GRACE_S", 0.4)


@pytest.fixture
def stage(sqlite_url: str, team: Endpoint) -> Iterator[Stage]:
    with staged(sqlite_url, team, deadlines={"first_token_s": 10, "idle_s": 10, "total_s": 60}) as found:
        yield found


@pytest.fixture
def minji(stage: Stage) -> Citizen:
    return stage.citizen()


def waiting_turn(team: Endpoint, minji: Citizen) -> str:
    """A battle whose answers have both begun and wait at the gate."""
    team.default = gated("시작 ", "끝")
    path = minji.ask()
    assert eventually(lambda: team.active == 2)
    return path


def post(citizen: Citizen, path: str) -> int:
    return citizen.post(path).status_code


def test_both_endpoints_are_asked_at_once_and_neither_waits_for_the_other(
    team: Endpoint, stage: Stage, minji: Citizen
) -> None:
    team.default = mute
    minji.ask()
    assert eventually(lambda: team.active == 2)
    assert {asked.team for asked in team.asked} == {FIRST, SECOND}


def test_a_reader_who_joins_late_ends_with_the_same_answers(team: Endpoint, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    early = Listener(minji, path)
    assert eventually(lambda: "시작" in early.played.a and "시작" in early.played.b)
    late = Listener(minji, path)
    assert eventually(lambda: "시작" in late.played.a)
    team.open_gate()
    first, second = early.finish(), late.finish()
    assert (first.outcome, second.outcome) == ("complete", "complete")
    assert (second.a, second.b) == (first.a, first.b) == ("<p>시작 끝</p>\n",) * 2
    assert len(team.asked) == 2


@pytest.mark.usefixtures("short_grace")
def test_one_who_leaves_ends_nothing_for_another(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    leaving, staying = Listener(minji, path), Listener(minji, path)
    leaving.leave()
    alive_at = stage.turn(path).alive_at
    assert eventually(lambda: stage.turn(path).alive_at > alive_at + timedelta(seconds=2 * relay.GRACE_S))
    team.open_gate()
    assert staying.finish().outcome == "complete"
    assert team.cut == 0


@pytest.mark.usefixtures("short_grace")
def test_when_nobody_listens_both_requests_are_cut_and_the_next_reader_begins_again(
    team: Endpoint, stage: Stage, minji: Citizen
) -> None:
    path = waiting_turn(team, minji)
    reader = Listener(minji, path)
    assert eventually(lambda: "시작" in reader.played.a)
    reader.leave()
    assert eventually(lambda: team.cut == 2 and stage.turn(path).state == "paused")
    assert [answer.text for answer in stage.answers(path)] == ["시작 ", "시작 "]
    assert stage.battle(path).state == "streaming"
    pair = stage.battle(path).entry_a, stage.battle(path).entry_b
    team.open_gate()
    assert Listener(minji, path).finish().outcome == "complete"
    assert (stage.battle(path).entry_a, stage.battle(path).entry_b) == pair
    assert (stage.turn(path).attempt, len(team.asked)) == (2, 4)
    assert stage.battle(path).state == "votable"


@pytest.mark.usefixtures("short_grace")
def test_a_turn_that_nobody_ever_reads_is_cut_too(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    assert eventually(lambda: team.cut == 2 and stage.turn(path).state == "paused")


@pytest.mark.usefixtures("short_grace")
def test_a_visit_to_the_page_begins_a_paused_turn_again(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    assert eventually(lambda: stage.turn(path).state == "paused")
    team.open_gate()
    assert minji.http.get(path).status_code == 200
    assert eventually(lambda: stage.turn(path).state == "complete")
    assert stage.turn(path).attempt == 2


@pytest.mark.usefixtures("short_grace")
def test_a_paused_turn_is_begun_again_once_for_ten_readers(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    assert eventually(lambda: stage.turn(path).state == "paused")
    team.open_gate()
    readers: list[Listener] = []
    joining = [threading.Thread(target=lambda: readers.append(Listener(minji, path))) for _ in range(10)]
    for thread in joining:
        thread.start()
    for thread in joining:
        thread.join()
    assert [reader.finish().outcome for reader in readers] == ["complete"] * 10
    assert (stage.turn(path).attempt, len(team.asked)) == (2, 4)


def test_a_stopped_turn_keeps_equally_much_of_both_answers(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    team.scripts |= {FIRST: gated("가" * 900, "나"), SECOND: gated("가" * 40, "나")}
    path = minji.ask()
    reader = Listener(minji, path)
    assert eventually(lambda: reader.played.a.count("가") == 40 == reader.played.b.count("가")), reader.played
    assert post(minji, f"{path}/turns/1/stop") == 303
    assert reader.finish().outcome == "stopped"
    assert [answer.text for answer in stage.answers(path)] == ["가" * 40] * 2
    assert stage.turn(path).state == "stopped"
    assert eventually(lambda: team.cut == 2)
    assert minji.http.get(path).text.count("<p>" + "가" * 40 + "</p>") == 2
    assert minji.vote(path).status_code == 409


def test_a_stopped_turn_waits_for_its_voter_and_then_begins_again(
    team: Endpoint, stage: Stage, minji: Citizen
) -> None:
    path = waiting_turn(team, minji)
    assert post(minji, f"{path}/turns/1/stop") == 303
    assert Listener(minji, path).finish().outcome == "stopped"
    assert len(team.asked) == 2
    team.open_gate()
    assert post(minji, f"{path}/turns/1/resume") == 303
    assert Listener(minji, path).finish().outcome == "complete"
    assert stage.battle(path).state == "votable"


def test_a_stop_after_the_end_changes_nothing(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = minji.ask()
    assert minji.read(path).outcome == "complete"
    assert post(minji, f"{path}/turns/1/stop") == 303
    assert (stage.turn(path).state, stage.battle(path).state) == ("complete", "votable")


@pytest.mark.parametrize("fault", ["refused 500", "connection breaks off", "HTML", "deep JSON", "empty answer"])
def test_a_failure_of_one_side_voids_the_battle_and_the_page_offers_a_new_pair(
    team: Endpoint, stage: Stage, minji: Citizen, fault: str
) -> None:
    script, ending, _ = FAULTS[fault]
    team.scripts[FIRST] = script
    path = minji.ask()
    assert minji.read(path).outcome == "failed"
    assert stage.battle(path).state == "void"
    assert ending in [answer.ending for answer in stage.answers(path)]
    assert minji.vote(path).status_code == 409
    again = re.search(r'action="/battles".*?name="prompt" value="([^"]+)"', minji.http.get(path).text, re.DOTALL)
    assert again
    assert again[1] == QUESTION
    team.scripts.clear()
    other = minji.ask(again[1])
    assert other != path
    assert minji.read(other).outcome == "complete"
    assert (stage.battle(other).k, stage.battle(other).entry_a) == (stage.battle(path).k, stage.battle(path).entry_a)


def test_the_page_does_not_tell_which_side_failed(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    pages = []
    for failing in (FIRST, SECOND):
        team.scripts = {FIRST: saying("가" * 200), SECOND: saying("가" * 200)} | {failing: FAULTS["refused 500"][0]}
        path = minji.ask()
        assert minji.read(path).outcome == "failed"
        pages.append(minji.http.get(path).text.replace(path, ""))
    assert re.sub("[0-9a-f]{32}", "", pages[0]) == re.sub("[0-9a-f]{32}", "", pages[1])


def test_a_reader_who_takes_nothing_holds_up_nobody(team: Endpoint, sqlite_url: str) -> None:
    answer = "<&> " * 40_000
    team.default = saying(*[answer[i : i + 4000] for i in range(0, len(answer), 4000)])
    with staged(sqlite_url, team, pacing="raw") as stage, socket.socket() as slow:
        minji = stage.citizen()
        path = minji.ask()
        cookies = "; ".join(f"{name}={value}" for name, value in minji.http.cookies.items())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", urlsplit(stage.origin).port))
        slow.sendall(f"GET {path}/turns/1/stream HTTP/1.1\r\nHost: x\r\nCookie: {cookies}\r\n\r\n".encode())
        assert slow.recv(12) == b"HTTP/1.1 200"
        while (quick := Listener(minji, path).finish()).outcome is None:
            pass  # too slow a reader as well, on a busy machine: it comes back, as browsers do
        assert quick.outcome == "complete"
        assert quick.a.count("&amp;") == quick.b.count("&amp;") == 40_000
        assert minji.http.get("/healthz").status_code == 200


def test_a_turn_of_a_process_that_is_gone_begins_again(team: Endpoint, stage: Stage) -> None:
    voter, path = stage.orphan(actions.LEASE + timedelta(seconds=1))
    minji = stage.citizen(voter)
    readers = [Listener(minji, path) for _ in range(2)]
    assert [reader.finish().outcome for reader in readers] == ["complete"] * 2
    assert (stage.turn(path).attempt, len(team.asked)) == (2, 2)
    assert minji.vote(path).status_code == 303


def test_a_turn_of_another_process_is_followed_by_what_that_one_saves(team: Endpoint, stage: Stage) -> None:
    voter, path = stage.orphan(timedelta(0))
    minji = stage.citizen(voter)
    reader = Listener(minji, path)
    with stage.db.reading() as session:
        job = turn_job(session, stage.turn(path))
    said = (Said("**왼쪽**", "complete", 1, 2), Said("오른쪽", "complete", 1, 2))
    assert stage.db.writing(lambda session: finish_turn(session, job, "complete", said, now()))
    played = reader.finish()
    assert (played.a, played.b) == ("<p><strong>왼쪽</strong></p>\n", "<p>오른쪽</p>\n")
    assert (played.outcome, team.asked) == ("complete", [])


def test_a_follower_takes_over_when_the_other_process_vanishes(
    team: Endpoint, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "LEASE", timedelta(seconds=2))
    voter, path = stage.orphan(timedelta(0))
    minji = stage.citizen(voter)
    assert Listener(minji, path).finish().outcome == "paused"  # upon which the page asks for itself again
    assert minji.http.get(path).status_code == 200
    assert Listener(minji, path).finish().outcome == "complete"
    assert stage.turn(path).attempt == 2


def test_a_relay_whose_turn_was_taken_over_ends_and_saves_nothing(
    team: Endpoint, stage: Stage, minji: Citizen
) -> None:
    path = waiting_turn(team, minji)
    reader = Listener(minji, path)
    turn = stage.turn(path)
    taken = update(Turn).where(col(Turn.id) == turn.id).values(attempt=2)
    stage.db.writing(lambda session: session.execute(taken))
    reader.finish()
    assert eventually(lambda: team.cut == 2)
    assert (stage.turn(path).state, stage.turn(path).attempt) == ("streaming", 2)


@pytest.mark.usefixtures("short_grace")
def test_a_turn_begun_too_often_fails_and_voids_its_battle(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    for attempt in range(2, MAX_ATTEMPTS + 1):
        assert eventually(lambda: stage.turn(path).state == "paused")
        assert minji.http.get(path).status_code == 200
        assert stage.turn(path).attempt == attempt
    assert eventually(lambda: stage.turn(path).state == "paused")
    assert Listener(minji, path).finish().outcome == "failed"
    assert stage.battle(path).state == "void"
    assert len(team.asked) == 2 * MAX_ATTEMPTS


def test_a_follow_up_lets_each_side_hear_its_own_answers_alone(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    team.scripts |= {FIRST: saying("첫째의 답"), SECOND: saying("둘째의 답")}
    path = minji.ask("하나?")
    assert minji.read(path).outcome == "complete"
    assert minji.post(f"{path}/turns", prompt="둘?").status_code == 303
    assert minji.read(path, 2).outcome == "complete"
    heard = {asked.team: asked.body["messages"] for asked in team.asked[2:]}
    for code, answer in ((FIRST, "첫째의 답"), (SECOND, "둘째의 답")):
        assert heard[code] == [
            {"role": "user", "content": "하나?"},
            {"role": "assistant", "content": answer},
            {"role": "user", "content": "둘?"},
        ]


def test_answers_are_in_the_database_before_the_stream_says_so(team: Endpoint, stage: Stage, minji: Citizen) -> None:
    path = waiting_turn(team, minji)
    reader = Listener(minji, path)
    team.open_gate()
    assert eventually(lambda: reader.played.outcome == "complete")
    assert stage.battle(path).state == "votable"
    assert [answer.text for answer in stage.answers(path)] == ["시작 끝"] * 2
    assert all(answer.first_token_ms is not None and answer.total_ms is not None for answer in stage.answers(path))
