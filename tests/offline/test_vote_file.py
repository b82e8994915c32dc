"""The same votes give the same cells, whatever format they are written in."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from arena.offline import formats
from arena.offline.columns import cells_of_columns
from tests.offline.votes import (
    HEADER,
    NAMES,
    WRITERS,
    Vote,
    as_csv,
    as_ndjson,
    assert_counted,
    counted_plainly,
    read,
    vote_lists,
)


@pytest.mark.parametrize("kind", WRITERS)
@given(votes=vote_lists())
def test_every_format_gives_the_cells_of_a_plain_count(
    tmp_path_factory: pytest.TempPathFactory, kind: str, votes: list[Vote]
) -> None:
    name, write = WRITERS[kind]
    counted = read(tmp_path_factory.mktemp("votes"), name, write(votes))
    assert_counted(counted.cells, votes)
    assert not counted.unusable


@given(votes=vote_lists())
def test_columns_in_memory_give_the_cells_of_a_plain_count(votes: list[Vote]) -> None:
    columns = list(zip(*votes, strict=True))
    assert_counted(cells_of_columns(*(pa.array(column) for column in columns)), votes)
    assert_counted(cells_of_columns(*(np.array(column, dtype=object) for column in columns)), votes)


@pytest.mark.parametrize(("name", "write", "broken"), [("v.csv", as_csv, b"x\n"), ("v.ndjson", as_ndjson, b"oops\n")])
@given(votes=vote_lists())
def test_a_broken_row_changes_nothing_for_the_others(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    write: Callable[[Sequence[Vote]], bytes],
    broken: bytes,
    votes: list[Vote],
) -> None:
    counted = read(tmp_path_factory.mktemp("votes"), name, write(votes) + broken)
    assert_counted(counted.cells, votes)
    assert list(counted.unusable) == [len(votes) + 1]


raw_fields = st.sampled_from(
    [
        b"",
        b"a",
        b" ",
        b"\xff",
        b"\0",
        b'"',
        b'""',
        b'"a"',
        b'"a"b',
        b'a"b',
        b'"a""b"',
        b'"a,b"',
        b'"a\nb"',
        b'"a\r\n\r"',
        b'"a',
    ]
)
raw_rows = st.tuples(*[raw_fields] * 3, st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"]))


@given(st.lists(raw_rows, min_size=1, max_size=6))
def test_csv_read_row_by_row_is_what_was_read_at_once(rows: list[tuple[bytes, ...]]) -> None:
    data = HEADER + b"".join(b",".join(row[:3]) + row[3] for row in rows)
    at_once = formats.read_csv(data)
    assume(not at_once.broken)
    row_by_row = formats._row_by_row(formats._csv_rows(data, NAMES[:3], NAMES[:3]), NAMES[:3])
    assert not row_by_row.broken
    for name in NAMES[:3]:
        assert getattr(at_once, name).to_pylist() == getattr(row_by_row, name).to_pylist()


@given(votes=vote_lists(), cap=st.integers(1, 4))
def test_a_cap_keeps_the_first_votes_of_each_voter(
    tmp_path_factory: pytest.TempPathFactory, votes: list[Vote], cap: int
) -> None:
    seen: Counter[str] = Counter()
    kept = []
    for vote in votes:
        seen[vote[3] or ""] += 1
        if not vote[3] or seen[vote[3]] <= cap:
            kept.append(vote)
    cells = read(tmp_path_factory.mktemp("votes"), "v.csv", as_csv(votes), cap).cells
    assert cells.entries == counted_plainly(votes)[0]
    assert cells.counts.sum() == len(kept)
    present = [entry in counted_plainly(kept)[0] for entry in cells.entries]
    assert (cells.counts[np.ix_(present, present)] == cells_of_columns(*zip(*kept, strict=True)).counts).all()


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("voters", [["plain", "two\nlines", "\n", 'a\n"quoted"\nx,y,tie'], ["a\nx,y,tie,w"]])
def test_line_ends_in_quoted_values_end_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, voters: list[str], line_end: str
) -> None:
    votes: list[Vote] = [("x", "y", "tie", voter) for voter in voters * 20]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=line_end).writerows([NAMES, *votes])
    for block in range(64, 200, 3):
        monkeypatch.setattr(formats, "_BLOCK", block)
        counted = read(tmp_path, "votes.csv", text.getvalue().encode())
        assert_counted(counted.cells, votes)
        assert not counted.unusable
