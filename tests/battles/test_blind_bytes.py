"""Before the vote no byte that reaches a voter tells which team answers."""

import json
import re
from collections.abc import Iterator

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from arena.rounds.rules import RoundFile
from tests.battles.endpoint import Answering, Endpoint, Script, endpoint, gated, mute
from tests.battles.faults import FAULTS
from tests.battles.stage import QUESTION, Stage, opened
from tests.support import RULES, Citizen, eventually

TEAMS = ("duruminara", "hwangsoro", "beodeul")
KEY = "key-of-the-teams-0123456789"


async def shouting(answer: Answering) -> None:
    """Names its team everywhere but in the answer's text."""
    name = answer.asked.body["model"]
    await answer.begin(server=name, set_cookie=f"team={name}", openai_organization=name, x_request_id=name)
    await answer.raw(f": {name}\n\nretry: 1\n\nid: {name}\n\nevent: {name}\n\n".encode())
    for text in ("같은 ", "대답", "이에요."):
        delta = {"role": name, "content": text, "reasoning_content": name, "name": name, "tool_calls": [name]}
        chunk = {"id": name, "model": name, "system_fingerprint": name, "usage": {name: 1}, "provider": name}
        await answer.raw(b"data: %b\n\n" % json.dumps(chunk | {"choices": [{"delta": delta}]}).encode())
    await answer.finish()


async def refusing(answer: Answering) -> None:
    name = answer.asked.body["model"]
    await answer.begin(f"503 {name}", "application/json", server=name)
    await answer.raw(json.dumps({"error": {"message": name}}).encode())


async def breaking(answer: Answering) -> None:
    name = answer.asked.body["model"]
    await answer.begin()
    await answer.say("같은 ")
    await answer.raw(json.dumps({"error": name}).encode())
    raise ConnectionResetError


def named_round(origin: str, **rules: object) -> RoundFile:
    return RoundFile.model_validate(
        {
            "slug": "stage-1",
            "title": {"ko": "1차 단계평가", "en": "Stage 1"},
            "rules": RULES | rules,
            "entries": [
                {
                    "team": {"ko": f"{name} 연구소", "en": f"{name.title()} Labs"},
                    "model": f"{name}-large",
                    "base_url": f"{origin}/{name}/v1",
                    "aliases": [f"{name}-bot"],
                    "api_key_env": "TEAMS_KEY",
                    "extra_body": {"tag": name},
                }
                for name in TEAMS
            ],
        }
    )


