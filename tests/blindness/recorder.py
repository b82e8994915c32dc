"""Voters' browsers on raw sockets: every byte that reaches them before the vote, and when."""

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from httptools import HttpResponseParser

CHOICES = ("a", "b", "tie", "both_bad")
QUESTION = "저녁으로 무엇을 어떻게 만들면 좋을까요?"
FORM = {"content-type": "application/x-www-form-urlencoded"}
BY_SCRIPT = {"hx-request": "true"}


class Exchange:
    """A request and its answer; `pieces` are what single reads from the socket gave. Times in seconds."""

    def __init__(self, step: str, sent_s: float) -> None:
        self.step = step
        self.sent_s = sent_s
        self.pieces: list[tuple[float, bytes]] = []
        self.status = 0
        self.headers: list[tuple[str, str]] = []
        self.bodies: list[tuple[float, bytes]] = []
        self.complete = False
        self._parser = HttpResponseParser(self)

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data in self.bodies)

    @property
    def head_size(self) -> int:
        return b"".join(data for _, data in self.pieces).index(b"\r\n\r\n")

    def header(self, name: str) -> str:
        return next(value for known, value in self.headers if known == name)

    def take(self, at_s: float, data: bytes) -> None:
        self.pieces.append((at_s, data))
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode(), value.decode()))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        self.bodies.append((self.pieces[-1][0], data))

    def on_message_complete(self) -> None:
        self.complete = True

    def events(self) -> list[tuple[float, str, str]]:
        """An event stream's events: when each was whole, its name and its data."""
        found, rest = [], b""
        for at_s, data in self.bodies:
            *whole, rest = (rest + data).split(b"\n\n")
            found += [(at_s, *_event(block.decode())) for block in whole if not block.startswith(b":")]
        return found


def _event(block: str) -> tuple[str, str]:
    fields = dict(line.split(":", 1) for line in block.split("\n"))
    return fields.get("event", "message"), fields["data"]


class Browser:
    """One visitor's browser: one connection, and the cookies it was given."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, origin: str) -> None:
        self._reader = reader
        self._writer = writer
        self._origin = origin
        self._cookies: dict[str, str] = {}
        self._clock = asyncio.get_running_loop().time

    async def get(self, step: str, path: str, headers: dict[str, str] | None = None) -> Exchange:
        return await self._fetch(step, f"GET {path}", headers or {}, b"")

    async def post(self, step: str, path: str, **form: str) -> Exchange:
        body = urlencode(form).encode()
        headers = {"origin": self._origin, "content-length": str(len(body))} | FORM
        return await self._fetch(step, f"POST {path}", headers, body)

    async def _fetch(self, step: str, ask: str, headers: dict[str, str], body: bytes) -> Exchange:
        exchange = Exchange(step, self._clock())
        self._writer.write(self._head(ask, headers) + body)
        while not exchange.complete:
            data = await self._reader.read(1 << 20)
            assert data, f"the connection ended during {ask}"
            exchange.take(self._clock(), data)
        self._cookies |= dict(_cookie(value) for name, value in exchange.headers if name == "set-cookie")
        return exchange

    def _head(self, ask: str, headers: dict[str, str]) -> bytes:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        sent = {"host": urlsplit(self._origin).netloc, "accept-language": "ko", "cookie": cookies} | headers
        lines = [f"{ask} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        return "\r\n".join([*lines, "", ""]).encode()


@asynccontextmanager
async def browsing(origin: str) -> AsyncIterator[Browser]:
    host = urlsplit(origin)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    yield Browser(reader, writer, origin)
    writer.close()
    await writer.wait_closed()


def _cookie(value: str) -> tuple[str, str]:
    name, _, content = value.partition(";")[0].partition("=")
    return name, content


@dataclass(frozen=True, slots=True)
class Recording:
    """All that one battle sent to its voter before the vote, in order; `votable` unless it failed."""

    voter: int
    battle: str
    votable: bool
    exchanges: list[Exchange]

    def step(self, name: str) -> Exchange:
        return next(exchange for exchange in self.exchanges if exchange.step == name)


@dataclass(frozen=True, slots=True)
class Voter:
    """Asks until so many battles could be voted on; keeps what came before each vote."""

    number: int
    browser: Browser
    chance: random.Random
    recordings: list[Recording] = field(default_factory=list)

    async def play(self, battles: int) -> None:
        while sum(recording.votable for recording in self.recordings) < battles:
            await self._battle(f"{QUESTION} ({len(self.recordings)})")

    async def _battle(self, question: str) -> None:
        landing = await self.browser.get("landing", "/")
        csrf = _found(r'name="csrf" value="([^"]+)"', landing.body.decode())
        ask = await self.browser.post("ask", "/battles", csrf=csrf, prompt=question, consent="participate")
        path = ask.header("location")
        page = await self.browser.get("page", path)
        stream = await self.browser.get("stream", f"{path}/turns/1/stream")
        again = await self.browser.get("again", path, BY_SCRIPT)
        votable = b'id="vote"' in again.body
        steps = [landing, ask, page, stream, again]
        self.recordings.append(Recording(self.number, path.split("/")[2], votable, steps))
        if votable:
            await self._vote(path, csrf)

    async def _vote(self, path: str, csrf: str) -> None:
        voted = await self.browser.post("vote", f"{path}/vote", csrf=csrf, choice=self.chance.choice(CHOICES))
        assert voted.status == 303


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


async def record(origin: str, *, voters: int, battles: int) -> list[Recording]:
    """Many voters at the same time, each with so many battles that could be voted on, and those that failed."""
    visits = await asyncio.gather(*(_visit(origin, number, battles) for number in range(voters)))
    return [recording for recordings in visits for recording in recordings]


async def _visit(origin: str, number: int, battles: int) -> list[Recording]:
    async with browsing(origin) as browser:
        voter = Voter(number, browser, random.Random(number))
        await voter.play(battles)
    return voter.recordings


async def static_files(origin: str) -> list[Exchange]:
    """What a browser fetches for the landing page, once."""
    async with browsing(origin) as browser:
        landing = await browser.get("landing", "/")
        paths = re.findall(r'(?:href|src)="(/static/[^"]+)"', landing.body.decode())
        return [await browser.get("static", path) for path in paths]
