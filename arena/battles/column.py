"""One side of a turn: what came, masked, and as far as it was released."""

from dataclasses import dataclass

from arena.battles.gateway import Ending
from arena.battles.markdown import LiveMarkdown, Step
from arena.battles.masking import MaskedStream
from arena.battles.pacing import Stock

MASKED_A_FRAME = 500


@dataclass(frozen=True, slots=True)
class Said:
    """What one side has said so far: `text` as far as it was released, `raw` as it came.

    `names` is how many were masked in it; timings are in ms from the start.
    """

    text: str
    ending: str | None
    first_token_ms: int | None
    total_ms: int | None
    names: int = 0
    raw: str = ""


class Column:
    """Times are in seconds since the turn began."""

    def __init__(self, masked: MaskedStream) -> None:
        self.waiting = ""
        self.ending: Ending | None = None
        self.first_token_s: float | None = None
        self.total_s: float | None = None
        self.markdown = LiveMarkdown()
        self._masked = masked
        self._raw: list[str] = []
        self._came = ""
        self._all_masked = False
        self._shown: list[str] = []

    def take(self, text: str) -> None:
        self._raw.append(text)
        self._came += text

    def end(self, ending: Ending) -> None:
        self.ending = ending

    def mask(self) -> None:
        """Masks what came, no more than a frame has time for."""
        if self._all_masked or len(self.waiting) >= MASKED_A_FRAME:
            return
        text, self._came = self._came[:MASKED_A_FRAME], self._came[MASKED_A_FRAME:]
        self.waiting += self._masked.push(text)
        if self.ending is not None and not self._came:
            self._all_masked = True
            self.waiting += self._masked.finish()

    def stock(self) -> Stock:
        return Stock(len(self.waiting), self.first_token_s is not None, self._all_masked)

    @property
    def more(self) -> bool:
        """Whether there is more to show or to mask."""
        return bool(self.waiting or self._came)

    def release(self, count: int) -> list[Step]:
        """Shows up to `count` characters; returns the steps for the browser."""
        text, self.waiting = self.waiting[:count], self.waiting[count:]
        if not text:
            return []
        self._shown.append(text)
        return self.markdown.push(text)

    def said(self) -> Said:
        self._shown = ["".join(self._shown)]
        self._raw = ["".join(self._raw)]
        first, total = in_ms(self.first_token_s), in_ms(self.total_s)
        return Said(self._shown[0], self.ending, first, total, self._masked.found, self._raw[0])


def in_ms(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)
