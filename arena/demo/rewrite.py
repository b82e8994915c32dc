"""Extractive rewriting of Markdown: its sentences, a shorter form, its points, the gist of a text."""

import re
from collections import Counter

_FENCE = re.compile(r"```.*?```", re.DOTALL)
_SKIPPED = re.compile(r"^\s*(?:#{1,6}\s|\||-{3,}\s*$)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+|^\s*>\s?")
_END = re.compile(r"(?<=[.!?。])\s+")
_EMPHASIS = re.compile(r"\*\*|__|`")


def sentences(markdown: str) -> list[str]:
    """Sentences and list items as plain text; headings, tables and code are left out."""
    lines = [line for line in _FENCE.sub("", markdown).splitlines() if not _SKIPPED.match(line)]
    plain = [_EMPHASIS.sub("", _ITEM.sub("", line)).strip() for line in lines]
    return [sentence for line in plain if line for sentence in _split(line)]


def shorten(markdown: str, keep: int, skip: int = 0) -> list[str]:
    """At most `keep` leading sentences, under half as long as the answer where it has more than one.

    `skip` sentences are left out before them where enough remain. An answer with code comes down to its code.
    """
    fence = _FENCE.search(markdown)
    if fence and len(fence[0]) < 0.8 * len(markdown):
        return [fence[0]]
    every = sentences(markdown)
    start = skip if len(every) > keep + skip else 0
    kept = every[start : start + keep]
    while len(kept) > 1 and sum(map(len, kept)) > len(markdown) / 2:
        kept.pop()
    if kept and len(kept[0]) > len(markdown) / 2:
        kept[0] = re.split(r"[,;:—]\s", kept[0])[0]
    return kept or [markdown.strip()]


def points(markdown: str, count: int) -> list[str]:
    """The first `count` list items of an answer, or sentences after its first where it has no list."""
    items = [line for line in _FENCE.sub("", markdown).splitlines() if _ITEM.match(line)]
    found = sentences("\n".join(items)) if len(items) >= 2 else sentences(markdown)[1:] or sentences(markdown)
    return [clip(point.rstrip(".!?。 "), 72) for point in found[:count]]


def gist(text: str, count: int) -> list[str]:
    """The `count` sentences, in their order, whose words recur most in the text."""
    every = sentences(text)
    counts = Counter(word for sentence in every for word in set(_words(sentence)))

    def weight(sentence: str) -> float:
        words = set(_words(sentence))
        return sum(counts[word] - 1 for word in words) / (len(words) + 4) if words else 0.0

    best = sorted(range(len(every)), key=lambda index: (-weight(every[index]), index))[:count]
    return [every[index] for index in sorted(best)]


def clip(text: str, length: int) -> str:
    """At most `length` characters, cut between words."""
    text = " ".join(text.split())
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,.") + "…"


def _split(line: str) -> list[str]:
    return [sentence for sentence in _END.split(line) if re.search(r"\w", sentence)]


def _words(sentence: str) -> list[str]:
    # The first two syllables of a Korean word are its stem often enough to count recurrence.
    return [
        word[:2] if "\uac00" <= word[0] <= "\ud7a3" else word.casefold() for word in re.findall(r"\w{2,}", sentence)
    ]
