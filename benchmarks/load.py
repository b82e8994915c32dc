"""The load generator: citizens who have battles as browsers do, and plain clients of a pass-through proxy."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from arena.battles.pages import CONSENT_VERSION
from benchmarks.client import BenchmarkError, Connection, Response
from benchmarks.readers import ArenaReader, Meter, UpstreamReader

ARRIVALS_A_SECOND = 15.0

_CSRF = re.compile(r"<input[^>]*name=\"?csrf\"?[^>]*value=\"([^\"]+)\"")
_TAGS = re.compile(r"(<[^>]*>|\s)+")
_CHAT = "/v1/chat/completions"


def question(number: int) -> str:
    return f"한국의 사계절을 처음 오는 손님 {number}명에게 설명해 주세요."


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of the values do not exceed."""
    if not values:
        raise BenchmarkError("nothing was measured")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Citizen:
    """One voter with one browser: a cookie, a CSRF token, a connection."""

    def __init__(self, origin: str, number: int = 0) -> None:
        self.origin = origin
        self._number = number
        self.battle = ""
        self._csrf = ""
        self._cookies: dict[str, str] = {}
        self._connection: Connection | None = None

    async def arrive(self) -> None:
        """Opens the landing page; who then thinks for a while comes back on another connection."""
        self._remember_csrf(await self._call("GET", "/", expected=(200,)))
        self.leave()

    async def ask(self) -> None:
        form = {
            "prompt": question(self._number),
            "consent": "participate",
            "consent_version": CONSENT_VERSION,
            "csrf": self._csrf,
        }
        answer = await self._call("POST", "/battles", form, expected=(303,))
        self.battle = answer.header("location").rsplit("/", 1)[1]

    async def watch(self, meter: Meter, visible: Callable[[], None] | None = None) -> None:
        """Reads the first turn's stream to its end."""
        reader = ArenaReader(meter)

        def sink(data: bytes) -> None:
            was = reader.visible
            reader.feed(data, time.monotonic())
            if visible and reader.visible and not was:
                visible()

        target = f"/battles/{self.battle}/turns/1/stream"
        answer = await self._call("GET", target, sink=sink, expected=(200,))
        meter.stream_bytes += answer.wire_bytes
        if reader.outcome != "complete":
            raise BenchmarkError(f"a stream ended as {reader.outcome or 'cut off'}")

    async def look(self) -> None:
        """Loads the battle's page, as the browser does at the answers' end."""
        self._remember_csrf(await self._call("GET", f"/battles/{self.battle}", expected=(200,)))

    async def vote(self, connection: Connection | None = None) -> None:
        """Votes, over `connection` if given: many voters may share a proxy's connections."""
        form = {"choice": "a", "csrf": self._csrf}
        target = f"/battles/{self.battle}/vote"
        answer = await self._call("POST", target, form, connection, expected=(200, 303))
        if answer.status == 200 and not answer.body:
            raise BenchmarkError("a vote was answered with nothing")

    def leave(self) -> None:
        if self._connection:
            self._connection.close()
            self._connection = None

    def _remember_csrf(self, page: Response) -> None:
        found = _CSRF.search(page.text)
        if not found:
            raise BenchmarkError("the page has no form with a CSRF token: is the round open?")
        self._csrf = found[1]

    async def _call(
        self,
        method: str,
        target: str,
        form: dict[str, str] | None = None,
        connection: Connection | None = None,
        sink: Callable[[bytes], None] | None = None,
        *,
        expected: tuple[int, ...],
    ) -> Response:
        if connection is None:
            self._connection = connection = self._connection or await Connection.open(self.origin)
        body = urlencode(form).encode() if form is not None else b""
        answer = await connection.request(method, target, self._headers(method), body, sink)
        for name, value in answer.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.split(";", 1)[0]
        if answer.status not in expected:
            said = _TAGS.sub(" ", answer.text)[:300]
            raise BenchmarkError(f"{method} {target} answered {answer.status}: {said}")
        return answer

    def _headers(self, method: str) -> dict[str, str]:
        headers = {
            "Host": self.origin.removeprefix("http://"),
            "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Accept": "text/html,application/xhtml+xml,text/event-stream;q=0.9,*/*;q=0.8",
            "Accept-Language": "ko-KR,ko;q=0.9,en;q=0.7",
            "Accept-Encoding": "gzip, deflate",
            "Sec-Fetch-Site": "same-origin",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
        }
        if method == "POST":
            headers |= {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"}
        return headers


async def watch_upstream(origin: str, number: int, meter: Meter, visible: Callable[[], None]) -> None:
    """One battle's two streams, read straight from an OpenAI-compatible server or a proxy of it."""
    reader = UpstreamReader(meter)
    asked = {"model": "bench", "messages": [{"role": "user", "content": question(number)}], "stream": True}
    body = json.dumps(asked).encode()
    headers = {"Host": origin.removeprefix("http://"), "Content-Type": "application/json"}

    async def one(side: int) -> None:
        def sink(data: bytes) -> None:
            was = reader.visible
            reader.feed_side(side, data, time.monotonic())
            if reader.visible and not was:
                visible()

        connection = await Connection.open(origin)
        try:
            answer = await connection.request("POST", _CHAT, headers, body, sink)
        finally:
            connection.close()
        if answer.status != 200:
            raise BenchmarkError(f"{origin}{_CHAT} answered {answer.status}")
        meter.stream_bytes += answer.wire_bytes

    await asyncio.gather(one(0), one(1))


@dataclass(slots=True)
class Crowd:
    """Battles that begin at ARRIVALS_A_SECOND and are all open together for a while."""

    size: int
    meter: Meter = field(default_factory=Meter)
    _visible: int = 0
    _ended: bool = False
    _all_visible: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def opened(self, battle: Callable[[int, "Crowd"], Awaitable[None]]) -> AsyncIterator[None]:
        """The block runs once every battle streams; leaving it waits for their ends. Raises what one raised."""

        async def one(number: int) -> None:
            await asyncio.sleep(number / ARRIVALS_A_SECOND)
            await battle(number, self)
            self._ended = True

        battles = [asyncio.create_task(one(number)) for number in range(self.size)]
        try:
            await self._until_all_visible(battles)
            yield
            await asyncio.gather(*battles)
        finally:
            for task in battles:
                task.cancel()
            await asyncio.gather(*battles, return_exceptions=True)

    def check_all_open(self) -> None:
        """Raises BenchmarkError when a battle has ended, so that the figures are not about all of them."""
        if self._ended:
            raise BenchmarkError("a battle ended inside the measured window: give longer answers")

    async def _until_all_visible(self, battles: list[asyncio.Task[None]]) -> None:
        """Also ends, with its error, when a battle fails."""
        waiting = asyncio.create_task(self._all_visible.wait())
        try:
            while not waiting.done():
                done, _ = await asyncio.wait({waiting, *battles}, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {waiting}:
                    await task
                    raise BenchmarkError("a battle ended before all were open: give longer answers")
        finally:
            waiting.cancel()

    def visible(self) -> None:
        self._visible += 1
        if self._visible == self.size:
            self._all_visible.set()


async def probe(origin: str, target: str, seconds: float, every_s: float = 0.05) -> list[float]:
    """Seconds each GET of `target` took, asked for at a steady pace over one connection."""
    connection = await Connection.open(origin)
    took = []
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    due = loop.time()
    while due < end:
        await asyncio.sleep(due - loop.time())
        began = time.monotonic()
        answer = await connection.request("GET", target, {"Host": origin.removeprefix("http://")})
        took.append(time.monotonic() - began)
        if answer.status != 200:
            raise BenchmarkError(f"GET {target} answered {answer.status}")
        due += every_s
    connection.close()
    return took
