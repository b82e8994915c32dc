"""A turn while it streams: two pumps fill two columns, one clock releases them, readers come and go.

Pumps never wait for a reader. What has been released is what a reader who joins later gets first, what is saved
at checkpoints, and all that remains when a turn is stopped.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from math import floor
from typing import Literal, NamedTuple

import structlog

from arena.battles.column import Column, Said, in_ms
from arena.battles.gateway import GOOD, Endpoint, Gateway, Message
from arena.battles.markdown import Standing, Step
from arena.battles.masking import Masker
from arena.battles.pacing import FRAME_S, Pace
from arena.rounds.rules import Rules

log = structlog.get_logger()

Outcome = Literal["complete", "failed", "stopped", "paused"]

GRACE_S = 10.0
CHECKPOINT_S = 5.0
KEEPALIVE_S = 15.0
BACKLOG_LIMIT = 1 << 20


@dataclass(frozen=True, slots=True)
class TurnJob:
    """All that is needed to ask both endpoints: index 0 is side A, 1 is side B.

    `names` are those that no answer may show; `mark` stands in their place.
    """

    turn_id: int
    attempt: int
    endpoints: tuple[Endpoint, Endpoint]
    conversations: tuple[tuple[Message, ...], tuple[Message, ...]]
    rules: Rules
    names: tuple[str, ...] = ()
    mark: str = ""


class Shown(NamedTuple):
    """When a turn's first text and its end reached readers, in ms from the start."""

    first_ms: int | None
    end_ms: int | None


Save = Callable[[TurnJob, Outcome | None, tuple[Said, Said], Shown], Awaitable[bool]]


class Reader:
    """One open connection's share of a stream: bytes that it has not taken yet."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._closed = False

    def put(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > BACKLOG_LIMIT:  # it comes back and is given the state as it then stands
            self.close()
        if not self._closed:
            self._chunks.append(data)
            self._wake.set()

    def close(self) -> None:
        self._closed = True
        self._wake.set()

    async def take(self) -> bytes:
        """The bytes since the last call; empty at the stream's end."""
        if not self._chunks and not self._closed:
            self._wake.clear()
            await self._wake.wait()
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        return data


@lru_cache(maxsize=16)
def _masker(names: tuple[str, ...], allow: tuple[str, ...]) -> Masker:
    return Masker(names, allow)


