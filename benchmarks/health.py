"""How long `/healthz` takes while battles stream, or wait for slow endpoints."""

import asyncio

from benchmarks.control import Control
from benchmarks.endpoint import Config
from benchmarks.load import ARRIVALS_A_SECOND, Citizen, Crowd, probe
from benchmarks.processes import Server
from benchmarks.readers import Meter
from benchmarks.relay import answers_for, full_battles


async def beside_streaming(server: Server, control: Control, battles: int, window_s: float) -> list[float]:
    await control.configure(answers_for(battles, window_s))
    crowd = Crowd(battles)
    async with crowd.opened(await full_battles(server.origin, battles)):
        took = await probe(server.origin, "/healthz", window_s)
        crowd.check_all_open()
    return took


async def beside_waiting(server: Server, control: Control, battles: int, window_s: float) -> list[float]:
    """No endpoint has said anything yet while `/healthz` is asked; the citizens then leave."""
    arrivals_s = battles / ARRIVALS_A_SECOND
    await control.configure(Config(first_s=arrivals_s + window_s + 10))
    citizens = [Citizen(server.origin, number) for number in range(battles)]

    async def wait(number: int) -> None:
        await asyncio.sleep(number / ARRIVALS_A_SECOND)
        await citizens[number].ask()
        await citizens[number].watch(Meter())

    for citizen in citizens:
        await citizen.arrive()
    waiting = [asyncio.create_task(wait(number)) for number in range(battles)]
    try:
        await asyncio.sleep(arrivals_s + 1)
        took = await probe(server.origin, "/healthz", window_s)
        for task in waiting:
            if task.done():
                await task
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        for citizen in citizens:
            citizen.leave()
    return took
