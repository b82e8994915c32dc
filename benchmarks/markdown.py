"""What live Markdown costs, ordinary and hostile: `python -m benchmarks.markdown`, about a minute.

Answers of 50,000 characters arrive in tokens of three and four characters. CPU time of the thread, so that other work
on the machine does not count.
"""

from itertools import accumulate, cycle, pairwise, takewhile
from time import thread_time

from arena.battles.markdown import LiveMarkdown, render_markdown
from benchmarks.table import Row, say, table

_SIZE = 50_000
_STEP_BAR_MS = 10

_MIXED = """## 묵은지 김치찌개

김치찌개는 **묵은지**로 끓이면 깊은 맛이 나요. 먼저 `중불`에서 돼지고기를 볶아요.

1. **고기**: 앞다리살 200 g을 한입 크기로 썰어요.
2. **김치**: 반 포기를 송송 썰어 *10분* 볶아요.

   - 신맛이 강하면 설탕을 조금 넣어요.

| 재료 | 양 |
|---|---|
| 두부 | 반 모 |

```python
def simmer(minutes: int) -> str:
    return "보글 " * minutes
```

"""
ORDINARY = {
    "mixed": ("", _MIXED),
    "code": ("```js\n", "  const total = await step(`값 ${i}`); // 들여쓴 *코드*\n"),
    "list": ("", "- 항목 하나에 **굵은** 글자와 `코드`가 있어요.\n"),
    "table": ("| 가 | 나 |\n|---|---|\n", "| 값 하나 | **값 둘** |\n"),
    "one paragraph": ("", "끝없이 이어지는 **한** 문단이에요, 쉼표도 (괄호도) 있고요. "),
}
HOSTILE = {
    "brackets": ("", "!["),
    "links": ("", "[a](b"),
    "emphasis": ("", "**a*_"),
    "backticks": ("", "`a``b"),
    "list in a list": ("", "- - - - - a\n"),
    "lists and quotes by turns": ("", "> - a\n+ b\n"),
    "short lines": ("", "a\n"),
    "empty rows of a wide table": ("|a" * 30 + "\n" + "|-" * 30 + "\n", "|\n"),
    "short rows of a wide table": ("|a" * 30 + "\n" + "|-" * 30 + "\n", "|" * 8 + "\n"),
    "code of backticks": ("````\n", "```\n"),
    "math": ("", "$a\\(b$$"),
}


def times(text: str) -> list[float]:
    """CPU seconds of each step, the end's last."""
    ends = takewhile(lambda end: end < len(text), accumulate(cycle((3, 4))))
    live, taken = LiveMarkdown(), []
    for a, b in pairwise([0, *ends, len(text)]):
        began = thread_time()
        live.push(text[a:b])
        taken.append(thread_time() - began)
    began = thread_time()
    live.finish()
    return [*taken, thread_time() - began]


def row(kind: str, name: str, head: str, again: str) -> Row:
    text = (head + again * _SIZE)[:_SIZE]
    steps = times(text)
    if max(steps) * 1e3 >= _STEP_BAR_MS:  # once more, as what else the machine does is never at the same step
        steps = [min(both) for both in zip(steps, times(text), strict=True)]
    fifth = len(steps) // 5
    first, rest = sum(steps[:fifth]) / fifth, sum(steps[-fifth:]) / fifth
    began = thread_time()
    render_markdown(text)
    whole = thread_time() - began
    worst = max(steps) * 1e3
    measured = (
        f"{sum(steps) / len(steps) * 1e6:.0f} us (first fifth {first * 1e6:.0f}, last fifth {rest * 1e6:.0f}); "
        f"worst step {worst:.1f} ms; whole {whole * 1e3:.0f} ms"
    )
    return Row(f"{kind}, {name}: a token", measured, f"worst step under {_STEP_BAR_MS} ms", worst < _STEP_BAR_MS)


def main() -> None:
    rows = []
    for kind, texts in (("ordinary", ORDINARY), ("hostile", HOSTILE)):
        for name, (head, again) in texts.items():
            say(f"{kind}, {name} ...")
            rows.append(row(kind, name, head, again))
    print(table(rows, quick=False))


if __name__ == "__main__":
    main()
