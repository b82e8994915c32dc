"""Published results that the fit must reproduce to every digit that was printed."""

import csv

import numpy as np
import pytest

from arena.stats.arithmetic import quantile
from arena.stats.bradley_terry import Fit, chances, fit
from arena.stats.cells import Cells, Counts, Floats, count_cells, halves, wins
from arena.stats.clusters import Independent
from arena.stats.rating import Ratings, rate
from tests.stats.votes import DATA, published


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


def baseball() -> tuple[list[str], Counts]:
    """The home team is shown first."""
    return cells_of("baseball.csv", "home.team", "away.team", "home.wins", "away.wins")


def errors_against(fitted: Fit, place: int) -> Floats:
    """Standard errors of the strengths' distances to an entry's, where the model's own variance holds."""
    size = len(fitted.strengths)
    variance = fitted.bread.diagonal()[:size] + fitted.bread[place, place] - 2 * fitted.bread[place, :size]
    errors: Floats = np.sqrt(variance)
    return errors


def deviance(counts: Counts, fitted: Fit) -> float:
    """Twice the log-likelihood missing to a perfect prediction of every cell; no ties."""
    p, q = chances(fitted.strengths, fitted.side)
    votes = counts.sum(axis=2)
    seen, expected = counts[:, :, :2], np.stack([votes * p, votes * q], axis=2)
    some = seen > 0
    return 2 * float((seen[some] * np.log(seen[some] / expected[some])).sum())


def test_wikipedias_example() -> None:
    won = {"AB": 2, "AD": 1, "BA": 3, "BC": 5, "CB": 3, "CD": 1, "DA": 4, "DC": 3}
    counts = count_cells("ABCD", [(pair[0], pair[1], "a", number) for pair, number in won.items()])

    assert np.exp(fit(counts, side=False).strengths).round(3).tolist() == [0.640, 1.043, 0.660, 2.270]


def test_journal_citations() -> None:
    entries, counts = cells_of("citations.csv", "journal1", "journal2", "win1", "win2")
    fitted = fit(counts, side=False)
    against = entries.index("Biometrika")

    gaps = dict(zip(entries, (fitted.strengths - fitted.strengths[against]).round(4).tolist(), strict=True))
    errors = dict(zip(entries, errors_against(fitted, against).round(4).tolist(), strict=True))
    assert gaps == {"Biometrika": 0, "Comm Statist": -2.9491, "JASA": -0.4796, "JRSS-B": 0.2690}
    assert errors == {"Biometrika": 0, "Comm Statist": 0.1025, "JASA": 0.0606, "JRSS-B": 0.0708}
    assert round(deviance(counts, fitted), 5) == 4.29338


def test_baseball_without_home_advantage() -> None:
    """Agresti (2002), table 10.11, column 3, and its remark that standard errors are about 0.3."""
    entries, counts = baseball()
    fitted = fit(counts, side=False)
    baltimore = entries.index("Baltimore")

    over_baltimore = np.sort(fitted.strengths - fitted.strengths[baltimore])
    assert over_baltimore.round(2).tolist() == [0, 0.68, 1.11, 1.25, 1.29, 1.44, 1.58]
    assert np.delete(errors_against(fitted, baltimore), baltimore).round(1).tolist() == [0.3] * 6


def test_baseball_with_home_advantage() -> None:
    """Agresti (2002), table 10.11, column 5, and the effect of playing at home, here of being shown first."""
    _, counts = baseball()
    fitted = fit(counts)

    abilities = np.sort(np.exp(fitted.strengths) / np.exp(fitted.strengths).sum())
    assert abilities.round(3).tolist() == [0.044, 0.088, 0.137, 0.157, 0.164, 0.190, 0.220]
    assert round(fitted.side, 3) == 0.302
    assert round(np.sqrt(fitted.bread[-1, -1]), 3) == 0.131
    assert round(deviance(counts, fitted), 2) == 38.64


@pytest.fixture(scope="module")
def llmfao() -> Cells:
    return published(most=59)


def test_llmfao_equals_the_published_maximum_likelihood_fit(llmfao: Cells) -> None:
    golden = {
        row["item"]: float(row["score"]) for row in read("llmfao-golden.csv") if row["algorithm"] == "bradley_terry"
    }
    strengths = np.exp(fit(llmfao.counts, side=False).strengths)

    scores = np.array([golden[entry] for entry in llmfao.entries])
    assert strengths / strengths.sum() == pytest.approx(scores / scores.sum(), rel=1e-10)


def mean_error(ratings: Ratings[float]) -> float:
    """In Elo."""
    widths = [entry.interval[1] - entry.interval[0] for entry in ratings.entries if entry.interval]
    return float(np.mean(widths)) / (2 * float(quantile()))


def test_ties_make_the_llmfao_intervals_shorter_than_coin_flips_would(llmfao: Cells) -> None:
    alone = Cells(llmfao.entries, llmfao.counts, Independent(llmfao.counts))
    coin_flips = 400 / np.log(10) * np.sqrt(fit(llmfao.counts, side=False).bread.diagonal()[:-1]).mean()

    assert wins(llmfao.counts).sum() / llmfao.counts.sum() == pytest.approx(0.61, abs=0.01)
    assert 0.7 < mean_error(rate(alone, side=False)) / coin_flips < 0.9  # a fair coin leaves sqrt(0.61) = 0.78


def test_llmfao_voters_who_agree_with_themselves_make_the_intervals_longer(llmfao: Cells) -> None:
    alone = Cells(llmfao.entries, llmfao.counts, Independent(llmfao.counts))

    assert mean_error(rate(llmfao)) > mean_error(rate(alone))


def test_llmfao_favours_the_answer_shown_first(llmfao: Cells) -> None:
    """More often than not the left answer won, and the fit says how far that is the side's doing."""
    side = rate(llmfao).side

    assert halves(llmfao.counts).sum() > llmfao.counts.sum()
    assert side is not None
    assert side.interval is not None
    assert 0.5 < side.interval[0] < side.win_share < side.interval[1]
