"""Long blocks: they come out whole where they can, and no step of an answer costs much, however hostile it is."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from arena.battles import blocks
from arena.battles.markdown import LiveMarkdown, render_markdown
from tests.battles.columns import MARKDOWNISH, chunks, pushed

CODE = "def f_{}(a, *b): return `x`  # [y](z) **w**"
TALL = {
    "code": ("```py", CODE, "```", 400),
    "a bulleted list": ("", "- 항목 **{}**에 `코드`가 있어요", "", 150),
    "a list with blank lines": ("", "1. 항목 **{}**에 `코드`가 있어요\n\n   둘째 문단이에요.\n", "", 150),
    "a list of lists": ("", "1. 항목 **{}**\n   - 아래 *항목*", "", 150),
    "a table": ("| 가 | 나 | 다 |\n|---|---|:-:|", "| {} | **나** | `다` |", "", 200),
    "code in a list": ("1. 하나\n\n   ```py", "   " + CODE, "   ```\n2. 둘", 200),
    "code in a list in a list": ("- 가\n  1. 하나\n\n     ```py", "     " + CODE, "     ```\n  2. 둘\n- 나", 200),
    "code in a quote": ("> - 가\n>   ```py", ">   " + CODE, ">   ```\n> - 나", 200),
    "code of one long line": ("```", "QUJD*_[]" * 300 + "{}", "```", 3),
}


@pytest.mark.parametrize("kind", TALL)
def test_a_tall_block_comes_out_in_one_piece(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    head, line, foot, count = TALL[kind]
    text = "\n".join([head, *(line.format(number) for number in range(count)), foot, "", "끝"])
    assert blocks.weigh(text) > 2 * blocks.LIMIT
    html = render_markdown(text)
    assert pushed(chunks(text, list(range(0, len(text), 11))))[1].a == html
    monkeypatch.setattr(blocks, "LIMIT", 10 * len(text))
    assert html == render_markdown(text)


def test_a_paragraph_past_the_limit_goes_on_in_another_and_loses_nothing() -> None:
    words = " ".join(f"낱말{number}" for number in range(3000))
    html = render_markdown(words)
    assert html.count("<p>") > 1
    assert html.replace("</p>\n<p>", " ").split() == f"<p>{words}</p>".split()


def test_a_row_of_few_cells_is_not_filled_up_with_many() -> None:
    columns = 40
    table = "|a" * columns + "\n" + "|-" * columns + "\n" + "|b\n" * 500
    assert len(render_markdown(table)) < 10 * len(table)
    assert "<td>b</td>" in render_markdown("|a|b|c|\n|-|-|-|\n|b\n")


@pytest.mark.parametrize("limit", [30, 100, 400])
@settings(max_examples=60)
@given(text=MARKDOWNISH, places=st.lists(st.integers(0, 500), max_size=60))
@example("*\n* \\[[]", [1, 2, 3])
@example("\n\n\n\\[```\n\\[  ```\n$x_1^2$~~~\n   - sub\n", list(range(60)))
@example('1)\n7) ``"__``\x0b$___| ', list(range(30)))
@example("a    ```\n our\n\n\n\n   ````", list(range(40)))
def test_where_a_block_is_cut_depends_on_its_text_alone(limit: int, text: str, places: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "LIMIT", limit)
        assert pushed(chunks(text, places))[1].a == render_markdown(text)


COSTLY = {
    "paragraphs": ("", "한 문단에 **굵은** 글자와 `코드`가 있고, 몇 마디가 더 이어져요.\n\n"),
    "one paragraph": ("", "끝없이 이어지는 **한** 문단이에요, 쉼표도 (괄호도) 있고요. "),
    "one list": ("", "- 항목 하나에 **굵은** 글자와 `코드`가 있어요.\n"),
    "one code block": ("```py\n", "    total += step(1)  # 들여쓴 `코드`\n"),
    "one table": ("| 가 | 나 |\n|---|---|\n", "| 값 하나 | **값 둘** |\n"),
    "brackets": ("", "!["),
    "links": ("", "[a](b"),
    "emphasis": ("", "**a*_"),
    "backticks": ("", "`a``b"),
    "lists in lists": ("", "- - - - - a\n"),
    "lists and quotes by turns": ("", "> - a\n+ b\n"),
    "short lines": ("", "a\n"),
    "short rows of a wide table": ("|a" * 30 + "\n" + "|-" * 30 + "\n", "|" * 8 + "\n"),
    "code of backticks": ("````\n", "```\n"),
    "blank lines": ("", "\n"),
    "math": ("", "$a\\(b$$"),
}


def calls(act: Callable[[], object]) -> int:
    """How many function calls an act makes: its cost, whatever else the machine does."""
    count = 0

    def counting(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(counting)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("kind", COSTLY)
def test_no_step_costs_more_late_in_a_long_answer_than_early(kind: str) -> None:
    head, again = COSTLY[kind]
    text = (head + again * 6000)[:6000]
    live = LiveMarkdown()
    steps = [calls(partial(live.push, text[at : at + 24])) for at in range(0, len(text), 24)]
    half = len(steps) // 2
    assert sum(steps[half:]) < 1.5 * sum(steps[:half])
    assert max(steps) < 100_000
