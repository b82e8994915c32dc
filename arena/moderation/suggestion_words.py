"""What a suggestion's words have to be like."""

import unicodedata
from typing import Final

from sqlmodel import Session, col, select

from arena.accounts.tables import Consent
from arena.errors import N_, ConflictError, InvalidError
from arena.rounds.queries import suggestions_in, suggestions_version
from arena.rounds.tables import SuggestionDraft
from arena.rounds.topics import TOPICS
from arena.screening.personal import PERSONAL, refuse_personal_data
from arena.screening.queries import rules_in_force
from arena.screening.tables import Review
from arena.web.pages import LOCALES

SHORTEST, LONGEST = 10, 300
NOTE_LIMIT: Final = 300
FAULTS: Final = {
    "text": N_("Please write the question in %(shortest)s to %(longest)s letters."),
    "topic": N_("Please choose one of the topics."),
    "locale": N_("Please choose the language in which the question is written."),
    "personal": PERSONAL,
    "forbidden": N_("The rules for questions would not let this through. Please write it differently."),
    "same_words": N_("These are the citizen's own words, which may not be taken over. Please use words of your own."),
}
TAKING_OVER: Final = {
    "erased": N_("The citizen has erased this question, so it cannot be taken over. You can write one anew."),
    "no_consent": N_(
        "The citizen did not agree that their questions are published. Please write the idea in words of your own."
    ),
    "rejected": N_(
        "This question was hidden or rejected, so its words cannot be taken over. You can write one anew."
    ),
    "masked": N_(
        "Personal details were taken out of this question, so it cannot be taken over as it is."
        " Please write the idea in words of your own."
    ),
}
"""Why a citizen's words may not become a suggestion."""

REFUSALS: Final = {
    "closed": N_("This round is closed, so its suggestions stay as they are."),
    "changed": N_("Somebody changed this in the meantime. Please look at it again as it is now."),
    "decided": N_("This was decided already, so it cannot be changed any more."),
    "not_waiting": N_("This does not wait for approval any more."),
    "not_in_force": N_("This suggestion is not on the landing page any more."),
    "published_there": N_("The same question is there already: suggestion %(other)s."),
    "waiting_there": N_("The same question is waiting already: proposal %(other)s."),
    "nothing": N_("Nothing is ready to be published. Something has to be approved first, or marked to be taken out."),
    "own_mark": N_(
        "You marked a question to be taken out, so another moderator has to publish this version."
        " Nobody takes a question out alone."
    ),
    "faulty": N_("Proposal %(other)s cannot be published as it is. Open it to see why, then edit or decline it."),
}

_MARKS: Final = frozenset(",.!?;:…·~、。'\"‘’“”()[]{}<>《》「」『』")


def cleaned(text: str) -> str:
    """In one line, without control characters and marks that turn the direction of writing."""
    shown = (char if unicodedata.category(char)[0] != "C" else " " * char.isspace() for char in text)
    return " ".join(unicodedata.normalize("NFC", "".join(shown)).split())


def folded(text: str) -> str:
    """For comparing: case, width, spaces and sentence marks make no difference."""
    plain = unicodedata.normalize("NFKC", cleaned(text)).casefold()
    return "".join(char for char in plain if not char.isspace() and char not in _MARKS)


def check_words(session: Session, text: str, topic: str, locale: str) -> None:
    """Raises InvalidError with the field's name or the fault as its code."""
    if not SHORTEST <= len(text) <= LONGEST or not folded(text):
        raise InvalidError(FAULTS["text"], code="text", shortest=SHORTEST, longest=LONGEST)
    if topic not in TOPICS:
        raise _fault("topic")
    if locale not in LOCALES:
        raise _fault("locale")
    refuse_personal_data(text)
    if any(finding.level != "log" for finding in rules_in_force(session).findings(text)):
        raise _fault("forbidden")


def check_own_words(session: Session, review: Review, text: str) -> None:
    """Raises InvalidError where a text is a citizen's and they, or their prompt, do not allow that."""
    if why_not_taken(session, review) and folded(text) == folded(review.text):
        raise _fault("same_words")


def why_not_taken(session: Session, review: Review) -> str | None:
    """A key of TAKING_OVER; None when the words may become a suggestion."""
    if not review.text:
        return "erased"
    if review.state in ("hidden", "rejected"):
        return "rejected"
    if review.masked:
        return "masked"
    newest = select(Consent.publish).where(Consent.voter_id == review.voter_id).order_by(col(Consent.id).desc())
    return None if session.exec(newest).first() else "no_consent"


def _fault(code: str) -> InvalidError:
    return InvalidError(FAULTS[code], code=code)


def refused(code: str, **params: object) -> ConflictError:
    return ConflictError(REFUSALS[code], code=code, **params)


def check_draft(session: Session, draft: SuggestionDraft) -> None:
    """Raises ArenaErrors where a proposal could not be published."""
    with session.no_autoflush:
        review = session.get(Review, draft.review_id) if draft.review_id else None
        if review and not review.text:
            raise InvalidError(TAKING_OVER["erased"], code="erased")
        if review:
            check_own_words(session, review, draft.text)
        check_words(session, draft.text, draft.topic, draft.locale)
        check_alone(session, draft.round_id, draft.text, draft.locale, draft_id=draft.id)


def check_alone(
    session: Session, round_id: int, text: str, locale: str, *, draft_id: int | None = None, code: str = ""
) -> None:
    """Raises ConflictError when another one of this language, published or waiting, has the same words."""
    fold = folded(text)
    in_force = suggestions_in(session, round_id, suggestions_version(session, round_id))
    for item in in_force:
        if item.until is None and item.code != code and item.locale == locale and folded(item.text) == fold:
            raise refused("published_there", other=item.code)
    waiting = select(SuggestionDraft).where(
        SuggestionDraft.round_id == round_id,
        SuggestionDraft.locale == locale,
        col(SuggestionDraft.state).in_(("proposed", "approved")),
    )
    for draft in session.exec(waiting.order_by(col(SuggestionDraft.id))):
        if draft.id != draft_id and folded(draft.text) == fold:
            raise refused("waiting_there", other=draft.id)


def read_note(note: str) -> str:
    """A note in one line; it stays on the trail for ever. Raises InvalidError."""
    said = cleaned(note)
    refuse_personal_data(said)
    if len(said) > NOTE_LIMIT:
        raise InvalidError(N_("Please keep the note below %(limit)s letters."), code="note", limit=NOTE_LIMIT)
    return said
