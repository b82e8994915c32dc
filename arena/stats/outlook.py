"""What a round's operator wants to know while it runs: how many votes it needs, and what early looks may say."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

from arena.stats.arithmetic import Estimate
from arena.stats.bradley_terry import covariance, fit
from arena.stats.cells import Cells
from arena.stats.clusters import Independent
from arena.stats.planner import design_effect, votes_per_pair
from arena.stats.rating import Ratings
from arena.stats.sequence import half_width

WIN_SHARES: Final = (0.51, 0.52, 0.53, 0.55, 0.60)


@dataclass(frozen=True, slots=True)
class Outlook:
    """`needed` lists (win share, votes per pair to tell it from one half); `fewest` is the least-voted pair's number.

    `ties` is the share of undecided votes and `effect` the design effect of voters whose votes go together (None
    without intervals: then 1 is taken). `apart` lists the pairs of entries, the better first, that are told apart
    however often one looks, planned for `planned` votes.
    """

    ties: float
    effect: float | None
    fewest: int
    needed: tuple[tuple[float, int], ...]
    planned: int
    apart: tuple[tuple[str, str], ...]


def outlook(cells: Cells, ratings: Ratings[Any], found: Estimate[float] | None, planned: int) -> Outlook:
    """Plans from the votes so far; `found` is their estimate where they have one."""
    size, votes = len(cells.entries), int(cells.counts.sum())
    ties = float(cells.counts[:, :, 2:].sum() / votes) if votes else 0.0
    known = found if ratings.why is None else None
    effect = _effect(cells, known) if known else None
    fewest = min((int(cells.counts[[i, j], [j, i]].sum()) for i, j in combinations(range(size), 2)), default=0)
    needed = tuple(
        (share, votes_per_pair(size, share, ties=ties, design_effect=effect or 1.0))
        for share in WIN_SHARES
        if size >= 2 and ties <= 2 * (1 - share)
    )
    return Outlook(ties, effect, fewest, needed, planned, _apart(cells, known, votes, planned) if known else ())


def _effect(cells: Cells, found: Estimate[float]) -> float | None:
    """Over all entries: the sum of clustered variances by that of variances of independent votes."""
    assert found.covariance is not None
    size = len(cells.entries)
    alone = covariance(fit(cells.counts), Cells(cells.entries, cells.counts, Independent(cells.counts)))
    together = sum(found.covariance[i][i] for i in range(size))
    return design_effect(together, float(alone.diagonal()[:size].sum()))


def _apart(cells: Cells, found: Estimate[float], votes: int, planned: int) -> tuple[tuple[str, str], ...]:
    pairs = list(combinations(range(len(cells.entries)), 2))
    surely = []
    for i, j in pairs:
        gap, error = found.strengths[i] - found.strengths[j], found.arithmetic.sqrt(found.gap_variance(i, j))
        if abs(gap) > half_width(error, votes, planned, len(pairs)):
            better, worse = (i, j) if gap > 0 else (j, i)
            surely.append((cells.entries[better], cells.entries[worse]))
    return tuple(surely)


def outlook_body(plan: Outlook) -> dict[str, Any]:
    """As JSON; shares and the effect rounded to 4 places."""
    return {
        "ties": round(plan.ties, 4),
        "design_effect": None if plan.effect is None else round(plan.effect, 4),
        "fewest": plan.fewest,
        "needed": [{"win_share": share, "votes_per_pair": votes} for share, votes in plan.needed],
        "planned": plan.planned,
        "apart": [list(pair) for pair in plan.apart],
    }
