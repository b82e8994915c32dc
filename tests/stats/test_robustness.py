"""How few votes, which single voters, and how much chance decide who is last or first."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations_with_replacement
from math import log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from arena.stats.arithmetic import FLOATS, Estimate
from arena.stats.bradley_terry import fit, obstacle
from arena.stats.cells import OUTCOMES, Cells, Counts, Floats, count_cells
from arena.stats.clusters import Independent
from arena.stats.fewest_votes import FewestVotes, fewest_votes
from arena.stats.one_voter_out import leave_one_voter_out
from arena.stats.places import place_chances
from arena.stats.rating import estimate
from arena.stats.robustness import Robustness, robustness, robustness_body
from benchmarks.simulated import Electorate, Votes, heavy_tailed

REVERSED = [OUTCOMES.index(outcome) for outcome in ("b", "a", "tie", "both_bad")]
EVEN = 1e-9


def names(size: int) -> tuple[str, ...]:
    return tuple(f"entry {place}" for place in range(size))


def independent(counts: Counts) -> Cells:
    return Cells(names(len(counts)), counts, Independent(counts))


def cells_of(*rows: tuple[str, str, str, int]) -> Cells:
    entries = tuple(sorted({entry for first, second, *_ in rows for entry in (first, second)}))
    counts = count_cells(entries, rows)
    return Cells(entries, counts, Independent(counts))


def duel(wins: int, losses: int) -> Cells:
    """x against y, as often first as second."""
    return cells_of(("x", "y", "a", wins), ("y", "x", "b", wins), ("x", "y", "b", losses), ("y", "x", "a", losses))


def simulated(votes: int, voters: int, *, entries: int = 4, seed: int = 1, spread: float = 0.5) -> Votes:
    random = np.random.default_rng(seed)
    return Electorate(random.normal(0, spread, entries)).vote(heavy_tailed(votes, voters, random), random)


def clustered(votes: Votes) -> Cells:
    return Cells(names(votes.entries), votes.counts(), votes.grouped())


def changed(counts: Counts, chosen: Counts, *, reverse: bool) -> Counts:
    rest: Counts = counts - chosen + (chosen[:, :, REVERSED] if reverse else 0)
    return rest


def last_after(cells: Cells, chosen: Counts, *, reverse: bool) -> str | None:
    """Who is below the entry that was last; None where nobody is, or there is no fit."""
    counts = changed(cells.counts, chosen, reverse=reverse)
    if obstacle(cells.entries, counts) is not None:
        return None
    before, after = fit(cells.counts).strengths, fit(counts).strengths
    below = after.min() < after[before.argmin()] - EVEN
    return cells.entries[int(after.argmin())] if below else None


def chosen_votes(cells: Cells, found: FewestVotes) -> Counts:
    return count_cells(cells.entries, [(some.first, some.second, some.outcome, some.votes) for some in found.types])


def choices(counts: Counts, number: int) -> Iterator[Counts]:
    """All ways to choose so many of the votes."""
    for types in combinations_with_replacement(np.argwhere(counts).tolist(), number):
        chosen = np.zeros_like(counts)
        np.add.at(chosen, tuple(np.array(types).T), 1)
        if (chosen <= counts).all():
            yield chosen


@st.composite
def small_rounds(draw: st.DrawFn) -> Cells:
    """Up to 5 entries, some rounds sparse, which have a fit and an entry alone at the end."""
    size = draw(st.integers(2, 5))
    numbers = st.lists(st.one_of(st.just(0), st.integers(0, 8)), min_size=size**2 * 4, max_size=size**2 * 4)
    counts = np.array(draw(numbers), dtype=np.int64).reshape(size, size, 4)
    counts[np.arange(size), np.arange(size)] = 0
    assume(obstacle(names(size), counts) is None)
    ladder = np.sort(fit(counts).strengths)
    assume(ladder[1] - ladder[0] > EVEN)
    return independent(counts)


@settings(max_examples=50)
@given(small_rounds(), st.booleans())
def test_the_votes_found_were_cast_and_make_the_entry_named_last(cells: Cells, reverse: bool) -> None:
    found = fewest_votes(cells, reverse=reverse)
    assume(found is not None)
    assert found is not None
    chosen = chosen_votes(cells, found)

    assert found.votes == sum(some.votes for some in found.types) == chosen.sum() >= 1
    assert (chosen <= cells.counts).all()
    assert last_after(cells, chosen, reverse=reverse) == found.last
    assert not (reverse and chosen[:, :, 2:].any())
    assert [some.votes for some in found.types] == sorted((some.votes for some in found.types), reverse=True)


@pytest.mark.parametrize("reverse", [False, True])
def test_in_small_rounds_no_fewer_votes_would_have_done(reverse: bool) -> None:
    """Against all choices of fewer votes, up to 3. That holds nearly always, and in these random rounds always."""
    least = []
    for cells in random_rounds(60, entries=3, votes=9):
        found = fewest_votes(cells, reverse=reverse)
        fewer = range(1, min(found.votes, 4) if found else 4)
        tried = (chosen for number in fewer for chosen in choices(cells.counts, number))
        least.append(all(last_after(cells, chosen, reverse=reverse) is None for chosen in tried))

    assert all(least)


def random_rounds(number: int, *, entries: int, votes: int) -> list[Cells]:
    random = np.random.default_rng(20260301)
    rounds: list[Cells] = []
    while len(rounds) < number:
        activity = np.ones(votes, np.int64)
        counts = Electorate(random.normal(0, 0.7, entries)).vote(activity, random).counts()
        if obstacle(names(entries), counts) is None:
            rounds.append(independent(counts))
    return rounds


@pytest.mark.parametrize("scale", [1, 1000, 1_000_000])
def test_between_two_entries_the_winner_must_fall_behind(scale: int) -> None:
    """x wins 10 : 4 on each side. With the side fitted, the product of both odds decides.

    Without m wins on one side it is 10 / 4 (10 - m) / 4, below 1 from m = 8.4 on; with m reversed it is
    10 / 4 (10 - m) / (4 + m), 1 at m = 6.
    """
    cells = duel(10 * scale, 4 * scale)
    removal, reversal = fewest_votes(cells, reverse=False), fewest_votes(cells, reverse=True)

    assert removal is not None
    assert reversal is not None
    assert removal.last == reversal.last == "x"
    assert removal.votes == 84 * scale // 10 + 1
    assert reversal.votes == 6 * scale + 1


def test_without_a_term_for_the_side_the_sums_of_both_sides_decide() -> None:
    """In all 20 : 8. Without 13 it is 7 : 8, with 7 reversed 13 : 15."""
    removal, reversal = (fewest_votes(duel(10, 4), reverse=reverse, side=False) for reverse in (False, True))

    assert removal is not None
    assert reversal is not None
    assert (removal.votes, reversal.votes) == (13, 7)


def test_a_type_is_spared_where_its_last_vote_is_needed() -> None:
    """x wins 9 : 2 on each side. All 9 on one side are needed for the side's effect; without 8 of them
    and m on the other the odds are 1 / 2 (9 - m) / 2, below 1 from m = 6 on.
    """
    found = fewest_votes(duel(9, 2), reverse=False)

    assert found is not None
    assert [some.votes for some in found.types] == [8, 6]


def test_only_votes_that_leave_a_fit_are_removed() -> None:
    """x leads by 2 : 1; without both its wins y would lead, but have lost to nobody."""
    cells = cells_of(("x", "y", "a", 2), ("x", "y", "b", 1), ("y", "x", "tie", 2))

    assert fewest_votes(cells, reverse=False) is None
    assert fewest_votes(cells, reverse=True) is not None


def test_an_entry_that_shares_the_last_place_cannot_be_overtaken() -> None:
    result = robust(duel(5, 5))

    assert (result.first, result.last) == (None, None)
    assert (result.removal, result.reversal) == (None, None)


@pytest.mark.parametrize(("reverse", "seed"), [(False, 1), (True, 10)])
def test_of_many_votes_those_are_chosen_that_narrow_the_gap_the_most(reverse: bool, seed: int) -> None:
    """Types that were chosen do more, vote by vote, than those that were not, as small changes after them show."""
    cells = independent(simulated(100_000, 100_000, entries=5, seed=seed, spread=2.5).counts())
    found = fewest_votes(cells, reverse=reverse)
    assert found is not None
    chosen = chosen_votes(cells, found)
    last = int(fit(cells.counts).strengths.argmin())

    def gap(more: Counts) -> float:
        strengths = fit(changed(cells.counts, chosen + more, reverse=reverse)).strengths
        return float(strengths[cells.entries.index(found.last)] - strengths[last])

    closed, step = gap(np.zeros_like(chosen)), 10
    gains = np.zeros(chosen.shape)
    for place in np.argwhere(cells.counts - chosen >= step):
        few = np.zeros_like(chosen)
        few[tuple(place)] = step
        gains[tuple(place)] = closed - gap(few)
    for place in np.argwhere(chosen >= step):
        few = np.zeros_like(chosen)
        few[tuple(place)] = -step
        gains[tuple(place)] = gap(few) - closed

    whole = chosen == cells.counts
    assert gains[(chosen > 0)].min() >= 0.98 * gains[~whole].max()


@pytest.mark.parametrize("reverse", [False, True])
def test_other_names_and_another_order_need_as_many_votes(reverse: bool) -> None:
    counts = simulated(2_000, 100).counts()
    order = [2, 0, 3, 1]
    found, shuffled = (
        fewest_votes(independent(some), reverse=reverse) for some in (counts, counts[np.ix_(order, order)])
    )

    assert found is not None
    assert shuffled is not None
    assert found.votes == shuffled.votes
    assert found.last == names(4)[order[int(shuffled.last.split()[1])]]


def without(votes: Votes, voter: int) -> Counts:
    """The cells of all other voters, counted vote by vote."""
    kept = votes.voter != voter
    return replace(
        votes,
        voter=votes.voter[kept],
        place=votes.place[kept],
        first=votes.first[kept],
        second=votes.second[kept],
        outcome=votes.outcome[kept],
    ).counts()


@pytest.mark.parametrize(
    ("number", "voters", "seed"), [(40, 12, 1), (40, 12, 2), (150, 40, 3), (3_000, 400, 4), (3_000, 1_500, 6)]
)
def test_leaving_each_voter_out_is_as_if_they_had_never_voted(number: int, voters: int, seed: int) -> None:
    """Of hundreds most are judged by a Newton step alone; in the last round 156 could change who is last."""
    votes = simulated(number, voters, seed=seed, spread=0.02)
    cells = clustered(votes)
    everyone = fit(cells.counts).strengths
    others = [without(votes, voter) for voter in range(voters)]
    fits = np.array([fit(counts).strengths for counts in others if obstacle(cells.entries, counts) is None])
    found = leave_one_voter_out(cells, votes.grouped())

    assert found.not_ratable == voters - len(fits)
    assert found.changes_last == np.count_nonzero(fits.argmin(axis=1) != everyone.argmin())
    assert found.changes_first == np.count_nonzero(fits.argmax(axis=1) != everyone.argmax())
    ratings = 1000 + 400 / log(10) * fits
    assert np.array(found.ratings) == pytest.approx(np.array([ratings.min(axis=0), ratings.max(axis=0)]).T, abs=1e-6)


def test_a_narrow_lead_may_hang_on_each_of_very_many_voters() -> None:
    """301 votes for x, 300 for y, three a voter but for one: each of the 100 who chose x thrice decides."""
    votes = ballots_cast(
        "xy", ("xya xya xya", 50), ("yxb yxb yxb", 50), ("xyb xyb xyb", 50), ("yxa yxa yxa", 50), ("xya", 1)
    )
    found = leave_one_voter_out(clustered(votes), votes.grouped())

    assert (found.changes_first, found.changes_last) == (100, 100)


def ballots_cast(entries: str, *ballots: tuple[str, int]) -> Votes:
    """So many voters cast each ballot, its votes written as `xyb`: x shown first, y second, b preferred."""
    cast = [ballot.split() for ballot, number in ballots for _ in range(number)]
    rows = [
        (voter, place, entries.index(vote[0]), entries.index(vote[1]), "ab".index(vote[2]))
        for voter, ballot in enumerate(cast)
        for place, vote in enumerate(ballot)
    ]
    return Votes(len(entries), *np.array(rows).T)


def test_a_voter_without_whom_there_is_no_fit_decides_nothing() -> None:
    """y comes second with 2 : 1 and would be first had not one voter preferred z: then it has lost to nobody."""
    votes = ballots_cast(
        "xyz", ("xza", 150), ("zxb", 150), ("xzb", 50), ("zxa", 50), ("yza", 1), ("zyb", 1), ("yzb", 1)
    )
    found = leave_one_voter_out(clustered(votes), votes.grouped())

    assert (found.changes_first, found.not_ratable) == (0, 1)


def test_a_voter_may_be_needed_whose_votes_move_nothing() -> None:
    """One of 401 cast all votes on y, as many for it as against."""
    votes = ballots_cast("xyz", ("xza", 150), ("zxb", 150), ("xzb", 50), ("zxa", 50), ("yza yzb", 1))

    assert leave_one_voter_out(clustered(votes), votes.grouped()).not_ratable == 1


def test_a_lone_voter_cannot_be_left_out() -> None:
    votes = simulated(200, 1)
    found = leave_one_voter_out(clustered(votes), votes.grouped())

    assert (found.changes_first, found.changes_last, found.not_ratable) == (0, 0, 1)
    assert found.ratings is None


def test_votes_of_other_voters_are_refused() -> None:
    votes = simulated(300, 30)
    with pytest.raises(ValueError, match="do not add up"):
        leave_one_voter_out(clustered(votes), simulated(300, 30, seed=2).grouped())


def normal(strengths: Floats, covariance: Floats) -> Estimate[float]:
    """An estimate of which only its distribution counts; the side, which does not, varies wildly."""
    size = len(strengths)
    whole = np.full((size + 1, size + 1), 100.0)
    whole[:size, :size] = covariance
    even = [[0.5] * size] * size
    return Estimate(strengths.tolist(), 0.0, whole.tolist(), even, FLOATS)


@given(st.floats(-5, 5), st.floats(0.01, 3), st.floats(-0.9, 0.9))
def test_two_entries_have_the_chances_of_their_gap(gap: float, error: float, correlation: float) -> None:
    covariance = error**2 * np.array([[1, correlation], [correlation, 1]])
    one, other = place_chances(normal(np.array([gap, 0.0]), covariance))
    ahead = NormalDist().cdf(gap / error / sqrt(2 - 2 * correlation))

    assert (one.first, one.last) == pytest.approx((ahead, 1 - ahead), abs=1e-6)
    assert (other.first, other.last) == pytest.approx((1 - ahead, ahead), abs=1e-6)


@pytest.mark.parametrize("size", [3, 8, 15])
def test_equal_entries_have_equal_chances(size: int) -> None:
    for chances in place_chances(normal(np.zeros(size), np.eye(size) - 1 / size)):
        assert (chances.first, chances.last) == pytest.approx((1 / size, 1 / size), abs=1e-4)


@pytest.mark.parametrize(("size", "seed"), [(3, 1), (4, 2), (7, 3)])
def test_chances_are_those_of_the_normal_distribution(size: int, seed: int) -> None:
    """As scipy finds them."""
    strengths, covariance = some_normal(size, seed)
    found = place_chances(normal(strengths, covariance))

    assert [chances.first for chances in found] == pytest.approx(by_scipy(-strengths, covariance), abs=1e-3)
    assert [chances.last for chances in found] == pytest.approx(by_scipy(strengths, covariance), abs=1e-3)


def some_normal(size: int, seed: int) -> tuple[Floats, Floats]:
    """Correlated strengths with mean 0 for certain, some closer together than others."""
    random = np.random.default_rng(seed)
    centre = np.eye(size) - 1 / size
    spread = centre @ random.normal(size=(size, size))
    return centre @ random.normal(size=size), spread @ spread.T + 0.1 * centre


def by_scipy(strengths: Floats, covariance: Floats) -> list[float]:
    """The chances to be the lowest."""
    chances = []
    for place in range(len(strengths)):
        gaps = np.eye(len(strengths))
        gaps[:, place] -= 1
        gaps = np.delete(gaps, place, axis=0)
        lowest = multivariate_normal(cov=gaps @ covariance @ gaps.T, seed=0)
        chances.append(float(lowest.cdf(gaps @ strengths)))
    return chances


@settings(max_examples=30)
@given(st.integers(2, 7), st.integers(0, 10**6), st.floats(0.001, 1000))
def test_each_places_chances_add_up_to_one_in_any_unit(size: int, seed: int, unit: float) -> None:
    strengths, covariance = some_normal(size, seed)
    found = place_chances(normal(strengths, covariance))
    scaled = place_chances(normal(unit * strengths, unit**2 * covariance))

    assert sum(chances.first for chances in found) == pytest.approx(1)
    assert sum(chances.last for chances in found) == pytest.approx(1)
    assert [chances.last for chances in scaled] == pytest.approx([chances.last for chances in found], abs=1e-6)


def test_gaps_that_depend_on_one_another_have_chances_too() -> None:
    """One direction moves all: the outer two are the first or last, the middle one never."""
    along = np.array([1.0, 0.0, -1.0])
    best, middle, worst = place_chances(normal(0.5 * along, np.outer(along, along)))
    ahead = NormalDist().cdf(0.5)

    assert (best.first, best.last) == pytest.approx((ahead, 1 - ahead), abs=1e-4)
    assert (middle.first, middle.last) == pytest.approx((0, 0), abs=1e-4)
    assert (worst.first, worst.last) == pytest.approx((1 - ahead, ahead), abs=1e-4)


def robust(cells: Cells, votes: Votes | None = None, *, side: bool = True) -> Robustness:
    return robustness(cells, estimate(cells, side=side), votes.grouped() if votes else None)


def test_one_function_gives_all_answers() -> None:
    votes = simulated(2_000, 200)
    cells = clustered(votes)
    result = robust(cells, votes)
    strengths = fit(cells.counts).strengths

    assert result.entries == cells.entries
    assert result.first == cells.entries[int(strengths.argmax())]
    assert result.last == cells.entries[int(strengths.argmin())]
    assert result.removal == fewest_votes(cells, reverse=False)
    assert result.reversal == fewest_votes(cells, reverse=True)
    assert result.one_voter_out == leave_one_voter_out(cells, votes.grouped())
    assert result.chances == place_chances(estimate(cells))


def test_an_estimate_without_the_side_is_compared_with_fits_without_it() -> None:
    votes = simulated(400, 60)
    cells = clustered(votes)
    result = robust(cells, votes, side=False)

    assert result.removal == fewest_votes(cells, reverse=False, side=False)
    assert result.one_voter_out == leave_one_voter_out(cells, votes.grouped(), side=False)


def test_what_the_votes_do_not_give_is_left_out() -> None:
    cells = independent(simulated(19, 19, entries=2).counts())
    body = robustness_body(robust(cells))

    assert body["one_voter_out"] is None
    assert body["chances"] is None


def test_the_body_is_json_with_figures_as_strings() -> None:
    votes = simulated(2_000, 200, entries=3)
    result = robust(clustered(votes), votes)
    body = robustness_body(result)

    assert json.loads(json.dumps(body)) == body
    assert result.removal is not None
    assert result.one_voter_out is not None
    assert result.one_voter_out.ratings is not None
    assert result.chances is not None
    assert body["removal"]["votes"] == result.removal.votes
    assert body["removal"]["types"][0].keys() == {"first", "second", "outcome", "votes"}
    low, high = result.one_voter_out.ratings[0]
    assert body["one_voter_out"]["ratings"][0] == {
        "entry": "entry 0",
        "lowest": f"{low:.4f}",
        "highest": f"{high:.4f}",
    }
    assert body["chances"][2] == {
        "entry": "entry 2",
        "first": f"{result.chances[2].first:.3f}",
        "last": f"{result.chances[2].last:.3f}",
    }
