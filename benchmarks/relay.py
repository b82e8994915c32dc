"""The relay: CPU a token, delays, bytes and memory while a number of battles stream at once."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from benchmarks.client import BenchmarkError
from benchmarks.control import Control
from benchmarks.endpoint import Config
from benchmarks.load import ARRIVALS_A_SECOND, Citizen, Crowd, watch_upstream
from benchmarks.processes import Server
from benchmarks.readers import Meter

RATE = 30.0
FIRST_S = 1.2  # after the common start, so that what is added is the relay's own
_SETTLE_S = 0.3
_MARGIN_S = 3.0
_WARM_UPS = 5

Battle = Callable[[int, Crowd], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One run with `battles` open. Times in seconds, memory in bytes.

    `cpu_s_a_token` and `cpu_share` are about the window in which every battle streamed; `first_added` and
    `later_added` are about the whole run, arrivals, page loads and votes included.
    """

    battles: int
    cpu_s_a_token: float
    cpu_share: float
    first_added: list[float]
    later_added: list[float]
    bytes_a_text_byte: float
    rss_base: int
    rss_a_battle: float


def answers_for(battles: int, window_s: float) -> Config:
    """Answers long enough that all battles are open together for the window."""
    seconds = battles / ARRIVALS_A_SECOND + window_s + _MARGIN_S
    return Config(RATE, FIRST_S, int(RATE * seconds))


async def full_battles(origin: str, count: int) -> Battle:
    """Citizens who have already opened the landing page; each asks, reads both answers, and votes."""
    citizens = [Citizen(origin, number) for number in range(count)]
    for citizen in citizens:
        await citizen.arrive()

    async def battle(number: int, crowd: Crowd) -> None:
        citizen = citizens[number]
        try:
            await citizen.ask()
            await citizen.watch(crowd.meter, crowd.visible)
            await citizen.look()
            await citizen.vote()
        finally:
            citizen.leave()

    return battle


def plain_streams(origin: str) -> Battle:
    """Clients that read two streams a battle straight from an OpenAI-compatible server."""

    async def battle(number: int, crowd: Crowd) -> None:
        await watch_upstream(origin, number, crowd.meter, crowd.visible)

    return battle


async def warm_up(server: Server, control: Control) -> None:
    """A few whole battles, so that lazy imports, templates and caches count as base and not as load."""
    await control.configure(Config(rate=0, first_s=0, tokens=100))
    for _ in range(_WARM_UPS):
        citizen = Citizen(server.origin)
        await citizen.arrive()
        await citizen.ask()
        await citizen.watch(Meter())
        await citizen.look()
        await citizen.vote()
        citizen.leave()


async def measure(server: Server, control: Control, battle: Battle, battles: int, window_s: float) -> Sample:
    """Raises BenchmarkError when a stamped word got lost, or an answer ended before the window did."""
    await control.configure(answers_for(battles, window_s))
    crowd = Crowd(battles)
    rss_base = server.rss()
    before = await control.stats()
    async with crowd.opened(battle):
        await asyncio.sleep(_SETTLE_S)
        cpu, tokens, began = server.cpu_s(), (await control.stats()).tokens, time.monotonic()
        await asyncio.sleep(window_s)
        cpu = server.cpu_s() - cpu
        tokens = (await control.stats()).tokens - tokens
        took = time.monotonic() - began
        rss_open = server.rss()
        crowd.check_all_open()
    after = await control.stats()
    if crowd.meter.stamps != after.stamps - before.stamps:
        raise BenchmarkError(f"{after.stamps - before.stamps} stamps were sent, {crowd.meter.stamps} arrived")
    return Sample(
        battles,
        cpu / tokens,
        cpu / took,
        crowd.meter.first_added,
        crowd.meter.later_added,
        crowd.meter.stream_bytes / (after.text_bytes - before.text_bytes),
        rss_base,
        (rss_open - rss_base) / battles,
    )
