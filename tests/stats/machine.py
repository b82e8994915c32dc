"""What this machine makes of fixed votes: `python -m tests.stats.machine` writes hashes of its figures as JSON.

Run with another kernel of the linear algebra library, with more threads or without some of the processor's
instructions, it shows which figures depend on them.
"""

import hashlib
import json
import sys
from typing import Any, Final, get_args

from arena.stats.cells import Cells
from arena.stats.figures import fingerprint, ratings_body, scores_body
from arena.stats.rating import rate, rate_exactly
from arena.stats.scores import Formula, ScoreRule, rate_and_score
from tests.stats.votes import published, simulated


def official(cells: Cells) -> dict[str, Any]:
    """Published ratings, and scores by every formula."""
    scores = {}
    for formula in get_args(Formula):
        _, scored = rate_and_score(cells, ScoreRule(25, formula, "0.35", "0.65", min_votes_per_entry=150))
        scores[formula] = scores_body(scored, final=True)
    return {"ratings": ratings_body(rate_exactly(cells)), "scores": scores}


def golden() -> str:
    """The official figures of the ten models of the llmfao votes that got the most, and their hash, as text."""
    figures = official(published(most=10))
    return json.dumps({"sha256": fingerprint(figures), "figures": figures}, indent=1, ensure_ascii=False) + "\n"


VOTES: Final = {
    "5 entries": simulated(5, 1_500, 200, seed=1),
    "15 entries": simulated(15, 4_000, 300, seed=2),
    "10 published": published(most=10),
}

if __name__ == "__main__":
    hashes = {
        "official": {name: fingerprint(official(cells)) for name, cells in VOTES.items()},
        "floats": {name: hashlib.sha256(repr(rate(cells)).encode()).hexdigest() for name, cells in VOTES.items()},
    }
    json.dump(hashes, sys.stdout)
