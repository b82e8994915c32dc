"""A whole arena whose one team does everything wrong at once, while fifty citizens compare two good answers."""

import asyncio
import logging
import re
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from arena.battles.gateway import GOOD
from arena.web.visitor import COOKIE, Visitor
from tests.battles.endpoint import Answering, endpoint, saying
from tests.battles.faults import FAULTS, UNENDING
from tests.battles.stage import FIRST, Stage, identity, staged

BESIDE = 50
BAD_AT_ONCE = 20  # all threads of the test share one core
READINGS = 50
GOOD_TEXT = "된장찌개는 멸치로 국물을 내고 두부와 애호박을 넣어요."
GOOD_NAME = "a good answer"
PLAYED = {
    **FAULTS,
    **{name: (script, ending, "") for name, (script, ending) in UNENDING.items()},
    GOOD_NAME: (saying(*GOOD_TEXT), "complete", GOOD_TEXT),
}
TELLING = re.compile("hanbit|여기까지|거짓|된장", re.IGNORECASE)


async def hostile(answer: Answering) -> None:
    """Does what the question names."""
    await PLAYED[answer.asked.body["messages"][-1]["content"]][0](answer)


@pytest.fixture
def stage(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr("arena.teams.outages.FAILURES_IN_A_ROW", len(PLAYED))
    deadlines = {"first_token_s": 16, "idle_s": 25, "total_s": 40}
    with endpoint(PLAYED[GOOD_NAME][0]) as team, staged(sqlite_url, team, pacing="raw", deadlines=deadlines) as found:
        team.scripts[FIRST] = hostile
        yield found


@dataclass(frozen=True, slots=True)
class Voter:
    """A citizen with one battle."""

    client: httpx.AsyncClient
    headers: dict[str, str]
    csrf: str

    async def battle(self, question: str) -> str:
        """Asks and reads to the end; the battle's path."""
        form = {"csrf": self.csrf, "prompt": question, "consent": ["participate"]}
        asked = await self.client.post("/battles", data=form, headers=self.headers)
        assert asked.status_code == 303, asked.text
        path: str = asked.headers["location"]
        for _ in range(READINGS):  # a reader who lags behind is sent away to come back
            if "event:done" in (await self.client.get(f"{path}/turns/1/stream", headers=self.headers)).text:
                break
        return path

    async def vote(self, path: str) -> int:
        form = {"csrf": self.csrf, "choice": "a"}
        return (await self.client.post(f"{path}/vote", data=form, headers=self.headers)).status_code


def voter(client: httpx.AsyncClient, stage: Stage) -> Voter:
    visitor, signs = Visitor(uuid.uuid4().hex, known=True), identity(stage.settings)
    headers = {"Cookie": f"{COOKIE}={signs.cookie(visitor)}", "Origin": stage.origin}
    return Voter(client, headers, signs.csrf(visitor))


def resident_mb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


async def battle_and_vote(stage: Stage, questions: list[str]) -> list[tuple[str, int]]:
    """A battle for each question, the good ones all at once; the path of each, and what became of its vote."""
    bad = asyncio.Semaphore(BAD_AT_ONCE)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=stage.origin, timeout=60, limits=limits) as client:

        async def one(question: str) -> tuple[str, int]:
            citizen = voter(client, stage)
            async with nullcontext() if question == GOOD_NAME else bad:
                path = await citizen.battle(question)
                return path, await citizen.vote(path)

        return await asyncio.gather(*map(one, questions))


def outcome(stage: Stage, path: str, voted: int) -> tuple[str, str, int, set[str]]:
    """States of turn and battle, the vote's status, and how the answers ended that are not complete."""
    endings = {answer.ending for answer in stage.answers(path) if answer.ending}
    return stage.turn(path).state, stage.battle(path).state, voted, endings - {"complete"}


def expected(ending: str) -> tuple[str, str, int, set[str]]:
    states = ("complete", "voted", 303) if ending in GOOD else ("failed", "void", 409)
    return (*states, {ending} - {"complete"})


def test_every_fault_ends_its_own_battle_and_no_other(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    names = [*reversed(PLAYED), *[GOOD_NAME] * BESIDE]  # the slowest first
    before = resident_mb()
    with capture_logs() as logged:
        results = asyncio.run(battle_and_vote(stage, names))
    for name, (path, voted) in zip(names, results, strict=True):
        _, ending, text = PLAYED[name]
        assert (name, *outcome(stage, path, voted)) == (name, *expected(ending))
        if ending in GOOD:
            assert {answer.text for answer in stage.answers(path)} == {text, GOOD_TEXT}
    assert resident_mb() - before < 100
    lines = [str(line) for line in logged] + [record.getMessage() for record in caplog.records]
    assert [line for line in lines if TELLING.search(line)] == []
    assert [line for line in logged if line["log_level"] == "error"] == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
