"""Personal data in what citizens write, masked before it is stored or asked. Pure, and linear in the text's length.

What is searched is a plain spelling of the text: digits of every script as 0-9, dashes of every kind as hyphens,
characters without width left out; so one pattern a shape is enough.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from arena.errors import N_, InvalidError
from arena.screening.letters import has_no_width
from arena.screening.shapes import MASKED, SHAPES, Kind, Shape

KINDS: Final[dict[Kind, str]] = {
    "resident_number": N_("resident registration number"),
    "card": N_("card number"),
    "phone": N_("phone number"),
    "email": N_("e-mail address"),
    "passport": N_("passport number"),
    "licence": N_("driver's licence number"),
    "account": N_("bank account number"),
}
"""Each kind's name, as a msgid."""
MARKS: Final[dict[Kind, str]] = {
    "resident_number": "[주민등록번호]",
    "card": "[카드번호]",
    "phone": "[전화번호]",
    "email": "[이메일]",
    "passport": "[여권번호]",
    "licence": "[면허번호]",
    "account": "[계좌번호]",
}

PERSONAL: Final = N_("This seems to hold personal details, such as a phone number. Please write it without them.")

_MARK: Final = re.compile("|".join(re.escape(mark) for mark in MARKS.values()))
_DASHES: Final = "−ㅡー⁃"
_DOTS: Final = "·ㆍ‧・。•∙⋅․‥…⋯"


def without_personal_data(text: str) -> tuple[str, dict[str, int]]:
    """The text with marks such as [전화번호], and how many of each kind there were; kinds without any are left out.

    What it returns has nothing left to mask. Syllables that were typed in pieces (NFD, as macOS has them) are put
    together.
    """
    counts: dict[str, int] = {}
    text = unicodedata.normalize("NFC", text.replace(MASKED, ""))
    while found := _found(text):
        for start, end, kind in reversed(found):
            text = text[:start] + MARKS[kind] + text[end:]
            counts[kind] = counts.get(kind, 0) + 1
    return text, counts


def refuse_personal_data(text: str) -> None:
    """For what stays for ever, such as notes on the trail. Raises InvalidError."""
    if without_personal_data(text)[1]:
        raise InvalidError(PERSONAL, code="personal")


def _found(text: str) -> list[tuple[int, int, Kind]]:
    """Where personal data stands in the text, in its order."""
    plain, origins = _plain(text)
    found: list[tuple[int, int, Kind]] = []
    for shape in SHAPES:
        for start, end in _matches(shape, plain):
            found.append((origins[start], origins[end], shape.kind))
            plain = plain[:start] + MASKED * (end - start) + plain[end:]
    return sorted(found)


def _matches(shape: Shape, plain: str) -> Iterator[tuple[int, int]]:
    at = 0
    while match := shape.pattern.search(plain, at):
        if shape.holds(match):
            yield match.span("it")
            at = match.end()
        else:
            at = match.start() + 1


def _plain(text: str) -> tuple[str, list[int]]:
    """The plain spelling, and the place in the text of each of its characters and of its end."""
    letters: list[str] = []
    origins: list[int] = []
    for place, letter in enumerate(_MARK.sub(lambda mark: MASKED * len(mark[0]), text)):
        if plain := letter if letter.isascii() and letter.isprintable() else _plain_letter(letter):
            letters.append(plain)
            origins.append(place)
    origins.append(len(text))
    return "".join(letters), origins


@lru_cache(maxsize=4096)
def _plain_letter(letter: str) -> str:
    if letter in (MASKED, "\n"):
        return letter
    category = unicodedata.category(letter)
    digit = unicodedata.digit(letter, -1)
    compatible = unicodedata.normalize("NFKC", letter)
    if has_no_width(letter):
        return ""
    if digit >= 0:
        return str(digit)
    if category == "Pd" or letter in _DASHES or "\u2500" <= letter <= "\u257f":
        return "-"
    if category in ("Zs", "Cc"):
        return " "
    if letter in _DOTS:
        return "."
    return compatible if len(compatible) == 1 and compatible.isascii() else letter
