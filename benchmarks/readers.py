"""Reads a battle's bytes: when each side showed its first text, and how old every stamped word was."""

import json
import re
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.stamps import STAMP, STAMP_LENGTH, age

_TAG = re.compile(r"<[^>]*>?")
SIDES = 2


@dataclass(slots=True)
class Meter:
    """Seconds. `first_added`: from the slower side's first token till both sides show text; one a battle.

    `later_added`: the age on arrival of every later stamped word. `stamps` counts all that arrived.
    """

    first_added: list[float] = field(default_factory=list)
    later_added: list[float] = field(default_factory=list)
    stamps: int = 0
    stream_bytes: int = 0


class _Side:
    __slots__ = ("first_sent_at", "html", "shown_at", "youngest")

    def __init__(self) -> None:
        self.html = ""
        self.shown_at: float | None = None
        self.first_sent_at: float | None = None
        self.youngest = ""

    def scan(self, start: int, now: float, meter: Meter) -> None:
        """Looks at the open block's HTML from `start` on, and just before, where a cut stamp may begin."""
        if self.shown_at is None and _TAG.sub("", self.html).strip():
            self.shown_at = now
        for match in STAMP.finditer(self.html, max(0, start - STAMP_LENGTH + 1)):
            self._meet(match[1], now, meter)

    def _meet(self, digits: str, now: float, meter: Meter) -> None:
        seconds = age(digits, now)
        if self.youngest and seconds >= age(self.youngest, now):
            return
        self.youngest = digits
        meter.stamps += 1
        if self.first_sent_at is None:
            self.first_sent_at = now - seconds
        else:
            meter.later_added.append(seconds)


class Reader(Protocol):
    visible: bool

    def feed(self, data: bytes, now: float) -> None: ...


class _Battle:
    """The two sides; `visible` once both show text and their first tokens' times are known."""

    def __init__(self, meter: Meter) -> None:
        self.meter = meter
        self.sides = (_Side(), _Side())
        self.visible = False

    def check_visible(self) -> None:
        if self.visible:
            return
        shown = [side.shown_at for side in self.sides if side.shown_at is not None]
        sent = [side.first_sent_at for side in self.sides if side.first_sent_at is not None]
        if len(shown) == len(sent) == SIDES:
            self.visible = True
            self.meter.first_added.append(max(shown) - max(sent))


class ArenaReader(_Battle):
    """Reads `/battles/{id}/turns/{n}/stream` and keeps each side's open block as battle.js does."""

    def __init__(self, meter: Meter) -> None:
        super().__init__(meter)
        self._rest = b""
        self.outcome = ""

    def feed(self, data: bytes, now: float) -> None:
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            self._event(event, now)
        self.check_visible()

    def _event(self, event: bytes, now: float) -> None:
        name, lines = b"message", []
        for line in event.split(b"\n"):
            field_name, _, value = line.partition(b":")
            if field_name == b"event":
                name = value.strip()
            elif field_name == b"data":
                lines.append(value)
        if name == b"done":
            self.outcome = b"".join(lines).decode().strip()
        elif name == b"state":
            state = json.loads(b"\n".join(lines))
            for side, key in zip(self.sides, "ab", strict=True):
                side.html = "".join(state[key])
                side.scan(0, now, self.meter)
                side.html = state[key][1]
        elif lines:
            for side, operation in zip(self.sides, json.loads(b"\n".join(lines)), strict=True):
                self._apply(side, [operation] if isinstance(operation, str) else operation, now)

    def _apply(self, side: _Side, steps: list[str | int | list[int | str]], now: float) -> None:
        for step in steps:
            if step == 0:
                side.html = ""
                continue
            dropped, added = step if isinstance(step, list) else (0, step)
            kept = len(side.html) - int(dropped)
            side.html = side.html[:kept] + str(added)
            side.scan(kept, now, self.meter)


class UpstreamReader(_Battle):
    """Reads two plain OpenAI-compatible streams, as clients of a pass-through proxy do."""

    def feed_side(self, side: int, data: bytes, now: float) -> None:
        reader = self.sides[side]
        start = max(0, len(reader.html) - STAMP_LENGTH)
        reader.html = reader.html[start:] + data.decode()
        reader.scan(STAMP_LENGTH, now, self.meter)
        self.check_visible()
