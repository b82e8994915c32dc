"""The event stream's response: plain ASGI, as it is the hot path."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

FOLLOW_EVERY_S = 1.0


class Source(Protocol):
    """Where a stream's bytes come from."""

    async def take(self) -> bytes:
        """The next bytes; empty at the end."""
        ...


class EventStream(Response):
    """Sends what the source gives until it ends or the reader leaves; then calls `leave`."""

    media_type = "text/event-stream"

    def __init__(self, source: Source, leave: Callable[[], None] = lambda: None) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._source = source
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sending = asyncio.create_task(self._send(send))
        leaving = asyncio.create_task(_disconnected(receive))
        stopping = False
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            stopping = True
        finally:
            self._leave()
            for task in (sending, leaving):
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await sending
        if stopping:  # the server ends, and the answer with it, in good order: its reader comes back
            await send({"type": "http.response.body", "body": b""})

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while data := await self._source.take():
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Follower:
    """Follows a turn that another process streams, by what that one saves."""

    def __init__(self, first: bytes, state: Callable[[], Awaitable[tuple[bool, bytes]]]) -> None:
        self._first = first
        self._sent = first
        self._state = state
        self._over = False

    async def take(self) -> bytes:
        data, self._first = self._first, b""
        while not data and not self._over:
            await asyncio.sleep(FOLLOW_EVERY_S)
            self._over, data = await self._state()
            if data == self._sent:
                data = b""
        self._sent = data
        return data


class Replay:
    """A stream that is over at once."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def take(self) -> bytes:
        data, self._data = self._data, b""
        return data
