"""What the report shows of ratings made for it."""

import io
from dataclasses import replace
from typing import Final, get_args, get_type_hints

import pytest
from rich.cells import cell_len
from rich.console import Console

from arena.offline.report import MEANING, MOST_NAMED, printable, report
from arena.stats.bradley_terry import NotRatable
from arena.stats.rating import EntryRating, Last, Neighbours, NoInterval, Ratings, SideEffect


def rated(name: str, rating: float, margin: float, rank: tuple[int, int]) -> EntryRating[float]:
    return EntryRating(name, 1200, 500, 400, 300, rating, (rating - margin, rating + margin), rank, 0.5)


TWO: Final = Ratings(
    state="ok",
    why=None,
    method="bt",
    method_version="7",
    voters=300,
    entries=(rated("가나 모델", 900, 50, (2, 2)), rated("plain", 1100, 50, (1, 1))),
    side=SideEffect(0.2, 0.05, 0.55, (0.525, 0.574)),
    neighbours=(Neighbours(("plain", "가나 모델"), 200.0, (150.0, 250.0), apart=True, votes_needed=0),),
    last=Last("가나 모델", ("가나 모델",)),
)


def drawn(ratings: Ratings[float], width: int = 100, *, encoding: str = "utf-8") -> str:
    sink = io.TextIOWrapper(io.BytesIO(), encoding, "backslashreplace")
    Console(file=sink, width=width, markup=False, highlight=False, emoji=False).print(report(ratings))
    sink.seek(0)
    return sink.read()


def test_the_best_entry_comes_first_with_its_figures() -> None:
    header, best, worst = drawn(TWO).splitlines()[:3]
    assert header.split() == ["Rank", "Model", "Rating", "95", "%", "Votes", "Won", "Lost", "Tied", "Share"]
    assert best.split()[:4] == ["1", "plain", "1100", "±50"]
    assert best.split()[-5:] == ["1,200", "500", "400", "300", "50.0%"]
    assert worst.startswith("2    가나 모델")


def test_columns_stand_below_each_other_whatever_a_name_is_written_in() -> None:
    header, *rows = drawn(TWO).splitlines()[:3]
    assert {cell_len(line.rstrip()) for line in (header, *rows)} == {cell_len(header.rstrip())}
    assert {cell_len(row[: row.index("1,200")]) for row in rows} == {header.index("Votes")}


def test_whiskers_lie_on_one_axis() -> None:
    best, worst = drawn(TWO).splitlines()[1:3]
    plots = [row[: row.index("1,200")].partition("±50")[2] for row in (best, worst)]
    places = [(plot.index("─"), plot.index("●"), plot.rindex("─")) for plot in plots]
    assert places[0][1] - places[0][0] == places[0][2] - places[0][1] > 0
    assert max(places[1]) < min(places[0])
    assert places[1][0] == 1


def test_a_terminal_without_unicode_gets_a_plot_of_ascii() -> None:
    best = drawn(TWO, encoding="ascii").splitlines()[1]
    assert "-o-" in best
    assert "●" not in best


@pytest.mark.parametrize("width", [60, 80, 120])
def test_long_names_are_folded_rather_than_cut(width: int) -> None:
    name = "회사/아주-긴-이름의-모델-" * 4
    said = drawn(replace(TWO, entries=(rated(name, 1000, 9, (1, 1)),), neighbours=(), last=None), width)
    assert max(map(cell_len, said.splitlines())) <= width
    assert "…" not in said


def test_markup_and_control_characters_of_a_name_are_shown_not_obeyed() -> None:
    name = "[red]x[/]\x1b[2J\u202e:smile:"
    said = drawn(replace(TWO, entries=(rated(name, 1000, 9, (1, 1)),), last=Last(name, (name,))))
    assert printable(name) == r"[red]x[/]\x1b[2J\u202e:smile:"
    assert said.count(printable(name)) == 2
    assert not {"\x1b", "\u202e"} & set(said)


def test_the_side_is_told_with_its_standard_error() -> None:
    assert "first wins 55.0% (95 %: 52.5% to 57.4%; 0.200 in log-odds, standard error 0.050)." in drawn(TWO, 120)
    bare = replace(TWO, side=SideEffect(0.2, None, 0.55, None))
    assert "first wins 55.0%." in drawn(bare)
    assert "shown first" not in drawn(replace(TWO, side=None))


def test_neighbours_that_cannot_be_told_apart_are_named_with_the_votes_it_takes() -> None:
    close = Neighbours(("x", "y"), 12.0, (-5.0, 29.0), apart=False, votes_needed=1234)
    equal = Neighbours(("y", "z"), 0.0, (-17.0, 17.0), apart=False, votes_needed=None)
    said = drawn(replace(TWO, neighbours=(*TWO.neighbours, close, equal)))
    assert "  x and y, 12 Elo apart: 1,234\n" in said
    assert "  y and z, 0 Elo apart: no number\n" in said
    assert "plain and" not in said
    assert "cannot be told apart" not in drawn(TWO)


def test_neighbours_and_names_beyond_some_are_counted() -> None:
    close = Neighbours(("x", "y"), 12.0, (-5.0, 29.0), apart=False, votes_needed=1234)
    tied = tuple(f"m{number}" for number in range(MOST_NAMED + 3))
    said = drawn(replace(TWO, neighbours=(close,) * (MOST_NAMED + 2), last=Last(None, tied)))
    assert said.count("x and y") == MOST_NAMED
    assert "and 2 more pairs, see --json" in said
    assert "Last: one of m0, m1" in said
    assert f"m{MOST_NAMED - 1} and 3 more." in said


def test_the_voters_and_the_method_close_the_report() -> None:
    assert drawn(TWO).endswith("Last: 가나 모델.\n1,200 votes, by 300 voters. Method bt, version 7.\n")
    assert "1,200 votes, each counted as a voter of its own. " in drawn(replace(TWO, voters=1200))


def test_without_ratings_there_are_the_tallies_and_the_reason() -> None:
    tallies: tuple[EntryRating[float], ...] = (EntryRating("x", 6, 3, 2, 1), EntryRating("y", 6, 2, 3, 1))
    said = drawn(Ratings("not_ratable", NotRatable("one_sided", ("y",)), "bt", "7", 6, tallies))
    assert said.splitlines()[1].split() == ["-", "x", "-", "-", "6", "3", "2", "1", "-"]
    assert "Not ratable: some models have only won or only lost against the others: y." in said


def test_without_intervals_there_are_ratings_and_the_reason() -> None:
    bare = EntryRating("x", 6, 3, 2, 1, 1000.0, None, None, 0.5)
    pair = Neighbours(("x", "y"), 12.0, None, apart=False, votes_needed=None)
    said = drawn(replace(TWO, why=NoInterval("too_few_voters", ()), entries=(bare,), last=None, neighbours=(pair,)))
    assert said.splitlines()[1].split() == ["-", "x", "1000", "-", "●", "6", "3", "2", "1", "50.0%"]
    assert "No intervals: too few voters" in said
    assert "told apart" not in said


def test_every_reason_has_its_words() -> None:
    codes = {code for why in (NotRatable, NoInterval) for code in get_args(get_type_hints(why)["code"])}
    assert set(MEANING) == codes
