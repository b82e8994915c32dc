"""Answers as HTML: the same however they arrive, safe whatever they hold, at a cost that follows the text."""

from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.battles import markdown
from arena.battles.markdown import TAGS, LiveMarkdown, Step, render_markdown
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
    "](", "![", "](<", "[a]( 'b\"", '"', "'", "=", "onclick=",
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
    played.take("state", data(state_event(live, idle)))

    def play(steps: list[Step]) -> None:
        played.take("message", data(steps_event(steps, [])))
        assert played.a == live.done + live.tail
        assert_safe(live.done + live.tail)

    for piece in pieces:
        play(live.push(piece))
    play(live.finish())
    return live, played


@given(text=MARKDOWNISH, places=st.lists(st.integers(0, 500), max_size=30))
@example("a\r", [])
@example("a\r\nb", [2])
@example("😀**😀**😀\n\n😀", [1, 2, 3, 4, 5, 6])
@example("| a | b |\n|---|---|\n| 1 | 2 |\n\n끝", list(range(40)))
@example("```\n<script>\n```\n*끝*", list(range(40)))
@example("1. 하나\n2. 둘\n\n   셋\n- 넷", list(range(40)))
@example("제목\n---\n본문", list(range(40)))
@example("a\u2028b\u2029c\u0085d", [1, 2, 3])
def test_a_browser_that_plays_the_steps_shows_the_answer_however_it_was_cut(text: str, places: list[int]) -> None:
    live, played = pushed(chunks(text, places))
    assert live.tail == ""
    assert played.a == live.done == render_markdown(text)
    assert played.b == ""


@given(text=MARKDOWNISH)
def test_one_character_at_a_time_ends_as_the_whole(text: str) -> None:
    assert pushed(list(text))[1].a == render_markdown(text)


@given(text=MARKDOWNISH | st.text())
def test_nothing_but_the_listed_tags_without_attributes_comes_out(text: str) -> None:
    assert_safe(render_markdown(text))


@given(text=MARKDOWNISH, places=st.lists(st.integers(0, 500), max_size=10), late=st.integers(0, 30))
def test_a_reader_who_joins_late_ends_with_the_same_html(text: str, places: list[int], late: int) -> None:
    live, idle, played = LiveMarkdown(), LiveMarkdown(), Stream()
    for number, piece in enumerate(chunks(text, places)):
        if number == late:
            played.take("state", data(state_event(live, idle)))
        steps = live.push(piece)
        if number >= late:
            played.take("message", data(steps_event(steps, [])))
    if late >= len(chunks(text, places)):
        played.take("state", data(state_event(live, idle)))
    played.take("message", data(steps_event(live.finish(), [])))
    assert played.a == render_markdown(text)


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>눌러요</a>",
        "<iframe src=//example.org></iframe>",
        "<style>*{display:none}</style>",
        "```<script>\nalert(1)\n```",
        "[<img src=x>](https://example.org)",
        "![x](https://example.org/x.png?<script>)",
        '[x](https://example.org/"onmouseover="alert(1))',
        "<svg/onload=alert(1)>",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
    ],
)
def test_hostile_answers_become_text(hostile: str) -> None:
    html = render_markdown(hostile)
    assert_safe(html)
    assert not Tags(html).tags & {"script", "img", "a", "iframe", "style", "svg"}


def test_a_link_is_its_words_and_its_target_as_text() -> None:
    assert render_markdown("[서울시](https://seoul.example/a?b=1&c=2)") == (
        "<p>서울시 (https://seoul.example/a?b=1&amp;c=2)</p>\n"
    )
    assert render_markdown("<https://seoul.example>") == "<p>https://seoul.example</p>\n"


def test_a_link_inside_emphasis_is_text_too() -> None:
    assert render_markdown("**[가](https://a.example)** 나") == "<p><strong>가 (https://a.example)</strong> 나</p>\n"


def test_an_image_is_its_words() -> None:
    assert render_markdown("![고양이](https://a.example/cat.png)") == "<p>고양이</p>\n"


def test_the_usual_marks_are_rendered() -> None:
    html = render_markdown(
        "# 제목\n\n**굵게** *기울여* ~~지움~~ `코드`\n\n1. 하나\n2. 둘\n\n> 인용\n\n|가|나|\n|-|-|\n|1|2|"
    )
    assert Tags(html).tags >= {"h1", "strong", "em", "code", "ol", "li", "blockquote", "table", "thead", "td"}


def test_what_has_been_finished_is_never_touched_again() -> None:
    text = "첫째 문단이에요.\n\n- 하나\n- 둘\n\n```py\nprint(1)\n```\n\n마지막 **문단**이에요."
    live, before = LiveMarkdown(), ""
    for char in text:
        live.push(char)
        assert live.done.startswith(before)
        before = live.done
    live.finish()
    assert live.done.startswith(before)


LONG = {
    "paragraphs": "한 문단에 **굵은** 글자와 `코드`가 있고, 몇 마디가 더 이어져요.\n\n",
    "one paragraph": "끝없이 이어지는 **한** 문단이에요, 쉼표도 (괄호도) 있고요. ",
    "one list": "- 항목 하나에 **굵은** 글자와 `코드`가 있어요.\n",
    "one code block": "    total += step(1)  # 들여쓴 코드\n",
    "one table": "| 값 하나 | **값 둘** |\n",
}


@pytest.mark.parametrize("kind", LONG)
def test_the_work_grows_with_the_text_and_not_with_its_square(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parse, parsed = markdown._MARKDOWN.parse, 0

    def counting(source: str, env: Any = None) -> Any:
        nonlocal parsed
        parsed += len(source)
        return parse(source, env)

    monkeypatch.setattr(markdown._MARKDOWN, "parse", counting)

    def work(size: int) -> int:
        nonlocal parsed
        head = {"one code block": "```py\n", "one table": "| 가 | 나 |\n|---|---|\n"}.get(kind, "")
        text = head + LONG[kind] * (size // len(LONG[kind]))
        live, parsed = LiveMarkdown(), 0
        for begin in range(0, len(text), 12):
            live.push(text[begin : begin + 12])
        live.finish()
        return parsed

    assert work(8_000) < 2.6 * work(4_000)  # in proportion: 2; its square: 4
