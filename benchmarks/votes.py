"""The vote endpoint: many voters over a proxy's few connections, alone and beside streaming battles."""

import asyncio
import time
from dataclasses import dataclass

from benchmarks.client import Connection
from benchmarks.control import Control
from benchmarks.endpoint import Config
from benchmarks.load import Citizen, Crowd
from benchmarks.processes import Server
from benchmarks.readers import Meter
from benchmarks.relay import answers_for, full_battles

CONNECTIONS = 32
_PREPARERS = 48


@dataclass(frozen=True, slots=True)
class Votes:
    """`took`: seconds each vote's request took; `seconds`: from the first to the last."""

    took: list[float]
    seconds: float

    @property
    def a_second(self) -> float:
        return len(self.took) / self.seconds


async def voters(server: Server, control: Control, count: int) -> list[Citizen]:
    """Citizens whose battle is votable, made through the public pages with endpoints that answer at once."""
    await control.configure(Config(rate=0, first_s=0, tokens=5))
    citizens = [Citizen(server.origin) for _ in range(count)]
    queue = iter(citizens)

    async def prepare() -> None:
        for citizen in queue:
            await citizen.arrive()
            await citizen.ask()
            await citizen.watch(Meter())
            await citizen.look()
            citizen.leave()

    await asyncio.gather(*(prepare() for _ in range(_PREPARERS)))
    return citizens


async def as_fast_as_possible(server: Server, citizens: list[Citizen]) -> Votes:
    connections = [await Connection.open(server.origin) for _ in range(CONNECTIONS)]
    queue = iter(citizens)
    took: list[float] = []

    async def fire(connection: Connection) -> None:
        took.extend([await _timed_vote(citizen, connection) for citizen in queue])

    began = time.monotonic()
    await asyncio.gather(*(fire(connection) for connection in connections))
    seconds = time.monotonic() - began
    for connection in connections:
        connection.close()
    return Votes(took, seconds)


async def beside_streaming(
    server: Server, control: Control, citizens: list[Citizen], battles: int, votes_a_second: float
) -> Votes:
    """Votes at a steady pace while `battles` stream; the time counts from when a vote was due."""
    await control.configure(answers_for(battles, len(citizens) / votes_a_second + 2))
    crowd = Crowd(battles)
    async with crowd.opened(await full_battles(server.origin, battles)):
        votes = await paced(server, citizens, votes_a_second)
        crowd.check_all_open()
    return votes


async def paced(server: Server, citizens: list[Citizen], a_second: float) -> Votes:
    """Votes at a steady pace; the time counts from when a vote was due."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.open(server.origin))

    async def one(number: int, citizen: Citizen) -> float:
        due = began + number / a_second
        await asyncio.sleep(due - time.monotonic())
        connection = await free.get()
        await citizen.vote(connection)
        free.put_nowait(connection)
        return time.monotonic() - due

    began = time.monotonic()
    took = await asyncio.gather(*(one(number, citizen) for number, citizen in enumerate(citizens)))
    seconds = time.monotonic() - began
    while not free.empty():
        free.get_nowait().close()
    return Votes(took, seconds)


async def _timed_vote(citizen: Citizen, connection: Connection) -> float:
    began = time.monotonic()
    await citizen.vote(connection)
    return time.monotonic() - began
