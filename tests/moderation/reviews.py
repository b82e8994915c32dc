"""Prompts under review as the screening leaves them, and what moderators do to them below HTTP."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import insert
from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.battles.tables import Battle, Exclusion, Turn
from arena.clock import now
from arena.db import Database
from arena.moderation.actions import Outcome, Wish, claim, fulfil
from arena.rounds.tables import Round
from arena.screening.tables import Review
from tests.data import MINJI, ask
from tests.staff import JIWOO

DRUGS: Final = {"source": "rule", "code": "drugs", "level": "log"}
PROMPT: Final = "김치찌개는 어떻게 끓이나요?"


def held(db: Database, text: str = PROMPT, *, voter_id: str = MINJI, **fields: Any) -> int:
    """A prompt that was asked of nobody."""
    return _inserted(db, text, voter_id, {"state": "held"} | fields)


def waiting(
    db: Database, text: str = PROMPT, *, voter_id: str = MINJI, battle: Battle | None = None, **fields: Any
) -> int:
    """The first prompt of a battle; without one, of a battle that the voter begins."""
    begun = battle or db.writing(lambda session: ask(session, voter_id, text)[0])
    turn = turn_of(db, begun)
    return _inserted(db, text, voter_id, {"state": "waiting", "turn_id": turn} | fields)


def _inserted(db: Database, text: str, voter_id: str, fields: dict[str, Any]) -> int:
    def work(session: Session) -> int:
        review = Review.model_validate(_row(session, text, voter_id, fields))
        session.add(review)
        session.flush()
        return review.id or 0

    return db.writing(work)


def _row(session: Session, text: str, voter_id: str, fields: dict[str, Any]) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "round_id": session.exec(select(Round.id).order_by(col(Round.id).desc()).limit(1)).one(),
        "voter_id": voter_id,
        "turn_id": None,
        "locale": "ko",
        "text": text,
        "masked": {},
        "flags": [],
        "ruleset": 0,
        "created_at": now(),
        "state": "waiting",
    }
    row = usual | fields
    return {"flagged": bool(row["flags"])} | row


def many(db: Database, texts: Sequence[str], *, voter_id: str = MINJI, **fields: Any) -> None:
    """Held prompts, inserted at once, the first the oldest."""
    start = now() - timedelta(seconds=len(texts))

    def work(session: Session) -> None:
        rows = [
            _row(session, text, voter_id, {"state": "held", "created_at": start + timedelta(seconds=n)} | fields)
            for n, text in enumerate(texts)
        ]
        session.execute(insert(Review), rows)

    db.writing(work)


def turn_of(db: Database, battle: Battle) -> int:
    """The id of a battle's newest turn."""
    with db.reading() as session:
        found = select(Turn.id).where(Turn.battle_id == battle.id).order_by(col(Turn.number).desc()).limit(1)
        return session.exec(found).one() or 0


def does(
    db: Database, act: str, *reviews: int, by: str = JIWOO, at: datetime | None = None, **wish: str
) -> list[Outcome]:
    when = at or now()
    return db.writing(lambda session: fulfil(session, reviews, Wish(act, **wish), by, when))


def claims(db: Database, review: int, by: str, at: datetime | None = None) -> bool:
    return db.writing(lambda session: claim(session, review, by, at or now()))


def refusals(outcomes: list[Outcome]) -> list[str | None]:
    """The code of each refusal; None for what was done."""
    return [outcome.refusal.code if outcome.refusal else None for outcome in outcomes]


def review(db: Database, number: int) -> Review:
    with db.reading() as session:
        return session.get_one(Review, number)


def states(db: Database, *reviews: int) -> list[str]:
    return [review(db, number).state for number in reviews]


def acts(db: Database, *, what: str = "prompt.") -> list[tuple[str, str, str, str, str]]:
    """The trail of prompts as (who, what, subject, outcome, why)."""
    return [(act.who, act.what, act.subject, act.outcome, act.why) for act in trail(db) if act.what.startswith(what)]


def trail(db: Database) -> list[Act]:
    with db.reading() as session:
        return list(session.exec(select(Act).order_by(col(Act.id))))


def exclusions(db: Database) -> list[Exclusion]:
    with db.reading() as session:
        return list(session.exec(select(Exclusion).order_by(col(Exclusion.id))))


def battle_of_review(db: Database, number: int) -> Battle:
    with db.reading() as session:
        turn = session.get_one(Turn, session.get_one(Review, number).turn_id)
        return session.get_one(Battle, turn.battle_id)
