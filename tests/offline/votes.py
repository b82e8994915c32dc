"""Votes written in every format, read back, and counted plainly."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from hypothesis import strategies as st

from arena.offline.columns import Counted
from arena.offline.vote_file import read_votes
from arena.stats.cells import OUTCOMES, Cells
from arena.stats.clusters import Grouped, Independent

Vote = tuple[str, str, str, str | None]
NAMES = ("model_a", "model_b", "winner", "voter")
OUTCOME = {"model_a": "a", "model_b": "b", "tie": "tie", "tie (bothbad)": "both_bad", "both_bad": "both_bad"}
CREDIT = {"a": 2, "b": 0, "tie": 1, "both_bad": 1}
HEADER = b"model_a,model_b,winner\n"
GOOD = b"x,y,model_a\n"
ROW = b'{"model_a": "x", "model_b": "y", "winner": "tie"}\n'

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\r")
names = st.text(characters, min_size=1, max_size=5).filter(str.strip)


@st.composite
def vote_lists(draw: st.DrawFn) -> list[Vote]:
    models = draw(st.lists(names, min_size=2, max_size=4, unique=True))
    sides = st.permutations(models).map(lambda shuffled: shuffled[:2])
    voter = st.sampled_from(["1", "둘", 'th"ree', "", None])
    rows = draw(st.lists(st.tuples(sides, st.sampled_from(list(OUTCOME)), voter), min_size=1, max_size=30))
    return [(first, second, outcome, voter) for (first, second), outcome, voter in rows]


def as_csv(votes: Sequence[Vote], line_end: str = "\n") -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(["question_id", *NAMES, "language"])
    writer.writerows([number, *vote, "Korean, mostly"] for number, vote in enumerate(votes))
    return text.getvalue().encode()


def as_csv_of_windows(votes: Sequence[Vote]) -> bytes:
    return b"\xef\xbb\xbf" + as_csv(votes, "\r\n")


def as_ndjson(votes: Sequence[Vote]) -> bytes:
    rows = ({"turn": [1, {"a": "b"}]} | dict(zip(NAMES, vote, strict=True)) for vote in votes)
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def as_parquet(votes: Sequence[Vote], *, categories: bool = False) -> bytes:
    columns = [pa.array(column, pa.string()) for column in zip(*votes, strict=True)]
    columns = [column.dictionary_encode() for column in columns] if categories else columns
    table = pa.table([pa.array(range(len(votes))), *columns], names=["id", *NAMES])
    pyarrow.parquet.write_table(table, sink := io.BytesIO())
    return sink.getvalue()


def as_categories(votes: Sequence[Vote]) -> bytes:
    return as_parquet(votes, categories=True)


WRITERS: dict[str, tuple[str, Callable[[Sequence[Vote]], bytes]]] = {
    "csv": ("votes.csv", as_csv),
    "csv of Windows": ("votes.csv", as_csv_of_windows),
    "csv packed": ("votes.csv.gz", lambda votes: gzip.compress(as_csv(votes))),
    "csv by content": ("votes", as_csv),
    "ndjson": ("votes.ndjson", as_ndjson),
    "ndjson packed": ("votes.jsonl.gz", lambda votes: gzip.compress(as_ndjson(votes))),
    "ndjson by content": ("-of-July", as_ndjson),
    "parquet": ("votes.parquet", as_parquet),
    "parquet of categories": ("votes", as_categories),
}


def read(folder: Path, name: str, content: bytes, votes_per_voter: int | None = None) -> Counted:
    (folder / name).write_bytes(content)
    return read_votes(folder / name, votes_per_voter)


def counted_plainly(votes: Sequence[Vote]) -> tuple[tuple[str, ...], Counter[tuple[str, ...]]]:
    entries = tuple(sorted({model for vote in votes for model in vote[:2]}))
    return entries, Counter((first, second, OUTCOME[outcome]) for first, second, outcome, _ in votes)


def by_voter(votes: Sequence[Vote]) -> list[dict[tuple[str, str], tuple[int, int]]]:
    """What each voter did with each ordered pair: votes, and twice the credit of the entry shown first."""
    voters: dict[object, dict[tuple[str, str], tuple[int, int]]] = {}
    for number, (first, second, outcome, voter) in enumerate(votes):
        own = voters.setdefault(voter or number, {})
        number_of, credit = own.get((first, second), (0, 0))
        own[first, second] = number_of + 1, credit + CREDIT[OUTCOME[outcome]]
    return list(voters.values())


def assert_counted(cells: Cells, votes: Sequence[Vote]) -> None:
    entries, counts = counted_plainly(votes)
    assert cells.entries == entries
    found = {
        (entries[a], entries[b], OUTCOMES[o]): int(cells.counts[a, b, o]) for a, b, o in np.argwhere(cells.counts)
    }
    assert found == counts
    clusters = cells.clusters
    if isinstance(clusters, Independent):
        assert not any(vote[3] for vote in votes)
        return
    assert isinstance(clusters, Grouped)
    groups: list[dict[tuple[str, str], tuple[int, int]]] = [{} for _ in range(clusters.voters)]
    columns = (clusters.voter, clusters.first, clusters.second, clusters.votes, clusters.credit)
    for voter, first, second, number, credit in zip(*(column.tolist() for column in columns), strict=True):
        groups[voter][entries[first], entries[second]] = number, credit
    assert (np.diff(clusters.voter) >= 0).all()
    assert sorted(map(sorted, (group.items() for group in groups))) == sorted(
        map(sorted, (group.items() for group in by_voter(votes)))
    )
