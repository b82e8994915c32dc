"""What tests read off ratings."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal
from math import log
from typing import Final

from arena.stats.arithmetic import Real
from arena.stats.rating import Ratings

ELO: Final = 400 / log(10)
Z_95: Final = 1.959963984540054


def points(ratings: Ratings[Real]) -> list[Real]:
    return [entry.rating for entry in ratings.entries if entry.rating is not None]


def half_widths(ratings: Ratings[Real]) -> list[Real]:
    return [(entry.interval[1] - entry.interval[0]) / 2 for entry in ratings.entries if entry.interval is not None]


def ranks(ratings: Ratings[Real]) -> list[tuple[int, int]]:
    return [entry.rank for entry in ratings.entries if entry.rank is not None]


def figures(value: object) -> Iterator[float | Decimal]:
    """Every number in nested results, in their order."""
    if isinstance(value, tuple):
        for item in value:
            yield from figures(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from figures(getattr(value, field.name))
    elif isinstance(value, float | int | Decimal) and not isinstance(value, bool):
        yield value
