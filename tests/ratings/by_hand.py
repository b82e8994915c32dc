"""What the ratings of some votes must be, from the votes one by one."""

from collections.abc import Sequence
from typing import Any

from arena.stats.cells import OUTCOMES, Cells, Outcome, count_cells
from arena.stats.figures import ratings_body, scores_body
from arena.stats.rating import rate_exactly
from arena.stats.scores import ScoreRule, rate_and_score
from tests.stats.votes import Vote, grouped

CODES = ("e1", "e2", "e3", "e4", "e5")

Ballot = tuple[str, str, str, str]
"""The voter, the codes of the entries at side A and B, and the choice."""


def cells_by_hand(ballots: Sequence[Ballot]) -> Cells:
    outcomes: dict[str, Outcome] = {outcome: outcome for outcome in OUTCOMES}
    voters = {voter: number for number, voter in enumerate(sorted({ballot[0] for ballot in ballots}))}
    votes = [Vote(voters[v], CODES.index(a), CODES.index(b), outcomes[choice]) for v, a, b, choice in ballots]
    counts = count_cells(CODES, [(a, b, choice, 1) for _, a, b, choice in ballots])
    return Cells(CODES, counts, grouped(votes).gram(len(CODES)))


def scored_by_hand(ballots: Sequence[Ballot], rule: ScoreRule) -> list[dict[str, Any]]:
    """Entries with their points once the round is closed."""
    _, scores = rate_and_score(cells_by_hand(ballots), rule)
    entries: list[dict[str, Any]] = scores_body(scores, final=True)["entries"]
    return entries


def rated_by_hand(ballots: Sequence[Ballot]) -> dict[str, Any]:
    return ratings_body(rate_exactly(cells_by_hand(ballots)))
