"""Markdown as a column gets it: in pieces, played back as a browser would, and looked at for what must not be."""

from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import strategies as st

from arena.battles.markdown import LiveMarkdown, Step
from arena.battles.markup import TAGS
from arena.battles.relay import state_event, steps_event
from tests.support import Stream

PIECES = (
    "가", "나다", "word ", " ", "  ", "\n", "\n\n", "\r\n", "\r", "\t", "    ", "\u2028", "\u2029", "\u0085", "\x0b",
    "\x0c", "\0", "😀", "👩\u200d👧", "e\u0301", "*", "**", "***", "_", "__", "~~", "`", "``", "```", "```py\n",
    "~~~\n", "# ", "## ", "- ", "* ", "+ ", "1. ", "7) ", "> ", "---\n", "===\n", "| a | b |\n", "|---|:-:|\n", "|",
    "\\", "\\\n", "<", ">", "&", "&amp;", "&#x3C;", "&nbsp;", "<b>", "</p>", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "<!--", "-->", "<a href='javascript:alert(1)'>", "[글](https://example.org/?a=1&b=2)",
    "![그림](https://example.org/x)",
    "[x](javascript:alert(1))", "[x]: https://example.org\n", "[x]", "<https://example.org>", "https://example.org ",
    "](", "![", "](<", "[a]( 'b\"", '"', "'", "=", "onclick=", "$", "$$", "\\(", "\\)", "\\[", "\\]", "$x_1^2$",
    "$$\na_1\n$$\n", "- 하나\n", "1. one\n", "   - sub\n", "   ```py\n", "   ```\n", "   code\n", "| 1 | 2 |\n",
    "> - ```\n", ">   x\n", "1)", "- - - x\n",
    "| a | b | c | d | e | f |\n|-|-|-|-|-|-|\n", "| 1 | 2 | 3 | 4 | 5 | 6 |\n",
)  # fmt: skip
MARKDOWNISH = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=40).map("".join)


class Tags(HTMLParser):
    """Every tag and attribute of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(tag, name) for name, _ in attrs}

    def handle_comment(self, data: str) -> None:
        self.tags.add("<!--")


def assert_safe(html: str) -> None:
    found = Tags(html)
    assert found.tags <= TAGS
    assert found.attributes <= {("ol", "start"), ("pre", "tabindex"), ("table", "tabindex")}


def chunks(text: str, places: list[int]) -> list[str]:
    cuts = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[a:b] for a, b in pairwise(cuts)]


def data(event: bytes) -> str:
    return event.decode().strip().rpartition("\ndata:")[2].removeprefix("data:")


def pushed(pieces: list[str]) -> tuple[LiveMarkdown, Stream]:
    """A live column that was given the pieces and its end, and a browser that played every event."""
    live, idle, played = LiveMarkdown(), LiveMarkdown(), Stream()
    played.take("state", data(state_event(live.standing, idle.standing)))

    def play(steps: list[Step]) -> None:
        played.take("message", data(steps_event(steps, [])))
        assert played.a == live.done + live.tail
        assert_safe(live.done + live.tail)

    for piece in pieces:
        play(live.push(piece))
    play(live.finish())
    return live, played
