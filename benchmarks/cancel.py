"""Readers who leave in mid-answer: are their upstreams cut, and when?"""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.client import BenchmarkError
from benchmarks.control import Control
from benchmarks.endpoint import Config
from benchmarks.load import ARRIVALS_A_SECOND, Citizen, Crowd
from benchmarks.processes import Server
from benchmarks.relay import RATE

_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Cancelled:
    """`after`: seconds from the readers' leaving to each upstream's cut; `upstreams`: how many there were."""

    upstreams: int
    after: list[float]

    @property
    def share(self) -> float:
        return len(self.after) / self.upstreams


async def readers_leave(server: Server, control: Control, readers: int, limit_s: float) -> Cancelled:
    """All readers cut their connections at one moment; what is not cut within `limit_s` counts as never."""
    seconds = readers / ARRIVALS_A_SECOND + limit_s + 10
    await control.configure(Config(rate=RATE, tokens=int(RATE * seconds)))
    before = len((await control.stats()).aborted_at)
    citizens = [Citizen(server.origin, number) for number in range(readers)]
    for citizen in citizens:
        await citizen.arrive()
    gone = asyncio.Event()

    async def battle(number: int, crowd: Crowd) -> None:
        try:
            await citizens[number].ask()
            await citizens[number].watch(crowd.meter, crowd.visible)
        except BenchmarkError:
            if not gone.is_set():
                raise

    async with Crowd(readers).opened(battle):
        gone.set()
        left_at = time.monotonic()
        for citizen in citizens:
            citizen.leave()
        while time.monotonic() < left_at + limit_s:
            await asyncio.sleep(_POLL_S)
            cut = (await control.stats()).aborted_at[before:]
            if len(cut) == 2 * readers:
                break
    return Cancelled(2 * readers, [when - left_at for when in cut])
