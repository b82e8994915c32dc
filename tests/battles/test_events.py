"""What is read from a stream of events, however its bytes and its text are cut."""

import json
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.events import ANSWER_LIMIT, LONGEST_LINE, MOST_BYTES, MOST_LINES, BadStreamError, EventReader
from tests.battles.endpoint import END, event

CUTS = st.lists(st.integers(0, 2000))
TAGS = ("<think>", "</think>", "<thinking>", "</thinking>")


def cut(length: int, cuts: Sequence[int]) -> list[slice]:
    """Slices that cover a length."""
    places = sorted({0, length, *(place % (length + 1) for place in cuts)})
    return [slice(*ends) for ends in pairwise(places)]


def read(*data: bytes) -> tuple[str, str]:
    """How a stream that came in these pieces ended, and its text."""
    pieces: list[str] = []
    reader = EventReader(pieces.append)
    for piece in data:
        reader.take(piece)
    return reader.end(), "".join(pieces)


def said(*texts: str) -> str:
    """What is shown of these contents."""
    events = (b'data: {"choices": [{"delta": {"content": %b}}]}\n' % json.dumps(text).encode() for text in texts)
    return read(*events, END)[1]


def without_thoughts(text: str) -> str:
    """The rule read off the whole text at once, character by character."""
    shown, depth, at = "", 0, 0
    while at < len(text):
        tag = next((tag for tag in TAGS if text[at:].lower().startswith(tag)), "")
        if tag:
            depth = max(depth - 1, 0) if "/" in tag else depth + 1
        elif not depth:
            shown += text[at]
        at += len(tag) or 1
    return shown


@given(texts=st.lists(st.text(), max_size=5), cuts=CUTS, newline=st.sampled_from(["\n", "\r\n", "\r"]))
def test_the_text_does_not_depend_on_where_the_bytes_are_cut(texts: list[str], cuts: list[int], newline: str) -> None:
    sent = b"".join(event({"content": text}) for text in texts) + event({}, "stop") + END
    sent = sent.replace(b"\n", newline.encode())
    text = "".join(texts).replace("\0", "").lstrip()
    assert read(*(sent[part] for part in cut(len(sent), cuts))) == ("complete" if text else "empty", text)


@given(
    text=st.lists(st.sampled_from([*TAGS, "<THINK>", "</Think>"]) | st.text("<think/>ing 가\n", max_size=8)).map(
        "".join
    ),
    cuts=CUTS,
)
def test_a_thought_leaves_no_trace_wherever_its_tags_are_cut(text: str, cuts: list[int]) -> None:
    assert said(*(text[part] for part in cut(len(text), cuts))) == without_thoughts(text).lstrip()


@given(
    units=st.lists(st.sampled_from(["\ud83d", "\ude00", "\ud800", "\udfff", "\0", "a", "한", "\u1112", "\n"])).map(
        "".join
    ),
    cuts=CUTS,
)
def test_surrogates_are_paired_across_events_and_lone_ones_are_replaced(units: str, cuts: list[int]) -> None:
    whole = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    assert said(*(units[part] for part in cut(len(units), cuts))) == whole.replace("\0", "").lstrip()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["choices", "delta", "content", "finish_reason"]), inner)
    ),
)


@given(junk=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_the_reader_fail_otherwise_than_by_name(junk: bytes) -> None:
    pieces: list[str] = []
    reader = EventReader(pieces.append)
    with suppress(BadStreamError):
        reader.take(b"data: " + junk + b"\n\n")
        reader.end()
    "".join(pieces).encode()


def test_a_line_that_drips_in_byte_by_byte_is_read_up_to_its_limit() -> None:
    """Were each byte to cost the line before it, this would take hours."""
    reader = EventReader(lambda _text: None)
    for _ in range(LONGEST_LINE):
        reader.take(b"x")
    with pytest.raises(BadStreamError, match="too_long"):
        reader.take(b"x")


@pytest.mark.parametrize(
    ("data", "limit"),
    [
        (b'data: {"choices": []}\n', MOST_LINES),
        (b"\n" * 64, MOST_LINES // 64),
        (b"\r" * 64, MOST_LINES // 64),
        (b":" + b"x" * 4094 + b"\n", MOST_BYTES // 4096),
        (event({"content": "가" * 4096}), ANSWER_LIMIT // 4096),
    ],
)
def test_a_stream_that_goes_on_and_on_is_too_long(data: bytes, limit: int) -> None:
    reader = EventReader(lambda _text: None)
    for _ in range(limit):
        reader.take(data)
    with pytest.raises(BadStreamError, match="too_long"):
        reader.take(data)
