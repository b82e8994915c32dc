"""Characters as the letters a name is told by, whatever they are dressed up as.

Hangul becomes its jamo, without the difference between an initial and a final consonant: then a syllable, its
decomposed spelling and the same jamo typed one by one are the same letters.
"""

import html
import re
import unicodedata
from functools import lru_cache

JAMO = "\u1100-\u11ff"

_LOOK_ALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХԚԜҺӀавеѕіјкмнорстухԛԝһӏԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχωηıɑɡ",
    "ABESIJKMHOPCTYXQWHlabesijkmhopctyxqwhldABEZHIKMNOPTYXabeikvoptuxwniag",
)
_INVISIBLE = {"Cc", "Cf", "Cn", "Cs", "Mn", "Me"}
_FILLERS = "\u115f\u1160"
_LINE_ENDS = "\n\r\v\f\x85\u2028\u2029"
_TRADE_MARKS = "™℠"
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_OPEN_REFERENCE = re.compile(r"&(?:#(?:[0-9]{0,7}|[xX][0-9a-fA-F]{0,6})|[a-zA-Z][a-zA-Z0-9]{0,31})?\Z")


def _as_initials(final: str) -> str:
    """A final consonant, or a cluster of them, as the initial consonants it is typed with."""
    parts = unicodedata.name(final).removeprefix("HANGUL JONGSEONG ").split("-")
    return "".join(unicodedata.lookup(f"HANGUL CHOSEONG {part}") for part in parts)


_FINALS = {code: _as_initials(chr(code)) for code in range(0x11A8, 0x11C3)}


@lru_cache(maxsize=1 << 14)
def folded(char: str) -> str:
    """One character for matching: its letters and digits; "" when it is invisible or a combining accent; a space
    or "\\n" for white space; any other character as it is, without accents.

    Letters are compatibility-decomposed, case-folded, without accents; Latin look-alikes from Cyrillic and Greek
    are Latin.
    """
    if char.isspace():
        return "\n" if char in _LINE_ENDS else " "
    if char in _TRADE_MARKS:
        return char
    plain = unicodedata.normalize("NFKD", char).translate(_LOOK_ALIKES).casefold().translate(_FINALS)
    seen = "".join(c for c in plain if unicodedata.category(c) not in _INVISIBLE and c not in _FILLERS)
    return seen if seen.isalnum() or not seen else unicodedata.normalize("NFD", char)[0]


def letter_at(text: str, at: int) -> tuple[str, int]:
    """The folded character at a place, and where it ends: an HTML character reference (`&nbsp;`) is one character."""
    if text[at] == "&" and (reference := _REFERENCE.match(text, at)):
        return "".join(map(folded, html.unescape(reference[0]))), reference.end()
    return folded(text[at]), at + 1


def without_open_reference(text: str) -> str:
    """A text without a character reference that has begun at its end."""
    begun = "&" in text and _OPEN_REFERENCE.search(text)
    return text[: begun.start()] if begun else text


def shape(text: str) -> str:
    """A text folded character by character, for patterns to be searched in."""
    if "&" in text:
        text = _REFERENCE.sub(lambda reference: html.unescape(reference[0]), text)
    return "".join(map(folded, text))


def script(letter: str) -> str:
    """Of a folded letter: `hangul`, `latin` (digits are, too) or `other`."""
    if "\u1100" <= letter <= "\u11ff":
        return "hangul"
    return "latin" if letter.isascii() else "other"
