"""A round's official figures: what its rules make of its cells. Pure, so that the verifier computes the same."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from arena.rounds.rules import Rules
from arena.stats.cells import Cells
from arena.stats.figures import cells_hash, ratings_body, scores_body
from arena.stats.rating import Ratings
from arena.stats.scores import ScoreRule, rate_and_score

FILTER: Final = {"name": "first-k", "version": "1"}


@dataclass(frozen=True, slots=True)
class Official:
    """Ratings as computed, and with the scores as they are published."""

    found: Ratings[Decimal]
    ratings: dict[str, Any]
    scores: dict[str, Any]


def official_figures(cells: Cells, rules: Rules, *, final: bool) -> Official:
    """`cells` need clusters as a `Gram`, and entries in the order of their codes."""
    low, high = map(repr, rules.score.anchors)
    rule = ScoreRule(rules.score.points, rules.score.formula, low, high, rules.score.min_votes_per_entry)
    ratings, scores = rate_and_score(cells, rule)
    published = ratings_body(ratings) | {"filter": filter_of(rules), "cells_hash": cells_hash(cells)}
    return Official(ratings, published, scores_body(scores, final=final))


def filter_of(rules: Rules) -> dict[str, Any]:
    """Which votes count: of each voter's that are not excluded, the first so many."""
    return FILTER | {"votes_per_voter": rules.rated_votes_per_voter}
