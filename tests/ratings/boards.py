"""A snapshot made by hand: e5 leads; e3 and e1 cannot be told apart, nor can e2 and e4, of which one is last."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from arena.db import Database
from arena.ratings.leaderboard import board
from arena.ratings.pages import Board
from arena.ratings.tables import RatingSnapshot
from arena.rounds.queries import find_round

Json = dict[str, Any]

NAMES = {"e1": "Hana", "e2": "Duri", "e3": "Set", "e4": "Net", "e5": "<b>Tat & Co</b>"}
COMPUTED = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


def _pair(i: str, j: str, wins_i: int, wins_j: int, ties: int, both_bad: int) -> Json:
    battles = wins_i + wins_j + ties + both_bad
    return {"entries": [i, j], "battles": battles, "wins": [wins_i, wins_j], "ties": ties, "both_bad": both_bad}


PAIRS = [
    _pair("e1", "e2", 160, 110, 20, 10),
    _pair("e1", "e3", 130, 140, 18, 12),
    _pair("e1", "e4", 172, 98, 20, 10),
    _pair("e1", "e5", 80, 190, 20, 10),
    _pair("e2", "e3", 100, 170, 15, 15),
    _pair("e2", "e4", 136, 134, 20, 10),
    _pair("e2", "e5", 60, 220, 15, 5),
    _pair("e3", "e4", 180, 94, 16, 10),
    _pair("e3", "e5", 0, 0, 0, 0),
    _pair("e4", "e5", 52, 228, 12, 8),
]


def _entry(code: str, rating: str, interval: tuple[str, str], rank: tuple[int, int], win_share: str) -> Json:
    mine = [(pair, pair["entries"].index(code)) for pair in PAIRS if code in pair["entries"]]
    return {
        "entry": code,
        "rating": rating,
        "interval": list(interval),
        "rank": list(rank),
        "votes": sum(pair["battles"] for pair, _ in mine),
        "wins": sum(pair["wins"][place] for pair, place in mine),
        "losses": sum(pair["wins"][1 - place] for pair, place in mine),
        "ties": sum(pair["ties"] + pair["both_bad"] for pair, _ in mine),
        "win_share": win_share,
    }


def _neighbours(ahead: str, behind: str, gap: str, interval: tuple[str, str], needed: int | None) -> Json:
    apart = needed == 0
    return {
        "entries": [ahead, behind],
        "gap": gap,
        "interval": list(interval),
        "apart": apart,
        "votes_needed": needed,
    }


RATINGS: Json = {
    "method": "bt-half-side-cr1",
    "method_version": "1",
    "filter": {"name": "first-k", "version": "1", "votes_per_voter": 30},
    "figures_hash": 32 * "f1",
    "cells_hash": 32 * "ce",
    "state": "ok",
    "why": None,
    "voters": 512,
    "side": {
        "log_odds": "0.041234",
        "standard_error": "0.020000",
        "win_share": "0.510307",
        "interval": ["0.500509", "0.520095"],
    },
    "entries": [
        _entry("e1", "1014.100000", ("995.000000", "1033.200000"), (2, 3), "0.511000"),
        _entry("e2", "941.300000", ("922.100000", "960.500000"), (4, 5), "0.402000"),
        _entry("e3", "1026.445678", ("1004.000000", "1048.900000"), (2, 3), "0.529000"),
        _entry("e4", "925.654322", ("906.000000", "945.300000"), (4, 5), "0.379000"),
        _entry("e5", "1092.500000", ("1071.000000", "1114.000000"), (1, 1), "0.679000"),
    ],
    "neighbours": [
        _neighbours("e5", "e3", "66.054322", ("30.000000", "102.100000"), 0),
        _neighbours("e3", "e1", "12.345678", ("-18.000000", "42.700000"), 12_345),
        _neighbours("e1", "e2", "72.800000", ("41.000000", "104.600000"), 0),
        _neighbours("e2", "e4", "15.645678", ("-16.000000", "47.300000"), 8_049),
    ],
    "last": {"entry": None, "tied": ["e2", "e4"]},
}

SCORES: Json = {
    "formula": "anchored",
    "points": 25,
    "anchors": ["0.35", "0.65"],
    "min_votes_per_entry": 1000,
    "provisional": True,
    "entries": [
        {"entry": "e1", "points": "13.400000", "interval": ["11.500000", "15.300000"], "provisional": False},
        {"entry": "e2", "points": "4.300000", "interval": ["2.400000", "6.200000"], "provisional": False},
        {"entry": "e3", "points": "14.900000", "interval": ["12.600000", "17.200000"], "provisional": True},
        {"entry": "e4", "points": "2.400000", "interval": ["0.500000", "4.400000"], "provisional": False},
        {"entry": "e5", "points": "25.000000", "interval": ["23.400000", "25.000000"], "provisional": True},
    ],
    "advice": {"eliminate": None, "tied": ["e2", "e4"]},
}


OUTLOOK: Json = {
    "ties": 0.0911,
    "design_effect": 1.1312,
    "fewest": 300,
    "needed": [
        {"win_share": 0.51, "votes_per_pair": 7270},
        {"win_share": 0.55, "votes_per_pair": 301},
        {"win_share": 0.6, "votes_per_pair": 300},
    ],
    "planned": 2500,
    "apart": [["e1", "e2"], ["e5", "e1"], ["e5", "e2"], ["e5", "e4"]],
}


def _by_models(*figures: tuple[str, str, str]) -> list[Json]:
    """Ratings of e1, e2, ...: rating and interval."""
    codes = sorted(NAMES)
    return [
        {"entry": code, "rating": rating, "interval": [low, high]}
        for code, (rating, low, high) in zip(codes, figures, strict=True)
    ]


DAVIDSON: Json = {
    "why": None,
    "entries": _by_models(
        ("1014.9", "997.1", "1032.7"),
        ("938.2", "920.4", "956.0"),
        ("1027.8", "1007.0", "1048.6"),
        ("921.4", "903.3", "939.5"),
        ("1097.7", "1077.9", "1117.5"),
    ),
    "log_nu": "-1.6094",
    "side": "0.0455",
}

STYLE: Json = {
    "why": None,
    "entries": _by_models(
        ("1008.8", "988.0", "1029.6"),
        ("947.0", "926.4", "967.6"),
        ("1031.1", "1007.9", "1054.3"),
        ("934.9", "914.0", "955.8"),
        ("1078.2", "1055.0", "1101.4"),
    ),
    "coefficients": [
        {"feature": "characters", "log_odds": "0.2134", "standard_error": "0.0312"},
        {"feature": "headings", "log_odds": "0.0410", "standard_error": "0.0297"},
        {"feature": "list_items", "log_odds": "0.0981", "standard_error": "0.0305"},
        {"feature": "bold", "log_odds": "-0.0712", "standard_error": "0.0299"},
        {"feature": "code", "log_odds": None, "standard_error": None},
    ],
}


def _votes(first: str, second: str, outcome: str, votes: int) -> Json:
    return {"first": first, "second": second, "outcome": outcome, "votes": votes}


ROBUSTNESS: Json = {
    "first": "e5",
    "last": "e4",
    "removal": {"votes": 30, "types": [_votes("e2", "e4", "a", 24), _votes("e1", "e4", "both_bad", 6)], "last": "e2"},
    "reversal": {"votes": 15, "types": [_votes("e2", "e4", "a", 15)], "last": "e2"},
    "one_voter_out": {
        "changes_first": 0,
        "changes_last": 2,
        "not_ratable": 0,
        "ratings": [
            {"entry": "e1", "lowest": "1012.9578", "highest": "1015.3105"},
            {"entry": "e2", "lowest": "939.7994", "highest": "942.4908"},
            {"entry": "e3", "lowest": "1025.0999", "highest": "1027.4220"},
            {"entry": "e4", "lowest": "924.3271", "highest": "926.7097"},
            {"entry": "e5", "lowest": "1091.0197", "highest": "1094.4249"},
        ],
    },
    "chances": [
        {"entry": "e1", "first": "0.001", "last": "0.000"},
        {"entry": "e2", "first": "0.000", "last": "0.127"},
        {"entry": "e3", "first": "0.001", "last": "0.000"},
        {"entry": "e4", "first": "0.000", "last": "0.873"},
        {"entry": "e5", "first": "0.998", "last": "0.000"},
    ],
}

BESIDE: Json = {"davidson": DAVIDSON, "style": STYLE, "robustness": ROBUSTNESS}

NO_POINTS: Json = {
    "entries": [item | {"points": None, "interval": None, "provisional": True} for item in SCORES["entries"]],
    "advice": None,
}


def without_ranges(code: str, *entries: str) -> Json:
    """Ratings of which nobody can say how sure they are, for that reason."""
    return {
        "why": {"code": code, "entries": list(entries)},
        "side": RATINGS["side"] | {"standard_error": None, "interval": None},
        "entries": [item | {"interval": None, "rank": None} for item in RATINGS["entries"]],
        "neighbours": [item | {"interval": None, "votes_needed": None} for item in RATINGS["neighbours"]],
        "last": None,
    }


def not_ratable(code: str, *entries: str) -> Json:
    """No ratings, for that reason."""
    unknown = {"rating": None, "interval": None, "rank": None, "win_share": None}
    return {
        "state": "not_ratable",
        "why": {"code": code, "entries": list(entries)},
        "side": None,
        "entries": [item | unknown for item in RATINGS["entries"]],
        "neighbours": [],
        "last": None,
    }


def snapshot(
    *,
    round_id: int = 1,
    ratings: Json | None = None,
    scores: Json | None = None,
    outlook: Json | None = None,
    beside: Json | None = None,
    final: bool = True,
    recounted_at: datetime | None = None,
    differences: Sequence[str] = (),
) -> RatingSnapshot:
    """The snapshot with these parts of its ratings, scores, outlook and what stands beside them changed."""
    return RatingSnapshot(
        round_id=round_id,
        last_vote_id=0,
        changes=0,
        final=final,
        computed_at=COMPUTED,
        pairs=PAIRS,
        ratings=RATINGS | (ratings or {}),
        scores=SCORES | (scores or {}),
        outlook=OUTLOOK | (outlook or {}),
        beside=BESIDE | (beside or {}) if final else None,
        live={"last": 0, "skills": {entry["entry"]: [25.0, 2.0] for entry in RATINGS["entries"]}, "excluded": 0},
        recounted_at=recounted_at,
        differences=list(differences),
    )


def shown(**parts: Any) -> Board:
    """That snapshot as the leaderboard's template sees it."""
    return board(snapshot(**parts), NAMES)


def keep(db: Database, **parts: Any) -> None:
    """Stores the snapshot as that of the round, in which nobody has voted: the worker leaves it as it is."""

    def work(session: Session) -> None:
        round_ = find_round(session, "stage-1")
        assert round_ is not None
        session.merge(snapshot(round_id=round_.id or 0, **parts))
        session.flush()

    db.writing(work)
