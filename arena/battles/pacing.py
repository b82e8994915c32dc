"""How much of both answers may show: a pure rule, so that speed never tells a team.

Together: nothing shows before both sides have begun; then both grow by the same number of characters a frame,
never more than the ceiling and never more than the slower side has, until one answer ends. Raw: all at once.
"""

from typing import Literal, NamedTuple

FRAME_S = 0.05
CEILING = 30

Pacing = Literal["together", "raw"]


class Stock(NamedTuple):
    """One side: characters that wait to be shown, whether any came at all, whether more will come."""

    waiting: int
    begun: bool
    ended: bool


def allowance(pacing: Pacing, a: Stock, b: Stock) -> int:
    """Characters that each side may show in this frame."""
    if pacing == "raw":
        return max(a.waiting, b.waiting)
    if not (a.begun and b.begun):
        return 0
    return min([CEILING, *(side.waiting for side in (a, b) if not side.ended)])
