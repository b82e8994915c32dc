"""Two hundred battles that wait for silent endpoints hold up nothing else."""

import asyncio
import uuid
from collections.abc import Iterator

import httpx
import pytest

from arena.battles import relay
from arena.web.visitor import COOKIE, Visitor
from tests.battles.endpoint import Endpoint, endpoint, mute
from tests.battles.stage import Stage, identity, staged

BATTLES = 200


@pytest.fixture
def silent() -> Iterator[Endpoint]:
    with endpoint(mute) as played:
        yield played


@pytest.fixture
def stage(sqlite_url: str, silent: Endpoint, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(relay, "GRACE_S", 120)  # a slow machine may need longer to open two hundred streams
    deadlines = {"first_token_s": 300, "idle_s": 300, "total_s": 600}
    with staged(sqlite_url, silent, max_battles=BATTLES, deadlines=deadlines) as found:
        yield found


def form(stage: Stage, prompt: str) -> tuple[dict[str, str], dict[str, object]]:
    """A new voter's headers and first form."""
    visitor, signs = Visitor(uuid.uuid4().hex, known=True), identity(stage.settings)
    headers = {"Cookie": f"{COOKIE}={signs.cookie(visitor)}", "Origin": stage.origin}
    return headers, {"csrf": signs.csrf(visitor), "prompt": prompt, "consent": ["participate"]}


async def wait_in_battle(client: httpx.AsyncClient, stage: Stage, begun: asyncio.Semaphore) -> None:
    headers, data = form(stage, "안녕하세요?")
    asked = await client.post("/battles", data=data, headers=headers)
    assert asked.status_code == 303
    async with client.stream("GET", f"{asked.headers['location']}/turns/1/stream", headers=headers) as stream:
        assert stream.status_code == 200
        begun.release()
        async for _ in stream.aiter_raw():
            pass


async def all_begun(begun: asyncio.Semaphore) -> None:
    for _ in range(BATTLES):
        await begun.acquire()


async def assert_answers(client: httpx.AsyncClient, stage: Stage) -> None:
    for path in ["/healthz", "/readyz", "/", "/rounds/stage-1/rules", "/metrics"] * 3:
        assert (await client.get(path)).status_code == 200, path
    headers, data = form(stage, "한 사람 더 물어요")
    refused = await client.post("/battles", data=data, headers=headers)
    assert refused.status_code == 503
    assert "한 사람 더 물어요</textarea>" in refused.text


def test_everything_else_still_answers(stage: Stage, silent: Endpoint) -> None:
    async def play() -> None:
        begun = asyncio.Semaphore(0)
        # A connection each: the server may close a kept one as idle before a slow machine uses it again.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(base_url=stage.origin, limits=limits, timeout=60) as client:
            waiting = [asyncio.create_task(wait_in_battle(client, stage, begun)) for _ in range(BATTLES)]
            try:
                everyone = asyncio.create_task(all_begun(begun))
                for early in (await asyncio.wait([everyone, *waiting], return_when=asyncio.FIRST_COMPLETED))[0]:
                    early.result()
                assert everyone.done()
                await assert_answers(client, stage)
                assert silent.active == 2 * BATTLES
                assert not any(task.done() for task in waiting)
            finally:
                for task in waiting:
                    task.cancel()
                await asyncio.wait(waiting)

    asyncio.run(play())
