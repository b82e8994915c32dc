"""Geometry of small charts over hours: numbers in, SVG coordinates out. Templates draw them.

A chart has one place an hour, the oldest at the left; hours without a number stay empty. Units are those of the
SVG's viewBox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor, log10
from typing import Final

WIDTH: Final = 288.0
HEIGHT: Final = 72.0
DOT: Final = 2.0


@dataclass(frozen=True, slots=True)
class Box:
    """A bar, or the shade of hours in which an endpoint was out of service."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """`top` is the number at the upper edge. `lines` are SVG paths, one a series; an hour alone is a short dash."""

    top: float
    bars: tuple[Box, ...] = ()
    lines: tuple[str, ...] = ()
    shades: tuple[Box, ...] = ()
    width: float = WIDTH
    height: float = HEIGHT


Series = Sequence[float | None]


def bars(values: Series, top: float, out: Sequence[bool]) -> Chart:
    """Bars from the lower edge, at least a hair high where a value is above 0."""
    place = WIDTH / len(values)
    found = [
        _bar(number * place, place, max(value / top * HEIGHT, 1.5) if value else 0.0)
        for number, value in enumerate(values)
        if value is not None
    ]
    return Chart(top, bars=tuple(box for box in found if box.height), shades=shades(out))


def lines(series: Sequence[Series], out: Sequence[bool]) -> Chart:
    """Lines that share an axis from 0 to a round number above all values."""
    top = round_up(max((value for values in series for value in values if value is not None), default=1.0))
    return Chart(top, lines=tuple(_line(values, top) for values in series), shades=shades(out))


def shades(out: Sequence[bool]) -> tuple[Box, ...]:
    """Neighbouring hours out of service, each run one box."""
    place, found, at = WIDTH / len(out), [], 0
    for is_out, run in groupby(out):
        hours = len(list(run))
        if is_out:
            found.append(Box(round(at * place, 2), 0.0, round(hours * place, 2), HEIGHT))
        at += hours
    return tuple(found)


def round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor >= value)


def _bar(left: float, place: float, height: float) -> Box:
    return Box(round(left + place * 0.1, 2), round(HEIGHT - height, 2), round(place * 0.8, 2), round(height, 2))


def _line(values: Series, top: float) -> str:
    place, path, down = WIDTH / len(values), "", False
    for number, value in enumerate(values):
        if value is None:
            down = False
            continue
        x, y = round((number + 0.5) * place, 2), round(HEIGHT - min(value / top, 1.0) * HEIGHT, 2)
        alone = not down and (number + 1 == len(values) or values[number + 1] is None)
        path += f"L{x} {y}" if down else f"M{round(x - DOT, 2)} {y}h{2 * DOT}" if alone else f"M{x} {y}"
        down = True
    return path
