"""How much of both answers may show, and when: a rule on what has come and the time, so that no speed tells a side.

Raw: all at once. Together: nothing shows before both sides have begun, nor before a common start. Then both grow by
the same number of characters a frame, at most the ceiling and no more than the slower side has, until one answer is
out. The other goes on at the pace that both had: were it quicker from there on, the slower one would have been the
first to end, and were it slower, the last. Past the round's longest time for an answer, all that has come shows.
"""

from collections import deque
from dataclasses import dataclass
from typing import Literal, NamedTuple

FRAME_S = 0.05
MEMORY_S = 3.0

Pacing = Literal["together", "raw"]


@dataclass(frozen=True, slots=True)
class Tempo:
    """What endpoints that are quick enough all look like: seconds to the start, characters a frame after it."""

    start_s: float
    ceiling: int


TEMPO = Tempo(start_s=1.0, ceiling=6)


class Stock(NamedTuple):
    """One side: characters that wait to be shown, whether any came at all, whether more will come."""

    waiting: int
    begun: bool
    ended: bool

    @property
    def out(self) -> bool:
        return self.ended and not self.waiting


class Pace:
    """One turn's pace. Times are in seconds since the turn began."""

    def __init__(self, pacing: Pacing, longest_s: float) -> None:
        self._raw = pacing == "raw"
        self._longest_s = longest_s
        self._tempo = TEMPO
        self.opens_s = 0.0 if self._raw else min(self._tempo.start_s, longest_s)
        self._shown: deque[tuple[float, int]] = deque()
        self._a_second = 0.0
        self._owed = 0.0
        self._last_s = 0.0

    def allowance(self, at_s: float, a: Stock, b: Stock) -> int:
        """Characters that each side may show in the frame at this time."""
        if self._raw:
            return max(a.waiting, b.waiting)
        if not self.waits_for_nobody(a, b) or at_s < self.opens_s:
            return 0
        if at_s >= self._longest_s:
            return max(a.waiting, b.waiting)
        return self._alone(at_s, max(a.waiting, b.waiting)) if a.out or b.out else self._both(at_s, a, b)

    def waits_for_nobody(self, a: Stock, b: Stock) -> bool:
        """Whether time alone may show more, without a word from either side."""
        return self._raw or (a.begun and b.begun)

    def _both(self, at_s: float, a: Stock, b: Stock) -> int:
        count = min([self._tempo.ceiling, *(side.waiting for side in (a, b) if not side.ended)])
        self._shown.append((at_s, count))
        while self._shown[0][0] <= at_s - MEMORY_S:
            self._shown.popleft()
        self._last_s = at_s
        return count

    def _alone(self, at_s: float, waiting: int) -> int:
        if self._shown:
            length_s = self._last_s - self._shown[0][0] + FRAME_S
            self._a_second = sum(count for _, count in self._shown) / length_s
            self._shown.clear()
        self._owed = min(self._owed + self._a_second * (at_s - self._last_s), self._tempo.ceiling)
        self._last_s = at_s
        count = min(round(self._owed), waiting)
        self._owed -= count
        return count
