"""Everything an endpoint can do wrong, or oddly but well, by name."""

import asyncio
import zlib
from collections.abc import Mapping
from typing import Any

from tests.battles.endpoint import (
    COMPANY,
    END,
    SYLLABLES,
    Answering,
    Script,
    content,
    event,
    mute,
    saying,
    sending,
    status,
)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
FIRST = event({"content": "여기까지"})
STOP = event({}, "stop") + END
WHOLE = event({"content": "답"}) + STOP
LIE = event({"content": "거짓"}) + STOP
LOST = "\N{REPLACEMENT CHARACTER}"
EMPTY = b'data: {"choices": []}\n\n'


def answering(*deltas: Mapping[str, Any]) -> Script:
    """Answers with these deltas, one event each, and ends well."""
    return sending(b"".join(map(event, deltas)) + STOP)


def wired(data: bytes) -> Script:
    """Writes below HTTP and says no more."""

    async def script(answer: Answering) -> None:
        await answer.wire(data)
        await answer.leave()

    return script


def repeating(part: bytes, *, first: bytes = HEAD + b"\r\n", every_s: float = 0) -> Script:
    """Writes `part` for ever, at full speed or every so often."""

    async def script(answer: Answering) -> None:
        await answer.wire(first)
        while True:
            await answer.wire(part)
            await asyncio.sleep(every_s)

    return script


def sized(length: int, body: bytes) -> Script:
    """Says that its body has this length."""
    return wired(HEAD + b"content-length: %d\r\n\r\n%b" % (length, body))


def ending_lines_with(newline: bytes) -> Script:
    return sending((event({"content": "첫째 "}) + event({"content": "둘째"}) + STOP).replace(b"\n", newline))


def compressed(encoding: str) -> Script:
    """100 MB in 100 kB, said to be of this encoding."""

    async def script(answer: Answering) -> None:
        await answer.begin(content_encoding=encoding)
        packer = zlib.compressobj(wbits=31)
        for _ in range(1600):
            await answer.raw(packer.compress(b"x" * 65536) or b"\n")
        await answer.raw(packer.flush())

    return script


async def idle(answer: Answering) -> None:
    await answer.begin()
    await answer.raw(FIRST)
    await answer.hang()


async def breaks_off(answer: Answering) -> None:
    await answer.begin()
    await answer.raw(FIRST + FIRST[:40])
    raise ConnectionResetError


async def byte_by_byte(answer: Answering) -> None:
    await answer.begin()
    for byte in event({"content": SYLLABLES}) + STOP:
        await answer.raw(bytes([byte]))
        await asyncio.sleep(0)


async def long_line(answer: Answering) -> None:
    """30 MB."""
    await answer.begin()
    await answer.raw(b"data: ")
    for _ in range(460):
        await answer.raw(b"x" * 65536)


async def speaks_again(answer: Answering) -> None:
    await answer.begin()
    await answer.raw(WHOLE)
    await answer.wire(b"0\r\n\r\n" + HEAD + b"content-length: %d\r\n\r\n%b" % (len(LIE), LIE))
    await answer.hang()


