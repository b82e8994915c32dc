"""Send times written into the fake answers as words, so that any reader can tell how old a word is.

A stamp is `Z` and five base-36 digits: tenths of a millisecond of CLOCK_MONOTONIC, which all processes of a
machine share, modulo 36^5 (100 minutes). It is no longer than a long token and Markdown leaves it alone.
"""

import re
import time

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_TICKS_A_SECOND = 10_000
_WRAP = 36**5

STAMP = re.compile(r"Z([0-9a-z]{5})")
STAMP_LENGTH = 6


def stamp_now() -> bytes:
    ticks = int(time.monotonic() * _TICKS_A_SECOND)
    digits = [_DIGITS[ticks // 36**place % 36] for place in (4, 3, 2, 1, 0)]
    return ("Z" + "".join(digits)).encode()


def age(digits: str, now: float) -> float:
    """Seconds between the stamp's writing and the monotonic time `now`; never negative."""
    ticks = (int(now * _TICKS_A_SECOND) - int(digits, 36)) % _WRAP
    return ticks / _TICKS_A_SECOND if ticks < _WRAP // 2 else 0.0
