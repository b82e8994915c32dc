"""What it does to the ratings when votes are taken out or back in: computed from one reading, nothing is written."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.accounts.trail import record
from arena.battles.cells import cells_of, kept_tallies
from arena.battles.counting import add_all, change_of
from arena.battles.exclusions import REFUSALS, approve, facts, find_proposal, subject
from arena.battles.standing import EXCLUDE, brought_back
from arena.battles.tables import Exclusion, Vote
from arena.errors import ConflictError
from arena.rounds.official import official_figures
from arena.rounds.queries import rules_of
from arena.rounds.rules import Rules
from arena.rounds.tables import Round
from arena.stats.cells import Cells
from arena.teams.queries import NamedEntry, entries_of

Figures = dict[str, Any]
"""{"state", "votes", "entries": {code: {"rating", "interval", "rank", "votes", "points"}}}, as published."""


class Move(NamedTuple):
    """Votes, by their battles, that would be taken out ("exclude") or back in ("reinstate")."""

    kind: str
    battles: Sequence[str]


class Weighed(NamedTuple):
    before: Figures
    after: Figures


def weigh(session: Session, round_: Round, moves: Sequence[Move]) -> Weighed:
    """The ratings of an open round as they are, and as they would be after these moves, one after the other.

    The session has to read at one moment (`cells.at_one_moment`). Raises ConflictError when the round is closed.
    """
    if round_.state != "open":
        raise ConflictError(REFUSALS["round_closed"], code="round_closed")
    excluded = {battle: move.kind == EXCLUDE for move in moves for battle in move.battles}
    entries, tallies = _entries(session, round_), kept_tallies(session, round_.id or 0)
    before = cells_of(tallies, entries)
    add_all(tallies, change_of(session.connection(), round_, excluded))
    return _weighed(before, cells_of(tallies, entries), rules_of(round_))


def approve_weighed(session: Session, proposal_id: int, by: str, at: datetime) -> None:
    """Approves a proposal, and puts it on the trail with the ratings before and after. Raises ArenaErrors.

    Rated in the same transaction, so that no decision is without its effect on the trail; it takes milliseconds.
    What was before is told from what is after, as others may vote meanwhile.
    """
    proposal = find_proposal(session, proposal_id)
    moved = approve(session, proposal_id, by, at)
    round_ = session.get_one(Round, proposal.round_id)
    entries, tallies = _entries(session, round_), kept_tallies(session, proposal.round_id)
    after = cells_of(tallies, entries)
    add_all(tallies, moved.change, -1)
    effect = _weighed(cells_of(tallies, entries), after, rules_of(round_))
    told: dict[str, object] = {
        "votes": len(moved.battles),
        "unmoved": sorted(set(proposal.battles).difference(moved.battles)),
    }
    detail = facts(round_, proposal) | told | effect._asdict()
    record(session, by, "exclusion.approve", subject(proposal), "done", at, detail=detail)


class Approval(NamedTuple):
    """What an approval did, as the trail has it: the battles whose votes it moved, and its effect."""

    battles: tuple[str, ...]
    effect: Weighed


def approval_of(session: Session, proposal: Exclusion) -> Approval | None:
    """None for a proposal that was not approved."""
    done = select(Act).where(Act.subject == subject(proposal), Act.what == "exclusion.approve", Act.outcome == "done")
    act = session.exec(done.order_by(col(Act.id))).first()
    if act is None:
        return None
    moved = [battle for battle in proposal.battles if battle not in act.detail.get("unmoved", ())]
    return Approval(tuple(moved), Weighed(act.detail["before"], act.detail["after"]))


def still_out(session: Session, proposal: Exclusion) -> tuple[str, ...]:
    """The battles whose votes an approved proposal took out and that nobody took back in since."""
    approval = approval_of(session, proposal)
    if approval is None or proposal.decided_at is None or proposal.kind != EXCLUDE:
        return ()
    back = brought_back(session, proposal.round_id, proposal.decided_at)
    taken = [battle for battle in approval.battles if battle not in back]
    out = set(session.exec(select(Vote.battle_id).where(col(Vote.battle_id).in_(taken), col(Vote.excluded))))
    return tuple(battle for battle in taken if battle in out)


def _entries(session: Session, round_: Round) -> list[NamedEntry]:
    """In the order of their codes, as the ratings count them."""
    return sorted(entries_of(session, round_.id or 0), key=lambda entry: entry.code)


def _weighed(before: Cells, after: Cells, rules: Rules) -> Weighed:
    return Weighed(_figures(before, rules), _figures(after, rules))


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
