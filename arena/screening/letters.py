"""Which characters show nothing. Pure."""

import unicodedata
from typing import Final

_FILLERS: Final = "\u115f\u1160\u3164\uffa0"
"""Hangul letters without a form."""


def has_no_width(letter: str) -> bool:
    """Whether it is drawn over its neighbours or not at all: format characters, marks, variation selectors."""
    return unicodedata.category(letter) in ("Cf", "Mn", "Me") or letter in _FILLERS
