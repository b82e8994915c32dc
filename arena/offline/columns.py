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

Encoded: TypeAlias = tuple[Numbers, Any]
"""The number of each element's value, and the distinct values, a pyarrow array of bytes."""

_MISSING, _NOT_UTF8, _UNKNOWN = -1, -2, -3
_MOST_AT_ONCE: Final = 1 << 20
_OUTCOME_NUMBERS: Final = {word.encode(): OUTCOMES.index(outcome) for word, outcome in OUTCOME_OF.items()}
_HALVES: Final = halves(np.eye(len(OUTCOMES), dtype=np.int64)[None])[0]
_HALVES_BITS: Final = 2
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
    winner, sides = _encoded(columns.winner), [_encoded(column) for column in (columns.model_a, columns.model_b)]
    if columns.voter is None and not columns.broken and (cells := _cells_at_once(winner, sides)):
        return Counted(cells, {})
    outcome, (names, first, second) = _outcomes(columns, winner), _names(sides)
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
        on_a, on_b = (np.bincount(side.astype(np.int64), minlength=len(names)) for side in (self.first, self.second))
        present = on_a + on_b > 0
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
        votes, bits = np.arange(len(self.voter)), len(self.voter).bit_length()
        voter, order = _split(np.sort((self.voter << bits) + votes), bits)
        starts = _starts(voter)
        places = np.empty_like(order)
        places[order] = votes - np.repeat(starts, _lengths(starts, len(votes)))
        return places

    def cells(self, entries: tuple[str, ...]) -> Cells:
        size = len(entries)
        shape = (size, size, len(OUTCOMES))
        cell = (self.first * size + self.second) * len(OUTCOMES) + self.outcome
        counts: Counts = np.bincount(cell.astype(np.int64), minlength=np.prod(shape)).reshape(shape)
        clusters = Independent(counts) if self.voter is None else self._grouped(self.voter, size)
        return Cells(entries, counts, clusters)

    def _grouped(self, voter: Integers, size: int) -> Grouped:
        bits = size.bit_length()
        key = voter.copy()
        halves_won = _HALVES.take(self.outcome, mode="wrap")
        for width, number in ((bits, self.first), (bits, self.second), (_HALVES_BITS, halves_won)):
            key <<= width
            key += number
        key.sort()
        group, credit = _split(key, _HALVES_BITS)
        starts = _starts(group)
        voter_and_first, second = _split(group[starts], bits)
        voter, first = _split(voter_and_first, bits)
        voters = _starts(voter)
        return Grouped(
            voters=len(voters),
            voter=np.repeat(np.arange(len(voters)), _lengths(voters, len(voter))),
            first=first,
            second=second,
            votes=_lengths(starts, len(key)),
            credit=np.add.reduceat(credit, starts),
        )


def _starts(ordered: Integers) -> Integers:
    """Where each run of equal numbers starts."""
    is_start = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_start[1:])
    return np.flatnonzero(is_start)


def _lengths(starts: Integers, end: int) -> Integers:
    """How long each run is, the last of which ends at `end`."""
    lengths = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=lengths[:-1])
    lengths[-1:] = end - starts[-1:]
    return lengths


def _split(numbers: Integers, bits: int) -> tuple[Integers, Integers]:
    """The higher bits of each number, and its last ones."""
    return numbers >> bits, numbers & ((1 << bits) - 1)


def _renumbered(codes: Numbers, numbers: Sequence[int]) -> Numbers:
    """The number each code stands for; -1 stands for the last."""
    return np.array(numbers, dtype=np.int32).take(codes, mode="wrap")


def _encoded(column: Text) -> Encoded:
    """The number of each element's value, -1 for null, and the distinct values, a pyarrow array of bytes."""
    chunks = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    is_encoded = pa.types.is_dictionary(chunks.type)
    encoded = chunks.unify_dictionaries() if is_encoded else chunks.dictionary_encode()
    array = encoded.chunk(0) if encoded.num_chunks == 1 else encoded.combine_chunks()
    indices = array.indices.fill_null(-1) if array.null_count else array.indices
    return indices.to_numpy(), array.dictionary.cast(pa.large_binary())


def _cells_at_once(winner: Encoded, sides: Sequence[Encoded]) -> Cells | None:
    """The cells where each row is a vote, from the numbers of votes by distinct values; None where that is not so.

    Looks at no row by itself, which is three times as fast as finding the rows that are no votes.
    """
    (outcome, words), (first, firsts), (second, seconds) = winner, *sides
    shape = (len(firsts), len(seconds), len(words))
    if np.prod(shape) > _MOST_AT_ONCE or any(codes.min(initial=0) < 0 for codes in (outcome, first, second)):
        return None
    place = (first * shape[1] + second) * shape[2] + outcome
    votes = np.bincount(place.astype(np.int64), minlength=np.prod(shape)).reshape(shape)
    names, numbers = _numbered([firsts, seconds])
    outcomes = [_OUTCOME_NUMBERS.get(word, _UNKNOWN) for word in words.to_pylist()]
    if min([*outcomes, *numbers[0], *numbers[1]], default=-1) < 0 or len(names) > MAX_ENTRIES:
        return None
    counts: Counts = np.zeros((len(names), len(names), len(OUTCOMES)), dtype=np.int64)
    np.add.at(counts, np.ix_(*numbers, outcomes), votes)
    met = counts.sum(axis=(1, 2)) + counts.sum(axis=(0, 2))
    return Cells(names, counts, Independent(counts)) if met.all() and not _against_itself(counts) else None


def _against_itself(counts: Counts) -> bool:
    return bool(np.einsum("iio->io", counts).any())


def _outcomes(columns: Columns, winner: Encoded) -> Numbers:
    codes, values = winner
    numbers = [_OUTCOME_NUMBERS.get(value, _UNKNOWN) for value in values.to_pylist()]
    outcome = _renumbered(codes, [*numbers, _UNKNOWN])
    if len(unknown := np.flatnonzero(outcome == _UNKNOWN)):
        value = columns.winner[unknown[0]].as_py()
        known = ", ".join(OUTCOME_OF)
        what = f"unknown winner {shown(value)}" if value else "winner is missing"
        raise RefusedError(f"row {columns.rows()[unknown[0]]}: {what}; expected one of: {known}")
    return outcome


def _names(sides: Sequence[Encoded]) -> tuple[tuple[str, ...], Numbers, Numbers]:
    """All names, sorted, and the number of each side's name."""
    names, numbers = _numbered([values for _, values in sides])
    first, second = (_renumbered(codes, [*side, _MISSING]) for (codes, _), side in zip(sides, numbers, strict=True))
    return names, first, second


def _numbered(values: Sequence[Any]) -> tuple[tuple[str, ...], list[list[int]]]:
    """All names, sorted, and for each side the numbers of its distinct values' names."""
    read = [[_name(value) for value in side.to_pylist()] for side in values]
    names = tuple(sorted({name for side in read for name in side if isinstance(name, str)}))
    numbers: dict[str | int, int] = {name: number for number, name in enumerate(names)}
    numbers |= {_MISSING: _MISSING, _NOT_UTF8: _NOT_UTF8}
    return names, [[numbers[name] for name in side] for side in read]


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
