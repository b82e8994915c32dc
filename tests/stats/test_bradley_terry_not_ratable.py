"""Votes that have no finite fit: no figure, a reason, and the entries it concerns."""

from dataclasses import replace

import numpy as np
import pytest

from arena.stats.bradley_terry import EntryRating, NotRatable, rate
from arena.stats.cells import count_cells


@pytest.mark.parametrize("entries", [(), ("alone",)])
def test_fewer_than_two_entries_are_not_ratable(entries: tuple[str, ...]) -> None:
    assert rate(entries, count_cells(entries, [])).why == NotRatable("too_few_entries", entries)


def test_entries_without_any_vote_are_not_ratable() -> None:
    result = rate(("x", "y"), count_cells(("x", "y"), []))

    assert result.state == "not_ratable"
    assert result.why == NotRatable("no_votes", ("x", "y"))
    assert result.entries == (EntryRating("x", 0, 0, 0, 0), EntryRating("y", 0, 0, 0, 0))


ROUND = [("x", "y", "a", 1), ("y", "x", "a", 1)]


@pytest.mark.parametrize(
    ("rows", "outside"),
    [
        pytest.param([("x", "y", "a", 9)], ("x", "y", "z"), id="nobody is comparable"),
        pytest.param(ROUND, ("z",), id="one has no votes"),
        pytest.param([*ROUND, ("z", "x", "a", 9)], ("z",), id="one has only won"),
        pytest.param([*ROUND, ("z", "x", "b", 9)], ("z",), id="one has only lost"),
    ],
)
def test_a_win_graph_that_is_not_strongly_connected_names_who_stands_outside(
    rows: list[tuple[str, str, str, int]], outside: tuple[str, ...]
) -> None:
    entries = ("x", "y", "z")
    result = rate(entries, count_cells(entries, rows))

    assert result.why == NotRatable("not_connected", outside)
    assert result.entries[0] == replace(result.entries[0], rating=None, interval=None, rank=None, win_share=None)
    assert sum(entry.votes for entry in result.entries) == 2 * sum(row[3] for row in rows)


def test_half_a_win_is_an_edge_each_way() -> None:
    rows = [*ROUND, ("z", "x", "a", 9), ("y", "z", "both_bad", 1)]

    assert rate(("x", "y", "z"), count_cells(("x", "y", "z"), rows)).state == "ok"


def test_two_fields_that_never_met_are_not_ratable() -> None:
    rows = [*ROUND, ("v", "w", "tie", 50)]

    why = rate(("x", "y", "v", "w"), count_cells(("x", "y", "v", "w"), rows)).why
    assert why == NotRatable("not_connected", ("v", "w"))


def test_counts_that_are_not_cells_are_refused() -> None:
    with pytest.raises(ValueError, match="integer counts"):
        rate(("x", "y"), np.zeros((2, 2), dtype=np.int64))
