"""Suggestions: proposed, edited, approved by a second person, and published in versions. Nothing is deleted."""

import hashlib
from datetime import datetime
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from arena.accounts.trail import record
from arena.errors import N_, InvalidError, NotFoundError
from arena.moderation.suggestion_words import check_draft, check_own_words, cleaned, read_note, refused
from arena.rounds.tables import Round, SuggestionDraft
from arena.screening.tables import Review

REASONS: Final = ("unclear", "not_neutral", "narrow", "personal", "unsuitable", "similar", "withdrawn")
"""Why a proposal is declined."""
SAME_PERSON: Final = N_(
    "You proposed this or edited it last, so another moderator has to approve it. Nobody approves their own words."
)
_LOCK: Final = 7
"""Of PostgreSQL's advisory locks of two numbers, those that a round's suggestions are changed under."""


def propose(
    session: Session,
    round_id: int,
    by: str,
    now: datetime,
    *,
    text: str,
    topic: str,
    locale: str,
    review: Review | None = None,
) -> SuggestionDraft:
    """Puts a question before the other moderators. Raises InvalidError or ConflictError."""
    round_ = hold(session, round_id)
    draft = SuggestionDraft(
        round_id=round_id,
        locale=locale,
        topic=topic,
        text=cleaned(text),
        review_id=review.id if review and review.text else None,
        proposed_by=by,
        proposed_at=now,
    )
    check_draft(session, draft)
    session.add(draft)
    session.flush()
    note_act(session, by, "propose", f"suggestion-{draft.id}", now, round_, before=None, after=about(draft))
    return draft


def propose_from_review(
    session: Session, review_id: int, by: str, now: datetime, *, text: str, topic: str, locale: str
) -> SuggestionDraft:
    """As `propose`, for a citizen's prompt: for its own round, or once that is closed for the one worked on now."""
    review = session.get(Review, review_id)
    if review is None:
        raise NotFoundError
    check_own_words(session, review, text)
    round_id = round_of_review(session, review)
    return propose(session, round_id, by, now, text=text, topic=topic, locale=locale, review=review)


def edit(
    session: Session, draft_id: int, by: str, now: datetime, *, seen: str, text: str, topic: str, locale: str
) -> None:
    """Rewrites a proposal, which then waits for approval (again)."""
    round_, draft = _hold_draft(session, draft_id)
    if draft.state not in ("proposed", "approved"):
        raise refused("decided")
    _check_seen(draft, seen)
    before = about(draft)
    draft.text, draft.topic, draft.locale = cleaned(text), topic, locale
    check_draft(session, draft)
    draft.state, draft.edited_by, draft.edited_at = "proposed", by, now
    draft.decided_by = draft.decided_at = None
    note_act(session, by, "edit", f"suggestion-{draft_id}", now, round_, before=before, after=about(draft))


def approve(session: Session, draft_id: int, by: str, now: datetime, *, seen: str) -> None:
    """Lets a proposal into the next version. Raises InvalidError for who proposed it or edited it last."""
    round_, draft = _hold_draft(session, draft_id)
    if by in authors(draft):
        raise InvalidError(SAME_PERSON, code="same_person")
    if draft.state != "proposed":
        raise refused("not_waiting")
    _check_seen(draft, seen)
    check_draft(session, draft)
    before = about(draft)
    draft.state, draft.decided_by, draft.decided_at = "approved", by, now
    note_act(session, by, "approve", f"suggestion-{draft_id}", now, round_, before=before, after=about(draft))


def decline(session: Session, draft_id: int, by: str, now: datetime, *, seen: str, reason: str, note: str) -> None:
    """Takes a proposal out, even one that was approved. Whoever made it may do that too."""
    round_, draft = _hold_draft(session, draft_id)
    if draft.state not in ("proposed", "approved"):
        raise refused("decided")
    _check_seen(draft, seen)
    if reason not in REASONS:
        raise InvalidError(N_("Please choose one of the reasons."), code="reason")
    before, why = about(draft), {"reason": reason, "note": read_note(note)}
    draft.state, draft.decided_by, draft.decided_at = "declined", by, now
    note_act(session, by, "decline", f"suggestion-{draft_id}", now, round_, before=before, after=about(draft), **why)


def authors(draft: SuggestionDraft) -> set[str | None]:
    """Who may not approve a proposal."""
    return {draft.proposed_by, draft.edited_by}


def about(draft: SuggestionDraft) -> dict[str, str]:
    """A proposal as the trail tells it. Nothing is ever erased there, so of a citizen's words it has the hash."""
    told = {"topic": draft.topic, "locale": draft.locale, "state": draft.state}
    if draft.review_id is None:
        return {"text": draft.text, **told}
    return {"text_sha256": hashlib.sha256(draft.text.encode()).hexdigest(), **told}


def fingerprint(draft: SuggestionDraft) -> str:
    """Tells a proposal as somebody saw it from what it is after any edit."""
    return digest(str(draft.id), draft.locale, draft.topic, draft.text)


def rounds_at_work(session: Session) -> list[Round]:
    """The open round, then drafts, the newest first: those whose suggestions may change."""
    found = session.exec(select(Round).where(Round.state != "closed").order_by(col(Round.id).desc()))
    return sorted(found, key=lambda round_: round_.state != "open")


def round_of_review(session: Session, review: Review) -> int:
    """The round that a suggestion made of a prompt is for. Raises ConflictError when none is worked on."""
    at_work = rounds_at_work(session)
    if not at_work:
        raise refused("closed")
    return next((round_ for round_ in at_work if round_.id == review.round_id), at_work[0]).id or 0


def digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def hold(session: Session, round_id: int) -> Round:
    """A round whose suggestions nobody else changes before this transaction has ended."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(func.pg_advisory_xact_lock(_LOCK, round_id).select())
    round_ = session.get(Round, round_id, populate_existing=True)
    if round_ is None:
        raise NotFoundError
    if round_.state == "closed":
        raise refused("closed")
    return round_


def _hold_draft(session: Session, draft_id: int) -> tuple[Round, SuggestionDraft]:
    round_id = session.exec(select(SuggestionDraft.round_id).where(SuggestionDraft.id == draft_id)).first()
    if round_id is None:
        raise NotFoundError
    round_ = hold(session, round_id)
    return round_, session.get_one(SuggestionDraft, draft_id, populate_existing=True)


def _check_seen(draft: SuggestionDraft, seen: str) -> None:
    if seen != fingerprint(draft):
        raise refused("changed")


def note_act(
    session: Session, by: str, what: str, subject: str, now: datetime, round_: Round, **detail: object
) -> None:
    """Puts what was done on the trail, with the round it was done in."""
    told: dict[str, object] = {"round": round_.slug, **detail}
    record(session, by, f"suggestion.{what}", subject, "done", now, detail=told)
