"""A citizen's words as inert text: nothing in them may hide, reorder or overwrite what is read."""

import re
import unicodedata
from typing import Final

EXCERPT: Final = 420
EXCERPT_LINES: Final = 6
_JOINERS: Final = "\u200d\ufe0f"
"""Parts of emoji that are made of several."""
_SUSPECT: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_PILED: Final = 3
"""Accents over one letter; more of them are drawn over other lines."""


def visible(text: str) -> str:
    """The text with characters that show nothing, or turn the direction round, named in their place."""
    named = _SUSPECT.sub(_name, text.replace("\r\n", "\n"))
    return _without_piles(named)


def _name(found: "re.Match[str]") -> str:
    character = found[0]
    return character if character in _JOINERS else f"⟨U+{ord(character):04X}⟩"


def _without_piles(text: str) -> str:
    """Drops accents beyond the first few over a letter, and says so."""
    kept: list[str] = []
    piled = 0
    for character in text:
        piled = piled + 1 if unicodedata.combining(character) else 0
        if piled <= _PILED:
            kept.append(character)
        elif piled == _PILED + 1:
            kept.append("⟨…⟩")
    return "".join(kept)


def folded(text: str) -> str | None:
    """The beginning of a long text; None when it is short enough to be shown whole."""
    lines = text.split("\n")
    head = "\n".join(lines[:EXCERPT_LINES])[:EXCERPT].rstrip()
    return None if len(text) <= EXCERPT + 80 and len(lines) <= EXCERPT_LINES + 1 else head
