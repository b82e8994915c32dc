"""Newton's method for the concave log-likelihoods of log-linear models, and what their fits have in common."""

from dataclasses import dataclass
from math import log1p
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from arena.stats.cells import Floats
from arena.stats.connectivity import strongly_connected_groups

_STEPS: Final = 200
_LAST_STEP: Final = 1e-6
_FADED: Final = 1e-9
_WORST_CONDITION: Final = 1e12


@dataclass(frozen=True, slots=True)
class NoFit:
    """Why a model has no estimate.

    - `no_votes`: there are none.
    - `no_ties`, `only_ties`: the tie parameter is without bound below or above.
    - `not_finite`: the likelihood has no single finite maximum (an entry only won, or met nobody; the terms tell wins
      from losses without error), or its counts are further apart than floats can tell from that.
    """

    code: Literal["no_votes", "no_ties", "only_ties", "not_finite"]


class Likelihood(Protocol):
    """A log-likelihood of p parameters."""

    def slopes(self, place: Floats) -> tuple[Floats, Floats]:
        """The gradient (p,) and the information, the negated Hessian (p, p)."""
        ...

    def reach(self, step: Floats) -> float:
        """How much a step changes the log-odds of any two outcomes of a vote at most."""
        ...


def contrasts(size: int, others: int = 0) -> Floats:
    """Shape (n + m, n - 1 + m): turns n - 1 free parameters into n log-strengths with mean 0; m others stay.

    The free ones are the log-strengths of all entries but the first, less the first's.
    """
    matrix = np.eye(size + others)[:, 1:]
    matrix[:size, : size - 1] -= 1 / size
    return matrix


def show_spread(decided: NDArray[np.bool_]) -> bool:
    """Whether votes that were no ties (n, n; whether there are any) join all entries.

    Where ties alone join some to the rest no vote shows how far their gap may vary: a sandwich would call it certain.
    """
    return len(strongly_connected_groups(decided | decided.T)) == 1


def maximise(likelihood: Likelihood, parameters: int) -> Floats | None:
    """The place (p,) of the maximum, to some 12 digits; None without a finite one.

    Each step is shortened to log(1 + d) / d of itself, d its reach: that never overshoots on such likelihoods and
    turns into the full step near the end (Bach 2010, "Self-concordant analysis for logistic regression"; Sun and
    Tran-Dinh 2019, "Generalized self-concordant functions"). On the way to a maximum at infinity steps stay about 1
    long while the information fades, until it is nothing or its inverse has lost all digits.
    """
    place = np.zeros(parameters)
    for _ in range(_STEPS):
        gradient, information = likelihood.slopes(place)
        if not _invertible(information):
            return None
        step = np.linalg.inv(information) @ gradient
        reach = likelihood.reach(step)
        if reach <= _LAST_STEP:
            return place + step
        place = place + step * damping(reach)
    return None


def damping(reach: float) -> float:
    """By how much a Newton step is shortened, from the largest change of any log-odds it would make.

    That never overshoots on a logistic likelihood and turns into the full step near the end (Bach 2010,
    "Self-concordant analysis for logistic regression"; Sun and Tran-Dinh 2019, "Generalized self-concordant
    functions").
    """
    return log1p(reach) / reach


def _invertible(information: Floats) -> bool:
    """Whether it has not faded and its inverse keeps some digits, in units that make every diagonal element 1."""
    elements = information.diagonal()
    if not (elements > _FADED).all():
        return False
    scale: Floats = np.sqrt(elements)
    return bool(np.linalg.cond(information / np.outer(scale, scale)) < _WORST_CONDITION)
