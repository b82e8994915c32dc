"""Rows of suggestions as the moderators' pages show them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.moderation.suggestion_pages import (
    ActView,
    Balance,
    DraftView,
    ItemView,
    RoundChoice,
    ShownView,
    TopicGroup,
    VersionView,
)
from arena.moderation.suggestion_words import FAULTS, REFUSALS, TAKING_OVER
from arena.moderation.suggestions import SAME_PERSON, authors
from arena.rounds.queries import title
from arena.rounds.tables import Round, Suggestion, SuggestionDraft, SuggestionVersion
from arena.rounds.topics import TOPICS, handful, topic_name
from arena.web.i18n import translations
from arena.web.pages import LOCALES, Locale

SHOWN: Final = 4
HEAVY_FROM: Final = 6
"""With fewer suggestions in a language than this, no topic has too many."""
WORDS: Final = FAULTS | REFUSALS | TAKING_OVER | {"same_person": SAME_PERSON}
"""What was refused, by the codes that the trail keeps."""


def choice_of(round_: Round, locale: Locale) -> RoundChoice:
    return RoundChoice(round_.slug, title(round_, locale), round_.state)


def draft_view(draft: SuggestionDraft, reader: str, why: Mapping[str, Act]) -> DraftView:
    told = why.get(f"suggestion-{draft.id}")
    return DraftView(
        id=draft.id or 0,
        text=draft.text,
        topic=topic_name(draft.topic),
        locale=draft.locale,
        state=draft.state,
        proposed_by=draft.proposed_by,
        proposed_at=draft.proposed_at,
        edited_by=draft.edited_by,
        edited_at=draft.edited_at,
        decided_by=draft.decided_by,
        decided_at=draft.decided_at,
        review=draft.review_id,
        mine=reader in authors(draft),
        reason=str(told.detail["reason"]) if told else "",
        note=str(told.detail["note"]) if told else "",
    )


def declined_why(session: Session, drafts: Iterable[SuggestionDraft]) -> dict[str, Act]:
    """By subject, the acts that declined these."""
    subjects = [f"suggestion-{draft.id}" for draft in drafts]
    found = select(Act).where(col(Act.subject).in_(subjects), Act.what == "suggestion.decline", Act.outcome == "done")
    return {act.subject: act for act in session.exec(found)} if subjects else {}


def item_view(item: Suggestion, version: int) -> ItemView:
    return ItemView(item.code, item.text, topic_name(item.topic), item.locale, going=item.until == version + 1)


def groups_of(items: Sequence[ItemView], drafts: Sequence[DraftView]) -> tuple[TopicGroup, ...]:
    """By topic and language, in the topics' own order; topics that are not known any more come last."""
    waiting = Counter((draft.topic, draft.locale) for draft in drafts if draft.state in ("proposed", "approved"))
    names = TOPICS | {item.topic: item.topic for item in items if item.topic not in TOPICS.values()}
    return tuple(
        TopicGroup(
            code=code,
            name=name,
            items={lang: tuple(it for it in items if (it.topic, it.locale) == (name, lang)) for lang in LOCALES},
            waiting={lang: waiting[name, lang] for lang in LOCALES},
        )
        for code, name in names.items()
    )


def balance_of(groups: Sequence[TopicGroup], locale: Locale) -> Balance:
    counts = {group.name: len(group.items[locale]) for group in groups}
    total = sum(counts.values())
    fullest = max(counts, key=lambda name: counts[name])
    return Balance(
        locale=locale,
        total=total,
        missing=tuple(name for name, count in counts.items() if not count),
        heavy=fullest if total >= HEAVY_FROM and 3 * counts[fullest] > total else None,
    )


def versions_of(session: Session, round_: Round) -> tuple[VersionView, ...]:
    """The newest first."""
    found = select(SuggestionVersion).where(SuggestionVersion.round_id == round_.id)
    rows = session.exec(found.order_by(col(SuggestionVersion.number).desc()))
    later = [VersionView(row.number, row.note, row.published_by, row.published_at) for row in rows]
    return (*later, VersionView(1, "", None, round_.created_at))


def as_published(draft: SuggestionDraft) -> Suggestion:
    """A proposal as it will be; not to be stored."""
    return Suggestion(
        round_id=draft.round_id, code=str(draft.id), locale=draft.locale, topic=draft.topic, text=draft.text
    )


def shown(every: Sequence[Suggestion], locale: Locale, shuffle: int) -> tuple[ShownView, ...]:
    found = handful(every, locale, limit=SHOWN, shuffle=shuffle)
    return tuple(ShownView(item.text, topic_name(item.topic), item.locale) for item in found)


def act_view(act: Act, locale: Locale) -> ActView:
    message = WORDS.get(act.why, "")
    after = act.detail.get("after")
    return ActView(
        at=act.at,
        who=act.who,
        what=act.what,
        done=act.outcome == "done",
        why="" if "%(" in message else translations(locale).gettext(message) if message else "",
        text=after.get("text", "") if act.what in ("suggestion.propose", "suggestion.edit") and after else "",
    )
