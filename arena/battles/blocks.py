"""Where a long block is cut, so that no step of the event loop costs more than one short parse.

Markers and line ends weigh more than plain text, as parsing them costs more. A block that weighs more than `LIMIT`
is cut after its last line within it. A list, a table and code go on in the same element; of anything else the rest
is read as a new block. Where a block is cut depends on its text alone, never on the pieces in which it came.
"""

import re
from bisect import bisect_right
from itertools import pairwise
from typing import NamedTuple

from markdown_it.token import Token

from arena.battles.markup import html, parse

LIMIT = 4000
_MARKS = re.compile(r"[\n*_`~\[\]<>!&\\|$]|[-+]\s|\d[.)]\s")
_MARK = 10
_TABLE_RULE = re.compile(r"[\s>]*+[|:-][\s|:-]*+")
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_CLOSERS = re.compile(r"(?:</[a-z0-9]+>\n?)+$")


def weigh(text: str) -> int:
    """What parsing `text` costs at worst, in characters of plain text: about a microsecond each."""
    return len(text) + _MARK * len(_MARKS.findall(text))


class Cut(NamedTuple):
    """What a source past the limit comes to: finished blocks' HTML, and how the rest goes on.

    `kept` is the HTML of a block that goes on in `rest`, up to the cut, without its closing tags; empty when `rest`
    begins a new block. `opening` is what the HTML of `rest` begins with, in place of `kept`.
    """

    blocks: list[str]
    kept: str
    opening: str
    rest: str


def cut(source: str, *, last: bool) -> Cut | None:
    """Cuts a source that is past the limit, or None; `last` says that its last line is complete.

    Waits for the line after the cut, as it tells whether the block goes on at all.
    """
    source = _BLANK_LINES.sub("", source, count=1)
    window = _window(source)
    if len(window) == len(source):
        return None
    line = source[len(window) : source.find("\n", len(window)) + 1 or len(source)]
    if weigh(line) > LIMIT:
        line = _fitting(line)
    elif not (last or line.endswith("\n")):
        return None
    if not window:
        return Cut([html(parse(line))], "", "", source[len(line) :])
    tokens = parse(window + line)
    starts = block_starts(tokens)
    if len(starts) > 1:
        return Cut(blocks_html(tokens)[:-1], "", "", from_line(source, line_of(tokens[starts[-1]])))
    return seam(tokens, source) or _go_on(window, line, source[len(window) :])


def block_starts(tokens: list[Token]) -> list[int]:
    """The places of the tokens that begin a top-level block."""
    return [place for place, token in enumerate(tokens) if token.level == 0 and token.nesting >= 0]


def blocks_html(tokens: list[Token]) -> list[str]:
    """The HTML of each top-level block, at least one."""
    bounds = [*(block_starts(tokens) or [0]), len(tokens)]
    return [html(tokens[a:b]) for a, b in pairwise(bounds)]


def line_of(token: Token) -> int:
    """The number of a block's first line."""
    return (token.map or [0])[0]


def from_line(source: str, number: int) -> str:
    return source.split("\n", number)[number]


def _window(source: str) -> str:
    """The lines at the start within the limit. A table's row also weighs what the cells it is filled up to do."""
    size = weight = cells = 0
    while size < len(source):
        end = source.find("\n", size) + 1 or len(source)
        line = source[size:end]
        weight += weigh(line) + _MARK * cells
        if weight > LIMIT:
            break
        if _TABLE_RULE.fullmatch(line):
            cells = max(cells, line.count("|"))
        size = end
    return source[:size]


def _fitting(line: str) -> str:
    """As much of a line past the limit as is within it, to the end of a word if there is one."""
    room = bisect_right(range(LIMIT + 1), LIMIT, key=lambda size: weigh(line[:size])) - 1
    return line[: line.rfind(" ", 1, room) + 1 or room]


def seam(tokens: list[Token], source: str) -> Cut | None:
    """Parts the open block of `source`, whose tokens these are, before its last item, row or line, if it has several.

    What comes later changes nothing above a seam, so parting there gives the same HTML as reading the block at once.
    """
    kind = tokens[0].type if tokens else ""
    if kind == "fence" and _is_open(tokens[0]):
        return _before_last_line(tokens[0], source)
    if kind == "table_open":
        return _before_last_row(tokens, source)
    return _before_last_item(tokens, source) if kind.endswith("_list_open") else None


