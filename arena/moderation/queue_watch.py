"""What happens to prompts, told to every moderator at the queue: one look a second in each process, not one a reader.

Events hold ids and counts alone; a page asks for the rows that it shows.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

import structlog
from sqlalchemy import select
from sqlmodel import Session, col

from arena.accounts.queries import signed_in
from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from arena.moderation.pages import COUNT_CAP
from arena.moderation.queue_filter import Cell, State, cells_of
from arena.screening.tables import Review

LOOK_S: Final = 1.0
PING_S: Final = 15.0
LATE_IDS: Final = 200
"""How far back an id may still appear: PostgreSQL gives ids out before their rows are committed."""

log = structlog.get_logger()


class Arrival(NamedTuple):
    id: int
    round_id: int
    state: str
    flagged: bool


class Change(NamedTuple):
    """A prompt that somebody decided on, claimed, or gave back."""

    review: int
    who: str


@dataclass(slots=True)
class Looked:
    """What the last look saw: the latest ids, and who worked on what."""

    reviews: set[int]
    acts: set[int]
    claims: dict[int, str]


def first_look(session: Session, at: datetime) -> Looked:
    reviews, acts = (
        {0, *session.scalars(select(number).order_by(number.desc()).limit(LATE_IDS))}
        for number in (col(Review.id), col(Act.id))
    )
    return Looked({number or 0 for number in reviews}, {number or 0 for number in acts}, _claims(session, at))


def look_again(session: Session, seen: Looked, at: datetime) -> tuple[list[Arrival], list[Change]]:
    """What is new since the last look; `seen` then includes it."""
    reviews = session.execute(
        select(col(Review.id), col(Review.round_id), col(Review.state), col(Review.flagged)).where(
            col(Review.id) > max(seen.reviews) - LATE_IDS
        )
    )
    arrivals = [Arrival(*row) for row in reviews if row.id not in seen.reviews]
    acts = session.execute(
        select(col(Act.id), col(Act.what), col(Act.subject), col(Act.who), col(Act.outcome)).where(
            col(Act.id) > max(seen.acts) - LATE_IDS
        )
    )
    fresh = [act for act in acts if act.id not in seen.acts]
    claims = _claims(session, at)
    changes = [
        *(Change(number_of(act.subject), act.who) for act in fresh if _changed_a_prompt(act.what, act.outcome)),
        *_moved(seen.claims, claims),
    ]
    seen.reviews = _latest(seen.reviews, {arrival.id for arrival in arrivals})
    seen.acts = _latest(seen.acts, {act.id for act in fresh})
    seen.claims = claims
    return arrivals, changes


def number_of(subject: str) -> int:
    """4711 of `prompt-4711`."""
    return int(subject.rpartition("-")[2])


def _changed_a_prompt(what: str, outcome: str) -> bool:
    return what.startswith("prompt.") and outcome == "done"


def _moved(before: dict[int, str], after: dict[int, str]) -> list[Change]:
    """Who claimed what, or gave it back."""
    return [
        Change(review, after.get(review) or before[review])
        for review in before.keys() | after.keys()
        if before.get(review) != after.get(review)
    ]


def _latest(seen: set[int], fresh: set[int]) -> set[int]:
    every = seen | fresh
    return {number for number in every if number > max(every) - LATE_IDS}


def _claims(session: Session, at: datetime) -> dict[int, str]:
    found = session.execute(select(col(Review.id), col(Review.claimed_by)).where(col(Review.claimed_until) > at))
    return {number: who for number, who in found if number and who}


@dataclass(eq=False, slots=True)
class Watcher:
    """One page that is open: a source of its event stream.

    `token` is its session's; `new` holds the ids of prompts that came since the page was made, in its round and of
    the states that it shows.
    """

    who: str
    token: str
    round_id: int
    state: State
    new: set[int]
    _changed: set[int] = field(default_factory=set)
    _told: int = 0
    _over: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _first: bytes = b"retry: 2000\n\n"

    def hear(self, arrivals: list[Arrival], changes: list[Change]) -> None:
        cells = cells_of(self.state)
        for arrival in arrivals:
            if arrival.round_id == self.round_id and Cell(arrival.state, arrival.flagged) in cells:
                self.new.add(arrival.id)
        self._changed |= {change.review for change in changes if change.who != self.who}
        if self._changed or len(self.new) > self._told:
            self._news.set()

    def end(self) -> None:
        """The session is over, and so is the stream."""
        self._over = True
        self._news.set()

    async def take(self) -> bytes:
        if self._first:
            data, self._first = self._first, b""
            return data + self._events()
        if self._over:
            return b""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), PING_S)
        self._news.clear()
        return self._events() or b": ping\n\n"

    def _events(self) -> bytes:
        if self._over:
            return b"event: over\ndata:\n\n"
        events = b""
        if len(self.new) > self._told:
            self._told = len(self.new)
            events += b"event: new\ndata: %d\n\n" % min(self._told, COUNT_CAP + 1)
        if self._changed:
            events += b"event: changed\ndata: %s\n\n" % json.dumps(sorted(self._changed)).encode()
            self._changed.clear()
        return events


class QueueWatch:
    """Looks into the database while anybody watches."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._watchers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None

    async def join(self, watcher: Watcher, since: int) -> None:
        """It hears what happens from now on, and at first what came after the id `since`."""
        self._watchers.add(watcher)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="queue-watch")
        try:
            watcher.new |= await self._db.read(lambda session: _arrived(session, watcher, since))
        except BaseException:
            self.leave(watcher)
            raise

    def leave(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)
        if not self._watchers and self._task:
            self._task.cancel()
            self._task = None

    async def _run(self) -> None:
        seen: Looked | None = None
        while True:
            try:
                if seen is None:
                    seen = await self._db.read(lambda session: first_look(session, now()))
                else:
                    await self._look(seen)
            except Exception:
                log.exception("queue_watch")  # the database is away for a moment: the next look tells more
            await asyncio.sleep(LOOK_S)

    async def _look(self, seen: Looked) -> None:
        tokens = {watcher.token for watcher in self._watchers}

        def look(session: Session) -> tuple[list[Arrival], list[Change], set[str]]:
            at = now()
            return *look_again(session, seen, at), {token for token in tokens if _ended(session, token, at)}

        arrivals, changes, ended = await self._db.read(look)
        for watcher in list(self._watchers):
            if watcher.token in ended:
                watcher.end()
            else:
                watcher.hear(arrivals, changes)


def _ended(session: Session, token: str, at: datetime) -> bool:
    admin = signed_in(session, token, at)
    return admin is None or admin.role != "moderator"


def _arrived(session: Session, watcher: Watcher, since: int) -> set[int]:
    """The prompts after the id `since` that a page shows, up to one more than COUNT_CAP."""
    found = session.execute(
        select(col(Review.id), col(Review.state), col(Review.flagged))
        .where(col(Review.round_id) == watcher.round_id, col(Review.id) > since)
        .order_by(col(Review.id))
        .limit(COUNT_CAP + 1)
    )
    cells = cells_of(watcher.state)
    return {row.id for row in found if Cell(row.state, row.flagged) in cells}
