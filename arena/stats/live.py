"""A live indicator: OpenSkill's Plackett-Luce, updated vote by vote.

It depends on the order of the votes (replay them in ledger order) and is for watching, never for a score.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from openskill.models import PlackettLuce

from arena.stats.cells import Outcome


class Skill(NamedTuple):
    """What is believed of an entry's skill, a normal distribution; JSON holds it as [mu, sigma]."""

    mu: float
    sigma: float

    @property
    def ordinal(self) -> float:
        """A cautious single figure to sort by, mu - 3 sigma: 0 for an entry without votes."""
        return self.mu - 3 * self.sigma


_MODEL: Final = PlackettLuce()
UNKNOWN: Final = Skill(_MODEL.mu, _MODEL.sigma)

# Places of (side A, side B), 0 the better.
_PLACES: Final[Mapping[Outcome, list[float]]] = {"a": [0, 1], "b": [1, 0], "tie": [0, 0], "both_bad": [0, 0]}


def start(entries: Iterable[str]) -> dict[str, Skill]:
    """The state before any vote."""
    return dict.fromkeys(entries, UNKNOWN)


def update(state: Mapping[str, Skill], first: str, second: str, outcome: Outcome) -> dict[str, Skill]:
    """The state after one more vote on `first` (side A) against `second` (side B); both_bad counts as a tie.

    Raises KeyError for an unknown entry or outcome and ValueError for an entry against itself.
    """
    if first == second:
        raise ValueError(f"{first} cannot be compared with itself")
    sides = [[_MODEL.rating(*state[entry])] for entry in (first, second)]
    (new_first,), (new_second,) = _MODEL.rate(sides, ranks=_PLACES[outcome])
    return {
        **state,
        first: Skill(new_first.mu, new_first.sigma),
        second: Skill(new_second.mu, new_second.sigma),
    }
