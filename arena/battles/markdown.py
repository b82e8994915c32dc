"""Answers as clean HTML: whole, or while they grow.

An answer is hostile input. `markdown-it-py` renders it with raw HTML off, images and links become text, and
`nh3` lets through a short list of tags without attributes of theirs.

`LiveMarkdown` renders while text arrives, at a cost that follows the text. The page holds one open block; steps
tell the browser how its HTML string changes (the protocol is in docs/streaming.md):

    "x"        append x to the open block's HTML
    [n, "x"]   drop its last n UTF-16 units, then append x
    0          the open block is finished; a new, empty one begins
"""

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup

Step = str | list[int | str] | int

TAGS = {
    "p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"ol": {"start"}}
# Boxes that scroll on their own must be reachable by keyboard.
SCROLLING = {"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}}

# Characters that mean nothing to Markdown in the middle of a line, and those that mean nothing in a code block.
_PLAIN_TEXT = re.compile(r"""(?:[A-Za-z0-9 .,;:?%/'"()=+-]|[^\x00-\x7f])+""")
_PLAIN_CODE = re.compile(r"[^`~]+")
_MARKERS = re.compile(r"[-+*_=#>`~|:.\d\s]*")
_CLOSERS = re.compile(r"(?:</[a-z0-9]+>\n?)+$")
_LONG = 2000
_PATIENCE = 400_000


class _Renderer(RendererHTML):
    """Links and images as text: the words, then the target in brackets."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        opening = next(t for t in reversed(tokens[:idx]) if t.type == "link_open" and t.level == tokens[idx].level)
        target = str(opening.attrGet("href") or "")
        words = "".join(t.content for t in tokens[tokens.index(opening) : idx])
        return f" ({escape(target)})" if target and target != words else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escape(tokens[idx].content)


def _parser() -> MarkdownIt:
    rules = ("table", "strikethrough")
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    return parser.enable(rules).disable(["reference", "html_block", "html_inline"])


_MARKDOWN = _parser()


def _clean(html: str) -> str:
    return nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, set_tag_attribute_values=SCROLLING, link_rel=None)


def _one_newline(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def render_markdown(text: str) -> Markup:
    """The whole of `text` as safe HTML."""
    return Markup(_clean(_MARKDOWN.render(_one_newline(text))))  # noqa: S704 - cleaned


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
        self.tail = ""
        self._source = ""
        self._plain: re.Pattern[str] | None = None
        self._carriage = ""
        self._rendered = 0
        self._seen = 0

    def push(self, text: str) -> list[Step]:
        """Takes the next piece of the answer; returns the steps that bring the browser up to date."""
        text = self._carriage + text
        self._carriage = "\r" if text.endswith("\r") else ""
        text = _one_newline(text.removesuffix("\r") if self._carriage else text)
        if not text:
            return []
        self._source += text
        if self._plain and self._plain.fullmatch(text):
            html = escape(text, quote=False)
            self.tail += html
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
        self.tail = ""
        return [*steps, 0]

    def _may_wait(self, text: str) -> bool:
        """Whether rendering would change nothing, or little: markers show with the words that follow them, a table's
        cell when it is complete, and a long block when it has grown the more the longer it is already."""
        if len(_shown(self._source).rstrip()) == self._seen:
            return True
        if "<table" in self.tail and "|" not in text and "\n" not in text:
            return True
        size = len(self._source)
        return size > _LONG and size - self._rendered < size * size // _PATIENCE

    def _render(self, *, last: bool = False) -> list[Step]:
        steps: list[Step] = []
        source = self._source if last else _closed(_shown(self._source))
        blocks, start = _blocks(source)
        for html in blocks[:-1]:
            steps += [*self._replace(html), 0]
            self.done += html
            self.tail = ""
        self._source = _from_line(self._source, start)
        html = blocks[-1] if last else _opened(blocks[-1], self._source)
        steps += self._replace(html)
        self._rendered = len(self._source)
        self._seen = len(_shown(self._source).rstrip())
        self._plain = _takes_plain_text(self._source, self.tail)
        return steps

    def _replace(self, html: str) -> list[Step]:
        """Turns the open block's HTML string into `html` by one step, or none when it is that already."""
        kept = _common(self.tail, html)
        dropped, added = self.tail[kept:], html[kept:]
        self.tail = html
        if dropped:
            return [[_units(dropped), added]]
        return [added] if added else []


def _blocks(source: str) -> tuple[list[str], int]:
    """The clean HTML of each top-level block, at least one, and the line at which the last one starts."""
    tokens = _MARKDOWN.parse(source)
    cuts = [i for i, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0]
    if len(cuts) < 2:
        return [_html(tokens)], 0
    last = tokens[cuts[-1]].map or [0]
    return [_html(tokens[a:b]) for a, b in pairwise([*cuts, len(tokens)])], last[0]


def _html(tokens: list[Token]) -> str:
    return _clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))


def _from_line(source: str, number: int) -> str:
    return source.split("\n", number)[number]


def _shown(source: str) -> str:
    """Holds back what is undecided at the end: markers, a table's first two lines, a line that may become a list."""
    if _in_fence(source):
        return source
    before, newline, line = source.rpartition("\n")
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


def _in_fence(source: str) -> bool:
    first = source.lstrip(" \n").partition("\n")[0]
    return first.startswith("~~~") or (first.startswith("```") and "`" not in first.lstrip("`"))


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
        return _PLAIN_CODE if "\n" in source else None
    if not tail or source.endswith(("  ", "\n", "\\")) or "<table" in tail or "<pre" in tail:
        return None
    line = source.rpartition("\n")[2]
    ends_alike = tail.endswith(escape(source[-1], quote=False))
    return _PLAIN_TEXT if ends_alike and re.search(r"[^\W\d_]", line) else None
