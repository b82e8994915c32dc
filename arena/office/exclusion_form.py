"""The forms that propose to take votes out or back in: read, checked line by line, shown with their effect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from arena.battles.exclusions import (
    MOST_BATTLES,
    REASONS,
    REFUSALS,
    check_note,
    find_proposal,
    propose_exclusion,
    propose_reinstatement,
)
from arena.battles.standing import EXCLUDE, REINSTATE
from arena.battles.tables import Appeal, Vote
from arena.errors import N_, ConflictError, InvalidError, NotFoundError
from arena.office.effect import Move, still_out, weigh
from arena.office.exclusion_choice import FAULTS, Bad, Chosen, by_numbers, by_rejected, by_voter
from arena.office.exclusion_pages import CheckPage, Fault
from arena.office.exclusion_views import appeal_view, effect_view, rejected_view, vote_rows
from arena.rounds.decisions import UNKNOWN
from arena.rounds.queries import published_round, view
from arena.rounds.tables import Round
from arena.screening.tables import Review

LARGEST = 2**31 - 1
Fields = dict[str, list[str]]

SOME_LINES = N_("Some lines name no vote that could be chosen. Nothing was proposed; please correct these lines.")


class FaultyError(InvalidError):
    """Names the lines that were not understood."""

    code = "lines"
    message = SOME_LINES

    def __init__(self, bad: Sequence[Bad]) -> None:
        super().__init__()
        self._bad = tuple(bad)

    def faults(self, gettext: Callable[[str], str]) -> tuple[Fault, ...]:
        return tuple(Fault(bad.line, bad.text[:80], gettext(FAULTS[bad.why])) for bad in self._bad)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator wants to propose. `reviews` are rejected questions, each of which is a proposal of its own."""

    round: Round
    kind: str
    reason: str
    note: str
    battles: tuple[str, ...]
    reviews: dict[int, str]
    appeal: Appeal | None


def read_wanted(session: Session, form: Fields) -> Wanted:
    """What a form proposes; one that was confirmed has `battles`. Raises ArenaErrors."""
    typed = {name: values[0].strip() for name, values in form.items()}
    round_ = published_round(session, typed.get("round", ""))
    if round_.state != "open":
        raise ConflictError(REFUSALS["round_closed"], code="round_closed")
    kind, note = typed.get("kind", EXCLUDE), typed.get("note", "").replace("\0", "")
    how = typed.get("how", "")
    appeal = _appeal(session, typed.get("appeal", "")) if how == "appeal" else None
    reviews = _reviews(session, round_, form) if how == "rejected" else {}
    reason = {"appeal": "appeal_upheld", "rejected": "rejected_prompt"}.get(how, typed.get("reason", ""))
    if kind not in REASONS or reason not in REASONS[kind]:
        raise InvalidError(UNKNOWN, code="unknown_reason")
    check_note(note)
    battles = tuple(dict.fromkeys(reviews.values())) or _battles(session, round_, kind, typed, appeal)
    return Wanted(round_, kind, reason, note, _bounded(battles), reviews, appeal)


def _battles(
    session: Session, round_: Round, kind: str, typed: dict[str, str], appeal: Appeal | None
) -> tuple[str, ...]:
    if appeal is not None:
        return (session.get_one(Vote, appeal.vote_id).battle_id,)
    if "battles" in typed:
        return tuple(dict.fromkeys(typed["battles"].split()))
    if "of" in typed:
        return still_out(session, find_proposal(session, number_in(typed["of"])))
    if typed.get("how") == "voter":
        return _good(by_voter(session, round_, typed.get("voter", "")))
    numbers = typed.get("numbers", "")
    if len(numbers.splitlines()) > MOST_BATTLES:
        raise InvalidError(REFUSALS["too_many"], code="too_many")
    return _good(by_numbers(session, round_, kind, numbers))


def number_in(text: str) -> int:
    """A row's number in a form; 0, which no row has, for anything else."""
    number = int(text) if text.isdecimal() and len(text) <= len(str(LARGEST)) else 0
    return number if number <= LARGEST else 0


def _good(chosen: Chosen) -> tuple[str, ...]:
    if chosen.bad:
        raise FaultyError(chosen.bad)
    return chosen.battles


def _bounded(battles: tuple[str, ...]) -> tuple[str, ...]:
    if not battles:
        raise InvalidError(REFUSALS["no_votes"], code="no_votes")
    if len(battles) > MOST_BATTLES:
        raise InvalidError(REFUSALS["too_many"], code="too_many")
    return battles


def _reviews(session: Session, round_: Round, form: Fields) -> dict[int, str]:
    ticked = set(map(number_in, " ".join(form.get("review", [])).split()))
    found = by_rejected(session, round_, ticked)
    if len(found) < len(ticked):
        raise ConflictError(FAULTS["rejected"], code="changed")
    if not found:
        raise InvalidError(REFUSALS["no_votes"], code="no_votes")
    return found


def _appeal(session: Session, number: str) -> Appeal:
    found = session.get(Appeal, number_in(number))
    if found is None:
        raise NotFoundError
    return found


def propose(session: Session, wanted: Wanted, by: str, now: datetime) -> list[int]:
    """Puts it before the other operators; returns the proposals' ids. Raises ArenaErrors."""
    round_id, note = wanted.round.id or 0, wanted.note
    if wanted.kind == REINSTATE:
        made = [propose_reinstatement(session, round_id, wanted.battles, wanted.reason, by, now, note=note)]
    elif wanted.reviews:
        made = [
            propose_exclusion(session, round_id, [battle], wanted.reason, by, now, review_id=review, note=note)
            for review, battle in sorted(wanted.reviews.items())
        ]
    else:
        made = [propose_exclusion(session, round_id, wanted.battles, wanted.reason, by, now, note=note)]
    return [proposal.id or 0 for proposal in made]


def check_page(session: Session, wanted: Wanted, locale: str) -> CheckPage:
    """With the effect now; the session has to read at one moment."""
    weighed = weigh(session, wanted.round, [Move(wanted.kind, wanted.battles)])
    reviews = [session.get_one(Review, review) for review in sorted(wanted.reviews)]
    return CheckPage(
        round=view(wanted.round, locale, operator=True),
        kind=wanted.kind,
        reason=wanted.reason,
        note=wanted.note,
        votes=vote_rows(session, wanted.round, wanted.battles),
        number=len(wanted.battles),
        questions=tuple(map(rejected_view, reviews)),
        appeal=appeal_view(session, wanted.appeal) if wanted.appeal else None,
        effect=effect_view(session, wanted.round, weighed, locale),
        fields=_fields(wanted),
    )


def _fields(wanted: Wanted) -> dict[str, str]:
    """What goes on unseen until it is confirmed."""
    fields = {"round": wanted.round.slug, "kind": wanted.kind, "reason": wanted.reason, "note": wanted.note}
    if wanted.reviews:
        return fields | {"how": "rejected", "review": " ".join(map(str, sorted(wanted.reviews)))}
    if wanted.appeal:
        return fields | {"how": "appeal", "appeal": str(wanted.appeal.id)}
    how = "numbers" if wanted.kind == EXCLUDE else "reinstate"
    return fields | {"how": how, "battles": " ".join(wanted.battles)}
