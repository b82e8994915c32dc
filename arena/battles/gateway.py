"""The only file that speaks to endpoints: OpenAI-compatible streaming, rebuilt from the content alone.

Nothing but `choices[0].delta.content` comes out of here: no header, id, model name, usage, error text or chunk
boundary of an endpoint reaches a page. What went wrong is one of `Ending`'s names, for operators and teams.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from arena.battles.events import BadStreamError, EventReader, StreamEnding
from arena.rounds.rules import AnswerRules, Deadlines
from arena.teams.addresses import is_admitted, is_named

Ending = (
    StreamEnding | Literal["stopped", "unreachable", "refused", "not_a_stream", "no_first_token", "idle", "too_slow"]
)
GOOD: frozenset[str] = frozenset({"complete", "length"})

CONNECT_S = 10.0
CONNECTIONS = 400
RECEIVE_BUFFER = 1 << 14  # bytes of an endpoint that are read and parsed before others have their turn
REST_S = 0.05


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an entry's model answers, and what is sent along."""

    base_url: str
    model: str
    api_key_env: str | None
    extra_body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str


class Gateway:
    """HTTP connections for the whole process; use it in one event loop.

    Answers of one entry share its connections, so that none can slip words into another's answer, or take all
    sockets. `allow` holds the networks and host names endpoints may lie in besides the public internet.
    """

    def __init__(self, allow: Sequence[str]) -> None:
        self._allow = allow
        self._tls = ssl.create_default_context()
        self._clients: dict[tuple[str, str], httpx.AsyncClient] = {}

    async def stream(
        self,
        endpoint: Endpoint,
        messages: Sequence[Message],
        answer: AnswerRules,
        deadlines: Deadlines,
        feed: Callable[[str], None],
        hidden: Callable[[str], None] | None = None,
    ) -> Ending:
        """Asks for one answer and hands each piece of its text to `feed`; returns how it ended.

        Thoughts go to `hidden`, which only an operator's test has.

        Never raises for what an endpoint does; cancelling it closes the connection.
        """
        watch = Watch(deadlines, feed)
        try:
            async with watch.running():
                return await self._attempt(
                    endpoint, _body(endpoint, messages, answer), EventReader(watch.fed, hidden)
                )
        except BadStreamError as error:
            return error.ending
        except (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, ValueError):
            return watch.failure()

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()

    async def _attempt(self, endpoint: Endpoint, body: dict[str, Any], events: EventReader) -> Ending:
        key = os.environ.get(endpoint.api_key_env) if endpoint.api_key_env else None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = endpoint.base_url + "/chat/completions"
        async with self._client(endpoint).stream("POST", url, json=body, headers=headers) as response:
            if response.status_code != 200:
                return "refused"
            if not _is_event_stream(response.headers):
                return "not_a_stream"
            return await _read(response.aiter_raw(), events)

    def _client(self, endpoint: Endpoint) -> httpx.AsyncClient:
        entry = endpoint.base_url, endpoint.model
        if entry not in self._clients:
            named = is_named(httpx.URL(endpoint.base_url).host, self._allow)
            self._clients[entry] = httpx.AsyncClient(
                transport=AiohttpTransport(verify=self._tls, client=lambda: self._session(named=named)),
                timeout=httpx.Timeout(None, connect=CONNECT_S),
                follow_redirects=False,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                trust_env=False,
                headers={"User-Agent": "python-httpx", "Accept-Encoding": "identity"},
            )
        return self._clients[entry]

    def _session(self, *, named: bool) -> aiohttp.ClientSession:
        """Hosts that the operator named may have any address; others are held to the rule as they connect."""

        def admitted_socket(info: aiohttp.AddrInfoType) -> socket.socket:
            family, kind, protocol, _, (address, *_) = info
            if not named and not is_admitted(str(address), self._allow):
                raise PermissionError
            made = socket.socket(family, kind, protocol)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            return made

        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=self._tls, limit=CONNECTIONS, ttl_dns_cache=30, socket_factory=admitted_socket
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )


class Watch:
    """Feeds an answer's text on, and ends the answer when the next piece is overdue."""

    def __init__(self, deadlines: Deadlines, feed: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._feed = feed
        self._idle_s = deadlines.idle_s
        self._end = self._loop.time() + deadlines.total_s
        self._due = min(self._loop.time() + deadlines.first_token_s, self._end)
        self._begun = False
        self._looking: asyncio.TimerHandle | None = None

    def fed(self, text: str) -> None:
        self._begun = True
        self._due = min(self._loop.time() + self._idle_s, self._end)
        self._feed(text)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Raises TimeoutError in the block when time is up."""
        try:
            async with asyncio.timeout(None) as timer:
                self._look(timer)
                yield
        finally:
            if self._looking:
                self._looking.cancel()

    def failure(self) -> Ending:
        """What it is called when an answer breaks off now."""
        now = self._loop.time()
        if now >= self._end:
            return "too_slow"
        if now >= self._due:
            return "idle" if self._begun else "no_first_token"
        return "cut_off" if self._begun else "unreachable"

    def _look(self, timer: asyncio.Timeout) -> None:
        """Moving a timer with every token costs more than looking again when it has run out."""
        if self._loop.time() >= self._due:
            timer.reschedule(self._loop.time())
        else:
            self._looking = self._loop.call_at(self._due, self._look, timer)


def _is_event_stream(headers: httpx.Headers) -> bool:
    """Compressed answers are never unpacked: a few bytes could become gigabytes."""
    kind: str = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    encoding = headers.get("Content-Encoding", "identity").lower()
    return kind == "text/event-stream" and encoding == "identity"


async def _read(received: AsyncIterator[bytes], events: EventReader) -> StreamEnding:
    async for data in received:
        if events.take(data):
            await _read_rest(received)
            break
    return events.end()


async def _read_rest(received: AsyncIterator[bytes]) -> None:
    """Reads to the end of an answer that is done, for a moment: only then can its connection be reused."""
    with contextlib.suppress(TimeoutError, httpx.HTTPError, aiohttp.ClientError):
        async with asyncio.timeout(REST_S):
            async for _ in received:
                pass


def _body(endpoint: Endpoint, messages: Sequence[Message], answer: AnswerRules) -> dict[str, Any]:
    said = [{"role": message.role, "content": message.content} for message in messages]
    if answer.system_prompt:
        said.insert(0, {"role": "system", "content": answer.system_prompt})
    return endpoint.extra_body | {
        "model": endpoint.model,
        "messages": said,
        "stream": True,
        "max_tokens": answer.max_tokens,
        "temperature": answer.temperature,
    }
