"""Suggestions on the landing page: marked to be taken out, and published in versions."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from arena.accounts.tables import Act
from arena.errors import N_, ArenaError, ConflictError, InvalidError, NotFoundError
from arena.moderation.suggestion_words import REFUSALS, check_alone, check_draft, read_note, refused
from arena.moderation.suggestions import digest, fingerprint, hold, note_act
from arena.rounds.queries import suggestion, suggestions_in, suggestions_version
from arena.rounds.tables import Round, Suggestion, SuggestionDraft, SuggestionVersion


@dataclass(frozen=True, slots=True)
class Coming:
    """What publishing now would do: to which version it would lead, what would come in and what would go."""

    number: int
    drafts: Sequence[SuggestionDraft]
    retired: Sequence[Suggestion]

    @property
    def fingerprint(self) -> str:
        """Tells this from what would be published after any change."""
        drafts = [fingerprint(draft) for draft in self.drafts]
        return digest(str(self.number), *drafts, *(item.code for item in self.retired))


def retire(session: Session, round_id: int, code: str, by: str, now: datetime) -> None:
    """Marks a suggestion in force: the next version, which somebody else publishes, is without it."""
    round_, item, number = _hold_published(session, round_id, code)
    item.until = number + 1
    note_act(session, by, "retire", f"suggestion-{code}", now, round_, before=_told(item), after=None)


def keep(session: Session, round_id: int, code: str, by: str, now: datetime) -> None:
    """Takes the mark of `retire` off."""
    round_, item, _ = _hold_published(session, round_id, code)
    item.until = None
    check_alone(session, round_id, item.text, item.locale, code=code)
    note_act(session, by, "keep", f"suggestion-{code}", now, round_, before=None, after=_told(item))


def coming(session: Session, round_id: int) -> Coming:
    """What waits for the next version."""
    newest = suggestions_version(session, round_id)
    approved = select(SuggestionDraft).where(
        SuggestionDraft.round_id == round_id, SuggestionDraft.state == "approved"
    )
    drafts = session.exec(approved.order_by(col(SuggestionDraft.id))).all()
    return Coming(newest + 1, drafts, [item for item in suggestions_in(session, round_id, newest) if item.until])


def publish(session: Session, round_id: int, by: str, now: datetime, *, seen: str, note: str) -> SuggestionVersion:
    """Makes the next version of what was approved and marked, if that is still what was `seen`.

    Whoever marked something to be taken out is refused: that takes two persons, as bringing in does.
    """
    round_ = hold(session, round_id)
    next_ = coming(session, round_id)
    if next_.fingerprint != seen:
        raise refused("changed")
    if not next_.drafts and not next_.retired:
        raise refused("nothing")
    if by in markers(session, round_, next_.retired).values():
        raise refused("own_mark")
    said = read_note(note)
    if not said:
        raise InvalidError(N_("Please say in a few words what this version changes."), code="note")
    version = SuggestionVersion(round_id=round_id, number=next_.number, note=said, published_by=by, published_at=now)
    session.add(version)
    added = [_bring_in(session, draft, next_.number) for draft in next_.drafts]
    after = {"version": next_.number, "in": added, "out": [item.code for item in next_.retired]}
    before = {"version": next_.number - 1}
    note_act(session, by, "publish", f"suggestions-{round_.slug}", now, round_, before=before, after=after, note=said)
    return version


def markers(session: Session, round_: Round, retired: Sequence[Suggestion]) -> dict[str, str]:
    """By the codes of suggestions that go, who marked each of them: they may not publish. The trail has it."""
    subjects = {f"suggestion-{item.code}": item.code for item in retired}
    marks = select(Act).where(col(Act.subject).in_(subjects), Act.what == "suggestion.retire", Act.outcome == "done")
    found = session.exec(marks.order_by(col(Act.id)))
    return {subjects[act.subject]: act.who for act in found if act.detail["round"] == round_.slug}


def _bring_in(session: Session, draft: SuggestionDraft, number: int) -> dict[str, str]:
    """Makes a suggestion of an approved proposal, whose words are checked once more: rules may have changed."""
    try:
        check_draft(session, draft)
    except ArenaError as error:
        raise ConflictError(REFUSALS["faulty"], code="faulty", other=draft.id) from error
    draft.state, draft.code = "published", f"s{draft.id}-{secrets.token_hex(4)}"
    item = Suggestion(
        round_id=draft.round_id,
        code=draft.code,
        locale=draft.locale,
        topic=draft.topic,
        text=draft.text,
        since=number,
    )
    session.add(item)
    return {"code": item.code, **_told(item)}


def _told(item: Suggestion) -> dict[str, str]:
    """A suggestion as the trail tells it."""
    return {"text": item.text, "topic": item.topic, "locale": item.locale}


def _hold_published(session: Session, round_id: int, code: str) -> tuple[Round, Suggestion, int]:
    """A suggestion in force, and the number of the version that it is in force in."""
    round_ = hold(session, round_id)
    item, number = suggestion(session, round_id, code), suggestions_version(session, round_id)
    if item is None:
        raise NotFoundError
    if item.until is not None and item.until <= number:
        raise refused("not_in_force")
    return round_, item, number
