"""Answers as clean HTML: whole, or while they grow.

`LiveMarkdown` renders while text arrives, at a cost that follows the text. The page holds one open block; steps
tell the browser how its HTML string changes (the protocol is in docs/streaming.md):

    "x"        append x to the open block's HTML
    [n, "x"]   drop its last n UTF-16 units, then append x
    0          the open block is finished; a new, empty one begins
"""

import re
from html import escape

from markdown_it.token import Token
from markupsafe import Markup

from arena.battles.blocks import LIMIT, Cut, block_starts, blocks_html, cut, from_line, line_of, seam, weigh
from arena.battles.markup import clean, parse

Step = str | list[int | str] | int

Standing = tuple[str, str]
"""The HTML of the finished blocks, and that of the open one."""

# Characters that mean nothing to Markdown in the middle of a line.
_PLAIN_TEXT = re.compile(r"""(?:[A-Za-z0-9 .,;:?%/'"()=+-]|[^\x00-\x7f])+""")
# Lines of code that cannot close it.
_CODE = re.compile(r"[ \t]*(?:[^`~\s][^\n]*)?(?:\n[ \t]*(?:[^`~\s][^\n]*)?)*")
_MARKERS = re.compile(r"[-+*_=#>`~|:.)$\\\d\s]*")
_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)
_TABLE_RULE = re.compile(r"(?=[^|]*\|)[ \t]*+\|?(?:[ \t]*+:?-++:?[ \t]*+\|?)++")
_CLOSERS = re.compile(r"(?:</[a-z0-9]+>\n?)+$")
# A block of more than this weight is rendered again when it has grown by its weight squared over the patience.
_SHORT = 1000
_PATIENCE = 50_000


def render_markdown(text: str) -> Markup:
    """The whole of `text` as safe HTML."""
    live = LiveMarkdown()
    live.push(text)
    live.finish()
    return Markup(live.done)  # noqa: S704 - cleaned


def _common(a: str, b: str) -> int:
    """How many characters two strings have in common at their start; by bisection, as startswith is quick."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if b.startswith(a[low:middle], low) else (low, middle - 1)
    return low


def _units(text: str) -> int:
    """Length as the browser counts it: in UTF-16 code units."""
    return len(text) + sum(ord(char) > 0xFFFF for char in text)


class LiveMarkdown:
    """Renders an answer while it grows.

    `done` is the HTML of the finished blocks, `tail` the open block's HTML string, which may lack closing tags at
    its end. After `finish`, `done` equals `render_markdown` of the whole text.
    """

    def __init__(self) -> None:
        self.done = ""
        self._source = ""
        self._kept = self._open = self._opening = ""
        self._plain: re.Pattern[str] | None = None
        self._carriage = ""
        self._rendered = self._fresh = 0
        self._seen = 0

    @property
    def tail(self) -> str:
        return self._kept + self._open

    @property
    def standing(self) -> Standing:
        return self.done, self.tail

    def push(self, text: str) -> list[Step]:
        """Takes the next piece of the answer; returns the steps that bring the browser up to date."""
        text = self._normal(text)
        if not text:
            return []
        plain = self._is_plain(text)
        self._source += text
        self._fresh += weigh(text)
        if plain:
            html = escape(text, quote=False)
            self._open += html
            self._seen = len(self._source) - len(text) + len(text.rstrip()) if text.strip() else self._seen
            return [html]
        if self._may_wait(text):
            self._plain = None
            return []
        return self._render()

    def finish(self) -> list[Step]:
        """Takes the answer's end; the last block is finished."""
        self._source += "\n" if self._carriage else ""
        self._carriage = ""
        steps = self._render(last=True)
        self.done += self.tail
        self._kept = self._open = ""
        return [*steps, 0]

    def _normal(self, text: str) -> str:
        """Line ends as \n; a carriage return at the end waits for what follows it."""
        text = self._carriage + text
        self._carriage = "\r" if text.endswith("\r") else ""
        return text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")

    def _is_plain(self, text: str) -> bool:
        if self._plain is None or self._fresh > LIMIT:
            return False
        if self._plain is _CODE:
            text = self._source.rpartition("\n")[2] + text
        return bool(self._plain.fullmatch(text))

    def _may_wait(self, text: str) -> bool:
        """Whether rendering would change nothing, or little: markers show with the words that follow them, a table's
        row when it is complete, and a long block when it has grown the more the longer it is already."""
        if len(_shown(self._source).rstrip()) == self._seen:
            return True
        return self._rendered > _SHORT and self._fresh < self._rendered**2 // _PATIENCE

    def _render(self, *, last: bool = False) -> list[Step]:
        steps: list[Step] = []
        while found := cut(self._source, last=last):
            steps += self._take(found)
        tokens = parse(self._source if last else _closed(_shown(self._source)))
        blocks = blocks_html(tokens)
        steps += self._finish(blocks[:-1])
        html = self._joined(blocks[-1])
        steps += self._replace(html if last else _opened(html, self._source))
        if not last:
            self._settle(tokens[block_starts(tokens)[-1] :] if blocks[-1] else [])
        return steps

    def _take(self, found: Cut) -> list[Step]:
        steps = self._finish(found.blocks)
        if found.kept:
            steps += self._replace(self._joined(found.kept))
            self._keep(found)
        self._source = found.rest
        return steps

    def _finish(self, blocks: list[str]) -> list[Step]:
        steps: list[Step] = []
        for block in blocks:
            steps += [*self._replace(self._joined(block)), 0]
            self.done += self.tail
            self._kept = self._open = self._opening = ""
        return steps

    def _settle(self, tokens: list[Token]) -> None:
        """Goes on from the open block's last part; notes what may then be appended without rendering."""
        self._rendered, self._fresh = weigh(self._source), 0
        if found := seam(tokens, self._source):
            self._keep(found)
            self._source = found.rest
        elif tokens:
            self._source = from_line(self._source, line_of(tokens[0]))
        self._seen = len(_shown(self._source).rstrip())
        self._plain = _takes_plain_text(self._source, self._open)

    def _keep(self, found: Cut) -> None:
        kept = self._joined(found.kept)
        self._kept, self._open = self._kept + kept, self._open[len(kept) :]
        self._opening = found.opening

    def _joined(self, html: str) -> str:
        """The open block's HTML after what is kept of it."""
        if html.startswith(self._opening):
            return html[len(self._opening) :]
        return clean(self._kept)[len(self._kept) :] + html

    def _replace(self, html: str) -> list[Step]:
        """Turns the open block's HTML after what is kept into `html` by one step, or none when it is that already."""
        same = _common(self._open, html)
        dropped, added = self._open[same:], html[same:]
        self._open = html
        if dropped:
            return [[_units(dropped), added]]
        return [added] if added else []


