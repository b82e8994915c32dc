"""Sets the fake endpoint's speed and reads its counts."""

import json
from dataclasses import asdict

from benchmarks.client import BenchmarkError, Connection
from benchmarks.endpoint import Config, Stats


class Control:
    def __init__(self, connection: Connection, origin: str) -> None:
        self._connection = connection
        self._headers = {"Host": origin.removeprefix("http://")}

    @classmethod
    async def open(cls, origin: str) -> "Control":
        return cls(await Connection.open(origin), origin)

    async def configure(self, config: Config) -> None:
        body = json.dumps(asdict(config)).encode()
        answer = await self._connection.request("POST", "/config", self._headers, body)
        if answer.status != 200:
            raise BenchmarkError(f"the endpoint refused its configuration: {answer.text}")

    async def stats(self) -> Stats:
        return Stats(**json.loads((await self._connection.request("GET", "/stats", self._headers)).body))
