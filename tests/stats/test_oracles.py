"""Other people's programs, and plain computations vote by vote, find the same fit and the same variances."""

import csv
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import choix
import evalica
import numpy as np
import pytest
from scipy.optimize import root
from scipy.special import expit

from arena.stats.bradley_terry import covariance, fit
from arena.stats.cells import Cells, Counts, Floats
from arena.stats.clusters import Independent
from benchmarks.simulated import Electorate, Votes, heavy_tailed

PEERS_PYTHON = Path(__file__).parents[2] / ".venv-peers" / "bin" / "python"
RIDGE_A_VOTE = 1e-3  # what arena-rank adds to the diagonal of its information matrix


def simulated() -> Votes:
    """Strengths far apart, busy voters with tastes of their own, a side effect, ties."""
    random = np.random.default_rng(20261122)
    return Electorate(random.normal(0, 1.5, 7)).vote(heavy_tailed(5_000, 300, random), random)


def published() -> Votes:
    """The llmfao votes; who cast them is not published, so each is a voter's own."""
    with (Path(__file__).parent / "data" / "llmfao.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    entries, sides = np.unique([[row["left"], row["right"]] for row in rows], return_inverse=True)
    outcome = np.array([("left", "right", "tie").index(row["winner"]) for row in rows])
    first, second = sides.reshape(-1, 2).T
    return Votes(len(entries), np.arange(len(rows)), np.zeros(len(rows), np.int64), first, second, outcome)


VOTES = {"simulated": simulated(), "published": published()}


@pytest.fixture(params=list(VOTES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def votes(name: str) -> Votes:
    return VOTES[name]


def cells(votes: Votes, counts: Counts | None = None) -> Cells:
    clusters = votes.grouped() if counts is None else Independent(counts)
    return Cells(tuple(names(votes)), votes.counts(), clusters)


def names(votes: Votes) -> list[str]:
    return [f"entry {place:03}" for place in range(votes.entries)]


def credit_won(votes: Votes) -> Floats:
    """Shape (n, n): wins of the row's entry against the column's, ties as half a win, counted vote by vote."""
    won = np.zeros((votes.entries, votes.entries))
    first = np.array([1, 0, 0.5, 0.5])[votes.outcome]
    np.add.at(won, (votes.first, votes.second), first)
    np.add.at(won, (votes.second, votes.first), 1 - first)
    return won


def centred(values: Floats) -> Floats:
    around_zero: Floats = values - values.mean()
    return around_zero


def test_without_the_side_the_fit_is_evalicas(votes: Votes) -> None:
    winners = np.array([evalica.Winner.X, evalica.Winner.Y, evalica.Winner.Draw, evalica.Winner.Draw])
    oracle = evalica.bradley_terry(
        votes.first.tolist(), votes.second.tolist(), winners[votes.outcome].tolist(), tolerance=1e-15, limit=100_000
    )
    strengths = np.log([oracle.scores[entry] for entry in range(votes.entries)])

    assert fit(votes.counts(), side=False).strengths == pytest.approx(centred(strengths), abs=1e-9)


def test_without_the_side_the_fit_is_choixs(votes: Votes) -> None:
    strengths = choix.ilsr_pairwise_dense(credit_won(votes), max_iter=1000, tol=1e-11)

    assert fit(votes.counts(), side=False).strengths == pytest.approx(centred(strengths), abs=1e-9)


class Rated(TypedDict):
    """What arena-rank finds: log-strengths, then the side's effect if there is one; variances of the strengths."""

    strengths: list[float]
    variances: list[float]


class ArenaRank(TypedDict):
    without_side: Rated
    with_side: Rated


@pytest.fixture(scope="module")
def arena_rank() -> dict[str, ArenaRank]:
    assert PEERS_PYTHON.exists(), "run: make .venv-peers/.installed"
    script = Path(__file__).parent / "peers" / "arena_rank_fit.py"
    tables = json.dumps([table(votes) for votes in VOTES.values()])
    answer = subprocess.run([PEERS_PYTHON, script], input=tables, capture_output=True, text=True, check=True)
    return dict(zip(VOTES, json.loads(answer.stdout), strict=True))


def table(votes: Votes) -> dict[str, list[str]]:
    """Votes as columns of names, as the field exchanges them."""
    entries, winners = np.array(names(votes)), np.array(["model_a", "model_b", "tie", "both_bad"])
    return {
        "model_a": entries[votes.first].tolist(),
        "model_b": entries[votes.second].tolist(),
        "winner": winners[votes.outcome].tolist(),
    }


@pytest.mark.parametrize("side", [False, True])
def test_strengths_and_side_are_arena_ranks(
    name: str, votes: Votes, side: bool, arena_rank: dict[str, ArenaRank]
) -> None:
    ours = fit(votes.counts(), side=side)
    theirs = np.array(arena_rank[name]["with_side" if side else "without_side"]["strengths"])

    assert ours.strengths == pytest.approx(centred(theirs[: votes.entries]), abs=1e-9)
    if side:
        assert ours.side == pytest.approx(theirs[-1], abs=1e-9)


@pytest.mark.parametrize("side", [False, True])
def test_variances_of_independent_votes_are_arena_ranks(
    name: str, votes: Votes, side: bool, arena_rank: dict[str, ArenaRank]
) -> None:
    """Ours less the small-sample factor, with arena-rank's ridge r: (A + r)^-1 = (1 + r B)^-1 B for B = A^-1."""
    counts = votes.counts()
    ours = fit(counts, side=side)
    number = len(votes.voter)
    shrinkage = np.linalg.inv(np.eye(votes.entries + 1) + RIDGE_A_VOTE * number * ours.bread)
    ridged = shrinkage @ covariance(ours, cells(votes, counts)) @ shrinkage * (number - 1) / number

    theirs = arena_rank[name]["with_side" if side else "without_side"]["variances"]
    assert ridged.diagonal()[: votes.entries] == pytest.approx(theirs, rel=1e-8)


@dataclass(frozen=True, slots=True)
class Regression:
    """Logistic regression on one row a vote: the strengths against that of entry 0, then the side's effect."""

    rows: Floats
    credit: Floats

    def score(self, place: Floats) -> Floats:
        """Shape (votes, parameters)."""
        score: Floats = self.rows * (self.credit - expit(self.rows @ place))[:, None]
        return score

    def information(self, place: Floats) -> Floats:
        p = expit(self.rows @ place)
        information: Floats = (self.rows * (p * (1 - p))[:, None]).T @ self.rows
        return information

    def solution(self) -> Floats:
        found = root(
            lambda place: self.score(place).sum(axis=0),
            np.zeros(self.rows.shape[1]),
            jac=lambda place: -self.information(place),
            tol=1e-13,
        )
        place: Floats = found.x
        return place


def regression(votes: Votes) -> Regression:
    rows = np.zeros((len(votes.voter), votes.entries + 1))
    each = np.arange(len(rows))
    rows[each, votes.first] += 1
    rows[each, votes.second] -= 1
    rows[:, votes.entries] = 1
    return Regression(rows[:, 1:], np.array([1, 0, 0.5, 0.5])[votes.outcome])


def to_mean_zero(size: int) -> Floats:
    """Shape (n + 1, n): from strengths against entry 0 and the side to strengths with mean 0 and the side."""
    change = np.eye(size + 1)
    change[:size, :size] -= 1 / size
    return change[:, 1:]


def test_with_the_side_the_fit_is_the_logistic_regression_on_single_votes(votes: Votes) -> None:
    oracle = to_mean_zero(votes.entries) @ regression(votes).solution()
    ours = fit(votes.counts())

    assert np.append(ours.strengths, ours.side) == pytest.approx(oracle, abs=1e-9)


def test_the_covariance_is_the_sandwich_summed_voter_by_voter(votes: Votes) -> None:
    model = regression(votes)
    place = model.solution()
    score, voters = model.score(place), np.unique(votes.voter)
    meat = np.zeros_like(model.information(place))
    for voter in voters:
        own = score[votes.voter == voter].sum(axis=0)
        meat += np.outer(own, own)
    change = to_mean_zero(votes.entries)
    bread = change @ np.linalg.inv(model.information(place))
    oracle = bread @ meat @ bread.T * len(voters) / (len(voters) - 1)

    errors = np.sqrt(oracle.diagonal())
    ours = covariance(fit(votes.counts()), cells(votes))
    assert ours / np.outer(errors, errors) == pytest.approx(oracle / np.outer(errors, errors), abs=1e-8)
