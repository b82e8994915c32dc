"""How much it takes to change who is last or first: answers beside the rating, never scored.

In floats, without random numbers: the same votes have the same answers, up to rounding on another machine.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from arena.stats.arithmetic import Estimate
from arena.stats.cells import Cells
from arena.stats.clusters import Grouped
from arena.stats.fewest_votes import FewestVotes, fewest_votes
from arena.stats.one_voter_out import OneVoterOut, leave_one_voter_out
from arena.stats.places import PlaceChances, lowest, place_chances
from arena.stats.rating import no_interval


@dataclass(frozen=True, slots=True)
class Robustness:
    """`first` and `last` by rating, None where several entries share the place.

    `removal` and `reversal` are the fewest votes found without which, or with which reversed, another entry is last;
    None where none were found, or nobody is last alone. `one_voter_out` needs to know who voted. `chances` are by
    entry, None where the votes give no intervals.
    """

    entries: tuple[str, ...]
    first: str | None
    last: str | None
    removal: FewestVotes | None
    reversal: FewestVotes | None
    one_voter_out: OneVoterOut | None
    chances: tuple[PlaceChances, ...] | None


def robustness(cells: Cells, found: Estimate[float], grouped: Grouped | None) -> Robustness:
    """The robustness of an estimate of `cells`; `grouped` holds the same votes by voter, where they are at hand.

    Raises ValueError when `grouped` does not add up to the cells.
    """
    side = found.side is not None
    strengths = np.array(found.strengths)
    first, last = lowest(-strengths), lowest(strengths)
    return Robustness(
        cells.entries,
        None if first is None else cells.entries[first],
        None if last is None else cells.entries[last],
        fewest_votes(cells, reverse=False, side=side),
        fewest_votes(cells, reverse=True, side=side),
        leave_one_voter_out(cells, grouped, side=side) if grouped else None,
        None if no_interval(cells, found) else place_chances(found),
    )


def robustness_body(result: Robustness) -> dict[str, Any]:
    """The same as JSON: ratings with 4 decimals and chances with 3, as strings; missing figures are None."""
    return {
        "first": result.first,
        "last": result.last,
        "removal": _votes_body(result.removal),
        "reversal": _votes_body(result.reversal),
        "one_voter_out": _voter_body(result.entries, result.one_voter_out),
        "chances": [
            {"entry": entry, "first": f"{chances.first:.3f}", "last": f"{chances.last:.3f}"}
            for entry, chances in zip(result.entries, result.chances, strict=True)
        ]
        if result.chances
        else None,
    }


def _votes_body(found: FewestVotes | None) -> dict[str, Any] | None:
    if found is None:
        return None
    types = [
        {"first": some.first, "second": some.second, "outcome": some.outcome, "votes": some.votes}
        for some in found.types
    ]
    return {"votes": found.votes, "types": types, "last": found.last}


def _voter_body(entries: tuple[str, ...], found: OneVoterOut | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "changes_first": found.changes_first,
        "changes_last": found.changes_last,
        "not_ratable": found.not_ratable,
        "ratings": [
            {"entry": entry, "lowest": f"{low:.4f}", "highest": f"{high:.4f}"}
            for entry, (low, high) in zip(entries, found.ratings, strict=True)
        ]
        if found.ratings
        else None,
    }