def _before_last_line(fence: Token, source: str) -> Cut | None:
    lines = fence.content.count("\n")
    head = _line(source, line_of(fence))
    if not (lines and _is_short(head)):
        return None
    opening, closing = _around(head)
    code = html([fence.copy(content=fence.content.rpartition("\n")[0] + "\n")])
    return Cut([], code.removesuffix(closing), opening, head + from_line(source, line_of(fence) + 1 + lines))


def _before_last_row(tokens: list[Token], source: str) -> Cut | None:
    first = line_of(tokens[0])
    head = _line(source, first) + _line(source, first + 1)
    rows = [place for place, token in enumerate(tokens) if token.type == "tr_open"]
    if len(rows) < 3 or not _is_short(head):
        return None
    above = html([*tokens[: rows[-1]], *tokens[-2:]]).removesuffix("</tbody>\n</table>\n")
    opening = "".join(above.partition("<tbody>\n")[:2])
    return Cut([], above, opening, head + from_line(source, line_of(tokens[rows[-1]])))


def _before_last_item(tokens: list[Token], source: str) -> Cut | None:
    items = [place for place, token in enumerate(tokens) if token.type == "list_item_open" and token.level == 1]
    if len(items) < 2:
        return None
    last = tokens[items[-1]]
    above = html([*tokens[: items[-1]], tokens[-1]]).removesuffix(f"</{tokens[-1].tag}>\n")
    opening = html(parse(_marker(last))).partition("<li>")[0]
    return Cut([], above, opening, from_line(source, line_of(last)))


def _go_on(window: str, line: str, rest: str) -> Cut:
    """Cuts a block after `window`; `rest` begins with `line`, or as much of it as may be read at once."""
    tokens = parse(window)
    head = _head(tokens, window)
    if not head or not _is_short(head):
        return Cut([html(tokens)], "", "", rest)
    if len(window) <= len(head):
        window, rest = window + line, rest[len(line) :]
    opening, closing = _around(head)
    kept = html(parse(window)).removesuffix(closing)
    return Cut([], kept if window.endswith("\n") else kept.removesuffix("\n"), opening, head + rest)


def _head(tokens: list[Token], window: str) -> str:
    """Lines that open anew what is open at the end of `window`: code in its lists and quotes, or a list's item."""
    if not tokens:
        return ""
    leaf = max(place for place, token in enumerate(tokens) if token.nesting >= 0)
    if tokens[leaf].type == "fence" and _is_open(tokens[leaf]):
        return _head_of_code(tokens[:leaf], tokens[leaf], window)
    return _marker(tokens[1]) + "\n" if tokens[0].type.endswith("_list_open") else ""


def _head_of_code(before: list[Token], fence: Token, window: str) -> str:
    around = {token.level: token for token in before if token.nesting > 0 and token.level < fence.level}
    line = _line(window, line_of(fence))
    column = line.index(fence.markup)
    head = " ".join(filter(None, map(_marker, around.values()))).ljust(column) + line[column:]
    return head if any(token.type == "fence" for token in parse(head)) else ""


def _marker(container: Token) -> str:
    """A list item's number and dot, its bullet, or a quote's `>`."""
    return "" if container.type.endswith("_list_open") else container.info + container.markup


def _around(head: str) -> tuple[str, str]:
    """The tags that lines open, and those that close them."""
    whole = html(parse(head))
    opening = _CLOSERS.sub("", whole)
    return opening, whole[len(opening) :]


def _is_short(head: str) -> bool:
    """Whether repeating `head` leaves most of what one step may cost to what follows it."""
    return weigh(head) <= LIMIT // 4


def _is_open(fence: Token) -> bool:
    """Whether a fence lacks its closing line."""
    first, end = fence.map or (0, 0)
    return fence.content.removesuffix("\n").count("\n") + bool(fence.content) == end - first - 1


def _line(source: str, number: int) -> str:
    return from_line(source, number).partition("\n")[0] + "\n"