def _shown(source: str) -> str:
    """Holds back what is undecided at the end: markers, a table's lines until they are complete, a line that may
    become a list."""
    if _in_fence(source):
        return source
    before, newline, line = source.rpartition("\n")
    if _in_table(before):
        return before + newline
    if _MARKERS.fullmatch(line) or line.lstrip().startswith("```"):
        source = before + newline
    elif not line.lstrip().startswith("|"):
        return source.rstrip("*_`~")
    return _without_half_table(source)


def _without_half_table(source: str) -> str:
    """Lines that begin with a bar show when the second is complete: only then is it known to be a table."""
    *complete, last = source.rsplit("\n", 3)[-3:]
    for line in reversed(complete):
        if not line.lstrip().startswith("|"):
            break
        last = line + "\n" + last
    return source[: len(source) - len(last)] if last.startswith("|") and last.count("\n") < 2 else source


def _in_table(lines: str) -> bool:
    """Whether the next line may be a row: too few cells of one would end the table (`arena.battles.markup`)."""
    block = lines.rpartition("\n\n")[2]
    return "|" in block and any(map(_TABLE_RULE.fullmatch, block.split("\n")[1:]))


def _in_fence(source: str) -> bool:
    """Whether the end of `source` lies in a code block."""
    if "```" not in source and "~~~" not in source:
        return False
    fence = ""
    for marks, info in _FENCE.findall(source):
        if not fence:
            fence = marks if marks[0] == "~" or "`" not in info else ""
        elif marks.startswith(fence) and not info.strip():
            fence = ""
    return bool(fence)


def _closed(source: str) -> str:
    """Closes bold and code that are still open in the last paragraph, so that no marker flickers."""
    if _in_fence(source):
        return source
    last = source.rstrip().rpartition("\n\n")[2]
    if not re.search(r"[^\W\d_]", last.rpartition("\n")[2]):
        return source
    if last.count("`") % 2:
        return source.rstrip() + "`"
    if last.count("**") % 2 and not last.endswith("**"):
        return source.rstrip() + "**"
    return source


def _opened(html: str, source: str) -> str:
    """The HTML string without its closing tags, where the next characters will go."""
    opened = _CLOSERS.sub("", html.rstrip("\n"))
    if _in_fence(source) and not source.endswith("\n"):
        return opened.removesuffix("\n")
    return opened + " " if source.endswith(" ") and not source.endswith("  ") else opened


def _takes_plain_text(source: str, tail: str) -> re.Pattern[str] | None:
    """What may be appended to `tail` without rendering: words in running text, code in a code block."""
    if _in_fence(source):
        return _CODE if "\n" in source else None
    if not tail or source.endswith(("  ", "\n", "\\")) or "<table" in tail or "<pre" in tail:
        return None
    line = source.rpartition("\n")[2]
    ends_alike = tail.endswith(escape(source[-1], quote=False))
    return _PLAIN_TEXT if ends_alike and re.search(r"[^\W\d_]", line) else None
