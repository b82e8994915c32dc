"""A team's endpoint behind a real socket that follows a script: well-behaved, or faulty in a named way.

The first segment of the path names the team, so `{origin}/slow/v1` is answered by the script of "slow", and a
name without one by `default`. Scripts run in a thread of their own; tests see what was asked and what was cut off.
"""

import asyncio
import json
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

COMPANY = "Hanbit Intelligence"
SYLLABLES = "한글은 자음과 모음이 모여 소리가 돼요."
END = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in; header names in lower case."""

    team: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    connection: int


class Answering:
    """One request's answer on its way; each `raw` is one chunk of HTTP's own."""

    def __init__(self, asked: Asked, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        self.asked = asked
        self.gate = gate
        self._writer = writer

    async def begin(
        self, status: str = "200 OK", kind: str = "text/event-stream; charset=utf-8", **headers: str
    ) -> None:
        lines = [f"HTTP/1.1 {status}", f"content-type: {kind}", "transfer-encoding: chunked"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        await self.wire("\r\n".join([*lines, "", ""]).encode())

    async def raw(self, data: bytes) -> None:
        await self.wire(b"%x\r\n%b\r\n" % (len(data), data))

    async def wire(self, data: bytes) -> None:
        """Bytes as they are, HTTP or not."""
        self._writer.write(data)
        await self._writer.drain()

    async def chunk(self, delta: Mapping[str, Any], finish: str | None = None) -> None:
        await self.raw(event(delta, finish))

    async def say(self, *texts: str) -> None:
        for text in texts:
            await self.chunk({"content": text})

    async def finish(self, reason: str = "stop") -> None:
        await self.chunk({}, reason)
        await self.raw(END)

    async def end(self) -> None:
        await self.wire(b"0\r\n\r\n")

    async def leave(self) -> None:
        """Says no more on this connection, whatever HTTP asks for."""
        self._writer.write_eof()
        await self.hang()

    async def hang(self) -> None:
        await asyncio.Event().wait()


Script = Callable[[Answering], Awaitable[None]]


def event(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    """One chat completion chunk as an event, full of what must not pass through."""
    chunk = {
        "id": "chatcmpl-hanbit-1",
        "object": "chat.completion.chunk",
        "model": COMPANY,
        "system_fingerprint": "fp_hanbit",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": {"completion_tokens": 7},
    }
    return b"data: %b\n\n" % json.dumps(chunk, ensure_ascii=False).encode()


def saying(*texts: str) -> Script:
    """Answers with these pieces and ends well."""

    async def script(answer: Answering) -> None:
        await answer.begin(openai_organization=COMPANY)
        await answer.chunk({"role": "assistant", "content": ""})
        await answer.say(*texts)
        await answer.finish()

    return script


def gated(before: str, after: str) -> Script:
    """Says `before`, waits for `Endpoint.open_gate`, says `after` and ends well."""

    async def script(answer: Answering) -> None:
        await answer.begin()
        if before:
            await answer.say(before)
        await answer.gate.wait()
        await answer.say(after)
        await answer.finish()

    return script


def status(line: str, **headers: str) -> Script:
    """Refuses with a body that names a company."""

    async def script(answer: Answering) -> None:
        await answer.begin(line, "application/json", **headers)
        await answer.raw(json.dumps({"error": {"message": f"{COMPANY}: {line}"}}).encode())

    return script


def sending(data: bytes, *, kind: str = "text/event-stream") -> Script:
    """Sends these bytes as one chunk and closes the answer as HTTP asks."""

    async def script(answer: Answering) -> None:
        await answer.begin(kind=kind)
        await answer.raw(data)

    return script


def content(escaped: bytes) -> bytes:
    """An event whose content is written as JSON already."""
    return b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n' % escaped


async def mute(answer: Answering) -> None:
    """Accepts and says nothing, not even a status."""
    await answer.hang()


@dataclass
class Endpoint:
    """Counts are of answers: `begun`, of those `cut` by the other side, and `active` at this moment."""

    origin: str = ""
    default: Script = field(default_factory=lambda: saying("안녕하세요, ", "반가워요."))
    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    cut: int = 0
    active: int = 0
    _loop: asyncio.AbstractEventLoop | None = None
    _gate: asyncio.Event = field(default_factory=asyncio.Event)

    def open_gate(self) -> None:
        """Lets every answer go on that waits at its gate, and all later ones pass."""
        assert self._loop
        self._loop.call_soon_threadsafe(self._gate.set)

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number, ahead = self.connections, b""
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    head = ahead + await reader.readuntil(b"\r\n\r\n")
                    ahead = await self._answer(await _request(head, reader, number), reader, writer)
        finally:
            writer.transport.abort()

    async def _answer(self, asked: Asked, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Plays the script; returns bytes of the next request that came meanwhile."""
        self.asked.append(asked)
        self.active += 1
        answering = Answering(asked, writer, self._gate)
        playing = asyncio.ensure_future(self.scripts.get(asked.team, self.default)(answering))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not playing.done():
                self.cut += 1
                raise ConnectionResetError
            await playing
            await answering.end()
            return leaving.result() if leaving.done() else b""
        finally:
            self.active -= 1
            for task in (playing, leaving):
                task.cancel()
            await asyncio.wait((playing, leaving))


async def _request(head: bytes, reader: asyncio.StreamReader, connection: int) -> Asked:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    path = first.split(" ")[1]
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))))
    return Asked(path.split("/")[1], path, headers, body, connection)


@contextmanager
def endpoint(
    default: Script | None = None, *, tls: ssl.SSLContext | None = None, **scripts: Script
) -> Iterator[Endpoint]:
    """Runs an endpoint on a free port of the loopback interface while the block runs."""
    played = Endpoint(scripts=scripts)
    if default:
        played.default = default
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        played._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(played.serve_connection, "127.0.0.1", 0, backlog=1024, ssl=tls)
        played.origin = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="endpoint")
    thread.start()
    try:
        assert ready.wait(10)
        yield played
    finally:
        assert played._loop
        played._loop.call_soon_threadsafe(stop.set)
        thread.join()