# name: script, how it must end, what must be read
FAULTS: dict[str, tuple[Script, str, str]] = {
    "ok": (saying("안녕", "하세요"), "complete", "안녕하세요"),
    # too slow
    "mute": (mute, "no_first_token", ""),
    "drip of comments": (repeating(b": keep-alive\n\n", every_s=0.01), "no_first_token", ""),
    "drip of bytes": (repeating(b"d", every_s=0.05), "no_first_token", ""),
    "drip of headers": (repeating(b"x-hanbit: 1\r\n", first=HEAD, every_s=0.2), "no_first_token", ""),
    "drip of 100 Continue": (
        repeating(b"HTTP/1.1 100 Continue\r\n\r\n", first=b"", every_s=0.01),
        "no_first_token",
        "",
    ),
    "idle": (idle, "idle", "여기까지"),
    "idle but reasoning": (
        repeating(event({"content": "", "reasoning_content": "음"}), first=HEAD + b"\r\n" + FIRST, every_s=0.01),
        "idle",
        "여기까지",
    ),
    "idle but thinking": (
        repeating(content(b"<think>um"), first=HEAD + b"\r\n" + FIRST, every_s=0.01),
        "idle",
        "여기까지",
    ),
    # not a stream of events
    "refused 400": (status("400 Bad Request"), "refused", ""),
    "refused 401": (status("401 Unauthorized"), "refused", ""),
    "refused 429": (status("429 Too Many Requests", retry_after="1"), "refused", ""),
    "refused 500": (status("500 Internal Server Error"), "refused", ""),
    "refused 503": (status("503 Service Unavailable"), "refused", ""),
    "redirect": (status("307 Temporary Redirect", location="/ok/v1/chat/completions"), "refused", ""),
    "redirect inwards": (status("302 Found", location="http://169.254.169.254/latest/meta-data/"), "refused", ""),
    "HTML": (sending(b"<html>Hanbit is down</html>", kind="text/html"), "not_a_stream", ""),
    "error as JSON": (sending(b'{"error": {"message": "Hanbit"}}', kind="application/json"), "not_a_stream", ""),
    "gzip bomb": (compressed("gzip"), "not_a_stream", ""),
    "deflate": (compressed("deflate"), "not_a_stream", ""),
    "br": (compressed("br"), "not_a_stream", ""),
    "HTTP/0.9": (wired(b"Hanbit says hello\r\n" + WHOLE), "unreachable", ""),
    "endless headers": (repeating(b"x-hanbit: 1\r\n" * 100, first=HEAD), "unreachable", ""),
    "long header": (wired(HEAD + b"x-hanbit: " + b"x" * 20_000 + b"\r\n\r\n" + WHOLE), "unreachable", ""),
    # broken HTTP
    "connection breaks off": (breaks_off, "cut_off", "여기까지"),
    "early close": (sending(FIRST), "cut_off", "여기까지"),
    "closed in an event": (sending(FIRST + FIRST[:40]), "cut_off", "여기까지"),
    "Content-Length too small": (sized(len(FIRST), FIRST + STOP), "unreachable", ""),
    "Content-Length too large": (sized(9999, FIRST), "cut_off", "여기까지"),
    "Content-Length without an end": (sized(len(FIRST), FIRST), "cut_off", "여기까지"),
    "broken chunks": (wired(HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\nHanbit"), "unreachable", ""),
    "a second answer": (speaks_again, "complete", "답"),
    # broken events
    "error as event": (sending(b'data: {"error": {"message": "Hanbit"}}\n\n'), "broken_stream", ""),
    "bad JSON": (sending(content("안".encode()) + b"data: {oops\n\n"), "broken_stream", "안"),
    "JSON list": (sending(b"data: [1, 2]\n\n"), "broken_stream", ""),
    "deep JSON": (sending(b"data: " + b"[" * 200_000 + b"\n\n"), "broken_stream", ""),
    "huge number": (sending(b'data: {"choices": [], "n": %b}\n\n' % (b"9" * 5000)), "broken_stream", ""),
    "content is a number": (sending(b'data: {"choices": [{"delta": {"content": 7}}]}\n\n'), "broken_stream", ""),
    "empty answer": (saying(""), "empty", ""),
    "white space alone": (saying(" \n", "\n"), "empty", ""),
    "thought alone": (saying("<think>", "음", "</think>", "\n\n"), "empty", ""),
    "nothing at all": (sending(b"\n"), "empty", ""),
    # odd, and read well
    "no DONE": (sending(event({"content": "다 했어요"}) + event({}, "stop")), "complete", "다 했어요"),
    "length": (sending(event({"content": "길어요"}) + event({}, "length") + END), "length", "길어요"),
    "comments": (sending(b": hi\n\nretry: 9\nid: 7\nevent: chunk\n" + WHOLE), "complete", "답"),
    "nulls": (
        sending(EMPTY + b'data: {"choices": [{"delta": null}]}\n\n' + event({"content": None}) + WHOLE),
        "complete",
        "답",
    ),
    "tool calls": (answering({"tool_calls": [{"function": {"name": COMPANY}}]}, {"content": "답"}), "complete", "답"),
    "reasoning": (
        answering({"reasoning_content": COMPANY}, {"reasoning": COMPANY}, {"content": "답"}),
        "complete",
        "답",
    ),
    "thought": (saying("<thi", "nk>음", "</thin", "king>\n", "\n답"), "complete", "답"),
    "thought in the middle": (saying("하나 <think>", "음</think>", "둘"), "complete", "하나 둘"),
    "nested thoughts": (saying("<think>가<THINK>나</think>다</Think>\n\n답"), "complete", "답"),
    "unfinished thought": (saying("답<think>음"), "complete", "답"),
    "no thought": (saying("a <", " b <th", "e> c <thin"), "complete", "a < b <the> c <thin"),
    "two choices": (
        sending(b'data: {"choices": [{"delta": {"content": "A"}}, {"delta": {"content": "B"}}]}\n\n' + STOP),
        "complete",
        "A",
    ),
    "duplicate keys": (
        sending(b'data: {"choices": 1, "choices": [{"delta": {"content": "A", "content": "B"}}]}\n\n' + STOP),
        "complete",
        "B",
    ),
    "large number": (sending(b'data: {"choices": [], "n": 1e999}\n\n' + WHOLE), "complete", "답"),
    "duplicate chunks": (answering(*[{"content": "네"}] * 2), "complete", "네네"),
    "content before role": (answering({"content": "답"}, {"role": "assistant"}), "complete", "답"),
    "10,000 chunks": (answering(*[{"content": "가"}] * 10_000), "complete", "가" * 10_000),
    "one chunk": (answering({"role": "assistant"}, {"content": "가" * 10_000}), "complete", "가" * 10_000),
    "byte by byte": (byte_by_byte, "complete", SYLLABLES),
    "CRLF": (ending_lines_with(b"\r\n"), "complete", "첫째 둘째"),
    "CR": (ending_lines_with(b"\r"), "complete", "첫째 둘째"),
    "line separators": (saying("가\u2028나\u0085다\u2029라"), "complete", "가\u2028나\u0085다\u2029라"),
    "conjoining jamo": (saying("\u1112\u1161", "\u11ab"), "complete", "\u1112\u1161\u11ab"),
    "NUL": (sending(content(rb"A\u0000B") + END), "complete", "AB"),
    "lone surrogate": (sending(content(rb"A\ud83dB") + END), "complete", f"A{LOST}B"),
    "lone surrogate at the end": (sending(content(rb"A\ud83d") + END), "complete", f"A{LOST}"),
    "surrogates in two events": (sending(content(rb"A\ud83d") + content(rb"\ude00B") + END), "complete", "A😀B"),
    "bad UTF-8": (sending(content(b"A\xffB") + END), "complete", f"A{LOST}B"),
    "long line": (long_line, "too_long", ""),
}
# without an end: script, how it must end
UNENDING: dict[str, tuple[Script, str]] = {
    "slow words": (repeating(FIRST, every_s=0.01), "too_slow"),
    "endless words": (repeating(event({"content": "가" * 4096})), "too_long"),
    "endless line": (repeating(b"x" * 65536, first=HEAD + b"\r\n" + FIRST + b"data: "), "too_long"),
    "endless empty lines": (repeating(b"\n" * 65536, first=HEAD + b"\r\n" + FIRST), "too_long"),
    "endless tiny events": (repeating(EMPTY * 2000, first=HEAD + b"\r\n" + FIRST), "too_long"),
    "endless reasoning": (
        repeating(event({"reasoning_content": "음" * 2000}) * 9, first=HEAD + b"\r\n" + FIRST),
        "too_long",
    ),
}
