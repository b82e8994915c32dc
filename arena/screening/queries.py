"""Reads of what prompts are checked against."""

from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import Text, cast
from sqlmodel import Session, col, select

from arena.screening.rules import Rules, RulesInForce, built_in
from arena.screening.tables import Review, Ruleset

RECENT = 1000


def rules_in_force(session: Session) -> RulesInForce:
    """The newest version; version 0 is the built-in one when none was published."""
    newest = select(Ruleset.version, cast(col(Ruleset.body), Text)).order_by(col(Ruleset.version).desc()).limit(1)
    found = session.exec(newest).first()
    return _compiled(found[0] or 0, found[1]) if found else _compiled(0, "")


@lru_cache(maxsize=8)
def _compiled(version: int, body: str) -> RulesInForce:
    return RulesInForce(version, Rules.model_validate_json(body) if body else built_in())


def versions(session: Session) -> Sequence[Ruleset]:
    """All that were published, the newest first."""
    return session.exec(select(Ruleset).order_by(col(Ruleset.version).desc())).all()


def published(session: Session, number: int) -> Ruleset | None:
    return session.get(Ruleset, number)


def recent_prompts(session: Session) -> Sequence[str]:
    """What was sent in lately, the newest first, asked or held or refused by a person; never what was erased."""
    texts = select(Review.text).where(Review.text != "").order_by(col(Review.id).desc()).limit(RECENT)
    return session.exec(texts).all()
