"""Published results that the fit must reproduce, and agreement with an independent implementation."""

import csv
from collections import Counter
from pathlib import Path

import evalica
import numpy as np
import pytest

from arena.stats.bradley_terry import (
    ELO_PER_LOG_STRENGTH,
    Floats,
    centred_inverse,
    credits_won,
    information,
    log_strengths,
    preference,
    rate,
)
from arena.stats.cells import Counts, count_cells, wins

DATA = Path(__file__).parent / "data"


def read(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def cells_of(name: str, first: str, second: str, won: str, lost: str) -> tuple[list[str], Counts]:
    """Entries in alphabetical order and the cells of a file with wins and losses of `first` in each row."""
    rows = read(name)
    entries = sorted({row[side] for row in rows for side in (first, second)})
    games = [(row[first], row[second], "a", int(row[won])) for row in rows]
    games += [(row[first], row[second], "b", int(row[lost])) for row in rows]
    return entries, count_cells(entries, games)


def deviance(strengths: Floats, won: Floats) -> float:
    """Twice the log-likelihood missing to a perfect prediction of every cell of `won` and its transpose."""
    total = won + won.T
    expected = total * preference(strengths)
    seen = won > 0
    return 2 * float((won[seen] * np.log(won[seen] / expected[seen])).sum())


def llmfao() -> tuple[list[str], list[tuple[str, str, str]]]:
    outcomes = {"left": "a", "right": "b", "tie": "tie"}
    votes = [(row["left"], row["right"], outcomes[row["winner"]]) for row in read("llmfao.csv")]
    return sorted({entry for vote in votes for entry in vote[:2]}), votes


def llmfao_cells() -> tuple[list[str], Counts]:
    entries, votes = llmfao()
    return entries, count_cells(entries, [(*cell, number) for cell, number in Counter(votes).items()])


def test_wikipedias_example() -> None:
    won = {"AB": 2, "AD": 1, "BA": 3, "BC": 5, "CB": 3, "CD": 1, "DA": 4, "DC": 3}
    counts = count_cells("ABCD", [(pair[0], pair[1], "a", number) for pair, number in won.items()])

    assert np.exp(log_strengths(credits_won(counts))).round(3).tolist() == [0.640, 1.043, 0.660, 2.270]


def test_journal_citations_to_all_published_digits() -> None:
    entries, counts = cells_of("citations.csv", "journal1", "journal2", "win1", "win2")
    strengths = log_strengths(credits_won(counts))
    covariance = centred_inverse(information(strengths, credits_won(counts)))
    against = entries.index("Biometrika")
    variances = covariance.diagonal() + covariance[against, against] - 2 * covariance[against]

    gaps = dict(zip(entries, (strengths - strengths[against]).round(4).tolist(), strict=True))
    errors = dict(zip(entries, np.sqrt(variances).round(4).tolist(), strict=True))
    assert gaps == {"Biometrika": 0, "Comm Statist": -2.9491, "JASA": -0.4796, "JRSS-B": 0.2690}
    assert errors == {"Biometrika": 0, "Comm Statist": 0.1025, "JASA": 0.0606, "JRSS-B": 0.0708}
    assert round(deviance(strengths, credits_won(counts)), 5) == 4.29338


def test_baseball_without_home_advantage() -> None:
    entries, counts = cells_of("baseball.csv", "home.team", "away.team", "home.wins", "away.wins")
    strengths = log_strengths(credits_won(counts))

    over_baltimore = np.sort(strengths - strengths[entries.index("Baltimore")])
    assert over_baltimore.round(2).tolist() == [0, 0.68, 1.11, 1.25, 1.29, 1.44, 1.58]


def test_llmfao_equals_the_published_maximum_likelihood_fit() -> None:
    entries, counts = llmfao_cells()
    published = {
        row["item"]: float(row["score"]) for row in read("llmfao-golden.csv") if row["algorithm"] == "bradley_terry"
    }
    strengths = np.exp(log_strengths(credits_won(counts)))

    scores = np.array([published[entry] for entry in entries])
    assert strengths / strengths.sum() == pytest.approx(scores / scores.sum(), rel=1e-10)


def test_llmfao_equals_evalica() -> None:
    entries, votes = llmfao()
    _, counts = llmfao_cells()
    winners = {"a": evalica.Winner.X, "b": evalica.Winner.Y, "tie": evalica.Winner.Draw}
    lefts, rights, outcomes = zip(*votes, strict=True)
    oracle = evalica.bradley_terry(
        lefts, rights, [winners[outcome] for outcome in outcomes], tolerance=1e-15, limit=10_000
    )

    expected = np.log([oracle.scores[entry] for entry in entries])
    assert log_strengths(credits_won(counts)) == pytest.approx(expected - expected.mean(), abs=1e-9)


def test_ties_make_the_llmfao_intervals_shorter_than_coin_flips_would() -> None:
    entries, counts = llmfao_cells()
    strengths = log_strengths(credits_won(counts))
    coin_flips = centred_inverse(information(strengths, credits_won(counts)))

    ratings = rate(entries, counts)
    widths = [rating.interval[1] - rating.interval[0] for rating in ratings.entries if rating.interval]
    coin_widths = 2 * 1.959964 * ELO_PER_LOG_STRENGTH * np.sqrt(coin_flips.diagonal())
    assert 0.7 < np.mean(widths) / np.mean(coin_widths) < 0.9  # 39 % ties; a fair coin leaves sqrt(1 - 0.39) = 0.78
    assert wins(counts).sum() / counts.sum() == pytest.approx(0.61, abs=0.01)
