"""What tests of suggestions need: moderators who propose, approve and publish, and citizens' prompts."""

from typing import Any, Final

from sqlmodel import Session, col, select

from arena.accounts.actions import record_consent
from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from arena.moderation.suggestion_versions import coming, publish, retire
from arena.moderation.suggestions import approve, decline, edit, fingerprint, propose, propose_from_review
from arena.rounds.queries import suggestions_in, suggestions_version
from arena.rounds.tables import Round, SuggestionDraft, SuggestionVersion
from arena.screening.tables import Review
from tests.data import MINJI
from tests.staff import BORA, JIWOO

BIKE: Final = "자전거로 출퇴근하려고 해요. 처음에 무엇을 준비하면 좋을까요?"
LIBRARY: Final = "동네 도서관을 잘 쓰는 방법을 알려 주세요."
TEA: Final = "How do I brew green tea without making it bitter?"
THIRD: Final = "moderator-9"


def round_id(db: Database, slug: str = "stage-1") -> int:
    with db.reading() as session:
        return session.exec(select(Round.id).where(Round.slug == slug)).one() or 0


def proposes(db: Database, text: str = BIKE, by: str = JIWOO, *, slug: str = "stage-1", **about: str) -> int:
    """The id of a proposal."""
    fields: dict[str, Any] = {"topic": "everyday", "locale": "ko"} | about
    at = round_id(db, slug)
    made = db.writing(lambda s: propose(s, at, by, now(), text=text, **fields))
    assert made.id is not None
    return made.id


def takes_over(db: Database, review: int, text: str, by: str = JIWOO) -> int:
    about: dict[str, Any] = {"text": text, "topic": "everyday", "locale": "ko"}
    made = db.writing(lambda s: propose_from_review(s, review, by, now(), **about))
    assert made.id is not None
    return made.id


def edits(db: Database, draft: int, text: str, by: str = BORA, *, seen: str | None = None) -> None:
    mark = seen or seen_of(db, draft)
    db.writing(lambda s: edit(s, draft, by, now(), seen=mark, text=text, topic="everyday", locale="ko"))


def approves(db: Database, draft: int, by: str = BORA, *, seen: str | None = None) -> None:
    mark = seen or seen_of(db, draft)
    db.writing(lambda s: approve(s, draft, by, now(), seen=mark))


def declines(db: Database, draft: int, by: str = BORA, reason: str = "unclear", note: str = "") -> None:
    mark = seen_of(db, draft)
    db.writing(lambda s: decline(s, draft, by, now(), seen=mark, reason=reason, note=note))


def retires(db: Database, code: str, by: str = BORA) -> None:
    at = round_id(db)
    db.writing(lambda s: retire(s, at, code, by, now()))


def publishes(db: Database, by: str = JIWOO, note: str = "새 질문", *, seen: str | None = None) -> SuggestionVersion:
    at = round_id(db)
    mark = seen or coming_of(db)
    return db.writing(lambda s: publish(s, at, by, now(), seen=mark, note=note))


def seen_of(db: Database, draft: int) -> str:
    return fingerprint(draft_of(db, draft))


def coming_of(db: Database) -> str:
    with db.reading() as session:
        return coming(session, round_id(db)).fingerprint


def draft_of(db: Database, draft: int) -> SuggestionDraft:
    with db.reading() as session:
        return session.get_one(SuggestionDraft, draft)


def version(db: Database) -> int:
    with db.reading() as session:
        return suggestions_version(session, round_id(db))


def texts(db: Database, number: int | None = None, *, slug: str = "stage-1") -> list[str]:
    """The suggestions of a version, the newest unless told."""
    at = round_id(db, slug)

    def read(session: Session) -> list[str]:
        wanted = number or suggestions_version(session, at)
        return [item.text for item in suggestions_in(session, at, wanted)]

    with db.reading() as session:
        return read(session)


def asked(db: Database, text: str = LIBRARY, *, publish: bool = True, **review: Any) -> int:
    """The id of a citizen's prompt under review."""
    at = round_id(db)

    def work(session: Session) -> Review:
        record_consent(session, MINJI, "1", publish=publish, now=now())
        fields = {"state": "approved", "masked": {}, "flags": []} | review
        row = Review(round_id=at, voter_id=MINJI, locale="ko", text=text, ruleset=0, created_at=now(), **fields)
        session.add(row)
        session.flush()
        return row

    made = db.writing(work)
    assert made.id is not None
    return made.id


def acts(db: Database) -> list[Act]:
    with db.reading() as session:
        return list(session.exec(select(Act).where(col(Act.what).startswith("suggestion.")).order_by(col(Act.id))))