@pytest.fixture
def team(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    monkeypatch.setenv("TEAMS_KEY", KEY)
    with endpoint(shouting) as played:
        yield played


@pytest.fixture
def stage(sqlite_url: str, team: Endpoint) -> Iterator[Stage]:
    with opened(sqlite_url, named_round(team.origin)) as found:
        yield found


class Tapped:
    """A citizen, and every byte that reached them."""

    def __init__(self, citizen: Citizen) -> None:
        self.citizen = citizen
        self.bytes = b""
        citizen.http.event_hooks = {"response": [self._take]}

    def _take(self, response: httpx.Response) -> None:
        for name, value in response.headers.raw:
            self.bytes += name + b": " + value + b"\n"
        self.bytes += response.reason_phrase.encode() + b"\n" + response.read() + b"\n"

    def assert_blind(self, team: Endpoint) -> None:
        told = self.bytes.decode().lower()
        port = team.origin.rpartition(":")[2]
        for secret in (*TEAMS, f":{port}", KEY, "hanbit", "chatcmpl", "fingerprint", "reasoning"):
            assert secret not in told, secret


def stream(citizen: Citizen, path: str, turn: int = 1) -> str:
    return citizen.http.get(f"{path}/turns/{turn}/stream").text


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_whole_battle_up_to_the_vote_names_nobody(stage: Stage, team: Endpoint, language: str) -> None:
    minji = stage.citizen()
    minji.http.headers["Accept-Language"] = language
    tapped = Tapped(minji)
    path = minji.ask()
    for turn in (1, 2):
        assert "event:done\ndata:complete" in stream(minji, path, turn)
        assert "같은 대답이에요." in minji.http.get(path).text
        minji.http.get(path, headers={"HX-Request": "true"})
        if turn == 1:
            assert minji.post(f"{path}/turns", prompt="또?").status_code == 303
    assert minji.vote(path, "none").status_code == 422
    assert minji.vote(path, csrf="forged").status_code == 403
    assert minji.vote("/battles/" + "0" * 32).status_code == 404
    assert minji.vote(path, headers={"Origin": "https://evil.example"}).status_code == 403
    assert len({asked.team for asked in team.asked}) == 2
    tapped.assert_blind(team)


@pytest.mark.parametrize(
    "script", [refusing, breaking, mute, FAULTS["HTML"][0], FAULTS["error as event"][0], FAULTS["redirect"][0]]
)
def test_a_failed_battle_names_nobody(sqlite_url: str, team: Endpoint, script: Script) -> None:
    team.default = script
    deadlines = {"first_token_s": 0.3, "idle_s": 0.3, "total_s": 5}
    with opened(sqlite_url, named_round(team.origin, deadlines=deadlines)) as stage:
        minji = stage.citizen()
        tapped = Tapped(minji)
        path = minji.ask()
        assert "event:done\ndata:failed" in stream(minji, path)
        assert QUESTION in minji.http.get(path).text
        assert minji.vote(path).status_code == 409
        tapped.assert_blind(team)


def test_a_stopped_battle_names_nobody(stage: Stage, team: Endpoint) -> None:
    team.default = gated("여기까지", "끝")
    minji = stage.citizen()
    tapped = Tapped(minji)
    path = minji.ask()
    assert eventually(lambda: team.active == 2)
    assert minji.post(f"{path}/turns/1/stop").status_code == 303
    assert minji.http.get(path).status_code == 200
    stream(minji, path)
    tapped.assert_blind(team)


@pytest.mark.parametrize(("reveal", "named"), [("after_vote", True), ("after_close", False), ("never", False)])
def test_names_come_with_the_vote_where_the_rules_say_so(
    sqlite_url: str, team: Endpoint, reveal: str, named: bool
) -> None:
    with opened(sqlite_url, named_round(team.origin, reveal=reveal)) as stage:
        minji = stage.citizen()
        tapped = Tapped(minji)
        path = minji.ask()
        stream(minji, path)
        minji.http.get(path)
        tapped.assert_blind(team)
        thanks = minji.vote(path, headers={"HX-Request": "true"})
        assert thanks.status_code == 200
        for page in (thanks.text, minji.http.get(path).text):
            assert any(name in page.lower() for name in TEAMS) is named
        if not named:
            tapped.assert_blind(team)


def test_pages_and_headers_are_the_same_whoever_answers(stage: Stage, team: Endpoint) -> None:
    pairs, told = set(), set()
    for _ in range(8):
        citizen = stage.citizen()
        path = citizen.ask()
        assert "event:done\ndata:complete" in stream(citizen, path)
        page = citizen.http.get(path)
        battle = stage.battle(path)
        pairs.add((battle.entry_a, battle.entry_b))
        headers = {name: value for name, value in page.headers.items() if name not in ("date", "x-request-id")}
        told.add((str(headers), re.sub(r'[0-9a-f]{32}|value="[\w-]{43}"', "", page.text)))
    assert len(pairs) > 1
    assert len(told) == 1


def test_the_replayed_stream_is_the_same_whoever_answers(stage: Stage) -> None:
    replays = set()
    for _ in range(4):
        citizen = stage.citizen()
        path = citizen.ask()
        stream(citizen, path)
        replays.add(stream(citizen, path))
    assert len(replays) == 1


def test_the_metrics_have_no_label_by_which_an_entry_could_be_told(stage: Stage, team: Endpoint) -> None:
    minji = stage.citizen()
    minji.battle()
    team.default = refusing
    path = minji.ask("다른 질문이에요")
    assert "event:done\ndata:failed" in stream(minji, path)
    tapped = Tapped(minji)
    text = minji.http.get("/metrics").text
    tapped.assert_blind(team)
    labels: set[str] = set()
    for family in text_string_to_metric_families(text):
        if family.name.startswith("arena_"):
            labels |= {name for sample in family.samples for name in sample.labels}
    assert labels <= {"method", "route", "status", "le", "category"}  # of prompts that were refused
    assert path.split("/")[2] not in text
