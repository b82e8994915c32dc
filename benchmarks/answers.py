"""Token sequences that read like a model's: words, paragraphs, lists, bold, and a stamp now and then."""

import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

STAMP_EVERY = 8
VARIANTS = 32

LONGEST = 3  # letters: 30 tokens a second then stay under the ceiling of the common pace
_WORDS = [word for word in Path(__file__).with_name("words.txt").read_text().split() if len(word) <= LONGEST]


@lru_cache(maxsize=VARIANTS)
def answer(variant: int, count: int) -> tuple[str | None, ...]:
    """`count` tokens, the same for the same arguments. None stands for a stamp; the first one is."""
    source = _tokens(random.Random(variant))
    made: list[str | None] = [None]
    since = 0
    while len(made) < count:
        token = next(source)
        since += 1
        if since >= STAMP_EVERY and token.startswith(" ") and token[1:].isalpha():
            made.append(None)
            since = 0
        else:
            made.append(token)
    return tuple(made)


def _tokens(chance: random.Random) -> Iterator[str]:
    while True:
        yield from _sentences(chance, chance.randint(2, 4))
        if chance.random() < 0.4:
            for _ in range(chance.randint(3, 5)):
                yield "\n" if _ else "\n\n"
                yield "-"
                yield from _bold(chance)
                yield ":"
                yield from _sentence(chance)
        yield "\n\n"
        yield chance.choice(_WORDS).capitalize()


def _sentences(chance: random.Random, count: int) -> Iterator[str]:
    for _ in range(count):
        yield from _sentence(chance)


def _sentence(chance: random.Random) -> Iterator[str]:
    for _ in range(chance.randint(6, 16)):
        if chance.random() < 0.03:
            yield from _bold(chance)
        yield " " + chance.choice(_WORDS)
        if chance.random() < 0.06:
            yield ","
    yield "."


def _bold(chance: random.Random) -> Iterator[str]:
    yield " **"
    yield chance.choice(_WORDS)
    yield f" {chance.choice(_WORDS)}**"