class Relay:
    """Runs one turn. Lives in one event loop."""

    def __init__(self, job: TurnJob, gateway: Gateway, save: Save) -> None:
        self.job = job
        self._gateway = gateway
        self._save = save
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        masker = _masker(job.names, job.rules.identity_allow)
        self._columns = (Column(masker.stream(job.mark)), Column(masker.stream(job.mark)))
        self._shown_s: float | None = None
        self._pace = Pace(job.rules.pacing, job.rules.deadlines.total_s)
        self._readers: set[Reader] = set()
        self._outcome: Outcome | None = None
        self._ended = asyncio.Event()
        self.saved = asyncio.Event()
        self._frame_due: asyncio.TimerHandle | None = None
        self._nobody: asyncio.TimerHandle | None = None
        self._keepalive = self._loop.call_later(KEEPALIVE_S, self._ping)
        self.touch()

    def touch(self) -> None:
        """Somebody is there: gives readers another grace to come."""
        if self._nobody:
            self._nobody.cancel()
            self._nobody = None
        if not self._readers:
            self._nobody = self._loop.call_later(GRACE_S, self.end, "paused")

    def join(self) -> Reader:
        """A new reader; the state as it stands is the first it gets."""
        reader = Reader()
        reader.put(state_event(*(column.markdown.standing for column in self._columns)))
        self._readers.add(reader)
        self.touch()
        return reader

    def leave(self, reader: Reader) -> None:
        self._readers.discard(reader)
        self.touch()

    def end(self, outcome: Outcome) -> None:
        """Ends the turn; the first outcome counts."""
        if self._outcome is None:
            self._outcome = outcome
            self._ended.set()

    async def run(self) -> None:
        """Streams until the turn has ended, then saves it, then tells the readers."""
        try:
            await self._stream()
            kept = await self._save(self.job, self._outcome, self._said(), self._when())
            self._publish(done_event(self._outcome or "paused") if kept else done_event("stopped"))
        finally:
            self.saved.set()
            for reader in self._readers:
                reader.close()

    async def _stream(self) -> None:
        pumps = [asyncio.create_task(self._pump(side)) for side in (0, 1)]
        for pump in pumps:
            pump.add_done_callback(self._pumped)
        try:
            await self._until_ended()
        finally:
            for timer in (self._frame_due, self._nobody, self._keepalive):
                if timer:
                    timer.cancel()
            for pump in pumps:
                pump.cancel()
            await asyncio.wait(pumps)

    async def _until_ended(self) -> None:
        while self._outcome is None:
            try:
                async with asyncio.timeout(CHECKPOINT_S):
                    await self._ended.wait()
            except TimeoutError:
                if not await self._save(self.job, None, self._said(), self._when()):
                    self.end("stopped")

    async def _pump(self, side: int) -> None:
        column, job = self._columns[side], self.job

        def feed(text: str) -> None:
            column.take(text)
            if column.first_token_s is None:
                column.first_token_s = self._loop.time() - self._began
                self._frame()
            else:
                self._arm()

        ending = await self._gateway.stream(
            job.endpoints[side], job.conversations[side], job.rules.answer, job.rules.deadlines, feed
        )
        column.end(ending)
        column.total_s = self._loop.time() - self._began
        if ending in GOOD:
            self._arm()
        else:
            self.end("failed")

    def _pumped(self, pump: "asyncio.Task[None]") -> None:
        """A pump that broke is our own fault; its turn must not wait for ever."""
        if not pump.cancelled() and pump.exception() is not None:
            log.error("pump_broke", turn=self.job.turn_id, exc_info=pump.exception())
            self.end("failed")

    def _arm(self) -> None:
        """Frames fall on a grid of the turn's own, so that they do not drift with what endpoints send."""
        if self._frame_due is None and self._outcome is None:
            next_s = FRAME_S * (floor((self._loop.time() - self._began) / FRAME_S) + 1)
            self._frame_due = self._loop.call_at(self._began + max(next_s, self._pace.opens_s), self._frame)

    def _frame(self) -> None:
        """Releases what the pacing allows and sends it; at the end of both answers it ends the turn."""
        if self._frame_due:
            self._frame_due.cancel()
            self._frame_due = None
        a, b = self._columns
        a.mask()
        b.mask()
        stocks = a.stock(), b.stock()
        count = self._pace.allowance(self._loop.time() - self._began, *stocks)
        steps = (a.release(count), b.release(count)) if count else ([], [])
        if a.stock().out and b.stock().out:
            steps[0].extend(a.markdown.finish())
            steps[1].extend(b.markdown.finish())
            self.end("complete")
        elif (a.more or b.more) and self._pace.waits_for_nobody(*stocks):
            self._arm()
        if steps[0] or steps[1]:
            if self._shown_s is None:
                self._shown_s = self._loop.time() - self._began
            self._publish(steps_event(*steps))

    def _publish(self, data: bytes) -> None:
        for reader in self._readers:
            reader.put(data)

    def _ping(self) -> None:
        self._publish(b":\n\n")
        self._keepalive = self._loop.call_later(KEEPALIVE_S, self._ping)

    def _said(self) -> tuple[Said, Said]:
        return self._columns[0].said(), self._columns[1].said()

    def _when(self) -> Shown:
        over = self._outcome in ("complete", "failed")
        return Shown(in_ms(self._shown_s), in_ms(self._loop.time() - self._began) if over else None)


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def state_event(a: Standing, b: Standing) -> bytes:
    """Both columns as they stand."""
    return b"event:state\ndata:%b\n\n" % _json({"a": a, "b": b})


def steps_event(a: list[Step], b: list[Step]) -> bytes:
    return b"data:%b\n\n" % _json([_short(a), _short(b)])


def _short(steps: list[Step]) -> Step | list[Step]:
    if not steps:
        return ""
    return steps[0] if len(steps) == 1 and isinstance(steps[0], str) else steps


def done_event(outcome: str) -> bytes:
    """The stream's last event: the turn's state, after which the page asks what to show."""
    return b"event:done\ndata:%b\n\n" % outcome.encode()
