"""Davidson's model: ties as an outcome of their own, beside the rating of record, which counts them as half a win.

With strengths pi = exp(t), and the odds of the entry shown first multiplied by exp(side), entry a (shown first)
against b has

    P(a wins) = A / D,  P(b wins) = B / D,  P(tie) = nu sqrt(A B) / D,  D = A + B + nu sqrt(A B),
    A = pi_a exp(side),  B = pi_b;  both_bad counts as a tie.

So `side` adds to the log-odds of a win against a loss, as in the fit of record, and a tie is likeliest, with chance
nu / (2 + nu), where the two are evenly matched as shown. Davidson (1970), "On extending the Bradley-Terry model to
accommodate ties in paired comparison experiments". The order effect is that of Davidson and Beaver (1977), "On
extending the Bradley-Terry model to incorporate within-pair order effects": they multiply pi_b by gamma = exp(-side)
and leave sqrt(pi_a pi_b) as it is, the same model with nu exp(-side / 2) in the place of nu.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from arena.stats.cells import Counts, Floats
from arena.stats.newton import NoFit, contrasts, maximise, show_spread


@dataclass(frozen=True, slots=True, eq=False)
class Davidson:
    """The maximum-likelihood fit: `strengths` (n,) with mean 0 and `side` in log-odds, `log_nu` = log(nu).

    `covariance` (n + 2, n + 2), of strengths, side, log_nu, is the sandwich that takes every vote as independent of
    the others (Huber-White, HC0): too small where one voter's votes go together. None where ties alone join some
    entries to the rest, which the sandwich would call certain.
    """

    strengths: Floats
    side: float
    log_nu: float
    covariance: Floats | None


def fit(counts: Counts) -> Davidson | NoFit:
    """Fits cells (n, n, 4), see `arena.stats.cells`.

    Needs more than the fit of record does, which ties alone can hold together: without a single win of b, a's
    wins and the ties are explained ever better by a growing gap and a growing nu.
    """
    decided, tied = int(counts[:, :, :2].sum()), int(counts[:, :, 2:].sum())
    if not (decided and tied):
        return NoFit("no_ties" if decided else "only_ties" if tied else "no_votes")
    size = len(counts)
    model = _Model.of(counts)
    place = maximise(model, size + 1)
    if place is None:
        return NoFit("not_finite")
    free = contrasts(size, 2)
    estimate = free @ place
    known = show_spread(counts[:, :, 0] + counts[:, :, 1] > 0)
    covariance = free @ model.sandwich(place) @ free.T if known else None
    return Davidson(estimate[:size], float(estimate[size]), float(estimate[size + 1]), covariance)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A log-linear model of p ordered pairs with o outcomes: P(outcome) is proportional to exp(statistic @ place).

    `votes` (p, o) counts them, `statistics` has shape (p, o, parameters).
    """

    votes: Floats
    statistics: Floats

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Pairs that met; outcomes are a win of the first, of the second, a tie; parameters n - 1, side, log(nu)."""
        first, second = np.nonzero(counts.sum(axis=2))
        a, b, tie, both_bad = counts[first, second].T.astype(np.float64)
        entries = contrasts(len(counts))
        odds = np.column_stack([entries[first] - entries[second], np.ones(len(first))])
        statistics = np.zeros((len(first), 3, len(counts) + 1))
        statistics[:, 0, :-1], statistics[:, 1, :-1], statistics[:, 2, -1] = odds / 2, -odds / 2, 1
        return cls(np.column_stack([a, b, tie + both_bad]), statistics)

    def reach(self, step: Floats) -> float:
        return float(np.ptp(self.statistics @ step, axis=1).max())

    def slopes(self, place: Floats) -> tuple[Floats, Floats]:
        """The gradient and the information."""
        chances = self._chances(place)
        # Observed less expected votes, as flows between outcomes: exact where a chance is tiny.
        flows = self.votes[:, :, None] * chances[:, None, :]
        surprise = (flows - flows.transpose(0, 2, 1)).sum(axis=2)
        gradient = np.einsum("po,pod->d", surprise, self.statistics)
        return gradient, self._squares(chances, chances * self.votes.sum(axis=1, keepdims=True))

    def sandwich(self, place: Floats) -> Floats:
        """Squared scores of the votes between two inverse informations."""
        chances = self._chances(place)
        _, information = self.slopes(place)
        bread = np.linalg.inv(information)
        covariance: Floats = bread @ self._squares(chances, self.votes) @ bread
        return covariance

    def _chances(self, place: Floats) -> Floats:
        log_odds = self.statistics @ place
        odds = np.exp(log_odds - log_odds.max(axis=1, keepdims=True))
        chances: Floats = odds / odds.sum(axis=1, keepdims=True)
        return chances

    def _squares(self, chances: Floats, weights: Floats) -> Floats:
        """Weighted squares of the statistics' deviations from their expectations."""
        expected = np.einsum("po,pod->pd", chances, self.statistics)
        deviations = (self.statistics - expected[:, None]).reshape(weights.size, -1)
        squares: Floats = (deviations * weights.reshape(-1, 1)).T @ deviations
        return squares
