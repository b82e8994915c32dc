"""The operator's part of the leaderboard: how many votes the round needs, recounts, the live indicator."""

from collections.abc import Mapping
from typing import Any

from arena.ratings.pages import Ahead, Desk, LiveRow, Outlook, VotesNeeded
from arena.ratings.tables import RatingSnapshot
from arena.stats.live import Skill


def desk(snapshot: RatingSnapshot, names: Mapping[str, str]) -> Desk:
    """What the snapshot tells operators; `names` are the teams' by entry code."""
    return Desk(
        _outlook(snapshot.outlook, len(snapshot.pairs), names),
        snapshot.recounted_at,
        tuple(snapshot.differences),
        _live(snapshot.live, names),
    )


def _outlook(plan: dict[str, Any], pairs: int, names: Mapping[str, str]) -> Outlook:
    return Outlook(
        ties=plan["ties"],
        design_effect=plan["design_effect"],
        fewest=plan["fewest"],
        needed=votes_needed(plan, pairs),
        planned=plan["planned"],
        apart=_apart(plan["apart"], names),
    )


def votes_needed(plan: dict[str, Any], pairs: int) -> tuple[VotesNeeded, ...]:
    """How many votes a snapshot's outlook says are needed, with so many pairs of entries."""
    return tuple(_needed(item, pairs, plan["fewest"]) for item in plan["needed"])


def _needed(item: dict[str, Any], pairs: int, fewest: int) -> VotesNeeded:
    votes = item["votes_per_pair"]
    return VotesNeeded(item["win_share"], votes, votes * pairs, reached=fewest >= votes)


def _apart(pairs: list[list[str]], names: Mapping[str, str]) -> tuple[Ahead, ...]:
    """Pairs by their better team, that with the most teams behind it first."""
    behind: dict[str, list[str]] = {}
    for better, worse in pairs:
        behind.setdefault(better, []).append(names[worse])
    rows = [Ahead(names[better], tuple(others)) for better, others in behind.items()]
    return tuple(sorted(rows, key=lambda row: -len(row.behind)))


def _live(live: dict[str, Any], names: Mapping[str, str]) -> tuple[LiveRow, ...]:
    rows = [LiveRow(names[code], Skill(*skill).ordinal) for code, skill in live["skills"].items()]
    return tuple(sorted(rows, key=lambda row: -row.ordinal))
