"""Votes as columns of text, made into cells without a loop over votes.

Text is numbered once, by its distinct values; all else is arithmetic on these numbers.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from arena.errors import RefusedError
from arena.stats.cells import OUTCOMES, Cells, Counts, Integers, Outcome, halves
from arena.stats.clusters import Grouped, Independent

Text: TypeAlias = Any
"""A pyarrow array, chunked or not, of strings, of bytes, or of a dictionary of these."""

Numbers: TypeAlias = NDArray[np.int32]

MAX_ENTRIES: Final = 300
OUTCOME_OF: Final[Mapping[str, Outcome]] = {
    "model_a": "a",
    "model_b": "b",
    "tie": "tie",
    "tie (bothbad)": "both_bad",
    "both_bad": "both_bad",
}

_MISSING, _NOT_UTF8, _UNKNOWN = -1, -2, -3
_HALVES: Final = halves(np.eye(len(OUTCOMES), dtype=np.int64)[None])[0]
_SHOWN: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """The rows of a vote file in their order; `broken` maps those without columns to the reason."""

    model_a: Text
    model_b: Text
    winner: Text
    voter: Text | None = None
    broken: Mapping[int, str] = field(default_factory=dict)

    def rows(self) -> Integers:
        """The row each element comes from, the file's first being 1."""
        broken = np.fromiter(self.broken, np.int64, len(self.broken))
        return np.delete(np.arange(1, len(self.winner) + len(broken) + 1), broken - 1)


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The votes of a vote file, and its rows that are none, in their order, each with the reason."""

    cells: Cells
    unusable: Mapping[int, str]


def cells_of_columns(model_a: Any, model_b: Any, winner: Any, voter: Any = None) -> Cells:
    """The cells of votes in memory: NumPy or pyarrow arrays of text, one element a vote.

    Raises RefusedError for a row that is no vote, an unknown outcome, or too many entries.
    """
    given = [column for column in (model_a, model_b, winner, voter) if column is not None]
    counted = count_votes(Columns(*(c if isinstance(c, pa.Array | pa.ChunkedArray) else pa.array(c) for c in given)))
    for row, reason in counted.unusable.items():
        raise RefusedError(f"row {row}: {reason}")
    return counted.cells


def count_votes(columns: Columns, votes_per_voter: int | None = None) -> Counted:
    """Counts the rows that are votes; of each voter only the first `votes_per_voter`, where that is given.

    A vote without a voter is one of a voter of its own. Entries are sorted by name, so that the cells do not
    depend on the order of the rows. Raises RefusedError for an unknown outcome, for too many
    entries, and for a limit on voters that are not known.
    """
    if votes_per_voter is not None and columns.voter is None:
        raise RefusedError("there is no column voter to count the votes of a voter by")
    outcome, (names, first, second) = _outcomes(columns), _names(columns)
    votes = _Votes(first, second, outcome, None if columns.voter is None else _voters(columns.voter))
    usable = (first >= 0) & (second >= 0) & (first != second)
    unusable = columns.broken
    if not usable.all():
        unusable = dict(sorted([*columns.broken.items(), *_reasons(columns, votes, ~usable)]))
        votes = votes.only(usable)
    entries, votes = votes.numbered_anew(names)
    if votes_per_voter is not None:
        votes = votes.only(votes.places_among_own() < votes_per_voter)
    return Counted(votes.cells(entries), unusable)


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """One element a vote: numbers of the entries, negative where there is none, of the outcome, and of the voter."""

    first: Numbers
    second: Numbers
    outcome: Numbers
    voter: Integers | None

    def only(self, kept: NDArray[np.bool_]) -> "_Votes":
        voter = None if self.voter is None else self.voter[kept]
        return _Votes(self.first[kept], self.second[kept], self.outcome[kept], voter)

    def numbered_anew(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], "_Votes"]:
        """Leaves out the names that have no vote."""
        present = np.bincount(self.first, minlength=len(names)) + np.bincount(self.second, minlength=len(names)) > 0
        entries = tuple(name for name, is_present in zip(names, present.tolist(), strict=True) if is_present)
        if len(entries) > MAX_ENTRIES:
            raise RefusedError(f"{len(entries)} different models; at most {MAX_ENTRIES} can be rated together")
        if present.all():
            return names, self
        first, second = (_renumbered(side, (present.cumsum() - 1).tolist()) for side in (self.first, self.second))
        return entries, _Votes(first, second, self.outcome, self.voter)

    def places_among_own(self) -> Integers:
        """How many votes of the same voter come before each vote."""
        assert self.voter is not None
        votes = np.arange(len(self.voter))
        voter, order = _split(np.sort(self.voter * len(votes) + votes), len(votes))
        starts = _starts(voter)
        places = np.empty_like(order)
        places[order] = votes - np.repeat(starts, np.diff(starts, append=len(votes)))
        return places

    def cells(self, entries: tuple[str, ...]) -> Cells:
        size = len(entries)
        shape = (size, size, len(OUTCOMES))
        cell = (self.first * size + self.second) * len(OUTCOMES) + self.outcome
        counts: Counts = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)
        clusters = Independent(counts) if self.voter is None else self._grouped(self.voter, size)
        return Cells(entries, counts, clusters)

    def _grouped(self, voter: Integers, size: int) -> Grouped:
        kinds = int(_HALVES.max()) + 1
        key = voter * size
        for number, base in ((self.first, size), (self.second, kinds), (_HALVES.take(self.outcome), 1)):
            key += number
            key *= base
        key.sort()
        group, credit = _split(key, kinds)
        starts = _starts(group)
        voter_and_first, second = _split(group[starts], size)
        voter, first = _split(voter_and_first, size)
        voters = _starts(voter)
        return Grouped(
            voters=len(voters),
            voter=np.repeat(np.arange(len(voters)), np.diff(voters, append=len(voter))),
            first=first,
            second=second,
            votes=np.diff(starts, append=len(key)),
            credit=np.add.reduceat(credit, starts),
        )


def _starts(ordered: Integers) -> Integers:
    """Where each run of equal numbers starts."""
    is_start = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)


def _split(numbers: Integers, base: int) -> tuple[Integers, Integers]:
    """What `numpy.divmod` gives for numbers that are not negative, at a fifth of its time."""
    quotient = numbers // base
    return quotient, numbers - quotient * base


def _renumbered(codes: Numbers, numbers: Sequence[int]) -> Numbers:
    """The number each code stands for; -1 stands for the last."""
    return np.array(numbers, dtype=np.int32).take(codes)


def _encoded(column: Text) -> tuple[Numbers, Any]:
    """The number of each element's value, -1 for null, and the distinct values, a pyarrow array of bytes."""
    chunks = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    array = chunks.dictionary_encode().unify_dictionaries().combine_chunks()
    return array.indices.fill_null(-1).to_numpy(), array.dictionary.cast(pa.large_binary())


