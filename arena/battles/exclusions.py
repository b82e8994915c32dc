"""Votes out of the ratings, or back in, by two persons: one proposes, another one decides; and voters' appeals."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, CursorResult, update
from sqlmodel import Session, col, select

from arena.accounts.queries import codes_of, in_office
from arena.accounts.trail import record
from arena.battles.standing import EXCLUDE, REINSTATE, settled, standing_of
from arena.battles.tables import Appeal, Battle, Exclusion
from arena.battles.votes import Moved, exclude_votes, reinstate_votes
from arena.db import add_unless_there
from arena.errors import N_, ConflictError, ForbiddenError, InvalidError, NotFoundError
from arena.rounds.actions import held_round, round_to_change
from arena.rounds.decisions import SAME_PERSON, TO_EXCLUDE, TO_REINSTATE, UNKNOWN, Decision, number_of
from arena.rounds.tables import Round
from arena.screening.personal import refuse_personal_data

REASONS: Final = {EXCLUDE: TO_EXCLUDE, REINSTATE: TO_REINSTATE}
MOST_BATTLES = 1000
"""In one proposal: its entry in the ledger names them all."""
MOST_CLOSED = 1000
TEXT_LIMIT = 1000

REFUSALS: Final = {
    "role": N_("Only operators may do this."),
    "round_closed": N_("This round is not open. Its figures are final, so no vote is taken out or back in."),
    "decided": N_("This was already decided."),
    "proposed": N_("This is proposed already."),
    "proposer_gone": N_("Whoever proposed this no longer has that task. Decline it, and propose it anew."),
    "not_yours": N_("Only whoever proposed this can take it back. You can decline it."),
    "no_vote_yet": N_("There is no vote on this comparison yet. Decide once there is one."),
    "nothing_to_do": N_("None of these votes would change, so there is nothing to decide. You can close this."),
    "appeal_decided": N_(
        "The appeal was answered meanwhile. Decline this, and propose it anew if it is still right."
    ),
    "changed": N_("Some of these votes have changed meanwhile. Please choose again."),
    "no_votes": N_("Choose at least one vote."),
    "too_many": N_("These are too many votes at once. Please propose at most 1,000 together."),
    "note": N_("The note is too long. Please keep it to 1,000 characters."),
    "verdict": N_("Please choose one of the buttons: agree, decline, or take it back."),
    "same_person": SAME_PERSON,
    "unknown_reason": UNKNOWN,
}


def propose_exclusion(
    session: Session,
    round_id: int,
    battle_ids: Sequence[str],
    reason: str,
    by: str,
    now: datetime,
    *,
    review_id: int | None = None,
    note: str = "",
) -> Exclusion:
    """Puts the exclusion of these battles' votes before the operators, and on the trail.

    A moderator may do so for a rejected prompt, `review_id`, whose battle may have no vote yet. Raises ArenaErrors.
    """
    roles = ("operator", "moderator") if review_id is not None else ("operator",)
    _check_roles(session, by, *roles)
    return _propose(session, round_id, EXCLUDE, battle_ids, reason, by, now, review_id, note)


def propose_reinstatement(
    session: Session, round_id: int, battle_ids: Sequence[str], reason: str, by: str, now: datetime, *, note: str = ""
) -> Exclusion:
    """Puts before the operators that these battles' votes count again. Raises ArenaErrors."""
    _check_roles(session, by, "operator")
    return _propose(session, round_id, REINSTATE, battle_ids, reason, by, now, None, note)


def _propose(
    session: Session,
    round_id: int,
    kind: str,
    battle_ids: Sequence[str],
    reason: str,
    by: str,
    now: datetime,
    review_id: int | None,
    note: str,
) -> Exclusion:
    if reason not in REASONS[kind]:
        raise InvalidError(UNKNOWN, code="unknown_reason")
    check_note(note)
    round_ = held_round(session, round_id)
    _check_open(round_)
    battles = _checked(session, round_id, battle_ids)
    proposal = Exclusion(
        round_id=round_id,
        kind=kind,
        battles=battles,
        reason=reason,
        note=note,
        review_id=review_id,
        proposed_by=by,
        proposed_at=now,
    )
    if review_id is None:
        _check_votes(session, proposal)
    if not add_unless_there(session, proposal):
        raise _refuse("proposed")
    record(session, by, "exclusion.propose", subject(proposal), "done", now, detail=facts(round_, proposal))
    return proposal


