"""How words are found in a prompt however they are spelled. Pure.

Both are folded: compatible letters alike, small letters, nothing without width. A word is found as a whole: in Hangul
it may be followed by a particle or an ending, but not by another noun (자살은, not 자살골). A `*` at its end lets
anything follow. What is put between all its letters does not hide it (k.i.l.l); spaces alone do so from three letters
on, as two syllables meet by chance in many sentences (가자 살 것도).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from arena.screening.letters import has_no_width

_SURROGATES: Final = re.compile("[\ud800-\udfff]")

_JOINED: Final = re.compile(r"(?<=\w)[.](?=\w)|[^\w\s,.!?…~]|_")
_APART: Final = re.compile(r"[\s,.!?…~]")

_PARTICLES: Final = (
    "(?:들)?(?:을|를|은|는|의|도|만|에|에서|에게|한테|으로|로|와|과|랑|이랑|까지|부터|보다|처럼|이나|나|라고|이라고|이란|란|"
    "이라는|라는|이고|이며|이야|야|이에요|예요|이다|입니다|입니까|인가요|인가|인데|인지|이|가|좀|요|용|적인?|"
    "[하해했할한함합][가-힣]{0,5})?(?:은|는|도|만|요|까지)?"
)


def folded(text: str) -> str:
    """The text as words and patterns are looked for in it; never holds lone surrogates."""
    seen = "".join(map(_seen, unicodedata.normalize("NFKC", text)))
    return _SURROGATES.sub("\ufffd", unicodedata.normalize("NFKC", seen).casefold())


@lru_cache(maxsize=4096)
def _seen(letter: str) -> str:
    """What is seen of a letter: nothing where it has no width, a space for every kind of gap but a new line."""
    if has_no_width(letter):
        return ""
    return " " if letter != "\n" and (letter.isspace() or unicodedata.category(letter) == "Cc") else letter


def spread(text: str) -> str:
    """A folded text with nothing but letters, digits, spaces (between words) and hyphens (inside of them)."""
    return _APART.sub(" ", _JOINED.sub("-", text))


def pattern_of(entries: Iterable[str]) -> str:
    """What finds any entry of a list of words in a spread text, in RE2's syntax.

    Entries that begin and end alike share what may stand around them: its endings alone take 200 steps of a machine.
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        body, open_end = entry.strip().removesuffix("*"), entry.strip().endswith("*")
        words = spread(folded(body)).replace("-", " ").split()
        around = _start(words[0][0]), "" if open_end else _end(words[-1][-1])
        alike.setdefault(around, []).append("[ -]{0,3}".join(_spellings(word) for word in words))
    return "|".join(f"{start}(?:{'|'.join(bodies)}){end}" for (start, end), bodies in alike.items())


def _spellings(word: str) -> str:
    letters = [re.escape(letter) for letter in word]
    gap = "-{1,3}" if len(letters) == 2 else "[ -]{1,3}"
    return f"(?:{re.escape(word)}|{gap.join(letters)})" if len(letters) > 1 else letters[0]


def _start(letter: str) -> str:
    return r"(?:^|[^가-힣])" if _is_hangul(letter) else r"(?:^|[^a-z0-9])"


def _end(letter: str) -> str:
    return rf"{_PARTICLES}(?:$|[^가-힣])" if _is_hangul(letter) else r"(?:$|[^a-z0-9])"


def _is_hangul(letter: str) -> bool:
    return "가" <= letter <= "힣"
