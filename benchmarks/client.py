"""A raw HTTP/1.1 client on one keep-alive connection, cheap enough to stand beside what it measures."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

Sink = Callable[[bytes], None]


class BenchmarkError(Exception):
    """The run cannot give a figure; the message says why."""


@dataclass(frozen=True, slots=True)
class Response:
    """`headers` as (lower-cased name, value); `body` is empty when a sink took it; `wire_bytes` count all."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    wire_bytes: int

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    @property
    def text(self) -> str:
        plain = gzip.decompress(self.body) if self.header("content-encoding") == "gzip" else self.body
        return plain.decode()


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._rest = b""
        self._reset(None)

    def _reset(self, sink: Sink | None) -> None:
        self._head: tuple[int, tuple[tuple[str, str], ...]] | None = None
        self._body = bytearray()
        self._sink: Sink = sink or self._body.extend
        self._left: int | None = None
        self._wire_bytes = 0
        self._done: asyncio.Future[Response] | None = None

    @classmethod
    async def open(cls, origin: str) -> "Connection":
        address = urlsplit(origin)
        host, port = address.hostname or "", address.port or 80
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, host, port)
        return connection

    async def request(
        self, method: str, target: str, headers: dict[str, str], body: bytes = b"", sink: Sink | None = None
    ) -> Response:
        """Sends a request and waits for the whole answer; `sink` gets the body's pieces as they come.

        Raises BenchmarkError when the other side ends the connection first.
        """
        if self._transport.is_closing():
            raise BenchmarkError("the other side has closed the connection")
        self._reset(sink)
        self._done = asyncio.get_running_loop().create_future()
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        if method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        self._transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        return await self._done

    def close(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._done and not self._done.done():
            self._done.set_exception(BenchmarkError(f"the connection ended before the answer did ({error})"))

    def data_received(self, data: bytes) -> None:
        self._wire_bytes += len(data)
        self._rest += data
        if self._head is None and not self._read_head():
            return
        if self._left is None:
            self._read_chunks()
        else:
            self._read_length()

    def _read_head(self) -> bool:
        head, found, rest = self._rest.partition(b"\r\n\r\n")
        if not found:
            return False
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = tuple((name.lower(), value.strip()) for name, _, value in pairs)
        self._rest = rest
        self._head = (int(first.split(" ", 2)[1]), headers)
        if "chunked" not in dict(headers).get("transfer-encoding", ""):
            self._left = int(dict(headers).get("content-length", "0"))
        return True

    def _read_length(self) -> None:
        assert self._left is not None
        data, self._rest = self._rest[: self._left], self._rest[self._left :]
        self._left -= len(data)
        if data:
            self._sink(data)
        if not self._left:
            self._finish()

    def _read_chunks(self) -> None:
        while True:
            line, found, rest = self._rest.partition(b"\r\n")
            size = int(line, 16) if found else 0
            if not found or len(rest) < size + 2:
                return
            self._rest = rest[size + 2 :]
            if not size:
                self._finish()
                return
            self._sink(rest[:size])

    def _finish(self) -> None:
        assert self._head is not None
        if self._done and not self._done.done():
            self._done.set_result(Response(*self._head, bytes(self._body), self._wire_bytes))
