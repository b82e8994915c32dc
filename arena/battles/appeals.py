"""Appeals of voters against the exclusion of their votes. Upheld they are by `exclusions.approve`, by two persons."""

from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from arena.accounts.queries import is_operator
from arena.accounts.trail import record
from arena.battles.exclusions import REFUSALS, TEXT_LIMIT
from arena.battles.tables import Appeal, Battle, Vote
from arena.db import add_unless_there
from arena.errors import N_, ConflictError, ForbiddenError, InvalidError, NotFoundError
from arena.rounds.actions import held_round
from arena.rounds.tables import Round
from arena.screening.personal import refuse_personal_data, without_personal_data

VOTER = "voter"
"""Who appeals, on the trail: it knows no voter."""

FAULTS: Final = {
    "no_text": N_("Please write in a sentence or two why your vote should count."),
    "text": N_("Please keep it to 1,000 characters."),
    "waiting": N_("You have asked for this already. The answer will stand here."),
    "counts": N_("Your vote was not taken out, so there is nothing to ask for."),
    "final": N_("The round is closed and its figures are final, so this can no longer be changed."),
    "no_reply": N_("Please write a reply: the voter reads it."),
}


def make_appeal(session: Session, voter_id: str, receipt: str, text: str, now: datetime) -> Appeal:
    """A voter asks that their excluded vote count again; without words once they had those of the battle erased.

    Raises NotFoundError for another's receipt, and ArenaErrors.
    """
    vote, battle = _own(session, voter_id, receipt)
    round_ = held_round(session, battle.round_id)
    if round_.state != "open":
        raise ConflictError(FAULTS["final"], code="round_closed")
    if not vote.excluded:
        raise ConflictError(FAULTS["counts"], code="counts")
    words = "" if battle.erased_at else without_personal_data(_words(text, "no_text"))[0]
    appeal = Appeal(vote_id=vote.id or 0, text=words, made_at=now)
    if not add_unless_there(session, appeal):
        raise ConflictError(FAULTS["waiting"], code="waiting")
    _record(session, VOTER, "appeal.make", appeal, round_, now)
    return appeal


def _own(session: Session, voter_id: str, receipt: str) -> tuple[Vote, Battle]:
    """A voter's vote and its battle, whose words nobody erases before this transaction has ended."""
    found = session.exec(
        select(Vote, Battle)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Vote.receipt == receipt, Battle.voter_id == voter_id)
        .with_for_update(of=Battle)
    ).first()
    if found is None:
        raise NotFoundError
    return found[0], found[1]


def _words(text: str, missing: str) -> str:
    """A text without what cannot be stored. Raises InvalidError when it is empty or too long."""
    cleaned = text.replace("\0", "").replace("\r\n", "\n").strip()
    if not cleaned:
        raise InvalidError(FAULTS[missing], code=missing)
    if len(cleaned) > TEXT_LIMIT:
        raise InvalidError(FAULTS["text"], code="text")
    return cleaned


def decline_appeal(session: Session, appeal_id: int, reply: str, by: str, now: datetime) -> None:
    """An operator answers that the vote stays excluded. Raises ArenaErrors."""
    if not is_operator(session, by):
        raise ForbiddenError(REFUSALS["role"], code="role")
    reply = _words(reply, "no_reply")
    refuse_personal_data(reply)
    declined = session.execute(
        update(Appeal)
        .where(col(Appeal.id) == appeal_id, col(Appeal.state) == "waiting")
        .values(state="declined", reply=reply, decided_by=by, decided_at=now)
        .execution_options(synchronize_session=False)
    )
    appeal = session.get(Appeal, appeal_id)
    if appeal is None:
        raise NotFoundError
    if cast(CursorResult[Any], declined).rowcount != 1:
        raise ConflictError(REFUSALS["decided"], code="decided")
    _record(session, by, "appeal.decline", appeal, _round_of(session, appeal), now)


def newest_appeal(session: Session, vote_id: int) -> Appeal | None:
    return session.exec(select(Appeal).where(Appeal.vote_id == vote_id).order_by(col(Appeal.id).desc())).first()


def _round_of(session: Session, appeal: Appeal) -> Round:
    found = select(Round).join(Battle, col(Battle.round_id) == Round.id).join(Vote, col(Vote.battle_id) == Battle.id)
    return session.exec(found.where(Vote.id == appeal.vote_id)).one()


def _record(session: Session, who: str, what: str, appeal: Appeal, round_: Round, now: datetime) -> None:
    """Never the words: nothing is erased from the trail."""
    record(session, who, what, f"appeal-{appeal.id}", "done", now, detail={"round": round_.slug})
