"""Answers as HTML: the same however they arrive, and safe whatever they hold."""

import tomllib
from html import escape
from importlib.resources import files

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.battles.markdown import LiveMarkdown, render_markdown
from arena.battles.relay import state_event, steps_event
from tests.battles.columns import MARKDOWNISH, Tags, assert_safe, chunks, data, pushed
from tests.battles.hostile_markdown import ITEMS
from tests.browser.teams import FIRST, REST
from tests.support import Stream


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


@pytest.mark.parametrize("frame", [1, 6, 30, 500])
def test_what_teams_really_write_comes_out_the_same_in_frames(frame: int) -> None:
    texts = [text for locale in ("ko", "en") for answers in demo_answers(locale) for text in answers.values()]
    assert len(texts) >= 100
    for text in (*texts, f"{FIRST % 1}{REST}"):
        pieces = [text[at : at + frame] for at in range(0, len(text), frame)]
        assert pushed(pieces)[1].a == render_markdown(text)


def demo_answers(locale: str) -> list[dict[str, str]]:
    file = files("arena.demo").joinpath("answers", f"{locale}.toml")
    return list(tomllib.loads(file.read_text("utf-8")).values())


def test_code_and_tables_that_begin_in_the_middle_of_a_frame_show_as_they_are() -> None:
    live = LiveMarkdown()
    live.push("앞 글\n\n```python\nd")
    assert live.tail.endswith("<code>d")
    live = LiveMarkdown()
    live.push("앞 글\n\n| a | b | c | d | e |\n|-|-|-|-|-|\n| 1")
    assert "1" not in live.done + live.tail
    live.push(" | 2 | 3 | 4 | 5 |\n")
    assert live.tail.count("<td>") == 5


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
            played.take("state", data(state_event(live.standing, idle.standing)))
        steps = live.push(piece)
        if number >= late:
            played.take("message", data(steps_event(steps, [])))
    if late >= len(chunks(text, places)):
        played.take("state", data(state_event(live.standing, idle.standing)))
    played.take("message", data(steps_event(live.finish(), [])))
    assert played.a == render_markdown(text)


@pytest.mark.parametrize("item", ITEMS)
def test_a_hostile_answer_is_text_at_every_step(item: str) -> None:
    assert pushed(list(item))[1].a == render_markdown(item)
    assert_safe(render_markdown(item))


def test_hostile_answers_one_after_the_other_are_text_at_every_step() -> None:
    assert_safe(pushed(chunks("\n\n".join(ITEMS), list(range(0, 10_000, 7))))[1].a)


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


@pytest.mark.parametrize(
    "math",
    [
        "$x_1^2$",
        "$a*b*c$",
        "$$\\sum_{i=1}^n x_i * y_i * z_i$$",
        "\\(a_b\\)와 \\(c_d\\)",
        "\\[ \\frac{a_1}{b_1} \\]",
        "$\\$5 * 2 * 3$",
        "\\(x < y & z \\\\ w\\)",
        "$&lt;_a_$",
        "\\(a_b **c** 아직 끝나지 않은",
    ],
)
def test_math_stays_the_text_it_is(math: str) -> None:
    for around in ("{}", "값은 {}", "{}예요" if not math.startswith(("$$", "\\[")) else "{}"):
        text = around.format(math)
        assert pushed(list(text))[1].a == f"<p>{escape(text, quote=False)}</p>\n"


@pytest.mark.parametrize(("opener", "closer"), [("$$", "$$"), ("\\[", "\\]")])
def test_lines_of_display_math_are_no_lists_headings_or_quotes(opener: str, closer: str) -> None:
    lines = [opener, "a_1", "= b_1 * c * d \\\\", "- e", "# f", "> g", "---", closer]
    html = render_markdown("앞이에요\n" + "\n".join(lines) + "\n**뒤**예요")
    math = "<br>\n".join(escape(line, quote=False) for line in lines)
    assert html == f"<p>앞이에요</p>\n<p>{math}</p>\n<p><strong>뒤</strong>예요</p>\n"


def test_display_math_that_never_closes_ends_at_a_blank_line() -> None:
    assert render_markdown("$$\n*a*\n\n*b*") == "<p>$$<br>\n*a*</p>\n<p><em>b</em></p>\n"


@pytest.mark.parametrize("prices", ["$5 and *about* $10", "$5와 *약* $10", "US$5/*약*/US$10", "5$ *a* 6"])
def test_prices_are_no_math(prices: str) -> None:
    assert "<em>" in render_markdown(prices)


def test_an_escaped_marker_is_the_marker() -> None:
    assert render_markdown(r"\*a\* \$5\$ \_b\_") == "<p>*a* $5$ _b_</p>\n"


def test_a_blank_line_in_a_list_changes_nothing_above_it() -> None:
    live, _ = pushed(["- 하나\n- 둘\n\n- 셋\n\n  넷"])
    assert live.done == "<ul>\n<li>하나</li>\n<li>둘</li>\n<li>셋\n<p>넷</p>\n</li>\n</ul>\n"
