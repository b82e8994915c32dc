"""What is counted as style in an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.stats.style import Style, style_of

ANSWER = """# Heading
Some **bold** and __bold__ text, `code` and ``more code``.

- one
* two
  + nested, with **`code`** in bold
1. first
10. tenth

```python
# no heading
- no item
**no bold** `no span`
```

## Another
~~~
```
# still inside
~~~
"""


def test_each_feature_is_counted() -> None:
    assert style_of(ANSWER) == Style(characters=len(ANSWER), headings=2, list_items=5, bold=3, code=5)


@pytest.mark.parametrize(
    ("markdown", "headings", "list_items", "bold", "code"),
    [
        ("", 0, 0, 0, 0),
        ("####### seven\n#none\ntext # not\n###### six", 1, 0, 0, 0),
        ("-5 degrees\n1.5 litres\n* * *", 0, 1, 0, 0),
        ("**a\nb** __c__d__ ****", 0, 0, 1, 0),
        ("**a** b **c**, __a__ b __c__", 0, 0, 4, 0),
        ("`a\nb`", 0, 0, 0, 0),
        ("`#` # no heading", 0, 0, 0, 1),
        ("`-` - no item", 0, 0, 0, 1),
        ("*`a`*b**", 0, 0, 0, 1),
        ("a ``` b ``` c", 0, 0, 0, 1),
        ("```a```\n# heading", 1, 0, 0, 1),
        ("```\nnever closed\n# inside", 0, 0, 0, 1),
        ("````\n```\n# inside\n````\n# out", 1, 0, 0, 1),
        ("```\n# inside\n`````\n# out", 1, 0, 0, 1),
        ("1. step\n    ```sh\n    # inside\n    ```\n2. step", 0, 2, 0, 1),
        ("```\r\n# inside\r\n```\r\n# out\r\n", 1, 0, 0, 1),
    ],
)
def test_the_finer_rules(markdown: str, headings: int, list_items: int, bold: int, code: int) -> None:
    assert style_of(markdown) == Style(len(markdown), headings, list_items, bold, code)


def test_a_character_is_one_in_any_script() -> None:
    assert style_of("한국어 답변").characters == 6


@pytest.mark.parametrize(
    "piece",
    [
        "`",
        "` ",
        "```\n",
        "`a\n",
        "```a`\n",
        "~~~ ",
        "~~~~\n~~~ \n",
        "*",
        "**a",
        "__a_",
        " ",
        "\n",
        " \n",
        "1",
        "#",
        "# ",
    ],
)
def test_a_million_hostile_characters_come_to_an_end(piece: str) -> None:
    """A pattern whose work grew with the square of the length would take hours; then the same, long before a rest."""
    long, short = piece * (1_000_000 // len(piece)), piece * 1_000
    for text in (
        long,
        "a " + long + "x" * 1_000_000,
        (short + "x\n") * 500,
        ("a " + short + "x" * 1_000 + "\n") * 500,
    ):
        assert style_of(text).characters == len(text)


@given(st.text(alphabet="`~*_#-1. a\n", max_size=60))
def test_what_follows_a_blank_line_adds_up_where_no_fence_is_open(markdown: str) -> None:
    closed = markdown.replace("```", "").replace("~~~", "")
    one, both = style_of(closed), style_of(closed + "\n\n" + ANSWER)

    assert both[1:] == tuple(here + there for here, there in zip(one[1:], style_of(ANSWER)[1:], strict=True))
