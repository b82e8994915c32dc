"""Geometry of a forest plot: numbers in, SVG coordinates out. Templates draw it.

Per entry one row: its name above, below it a dot at the estimate on a line from low to high. At the right,
brackets join entries that the votes cannot tell apart. Units are those of the SVG's viewBox.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from typing import Final

ROW_HEIGHT: Final = 44.0
AXIS_HEIGHT: Final = 32.0
LABEL_DROP: Final = 16.0  # from a row's top to its name's baseline
WHISKER_DROP: Final = 30.0  # from a row's top to its dot
BRACKET_LANE: Final = 34.0
MARGIN: Final = 14.0  # half of a tick's number, so that the outermost ones are not cut

MIN_SPAN: Final = 100.0  # Elo; a narrower axis would make noise look like a difference
MAX_REACH: Final = 400.0  # Elo beyond the outermost estimates, odds of 10 : 1; longer whiskers are cut
WANTED_TICKS: Final = 5


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One entry; `rank_low` is the best place the votes leave open, `rank_high` the worst, 1 the first."""

    label: str
    estimate: float
    low: float
    high: float
    rank_low: int
    rank_high: int


@dataclass(frozen=True, slots=True)
class Whisker:
    """A drawn row; `cut_low` and `cut_high` say that its line goes on beyond the plot."""

    row: ForestRow
    label_y: float
    y: float
    x: float
    x_low: float
    x_high: float
    cut_low: bool
    cut_high: bool


@dataclass(frozen=True, slots=True)
class Tick:
    value: int
    x: float


@dataclass(frozen=True, slots=True)
class Bracket:
    """Joins the rows from y_top to y_bottom; each of them may hold each place from rank_low to rank_high."""

    rank_low: int
    rank_high: int
    x: float
    y_top: float
    y_bottom: float


@dataclass(frozen=True, slots=True)
class Forest:
    """The whole plot, best estimate on top; `plot_*` bound the area of the axis and the whiskers."""

    width: float
    height: float
    plot_left: float
    plot_right: float
    plot_bottom: float
    ticks: tuple[Tick, ...]
    whiskers: tuple[Whisker, ...]
    brackets: tuple[Bracket, ...]


def forest(rows: Sequence[ForestRow], width: float = 360.0) -> Forest:
    """Lays out the rows, width units wide. Raises ValueError for no row or an interval that is none."""
    _check(rows)
    ordered = sorted(rows, key=lambda row: -row.estimate)
    runs = indistinguishable_runs([(row.rank_low, row.rank_high) for row in ordered])
    lanes = _lanes(runs)
    left, right = MARGIN, width - MARGIN - BRACKET_LANE * (1 + max(lanes, default=-1))
    values = _axis(ordered)
    start, span = values[0], values[-1] - values[0]

    def x_of(value: float) -> float:
        share = min(max((value - start) / span, 0.0), 1.0)
        return round(left + share * (right - left), 2)

    def whisker(place: int, row: ForestRow) -> Whisker:
        top = place * ROW_HEIGHT
        cuts = row.low < start, row.high > start + span
        spots = x_of(row.estimate), x_of(row.low), x_of(row.high)
        return Whisker(row, top + LABEL_DROP, top + WHISKER_DROP, *spots, *cuts)

    whiskers = tuple(whisker(place, row) for place, row in enumerate(ordered))

    def bracket(first: int, last: int, lane: int) -> Bracket:
        x = right + MARGIN + lane * BRACKET_LANE
        return Bracket(first + 1, last + 1, x, whiskers[first].label_y, whiskers[last].y)

    brackets = tuple(bracket(first, last, lane) for (first, last), lane in zip(runs, lanes, strict=True))
    bottom = len(ordered) * ROW_HEIGHT
    ticks = tuple(Tick(value, x_of(value)) for value in values)
    return Forest(width, bottom + AXIS_HEIGHT, left, right, bottom, ticks, whiskers, brackets)


def indistinguishable_runs(ranks: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Longest runs of neighbours, each of which may hold each place of the run; as (first, last) from 0.

    `ranks` are the rank ranges in the order of the estimates. Runs may overlap, as "cannot be told apart" is
    not transitive; none lies within another, and a run has at least two members.
    """
    runs: list[tuple[int, int]] = []
    for first in range(len(ranks)):
        last = first
        while last + 1 < len(ranks) and _share_places(ranks, first, last + 1):
            last += 1
        if last > first and (not runs or last > runs[-1][1]):
            runs.append((first, last))
    return runs


def _share_places(ranks: Sequence[tuple[int, int]], first: int, last: int) -> bool:
    return all(low <= first + 1 and high >= last + 1 for low, high in ranks[first : last + 1])


def _lanes(runs: Sequence[tuple[int, int]]) -> list[int]:
    """A column per run so that runs sharing a row stand side by side, as few columns as possible."""
    ends: list[int] = []
    lanes: list[int] = []
    for first, last in runs:
        lane = next((lane for lane, end in enumerate(ends) if end < first), len(ends))
        ends[lane : lane + 1] = [last]
        lanes.append(lane)
    return lanes


def _axis(rows: Sequence[ForestRow]) -> list[int]:
    """Round numbers from end to end of the axis, evenly spaced by 1, 2 or 5 times a power of ten."""
    lowest, highest = min(row.estimate for row in rows), max(row.estimate for row in rows)
    start = max(min(row.low for row in rows), lowest - MAX_REACH)
    end = min(max(row.high for row in rows), highest + MAX_REACH)
    missing = max(MIN_SPAN - (end - start), 0.0) / 2
    start, end = start - missing, end + missing
    step = _round_step((end - start) / WANTED_TICKS)
    return [step * place for place in range(floor(start / step), ceil(end / step) + 1)]


def _round_step(least: float) -> int:
    power = 10 ** floor(log10(least))
    return next(int(power * factor) for factor in (1, 2, 5, 10) if power * factor >= least)


def _check(rows: Sequence[ForestRow]) -> None:
    if not rows:
        raise ValueError("a forest plot needs at least one row")
    for row in rows:
        if not all(map(isfinite, (row.estimate, row.low, row.high))):
            raise ValueError(f"{row.label}: not a finite number")
        if not row.low <= row.estimate <= row.high:
            raise ValueError(f"{row.label}: the estimate lies outside its interval")
