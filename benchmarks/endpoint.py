"""A fast fake OpenAI-compatible endpoint: `python -m benchmarks.endpoint [--port N]`, loopback only.

    POST .../chat/completions   with "stream": true: an answer at the set speed, cut into tokens
    GET  /stats                 counts, as JSON
    POST /config                a Config as JSON, for the streams that begin later

The same question gets the same answer: a battle's two sides then say the same at the same speed, and what a
reader waits for is the relay and not the pacing that holds the faster side back.

One heap of due times and one timer serve all streams, so that several hundred cost little. The first line on
standard output is the port.
"""

import argparse
import asyncio
import gc
import heapq
import json
import time
import zlib
from dataclasses import asdict, dataclass, field
from functools import cache, lru_cache
from typing import Any

from benchmarks.answers import VARIANTS, answer
from benchmarks.stamps import STAMP_LENGTH, stamp_now

_TICK_S = 0.0005
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
_HOLE = b"?" * STAMP_LENGTH


@dataclass(frozen=True, slots=True)
class Config:
    """Tokens a second (0: all at once), seconds to the first token, tokens an answer."""

    rate: float = 30.0
    first_s: float = 0.2
    tokens: int = 200


@dataclass(slots=True)
class Stats:
    """`tokens`, `text_bytes`, `stamps`: what was sent; `aborted_at`: monotonic times, one a cut stream."""

    opened: int = 0
    finished: int = 0
    aborted: int = 0
    tokens: int = 0
    text_bytes: int = 0
    stamps: int = 0
    aborted_at: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Piece:
    """One token's bytes on the wire; the stamp goes between `before` and `after` when `stamped`."""

    before: bytes
    after: bytes
    stamped: bool
    text_bytes: int


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-b7f29e61ad0c4c5e", "object": "chat.completion.chunk", "created": 1_796_083_200}
    chunk = json.dumps(head | {"model": "bench", "system_fingerprint": "fp_44709d6fcb", "choices": [choice]})
    return b"data: " + chunk.encode() + b"\n\n"


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@cache
def _piece(token: str | None) -> Piece:
    text = " " + _HOLE.decode() if token is None else token
    framed = _framed(_event({"content": text}))
    before, _, after = framed.partition(_HOLE) if token is None else (framed, b"", b"")
    return Piece(before, after, token is None, len(text.encode()))


@lru_cache(maxsize=VARIANTS)
def _pieces(variant: int, count: int) -> tuple[Piece, ...]:
    return tuple(_piece(token) for token in answer(variant, count))


_ROLE = _framed(_event({"role": "assistant", "content": ""}))
_END = _framed(_event({}, "stop")) + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Stream:
    """One answer on its way to one connection."""

    __slots__ = ("cut", "interval", "next", "pieces", "stats", "transport")

    def __init__(self, transport: asyncio.Transport, stats: Stats, config: Config, variant: int) -> None:
        self.transport = transport
        self.stats = stats
        self.pieces = _pieces(variant, config.tokens)
        self.interval = 1 / config.rate if config.rate else 0.0
        self.next = 0
        self.cut = False
        stats.opened += 1
        transport.write(_HEAD)

    def send(self) -> bool:
        """Sends the next token, or all when there is no speed limit; False once the answer is complete."""
        stop = self.next + 1 if self.interval else len(self.pieces)
        data = _ROLE if self.next == 0 else b""
        for piece in self.pieces[self.next : stop]:
            data += piece.before + stamp_now() + piece.after if piece.stamped else piece.before
            self.stats.tokens += 1
            self.stats.text_bytes += piece.text_bytes
            self.stats.stamps += piece.stamped
        self.next = stop
        if stop < len(self.pieces):
            self.transport.write(data)
            return True
        self.transport.write(data + _END)
        self.stats.finished += 1
        return False

    @property
    def open(self) -> bool:
        return not self.cut and self.next < len(self.pieces)


class Clock:
    """Lets every stream send its next token when it is due."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Stream]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._count = 0

    def add(self, stream: Stream, after_s: float) -> None:
        self._count += 1
        heapq.heappush(self._due, (time.monotonic() + after_s, self._count, stream))
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._due[0][0], self._tick) if self._due else None

    def _tick(self) -> None:
        due, until = self._due, time.monotonic() + _TICK_S
        while due and due[0][0] <= until:
            when, number, stream = due[0]
            if not stream.cut and stream.send():
                heapq.heapreplace(due, (when + stream.interval, number, stream))
            else:
                heapq.heappop(due)
        self._set_timer()


class Endpoint:
    def __init__(self) -> None:
        self.config = Config()
        self.stats = Stats()
        self.clock = Clock()


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, one request at a time."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._received = b""
        self._stream: Stream | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if self._stream and self._stream.open:
            self._stream.cut = True
            self._endpoint.stats.aborted += 1
            self._endpoint.stats.aborted_at.append(time.monotonic())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and _complete(head.lower(), body):
            self._received = b""
            self._handle(head.split(b" ", 2), _plain(head.lower(), body))

    def _handle(self, line: list[bytes], body: bytes) -> None:
        method, target = line[0], line[1]
        if method == b"POST" and target.endswith(b"/chat/completions"):
            self._begin(json.loads(body))
        elif (method, target) == (b"GET", b"/stats"):
            self._answer(b"200 OK", asdict(self._endpoint.stats))
        elif (method, target) == (b"POST", b"/config"):
            self._endpoint.config = Config(**json.loads(body))
            self._answer(b"200 OK", asdict(self._endpoint.config))
        else:
            error = {"message": "no such call", "type": "invalid_request_error"}
            self._answer(b"404 Not Found", {"error": error})

    def _begin(self, asked: dict[str, Any]) -> None:
        assert asked["stream"] is True
        variant = zlib.crc32(asked["messages"][-1]["content"].encode()) % VARIANTS
        self._stream = Stream(self._transport, self._endpoint.stats, self._endpoint.config, variant)
        self._endpoint.clock.add(self._stream, self._endpoint.config.first_s)

    def _answer(self, status: bytes, value: object) -> None:
        body = json.dumps(value).encode()
        head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d" % (status, len(body))
        self._transport.write(head + b"\r\n\r\n" + body)


def _complete(head: bytes, body: bytes) -> bool:
    if b"transfer-encoding: chunked" in head:
        return body.endswith(b"0\r\n\r\n")
    _, found, rest = head.partition(b"content-length:")
    return len(body) >= (int(rest.split(b"\r\n", 1)[0]) if found else 0)


def _plain(head: bytes, body: bytes) -> bytes:
    if b"transfer-encoding: chunked" not in head:
        return body
    plain = b""
    while body:
        size, _, body = body.partition(b"\r\n")
        plain += body[: int(size, 16)]
        body = body[int(size, 16) + 2 :]
    return plain


async def serve(port: int) -> None:
    endpoint = Endpoint()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", port, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    gc.freeze()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A fast fake OpenAI-compatible endpoint on loopback.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
