"""What an operator does with a round: making a draft, changing it, opening it, closing it. Never commits."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from arena.errors import N_, ArenaError, ConflictError, InvalidError, NotFoundError, RefusedError
from arena.ledger.queries import log_of
from arena.office.round_form import hosts
from arena.office.round_toml import fingerprint, round_data
from arena.proofs.notes import SigningKey
from arena.ratings.actions import close_round
from arena.rounds.actions import create_round, revise_round, start_round
from arena.rounds.queries import find_round, open_round
from arena.rounds.rules import RoundFile
from arena.rounds.tables import Round
from arena.rounds.wanted import IN_CLEAR

REFUSALS: Final = {
    "slug_taken": N_("A round with this short name exists already. Please choose another."),
    "not_draft": N_("This round was opened before. Its rules are frozen and cannot be changed."),
    "not_open": N_("This round is not open, so it cannot be closed."),
    "changed_meanwhile": N_("Somebody changed this draft meanwhile. Please look at it as it is now, and try again."),
    "over": N_("This round is closed, so its endpoints are asked nothing more."),
    "another_open": N_("Another round is open. Close it first: citizens meet one round at a time."),
    "closes_in_the_past": N_("The time at which this round closes has passed. Change the draft first."),
    "wrong_key": N_("This server does not hold the key of this round's ledger, so it cannot close the round."),
    "anothers_key": N_(
        "Nothing was sent: another team uses the same variable for a key at another host. Please give each team the"
        " variable of its own key."
    ),
    "in_clear": IN_CLEAR,
    "confirm": N_("Please type the round's short name exactly as it is shown."),
    "why": N_("Please say why you close the round now."),
    "form": N_("Some fields need another look. Nothing was saved yet, and all that you typed is still here."),
    "at_this_moment": N_("Somebody was quicker. Please look at the round as it is now, and try again."),
}
"""Why something was refused, by the codes that the trail keeps."""


def refused(code: str) -> ArenaError:
    kind = InvalidError if code in ("confirm", "form", "why", "in_clear") else ConflictError
    return kind(REFUSALS[code], code=code)


def make(session: Session, file: RoundFile, languages: Sequence[str], now: datetime) -> Round:
    """A draft of a checked file. Raises ConflictError."""
    if find_round(session, file.slug):
        raise refused("slug_taken")
    return create_round(session, file, allow=hosts(file), now=now, suggestion_locales=languages)


def revise(session: Session, file: RoundFile, seen: str) -> Round:
    """Changes a draft that still is what its operator saw (`fingerprint`). Raises ArenaErrors."""
    _draft(session, file.slug, seen)
    return revise_round(session, file, allow=hosts(file))


def open_draft(session: Session, slug: str, seen: str, key: SigningKey, now: datetime) -> Round:
    """Opens a draft that still is what its operator saw. Raises ArenaErrors."""
    round_ = _draft(session, slug, seen)
    if why := hindrance(session, round_, now):
        raise refused(why)
    try:
        return start_round(session, slug, key, now)
    except RefusedError:
        raise refused("at_this_moment") from None


def hindrance(session: Session, round_: Round, now: datetime) -> str | None:
    """Why a draft cannot be opened now, if so."""
    if open_round(session) is not None:
        return "another_open"
    return "closes_in_the_past" if round_.closes_at and round_.closes_at <= now else None


def is_choice(round_: Round, now: datetime) -> bool:
    """Whether somebody who closes the round now chooses the moment, as it was not announced."""
    return round_.closes_at is None or now < round_.closes_at


def close(session: Session, slug: str, why: str, key: SigningKey, now: datetime) -> Round:
    """Closes an open round, and computes its final figures. Raises ArenaErrors."""
    round_ = found(session, slug)
    if round_.state != "open":
        raise refused("not_open")
    if is_choice(round_, now) and not why:
        raise refused("why")
    if not holds_key(session, round_, key):
        raise refused("wrong_key")
    try:
        return close_round(session, slug, key, now)
    except RefusedError:
        raise refused("at_this_moment") from None


def holds_key(session: Session, round_: Round, key: SigningKey) -> bool:
    """Whether `key` is that of a round's ledger; a draft has none yet, so any will do."""
    log = log_of(session, round_.id or 0)
    return log is None or log.verifier == str(key.verifier(log.origin))


def found(session: Session, slug: str) -> Round:
    """The round of this name, drafts too. Raises NotFoundError."""
    round_ = find_round(session, slug)
    if round_ is None:
        raise NotFoundError
    return round_


def _draft(session: Session, slug: str, seen: str) -> Round:
    round_ = found(session, slug)
    if round_.state != "draft":
        raise refused("not_draft")
    if fingerprint(round_data(session, round_)) != seen:
        raise refused("changed_meanwhile")
    return round_
