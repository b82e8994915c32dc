"""Proposals about excluded votes, and appeals, as the office and voters make them."""

from collections.abc import Sequence

from sqlalchemy import update
from sqlmodel import Session, col, select

from arena.accounts.tables import Act, Admin
from arena.battles.appeals import decline_appeal, make_appeal
from arena.battles.exclusions import approve, propose_exclusion, propose_reinstatement, refuse, withdraw
from arena.battles.queries import CastVote
from arena.battles.tables import Appeal, Battle, Exclusion, Turn, Vote
from arena.clock import now
from arena.db import Database
from arena.rounds.queries import find_round
from arena.screening.tables import Review
from tests.staff import HANA, SORA


def round_id(session: Session) -> int:
    found = find_round(session, "stage-1")
    assert found is not None
    return found.id or 0


def battle_of(db: Database, vote: CastVote) -> str:
    with db.reading() as session:
        return session.exec(select(Vote.battle_id).where(Vote.id == vote.id)).one()


def proposes(
    db: Database, battles: Sequence[str], by: str = SORA, reason: str = "automated_voting", review: int | None = None
) -> int:
    """The id of a proposed exclusion."""
    made = db.writing(
        lambda s: propose_exclusion(
            s, round_id(s), battles, reason, by, now(), review_id=review, note="why <b>so</b>"
        )
    )
    return made.id or 0


def reproposes(db: Database, battles: Sequence[str], by: str = SORA, reason: str = "mistake") -> int:
    """The id of a proposed reinstatement."""
    return db.writing(lambda s: propose_reinstatement(s, round_id(s), battles, reason, by, now())).id or 0


def approves(db: Database, proposal: int, by: str = HANA) -> tuple[int, ...]:
    return db.writing(lambda session: approve(session, proposal, by, now())).votes


def refuses(db: Database, proposal: int, by: str = HANA) -> None:
    db.writing(lambda session: refuse(session, proposal, by, now()))


def withdraws(db: Database, proposal: int, by: str = SORA) -> None:
    db.writing(lambda session: withdraw(session, proposal, by, now()))


def appeals(db: Database, voter_id: str, vote: CastVote, text: str = "제가 직접 골랐어요.") -> int:
    return db.writing(lambda session: make_appeal(session, voter_id, vote.receipt, text, now())).id or 0


def declines(db: Database, appeal: int, by: str = SORA, reply: str = "다시 봤지만 그대로예요.") -> None:
    db.writing(lambda session: decline_appeal(session, appeal, reply, by, now()))


def rejected(db: Database, battle: Battle, *, reason: str = "spam") -> int:
    """The review of a battle's first prompt, which a moderator rejected."""

    def work(session: Session) -> int:
        turn = session.exec(select(Turn).where(Turn.battle_id == battle.id)).first()
        assert turn is not None
        review = Review(
            round_id=battle.round_id,
            turn_id=turn.id,
            voter_id=battle.voter_id,
            locale="ko",
            text=turn.prompt,
            masked={},
            flags=[],
            ruleset=1,
            state="rejected",
            created_at=now(),
            decided_by="moderator-3",
            decided_at=now(),
            reason=reason,
        )
        session.add(review)
        session.flush()
        return review.id or 0

    return db.writing(work)


def changes_admin(db: Database, code: str, **values: object) -> None:
    """Gives somebody of the office another role, or disables them."""
    number = int(code.rpartition("-")[2])
    db.writing(lambda s: s.execute(update(Admin).where(col(Admin.id) == number).values(**values)))


def proposal(db: Database, proposal_id: int) -> Exclusion:
    with db.reading() as session:
        return session.get_one(Exclusion, proposal_id)


def appeal(db: Database, appeal_id: int) -> Appeal:
    with db.reading() as session:
        return session.get_one(Appeal, appeal_id)


def acts(db: Database) -> list[tuple[str, str, str, str, str]]:
    """What the trail has of exclusions and appeals, as (who, what, subject, outcome, why)."""
    with db.reading() as session:
        found = session.exec(select(Act).order_by(col(Act.id))).all()
    return [
        (act.who, act.what, act.subject, act.outcome, act.why)
        for act in found
        if act.what.startswith(("exclusion.", "appeal."))
    ]
