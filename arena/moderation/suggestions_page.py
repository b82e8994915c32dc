"""The moderators' pages of suggestions, read from the database."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlmodel import Session, col, select

from arena.accounts.trail import acts_on
from arena.errors import NotFoundError
from arena.moderation.suggestion_pages import (
    DraftPage,
    NextPage,
    Problem,
    SuggestionsPage,
    VersionPage,
    WritingPage,
)
from arena.moderation.suggestion_versions import coming, markers
from arena.moderation.suggestion_views import (
    act_view,
    as_published,
    balance_of,
    choice_of,
    declined_why,
    draft_view,
    groups_of,
    item_view,
    shown,
    versions_of,
)
from arena.moderation.suggestion_words import TAKING_OVER, why_not_taken
from arena.moderation.suggestions import REASONS, fingerprint, round_of_review, rounds_at_work
from arena.rounds.queries import find_round, suggestions_in, suggestions_version
from arena.rounds.tables import Round, SuggestionDraft
from arena.rounds.topics import TOPICS
from arena.screening.tables import Review
from arena.web.pages import LOCALES, Locale

DECLINED_SHOWN: Final = 20
ACTS_SHOWN: Final = 100


def suggestions_page(
    session: Session, slug: str, locale: Locale, reader: str, *, problem: Problem | None = None
) -> SuggestionsPage:
    """The desk of the round with this slug; with none, of the open one. Raises NotFoundError."""
    at_work = rounds_at_work(session)
    round_ = _chosen(at_work, slug)
    drafts = _drafts(session, round_) if round_ else ()
    newest = suggestions_version(session, round_.id or 0) if round_ else 1
    items = [item_view(item, newest) for item in suggestions_in(session, round_.id or 0, newest)] if round_ else []
    why = declined_why(session, [draft for draft in drafts if draft.state == "declined"])
    views = [draft_view(draft, reader, why) for draft in drafts]
    groups = groups_of(items, views)
    return SuggestionsPage(
        rounds=tuple(choice_of(found, locale) for found in at_work),
        round=choice_of(round_, locale) if round_ else None,
        closed=tuple(choice_of(found, locale) for found in _closed(session)),
        waiting=tuple(view for view in views if view.state == "proposed"),
        approved=tuple(view for view in views if view.state == "approved"),
        declined=tuple(view for view in reversed(views) if view.state == "declined")[:DECLINED_SHOWN],
        groups=groups,
        balance=tuple(balance_of(groups, language) for language in LOCALES),
        going=sum(item.going for item in items),
        versions=versions_of(session, round_) if round_ else (),
        problem=problem,
    )


def writing_page(
    session: Session,
    slug: str,
    review_id: int | None,
    locale: Locale,
    *,
    kept: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> WritingPage:
    """The form for a question, with a citizen's words where they may be taken over. Raises NotFoundError."""
    review = session.get(Review, review_id) if review_id else None
    if review_id and review is None:
        raise NotFoundError
    why = why_not_taken(session, review) if review else None
    first = {"text": review.text if review and why is None else "", "locale": review.locale if review else locale}
    return WritingPage(
        round=choice_of(_round_for(session, slug, review), locale),
        review=review_id,
        why=TAKING_OVER[why] if why else None,
        kept=first | dict(kept or {}),
        problem=problem,
        topics=TOPICS,
    )


def _round_for(session: Session, slug: str, review: Review | None) -> Round:
    if review:
        return session.get_one(Round, round_of_review(session, review))
    found = _chosen(rounds_at_work(session), slug)
    if found is None:
        raise NotFoundError
    return found


def draft_page(
    session: Session,
    draft_id: int,
    locale: Locale,
    reader: str,
    *,
    form: str = "",
    kept: Mapping[str, str] | None = None,
    problem: Problem | None = None,
) -> DraftPage:
    """A proposal. Raises NotFoundError."""
    draft = session.get(SuggestionDraft, draft_id)
    if draft is None:
        raise NotFoundError
    round_ = session.get_one(Round, draft.round_id)
    return DraftPage(
        round=choice_of(round_, locale),
        reader=reader,
        draft=draft_view(draft, reader, declined_why(session, [draft])),
        seen=fingerprint(draft),
        open=round_.state != "closed" and draft.state in ("proposed", "approved"),
        kept={"text": draft.text, "topic": draft.topic, "locale": draft.locale} | dict(kept or {}),
        reasons=REASONS,
        acts=tuple(act_view(act, locale) for act in acts_on(session, f"suggestion-{draft_id}", limit=ACTS_SHOWN)),
        form=form,
        problem=problem,
        topics=TOPICS,
    )


def next_page(
    session: Session,
    slug: str,
    locale: Locale,
    reader: str,
    *,
    shuffle: int = 0,
    note: str = "",
    problem: Problem | None = None,
) -> NextPage:
    """What publishing would do now. Raises NotFoundError."""
    round_ = _chosen(rounds_at_work(session), slug)
    if round_ is None or round_.id is None:
        raise NotFoundError
    next_ = coming(session, round_.id)
    staying = [item for item in suggestions_in(session, round_.id, next_.number - 1) if item.until is None]
    marked_by = markers(session, round_, next_.retired)
    every = [*staying, *(as_published(draft) for draft in next_.drafts)]
    return NextPage(
        round=choice_of(round_, locale),
        number=next_.number,
        new=tuple(draft_view(draft, reader, {}) for draft in next_.drafts),
        going=tuple(item_view(item, next_.number - 1) for item in next_.retired),
        marked_by=marked_by,
        barred=reader in marked_by.values(),
        staying=len(staying),
        shown={language: shown(every, language, shuffle) for language in LOCALES},
        shuffle=shuffle,
        seen=next_.fingerprint,
        note=note,
        problem=problem,
    )


def version_page(session: Session, slug: str, number: int, locale: Locale) -> VersionPage:
    """A version of any round's suggestions. Raises NotFoundError."""
    round_ = find_round(session, slug)
    versions = versions_of(session, round_) if round_ else ()
    version = next((found for found in versions if found.number == number), None)
    if round_ is None or round_.id is None or version is None:
        raise NotFoundError
    items = suggestions_in(session, round_.id, number)
    before = suggestions_in(session, round_.id, number - 1)
    return VersionPage(
        round=choice_of(round_, locale),
        version=version,
        versions=versions,
        came=tuple(item_view(item, 0) for item in items if item.since == number > 1),
        went=tuple(item_view(item, 0) for item in before if item.until == number),
        groups=groups_of([item_view(item, 0) for item in items], ()),
    )


def _chosen(at_work: Sequence[Round], slug: str) -> Round | None:
    if not slug:
        return next(iter(at_work), None)
    found = next((round_ for round_ in at_work if round_.slug == slug), None)
    if found is None:
        raise NotFoundError
    return found


def _closed(session: Session) -> Sequence[Round]:
    return session.exec(select(Round).where(Round.state == "closed").order_by(col(Round.id).desc())).all()


def _drafts(session: Session, round_: Round) -> Sequence[SuggestionDraft]:
    found = select(SuggestionDraft).where(SuggestionDraft.round_id == round_.id, SuggestionDraft.state != "published")
    return session.exec(found.order_by(col(SuggestionDraft.id))).all()
