"""Official figures as they are published: JSON with decimal strings, and hashes that anyone can compute again."""

import hashlib
from decimal import Decimal
from typing import Any

import numpy as np
import rfc8785

from arena.stats.cells import Cells
from arena.stats.clusters import Gram
from arena.stats.rating import EntryRating, Neighbours, Ratings, SideEffect
from arena.stats.scores import Scores


def ratings_body(ratings: Ratings[Decimal]) -> dict[str, Any]:
    """Ratings as the API and `arena rate --json` say them; figures have 6 places, missing ones are None.

    `figures_hash` is the fingerprint of all the rest.
    """
    why = ratings.why
    body = {
        "method": ratings.method,
        "method_version": ratings.method_version,
        "state": ratings.state,
        "why": {"code": why.code, "entries": list(why.entries)} if why else None,
        "voters": ratings.voters,
        "side": _side_body(ratings.side) if ratings.side else None,
        "entries": [_entry_body(entry) for entry in ratings.entries],
        "neighbours": [_neighbours_body(pair) for pair in ratings.neighbours],
        "last": {"entry": ratings.last.entry, "tied": list(ratings.last.tied)} if ratings.last else None,
    }
    return body | {"figures_hash": fingerprint(body)}


def scores_body(scores: Scores[Decimal], *, final: bool) -> dict[str, Any]:
    """Scores as the API says them: provisional until the round is closed, and where an entry has too few votes."""
    rule, last = scores.rule, scores.last
    entries = [
        {
            "entry": entry.entry,
            "points": _figure(entry.points),
            "interval": _interval(entry.interval),
            "provisional": not (final and entry.enough_votes),
        }
        for entry in scores.entries
    ]
    return {
        "formula": rule.formula,
        "points": rule.points,
        "anchors": [rule.low, rule.high] if rule.formula == "anchored" else None,
        "min_votes_per_entry": rule.min_votes_per_entry,
        "provisional": any(entry["provisional"] for entry in entries),
        "entries": entries,
        "advice": {"eliminate": last.entry, "tied": list(last.tied)} if last else None,
    }


def _entry_body(entry: EntryRating[Decimal]) -> dict[str, Any]:
    return {
        "entry": entry.entry,
        "rating": _figure(entry.rating),
        "interval": _interval(entry.interval),
        "rank": list(entry.rank) if entry.rank else None,
        "votes": entry.votes,
        "wins": entry.wins,
        "losses": entry.losses,
        "ties": entry.ties,
        "win_share": _figure(entry.win_share),
    }


def _side_body(side: SideEffect[Decimal]) -> dict[str, Any]:
    return {
        "log_odds": _figure(side.log_odds),
        "standard_error": _figure(side.standard_error),
        "win_share": _figure(side.win_share),
        "interval": _interval(side.interval),
    }


def _neighbours_body(pair: Neighbours[Decimal]) -> dict[str, Any]:
    return {
        "entries": list(pair.entries),
        "gap": _figure(pair.gap),
        "interval": _interval(pair.interval),
        "apart": pair.apart,
        "votes_needed": pair.votes_needed,
    }


def _figure(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.6f}"


def _interval(interval: tuple[Decimal, Decimal] | None) -> list[str] | None:
    return [f"{bound:.6f}" for bound in interval] if interval else None


def fingerprint(body: dict[str, Any]) -> str:
    """SHA-256, in hex, of the RFC 8785 JSON of published figures."""
    return hashlib.sha256(rfc8785.dumps(body)).hexdigest()


def cells_hash(cells: Cells) -> str:
    """SHA-256, in hex, of what official figures are computed from; needs clusters as a `Gram`.

    RFC 8785 JSON of the entries, the counts (n, n, 4), the number of voters, and the SHA-256 of the voters' products
    (2, 2, n, n, n, n) as little-endian 64-bit integers in C order.
    """
    clusters = cells.clusters
    assert isinstance(clusters, Gram)
    together = hashlib.sha256(clusters.together.astype(np.dtype("<i8")).tobytes()).hexdigest()
    return fingerprint(
        {
            "entries": list(cells.entries),
            "counts": cells.counts.tolist(),
            "voters": clusters.voters,
            "together": together,
        }
    )