def _outcomes(columns: Columns) -> Numbers:
    numbers = {word.encode(): OUTCOMES.index(outcome) for word, outcome in OUTCOME_OF.items()}
    codes, values = _encoded(columns.winner)
    outcome = _renumbered(codes, [*(numbers.get(value, _UNKNOWN) for value in values.to_pylist()), _UNKNOWN])
    if len(unknown := np.flatnonzero(outcome == _UNKNOWN)):
        value = columns.winner[unknown[0]].as_py()
        known = ", ".join(OUTCOME_OF)
        what = f"unknown winner {shown(value)}" if value else "winner is missing"
        raise RefusedError(f"row {columns.rows()[unknown[0]]}: {what}; expected one of: {known}")
    return outcome


def _names(columns: Columns) -> tuple[tuple[str, ...], Numbers, Numbers]:
    """All names, sorted, and the number of each side's name."""
    sides = [_encoded(column) for column in (columns.model_a, columns.model_b)]
    read = [[_name(value) for value in values.to_pylist()] for _, values in sides]
    names = tuple(sorted({name for side in read for name in side if isinstance(name, str)}))
    numbers: dict[str | int, int] = {name: number for number, name in enumerate(names)}
    numbers |= {_MISSING: _MISSING, _NOT_UTF8: _NOT_UTF8}
    first, second = (
        _renumbered(codes, [*(numbers[name] for name in side), _MISSING])
        for (codes, _), side in zip(sides, read, strict=True)
    )
    return names, first, second


def _name(value: bytes) -> str | int:
    """The name, or the number that stands for there being none."""
    try:
        name = value.decode()
    except UnicodeDecodeError:
        return _NOT_UTF8
    return name if name.strip() else _MISSING


def _voters(column: Text) -> Integers:
    codes, values = _encoded(column)
    empty = values.index(pa.scalar(b"", pa.large_binary())).as_py()
    anonymous = np.flatnonzero((codes < 0) | (codes == empty))
    voters = codes.astype(np.int64)
    voters[anonymous] = len(values) + anonymous
    return voters


def _reasons(columns: Columns, votes: _Votes, unusable: NDArray[np.bool_]) -> Iterator[tuple[int, str]]:
    reasons = {
        "model_a is missing": votes.first == _MISSING,
        "model_b is missing": votes.second == _MISSING,
        "model_a is not UTF-8": votes.first == _NOT_UTF8,
        "model_b is not UTF-8": votes.second == _NOT_UTF8,
        "the same model on both sides": unusable,
    }
    reason = np.select(list(reasons.values()), range(len(reasons)))
    words = list(reasons)
    rows = columns.rows()
    return ((int(rows[place]), words[reason[place]]) for place in np.flatnonzero(unusable))


def shown(value: str | bytes) -> str:
    """A value of a file as a message quotes it: printable and short."""
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
