"""Ratings at the terminal: a table with a small forest plot, and below it, in sentences, what it says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from arena.stats.rating import EntryRating, Neighbours, Ratings, SideEffect

MEANING: Final = {
    "too_few_entries": "Not ratable: fewer than two models.",
    "no_votes": "Not ratable: no votes.",
    "not_connected": "Not ratable: some models never met the others, not even along a chain: {names}.",
    "one_sided": "Not ratable: some models have only won or only lost against the others: {names}.",
    "side_not_estimable": "Not ratable: the votes cannot tell being shown first from being better. "
    "--no-side rates them without an effect of the side.",
    "too_few_voters": "No intervals: too few voters for them to be near the truth.",
    "no_spread": "No intervals: nothing shows how far the gaps between these models may vary: {names}.",
}
MOST_NAMED: Final = 10

_NARROWEST, _WIDEST, _OTHER_COLUMNS = 9, 40, 80


def report(ratings: Ratings[float]) -> Group:
    """What a person reads; the console decides on width and colour."""
    return Group(_table(ratings.entries), "", *(Text(sentence) for sentence in _sentences(ratings)))


def printable(name: str) -> str:
    """A name from a file, without the control characters that could rewrite what a terminal shows."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _table(entries: Sequence[EntryRating[float]]) -> Table:
    table = Table("Rank", box=None, padding=(0, 1, 0, 0))
    table.add_column("Model", overflow="fold")
    table.add_column("Rating", justify="right", no_wrap=True)
    table.add_column("95 %", justify="right", no_wrap=True)
    table.add_column()
    for heading in ("Votes", "Won", "Lost", "Tied", "Share"):
        table.add_column(heading, justify="right", no_wrap=True)
    axis = _axis(entries)
    for entry in sorted(entries, key=lambda entry: (-(entry.rating or 0), entry.entry)):
        table.add_row(
            "-" if entry.rank is None else "-".join(map(str, dict.fromkeys(entry.rank))),
            Text(printable(entry.entry)),
            "-" if entry.rating is None else f"{entry.rating:.0f}",
            "-" if entry.rating is None or entry.interval is None else f"±{entry.interval[1] - entry.rating:.0f}",
            "" if entry.rating is None else _Whisker(entry.rating, entry.interval or (entry.rating,) * 2, axis),
            *(f"{number:,}" for number in (entry.votes, entry.wins, entry.losses, entry.ties)),
            "-" if entry.win_share is None else f"{entry.win_share:.1%}",
        )
    return table


def _axis(entries: Sequence[EntryRating[float]]) -> tuple[float, float]:
    """From the lowest to the highest end of all intervals."""
    spans = [entry.interval or (entry.rating, entry.rating) for entry in entries if entry.rating is not None]
    ends = [end for span in spans for end in span]
    return min(ends, default=0.0), max(ends, default=0.0)


@dataclass(frozen=True, slots=True)
class _Whisker:
    """A dot on a line from low to high, as wide as the console has room for the axis."""

    middle: float
    interval: tuple[float, float]
    axis: tuple[float, float]

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(_NARROWEST, max(_NARROWEST, min(_WIDEST, console.width - _OTHER_COLUMNS)))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        start, end = self.axis
        scale = (options.max_width - 1) / (end - start or 1.0)
        low, middle, high = (
            round((value - start) * scale) for value in (self.interval[0], self.middle, self.interval[1])
        )
        line, dot = "-o" if options.ascii_only else "─●"
        yield Text(" " * low + line * (middle - low) + dot + line * (high - middle))


def _sentences(ratings: Ratings[float]) -> Iterator[str]:
    """One paragraph each; what else stands beside a rating belongs here."""
    if ratings.why:
        yield MEANING[ratings.why.code].format(names=_names(ratings.why.entries))
    if ratings.side:
        yield _side(ratings.side)
    yield from _close(ratings.neighbours)
    if ratings.last:
        tied = "" if ratings.last.entry else "one of "
        yield f"Last: {tied}{_names(ratings.last.tied)}."
    votes = sum(entry.votes for entry in ratings.entries) // 2
    voters = "each counted as a voter of its own" if ratings.voters == votes else f"by {ratings.voters:,} voters"
    yield f"{votes:,} votes, {voters}. Method {ratings.method}, version {ratings.method_version}."


def _side(side: SideEffect[float]) -> str:
    effect = f"Between equal models the one shown first wins {side.win_share:.1%}"
    if side.interval is None:
        return f"{effect}."
    low, high = side.interval
    log_odds = f"{side.log_odds:.3f} in log-odds, standard error {side.standard_error:.3f}"
    return f"{effect} (95 %: {low:.1%} to {high:.1%}; {log_odds})."


def _close(neighbours: Sequence[Neighbours[float]]) -> Iterator[str]:
    """Which neighbours cannot be told apart, and what it would take."""
    pairs = [pair for pair in neighbours if pair.interval and not pair.apart]
    if pairs:
        yield "Neighbours that cannot be told apart, and the further votes after which they probably can:"
    for pair in pairs[:MOST_NAMED]:
        needed = "no number" if pair.votes_needed is None else f"{pair.votes_needed:,}"
        yield f"  {printable(pair.entries[0])} and {printable(pair.entries[1])}, {pair.gap:.0f} Elo apart: {needed}"
    if len(pairs) > MOST_NAMED:
        yield f"  and {len(pairs) - MOST_NAMED} more pairs, see --json"


def _names(entries: Sequence[str]) -> str:
    named = ", ".join(map(printable, entries[:MOST_NAMED]))
    return f"{named} and {len(entries) - MOST_NAMED} more" if len(entries) > MOST_NAMED else named