def check_note(note: str) -> None:
    """It stays on the trail for ever. Raises InvalidError."""
    if len(note) > TEXT_LIMIT:
        raise InvalidError(REFUSALS["note"], code="note")
    refuse_personal_data(note)


def _checked(session: Session, round_id: int, battle_ids: Sequence[str]) -> list[str]:
    """The battles, each once. Raises InvalidError for none or too many, NotFoundError for one not of the round."""
    battles = list(dict.fromkeys(battle_ids))
    if not battles:
        raise InvalidError(REFUSALS["no_votes"], code="no_votes")
    if len(battles) > MOST_BATTLES:
        raise InvalidError(REFUSALS["too_many"], code="too_many")
    known = session.exec(select(Battle.id).where(col(Battle.id).in_(battles), Battle.round_id == round_id)).all()
    if len(known) < len(battles):
        raise NotFoundError
    return battles


def _check_votes(session: Session, proposal: Exclusion) -> None:
    """Raises ConflictError unless it would move every vote, and there is an appeal where it says so."""
    standing = standing_of(session, proposal.kind, proposal.battles)
    if len(standing.votes) < len(proposal.battles):
        raise _refuse("changed")
    waiting = select(Appeal.id).where(col(Appeal.vote_id).in_(standing.votes), Appeal.state == "waiting")
    if proposal.reason == "appeal_upheld" and session.exec(waiting).first() is None:
        raise _refuse("appeal_decided")


def approve(session: Session, proposal_id: int, by: str, now: datetime) -> Moved:
    """Does what was proposed; nobody else decides, or closes the round, meanwhile. Citizens go on voting.

    The caller puts it on the trail, with its effect. Raises ArenaErrors.
    """
    proposal = find_proposal(session, proposal_id)
    round_ = round_to_change(session, proposal.round_id)
    _check_roles(session, by, "operator")
    decision = Decision(proposal.reason, (proposal.proposed_by, by))
    _check_open(round_)
    if not in_office(session, proposal.proposed_by, "operator", "moderator"):
        raise _refuse("proposer_gone")
    _move_on(session, proposal_id, "done", by, now, ~col(Exclusion.proposed_by).in_(codes_of(int(number_of(by)))))
    standing = standing_of(session, proposal.kind, proposal.battles)
    if not standing.votes:
        raise _refuse(standing.word)
    if proposal.kind == EXCLUDE:
        return exclude_votes(session, standing.votes, decision, now)
    upheld = _uphold(session, standing.votes, round_, by, now)
    if proposal.reason == "appeal_upheld" and not upheld:
        raise _refuse("appeal_decided")
    return reinstate_votes(session, standing.votes, decision, now)


def refuse(session: Session, proposal_id: int, by: str, now: datetime) -> None:
    """Another operator declines what was proposed. Raises ArenaErrors."""
    _check_roles(session, by, "operator")
    proposal = find_proposal(session, proposal_id)
    if number_of(by) == number_of(proposal.proposed_by):
        raise InvalidError(SAME_PERSON, code="same_person")
    _move_on(session, proposal_id, "refused", by, now)
    _record(session, proposal, "exclusion.refuse", by, now)


def withdraw(session: Session, proposal_id: int, by: str, now: datetime) -> None:
    """Whoever proposed it takes it back; where there is nothing to decide, any operator closes it.

    Raises ArenaErrors.
    """
    _check_roles(session, by, "operator")
    proposal = find_proposal(session, proposal_id)
    standing = standing_of(session, proposal.kind, proposal.battles)
    if number_of(by) != number_of(proposal.proposed_by) and standing.word != "nothing_to_do":
        raise ForbiddenError(REFUSALS["not_yours"], code="not_yours")
    _move_on(session, proposal_id, "withdrawn", by, now)
    _record(session, proposal, "exclusion.withdraw", by, now)


