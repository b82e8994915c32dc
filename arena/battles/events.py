"""Reads a chat completion's event stream from bytes cut anywhere; nothing but the text to show comes out.

Thoughts between `<think>` tags are taken out, and what no page or database can hold is replaced.
"""

import codecs
import json
import re
from collections.abc import Callable
from typing import Literal

StreamEnding = Literal["complete", "length", "cut_off", "empty", "broken_stream", "too_long"]

LONGEST_LINE = 1 << 20  # bytes
MOST_LINES = 1 << 18  # an event has two or more
MOST_BYTES = 1 << 24
ANSWER_LIMIT = 1 << 18  # characters
_TAG = re.compile(r"<(/?)think(?:ing)?>", re.IGNORECASE | re.ASCII)
_TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")


class BadStreamError(Exception):
    """The endpoint's stream ended in the named way."""

    def __init__(self, ending: StreamEnding) -> None:
        super().__init__(ending)
        self.ending: StreamEnding = ending


class EventReader:
    """Feeds the text of one answer on, event by event, and its thoughts to `hidden`."""

    def __init__(self, feed: Callable[[str], None], hidden: Callable[[str], None] | None = None) -> None:
        self._feed = feed
        self._hidden = hidden
        self._rest = bytearray()
        self._bytes = self._lines = self._size = 0
        self._text = ShownText(hidden)
        self._finish: str | None = None
        self._done = False

    def take(self, data: bytes) -> bool:
        """Takes the next bytes; True when the stream has said that it is done.

        Raises BadStreamError.
        """
        lines = self._finished(data)
        self._bytes += len(data)
        self._lines += len(lines)
        for line in lines:
            if line.startswith(b"data:"):
                self._event(line[5:].strip())
                if self._done:
                    return True
        if self._bytes > MOST_BYTES or self._lines > MOST_LINES or len(self._rest) > LONGEST_LINE:
            raise BadStreamError("too_long")
        return False

    def end(self) -> StreamEnding:
        """Feeds on what was held back, and says how a stream ended that is closed or done."""
        self._show(self._text.rest())
        if not self._size:
            return "empty"
        if not self._done and self._finish is None:
            return "cut_off"
        return "length" if self._finish == "length" else "complete"

    def _finished(self, data: bytes) -> list[bytearray]:
        """The lines that are finished now, cut at CR, LF and CRLF alone; only new bytes are looked at."""
        if b"\n" not in data and b"\r" not in data:
            self._rest += data
            return []
        *lines, rest = (self._rest + data + b"x").splitlines()  # the x keeps the last line open
        self._rest = rest[:-1]
        return lines

    def _event(self, payload: bytearray) -> None:
        if payload == b"[DONE]":
            self._done = True
            return
        try:
            choices = json.loads(payload.decode(errors="replace"))["choices"]
            choice = choices[0] if choices else {}
            delta = choice.get("delta") or {}
            content = delta.get("content")
            self._finish = choice.get("finish_reason") or self._finish
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise BadStreamError("broken_stream") from None
        if self._hidden and isinstance(thought := delta.get("reasoning_content") or delta.get("reasoning"), str):
            self._hidden(thought)
        if not content:
            return
        if not isinstance(content, str):
            raise BadStreamError("broken_stream")
        self._show(self._text.take(content))

    def _show(self, text: str) -> None:
        """White space at an answer's beginning is left over from its thoughts."""
        if not self._size:
            text = text.lstrip()
        if not text:
            return
        self._size += len(text)
        if self._size > ANSWER_LIMIT:
            raise BadStreamError("too_long")
        self._feed(text)


class ShownText:
    """Text cut anywhere: without thoughts and NUL, with surrogates in pairs or replaced.

    A thought is `<think>…</think>` or `<thinking>…</thinking>`; nested ones count, one left open lasts to the end.
    """

    def __init__(self, hidden: Callable[[str], None] | None = None) -> None:
        self._hidden = hidden
        self._characters = codecs.getincrementaldecoder("utf-16-le")("replace")
        self._depth = 0
        self._held = ""
        self._plain = True

    def take(self, text: str) -> str:
        """What is to be shown, up to where a tag or a surrogate pair may have begun."""
        if self._plain and text.isprintable() and "<" not in text:
            return text
        return self._clean(text, final=False)

    def rest(self) -> str:
        """What was held back, at the end of the text."""
        shown = self._clean("", final=True)
        return shown if self._depth else shown + self._held

    def _clean(self, text: str, *, final: bool) -> str:
        units = text.encode("utf-16-le", "surrogatepass")
        shown = self._without_thoughts(self._held + self._characters.decode(units, final).replace("\0", ""))
        self._plain = not (self._depth or self._held or self._characters.getstate()[0])
        return shown

    def _without_thoughts(self, text: str) -> str:
        cut = _open_tag(text)
        self._held = text[cut:]
        before, *tags = _TAG.split(text[:cut])
        shown: list[str] = []
        hide = self._hidden or _drop
        (hide if self._depth else shown.append)(before)
        for slash, after in zip(tags[::2], tags[1::2], strict=True):
            self._depth = max(self._depth - 1, 0) if slash else self._depth + 1
            (hide if self._depth else shown.append)(after)
        return "".join(shown)


def _drop(_thought: str) -> None:
    pass


def _open_tag(text: str) -> int:
    """Where a tag begins that the end of `text` may have cut, or the length of `text`."""
    begin = text.rfind("<")
    tail = text[begin:].lower()
    cut = begin >= 0 and any(tag.startswith(tail) for tag in _TAGS if tag != tail)
    return begin if cut else len(text)
