"""What stands beside final ratings and is never scored: other models, and how firm the result is."""

from collections.abc import Sequence
from math import sqrt
from typing import Any

import numpy as np
from sqlmodel import Session

from arena.battles.cells import grouped_votes
from arena.battles.counting import CREDIT
from arena.battles.rated import style_rows
from arena.rounds.tables import Round
from arena.stats import davidson, style
from arena.stats.arithmetic import FLOATS, quantile
from arena.stats.cells import Cells, Floats
from arena.stats.newton import NoFit
from arena.stats.rating import MEAN_RATING, MIN_VOTERS, elo, estimate, rate
from arena.stats.robustness import robustness, robustness_body
from arena.stats.style import StyledVotes
from arena.teams.queries import NamedEntry, entries_of


def beside(session: Session, round_: Round) -> dict[str, Any]:
    """Davidson's model, ratings with style held equal, and robustness, as JSON; reads every vote of the round."""
    assert round_.id is not None
    entries = sorted(entries_of(session, round_.id), key=lambda entry: entry.code)
    counts, grouped = grouped_votes(session, round_, entries)
    cells = Cells(tuple(entry.code for entry in entries), counts, grouped)
    rated = rate(cells).state == "ok"
    return {
        "davidson": _davidson(cells),
        "style": _style(session, round_, entries),
        "robustness": robustness_body(robustness(cells, estimate(cells), grouped)) if rated else None,
    }


def _davidson(cells: Cells) -> dict[str, Any]:
    fitted = davidson.fit(cells.counts)
    if isinstance(fitted, NoFit):
        return {"why": fitted.code}
    return {
        "why": None,
        "entries": _rated(cells.entries, fitted.strengths, fitted.covariance),
        "log_nu": f"{fitted.log_nu:.4f}",
        "side": f"{fitted.side:.4f}",
    }


def _style(session: Session, round_: Round, entries: Sequence[NamedEntry]) -> dict[str, Any]:
    places = {entry.id: place for place, entry in enumerate(entries)}
    rows = style_rows(session, round_)
    votes = StyledVotes(
        first=np.array([places[row.entry_a] for row in rows], dtype=np.int64),
        second=np.array([places[row.entry_b] for row in rows], dtype=np.int64),
        credit=np.array([CREDIT[row.choice] / 2 for row in rows]),
        features_a=np.array([row.features_a for row in rows], dtype=np.float64).reshape(-1, len(style.FEATURES)),
        features_b=np.array([row.features_b for row in rows], dtype=np.float64).reshape(-1, len(style.FEATURES)),
        voter=np.array([row.voter for row in rows], dtype=np.int64),
    )
    fitted = style.fit(len(entries), votes)
    if isinstance(fitted, NoFit):
        return {"why": fitted.code}
    known = fitted.covariance if fitted.voters >= MIN_VOTERS else None
    return {
        "why": None,
        "entries": _rated([entry.code for entry in entries], fitted.strengths, known),
        "coefficients": [
            {
                "feature": coefficient.feature,
                "log_odds": None if coefficient.value is None else f"{coefficient.value:.4f}",
                "standard_error": None if known is None or coefficient.error is None else f"{coefficient.error:.4f}",
            }
            for coefficient in fitted.coefficients
        ],
    }


def _rated(entries: Sequence[str], strengths: Floats, covariance: Floats | None) -> list[dict[str, Any]]:
    """Ratings with 95 % intervals on the Elo scale around 1000, to one decimal."""
    found, scale = [], elo(FLOATS)
    for place, entry in enumerate(entries):
        rating = MEAN_RATING + scale * float(strengths[place])
        interval = None
        if covariance is not None:
            margin = float(quantile()) * scale * sqrt(max(0.0, float(covariance[place, place])))
            interval = [f"{rating - margin:.1f}", f"{rating + margin:.1f}"]
        found.append({"entry": entry, "rating": f"{rating:.1f}", "interval": interval})
    return found
