"""Markdown to HTML that is safe by construction.

An answer is hostile input. `markdown-it-py` reads it with raw HTML off, links and images become text, math stays the
text it is, and `nh3` lets through a short list of tags with no attribute of theirs but a list's start.
"""

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise, takewhile

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

TAGS = {
    "p", "br", "hr", "em", "strong", "del", "code", "pre", "blockquote", "ul", "ol", "li",
    "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"ol": {"start"}}
# Boxes that scroll on their own must be reachable by keyboard.
SCROLLING = {"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}}

_EMPTY_CELLS = re.compile(r"(?:<td></td>\n)++</tr>")
_DISPLAY = {"$$": "$$", "\\[": "\\]"}
_MATH = _DISPLAY | {"\\(": "\\)"}
# Pandoc's rule, by which "$5 and $10" is no math: no space inside the dollars, no digit after them.
_DOLLARS = re.compile(r"\$(?![\s$])(?:\\[^\n]|[^$\\\n])++(?<!\s)\$(?!\d)")


def parse(source: str) -> list[Token]:
    """The tokens of Markdown, with line ends \\n.

    An item's first paragraph has no element of its own, blank lines or not: what comes later in a list must not
    change what is there.
    """
    tokens = _MARKDOWN.parse(source)
    for place, (before, token) in enumerate(pairwise(tokens), start=1):
        if before.type == "list_item_open" and token.type == "paragraph_open":
            token.hidden = tokens[place + 2].hidden = True
    return tokens


def html(tokens: list[Token]) -> str:
    """Tokens as clean HTML. A row's empty last cells are left out, as nobody wrote them."""
    return _EMPTY_CELLS.sub("</tr>", clean(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})))


def clean(markup: str) -> str:
    """HTML without what is not allowed, its tags closed."""
    return nh3.clean(markup, tags=TAGS, attributes=ATTRIBUTES, set_tag_attribute_values=SCROLLING, link_rel=None)


class _Renderer(RendererHTML):
    """Links and images as text: the words, then the target in brackets."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return ""

    def link_close(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        opening = next(place for place in range(idx, -1, -1) if tokens[place].type == "link_open")
        target = str(tokens[opening].attrGet("href") or "")
        words = "".join(token.content for token in tokens[opening:idx])
        return f" ({escape(target)})" if target and target != words else ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        return escape(tokens[idx].content)


def _display_math(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Lines from one that begins with `$$` or `\\[` to the closer, or a blank line, are one paragraph."""
    line = _line(state, start)
    closer = _DISPLAY.get(line[:2])
    if closer is None or state.is_code_block(start):
        return False
    if not silent:
        state.line = _math_end(state, start, end, line[2:], closer)
        _push_paragraph(state, start)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _math_end(state: StateBlock, number: int, end: int, line: str, closer: str) -> int:
    while closer not in line:
        number += 1
        if number == end or state.isEmpty(number) or state.sCount[number] < state.blkIndent:
            return number
        line = _line(state, number)
    return number + 1


def _push_paragraph(state: StateBlock, start: int) -> None:
    state.push("paragraph_open", "p", 1).map = [start, state.line]
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start, state.line, state.blkIndent, keepLastLF=False).strip()
    inline.map, inline.children = [start, state.line], []
    state.push("paragraph_close", "p", -1)


def _thin_row(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """Ends a table before a row with few of its cells: filled up, a few characters would become hundreds of cells."""
    if not silent or state.parentType != "table":
        return False
    columns = sum(token.type == "th_open" for token in takewhile(_no_table, reversed(state.tokens)))
    return 4 * _line(state, start).count("|") < columns


def _no_table(token: Token) -> bool:
    return token.type != "table_open"


def _math(state: StateInline, silent: bool) -> bool:
    """Keeps math as it is written, so that no `_`, `*` or backslash in it is taken for Markdown."""
    end = _end_of_math(state)
    if end is None:
        return False
    if not silent:
        for number, line in enumerate(state.src[state.pos : end].split("\n")):
            if number:
                state.push("softbreak", "br", 0)
            state.push("text", "", 0).content = line
    state.pos = end
    return True


def _end_of_math(state: StateInline) -> int | None:
    opener = state.src[state.pos : state.pos + 2]
    if closer := _MATH.get(opener):
        end = state.src.find(closer, state.pos + 2, state.posMax)
        if end >= 0:
            return end + 2
        return None if opener == "$$" and state.pos else state.posMax  # still to be closed
    found = _DOLLARS.match(state.src, state.pos, state.posMax) if opener.startswith("$") else None
    return found.end() if found else None


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
    parser.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline"])
    parser.block.ruler.before("fence", "display_math", _display_math, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.after("display_math", "thin_row", _thin_row, {"alt": ["blockquote"]})
    parser.inline.ruler.before("escape", "math", _math)
    return parser


_MARKDOWN = _parser()
