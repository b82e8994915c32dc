"""The only file that speaks to endpoints: OpenAI-compatible streaming, rebuilt from the content alone.

Nothing but `choices[0].delta.content` comes out of here: no header, id, model name, usage, error text or chunk
boundary of an endpoint reaches a page. What went wrong is one of `Ending`'s names, for operators and teams.
"""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from arena.rounds.rules import AnswerRules, Deadlines

Ending = Literal[
    "complete",
    "length",
    "stopped",
    "unreachable",
    "refused",
    "not_a_stream",
    "broken_stream",
    "cut_off",
    "empty",
    "no_first_token",
    "idle",
    "too_slow",
    "too_long",
]
GOOD: frozenset[str] = frozenset({"complete", "length"})

LINE_LIMIT = 1 << 20
ANSWER_LIMIT = 1 << 18
REST_S = 0.05
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\N{REPLACEMENT CHARACTER}") | {0: None}


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


class BadStreamError(Exception):
    """The endpoint's stream ended in the named way."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending: Ending = ending


class Gateway:
    """One HTTP client for the whole process; connections are kept and reused. Use it in one event loop."""

    def __init__(self) -> None:
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(client=_session),
            timeout=httpx.Timeout(None, connect=10),
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
            headers={"User-Agent": "python-httpx", "Accept-Encoding": "identity"},
        )

    async def stream(
        self,
        endpoint: Endpoint,
        messages: Sequence[Message],
        answer: AnswerRules,
        deadlines: Deadlines,
        feed: Callable[[str], None],
    ) -> Ending:
        """Asks for one answer and hands each piece of its text to `feed`; returns how it ended.

        Never raises for what an endpoint does; cancelling it closes the connection.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + deadlines.total_s
        due = min(loop.time() + deadlines.first_token_s, end)
        begun = False
        looking: asyncio.TimerHandle

        def fed(text: str) -> None:
            nonlocal begun, due
            begun = True
            due = min(loop.time() + deadlines.idle_s, end)
            feed(text)

        def look() -> None:
            """Moving a timer with every token costs more than looking again when it has run out."""
            nonlocal looking
            if loop.time() >= due:
                timer.reschedule(loop.time())
            else:
                looking = loop.call_at(due, look)

        looking = loop.call_at(due, look)
        timer = asyncio.timeout(None)
        try:
            async with timer:
                return await self._attempt(endpoint, _body(endpoint, messages, answer), fed)
        except TimeoutError:
            if loop.time() >= end:
                return "too_slow"
            return "idle" if begun else "no_first_token"
        except BadStreamError as error:
            return error.ending
        except (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError):
            return "cut_off" if begun else "unreachable"
        finally:
            looking.cancel()

    async def _attempt(self, endpoint: Endpoint, body: dict[str, Any], feed: Callable[[str], None]) -> Ending:
        key = os.environ.get(endpoint.api_key_env) if endpoint.api_key_env else None
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = endpoint.base_url + "/chat/completions"
        async with self._client.stream("POST", url, json=body, headers=headers) as response:
            if response.status_code != 200:
                raise BadStreamError("refused")
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                raise BadStreamError("not_a_stream")
            events = EventReader(feed)
            received = response.aiter_raw()
            async for data in received:
                if events.take(data):
                    await _read_rest(received)
                    break
            return events.ending()

    async def close(self) -> None:
        await self._client.aclose()


class EventReader:
    """Reads a chat completion's event stream from bytes cut anywhere, and feeds on the content."""

    def __init__(self, feed: Callable[[str], None]) -> None:
        self._feed = feed
        self._rest = b""
        self._size = 0
        self._finish: str | None = None
        self._done = False

    def take(self, data: bytes) -> bool:
        """Takes the next bytes; True when the stream has said that it is done.

        Raises BadStreamError.
        """
        *lines, rest = (self._rest + data + b"x").splitlines()  # the x keeps the last line open
        self._rest = rest[:-1]
        if len(self._rest) > LINE_LIMIT:
            raise BadStreamError("too_long")
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())
                if self._done:
                    return True
        return False

    def ending(self) -> Ending:
        """How a stream ended that the endpoint has closed or called done."""
        if not self._done and self._finish is None:
            return "cut_off" if self._size else "empty"
        if not self._size:
            return "empty"
        return "length" if self._finish == "length" else "complete"

    def _event(self, payload: bytes) -> None:
        if payload == b"[DONE]":
            self._done = True
            return
        try:
            chunk = json.loads(payload.decode(errors="replace"))
            choices = chunk["choices"]
            choice = choices[0] if choices else {}
            content = (choice.get("delta") or {}).get("content")
            self._finish = choice.get("finish_reason") or self._finish
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise BadStreamError("broken_stream") from None
        if not content:
            return
        if not isinstance(content, str):
            raise BadStreamError("broken_stream")
        self._size += len(content)
        if self._size > ANSWER_LIMIT:
            raise BadStreamError("too_long")
        self._feed(content if content.isascii() and "\0" not in content else content.translate(_SURROGATES))


async def _read_rest(received: AsyncIterator[bytes]) -> None:
    """Reads to the end of an answer that is done, for a moment: only then can its connection be reused."""
    with contextlib.suppress(TimeoutError, httpx.HTTPError, aiohttp.ClientError):
        async with asyncio.timeout(REST_S):
            async for _ in received:
                pass


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=30), cookie_jar=aiohttp.DummyCookieJar()
    )


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
