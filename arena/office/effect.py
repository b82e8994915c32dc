"""What it does to the ratings when votes are taken out or back in: it is really done, and then undone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlmodel import Session

from arena.accounts.trail import record
from arena.battles.cells import kept_cells
from arena.battles.exclusions import approve, facts, find_proposal, subject
from arena.battles.standing import EXCLUDE, standing_of
from arena.battles.votes import exclude_votes, reinstate_votes
from arena.clock import now
from arena.db import Database
from arena.rounds.actions import round_to_change
from arena.rounds.decisions import Decision
from arena.rounds.official import official_figures
from arena.rounds.queries import rules_of
from arena.rounds.rules import Rules
from arena.stats.cells import Cells
from arena.teams.queries import entries_of

Figures = dict[str, Any]
"""{"state", "votes", "entries": {code: {"rating", "interval", "rank", "votes", "points"}}}, as published."""

_NOBODY = ("operator-trial", "operator-nobody")
"""Who would have decided, in what is undone."""


class Move(NamedTuple):
    """Votes, by their battles, that would be taken out ("exclude") or back in ("reinstate")."""

    kind: str
    battles: Sequence[str]


class Weighed(NamedTuple):
    before: Figures
    after: Figures


class _UndoneError(Exception):
    """Carries cells out of a transaction that it undoes."""

    def __init__(self, rules: Rules, before: Cells, after: Cells) -> None:
        super().__init__("undone")
        self.rules, self.before, self.after = rules, before, after


def weigh(db: Database, round_id: int, moves: Sequence[Move]) -> Weighed:
    """The ratings of an open round as they are, and as they would be; nothing is left of it.

    Raises ConflictError when the round is closed.
    """

    def work(session: Session) -> None:
        round_ = round_to_change(session, round_id)
        before = _cells(session, round_id)
        for move in moves:
            _try(session, move)
        raise _UndoneError(rules_of(round_), before, _cells(session, round_id))

    try:
        db.writing(work)
    except _UndoneError as undone:
        return Weighed(_figures(undone.before, undone.rules), _figures(undone.after, undone.rules))
    raise AssertionError("a trial always ends in its undoing")


def _try(session: Session, move: Move) -> None:
    votes = standing_of(session, move.kind, move.battles).votes
    act = exclude_votes if move.kind == EXCLUDE else reinstate_votes
    act(session, votes, Decision("mistake", _NOBODY), now())


def approve_weighed(session: Session, proposal_id: int, by: str, at: datetime) -> None:
    """Approves a proposal, and puts it on the trail with the ratings before and after. Raises ArenaErrors.

    Rated in the same transaction, so that no decision is without its effect on the trail; it takes milliseconds.
    """
    proposal = find_proposal(session, proposal_id)
    round_ = round_to_change(session, proposal.round_id)
    before = _cells(session, proposal.round_id)
    approve(session, proposal_id, by, at)
    rules, after = rules_of(round_), _cells(session, proposal.round_id)
    effect: dict[str, object] = {"before": _figures(before, rules), "after": _figures(after, rules)}
    record(session, by, "exclusion.approve", subject(proposal), "done", at, detail=facts(round_, proposal) | effect)


def _cells(session: Session, round_id: int) -> Cells:
    """As the ratings count them: entries in the order of their codes."""
    return kept_cells(session, round_id, sorted(entries_of(session, round_id), key=lambda entry: entry.code))


def _figures(cells: Cells, rules: Rules) -> Figures:
    official = official_figures(cells, rules, final=False)
    points = {entry["entry"]: entry["points"] for entry in official.scores["entries"]}
    shown = ("rating", "interval", "rank", "votes")
    entries = cast(list[dict[str, Any]], official.ratings["entries"])
    return {
        "state": official.ratings["state"],
        "votes": int(cells.counts.sum()),
        "entries": {
            entry["entry"]: {name: entry[name] for name in shown} | {"points": points[entry["entry"]]}
            for entry in entries
        },
    }