def close_settled(session: Session, round_: Round, by: str, now: datetime) -> None:
    """An operator closes what has nothing to decide in a round: the oldest MOST_CLOSED. Raises ArenaErrors."""
    _check_roles(session, by, "operator")
    oldest = settled(session, round_.id or 0, MOST_CLOSED)
    closed = session.exec(
        update(Exclusion)
        .where(col(Exclusion.id).in_(oldest), col(Exclusion.state) == "waiting")
        .values(state="withdrawn", decided_by=by, decided_at=now)
        .returning(col(Exclusion.id))
    ).all()
    if not closed:
        raise _refuse("decided")
    detail: dict[str, object] = {"round": round_.slug, "proposals": sorted(number for (number,) in closed)}
    record(session, by, "exclusion.close", "exclusions", "done", now, detail=detail)


def withdraw_of_review(session: Session, review_id: int, by: str, now: datetime) -> bool:
    """Takes back what a rejected prompt proposes, if that still waits; False when it was decided already."""
    newest = select(Exclusion).where(Exclusion.review_id == review_id).order_by(col(Exclusion.id).desc()).limit(1)
    proposal = session.exec(newest).first()
    if proposal is None:
        return True
    if not _moved_on(session, proposal.id or 0, "withdrawn", by, now):
        session.refresh(proposal)
        return proposal.state == "withdrawn"
    _record(session, proposal, "exclusion.withdraw", by, now)
    return True


def find_proposal(session: Session, proposal_id: int) -> Exclusion:
    """Raises NotFoundError."""
    found = session.get(Exclusion, proposal_id)
    if found is None:
        raise NotFoundError
    return found


def subject(proposal: Exclusion) -> str:
    """What the trail calls it."""
    return f"exclusion-{proposal.id}"


def facts(round_: Round, proposal: Exclusion) -> dict[str, object]:
    """What the trail tells of it."""
    return {
        "round": round_.slug,
        "kind": proposal.kind,
        "reason": proposal.reason,
        "note": proposal.note,
        "votes": len(proposal.battles),
        "review": proposal.review_id,
        "proposed_by": proposal.proposed_by,
    }


def _record(session: Session, proposal: Exclusion, what: str, by: str, now: datetime) -> None:
    told = facts(session.get_one(Round, proposal.round_id), proposal)
    record(session, by, what, subject(proposal), "done", now, detail=told)


def _uphold(session: Session, votes: Sequence[int], round_: Round, by: str, now: datetime) -> bool:
    """Upholds the appeals that wait for these votes; whether there is one."""
    upheld = session.exec(
        update(Appeal)
        .where(col(Appeal.vote_id).in_(votes), col(Appeal.state) == "waiting")
        .values(state="upheld", decided_by=by, decided_at=now)
        .returning(col(Appeal.id))
    ).all()
    for (appeal,) in upheld:
        record(session, by, "appeal.uphold", f"appeal-{appeal}", "done", now, detail={"round": round_.slug})
    return bool(upheld)


def _check_roles(session: Session, by: str, *roles: str) -> None:
    if not in_office(session, by, *roles):
        raise ForbiddenError(REFUSALS["role"], code="role")


def _check_open(round_: Round) -> None:
    if round_.state != "open":
        raise _refuse("round_closed")


def _refuse(code: str) -> ConflictError:
    return ConflictError(REFUSALS[code], code=code)


def _move_on(
    session: Session, proposal_id: int, state: str, by: str, now: datetime, *where: ColumnElement[bool]
) -> None:
    if not _moved_on(session, proposal_id, state, by, now, *where):
        raise _refuse("decided")


def _moved_on(
    session: Session, proposal_id: int, state: str, by: str, now: datetime, *where: ColumnElement[bool]
) -> bool:
    """Moves a waiting proposal on; False when it does not wait (any more)."""
    moved = session.execute(
        update(Exclusion)
        .where(col(Exclusion.id) == proposal_id, col(Exclusion.state) == "waiting", *where)
        .values(state=state, decided_by=by, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], moved).rowcount == 1
