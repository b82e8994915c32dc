"""The office's first page: what waits for the person who reads it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, func, or_, select

from arena.accounts.queries import SignedIn
from arena.battles.queries import votes_cast
from arena.battles.tables import Appeal, Exclusion, Vote
from arena.office.home_pages import HomePage, RoundNow, Waiting
from arena.rounds.pages import RoundView
from arena.rounds.queries import open_round, published_rounds, view
from arena.rounds.tables import Proposal, Round, SuggestionDraft
from arena.screening.tables import Review
from arena.teams.tables import Entry, Outage
from arena.web.i18n import SEOUL


def home_page(session: Session, reader: SignedIn, locale: str, now: datetime) -> HomePage:
    found = open_round(session)
    operator = reader.role == "operator"
    waiting = _WAITING[reader.role](session, reader.code, found)
    return HomePage(
        role=reader.role,
        now=_now(session, found, locale, now, operator=operator) if found else None,
        waiting=tuple(item for item in waiting if item.number),
        rounds=_rounds(session, locale) if reader.role == "auditor" else (),
    )


def _rounds(session: Session, locale: str) -> tuple[RoundView, ...]:
    return tuple(view(round_, locale) for round_ in published_rounds(session))


def _now(session: Session, round_: Round, locale: str, now: datetime, *, operator: bool) -> RoundNow:
    """The open round alone takes votes, so that those since its opening are its own."""
    midnight = now.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    since = max(midnight, round_.opened_at or midnight)
    return RoundNow(
        round=view(round_, locale, operator=operator),
        votes=votes_cast(session, round_.id or 0),
        votes_today=_count(session, Vote, Vote.cast_at >= since),
    )


def _count(session: Session, table: type[Any], *where: Any) -> int:
    return session.exec(select(func.count()).select_from(table).where(*where)).one()


def _for_moderators(session: Session, reader: str, _round: Round | None) -> Iterator[Waiting]:
    queue = "/office/queue?state="
    yield Waiting("held", _count(session, Review, Review.state == "held"), queue + "held")
    flagged = _count(session, Review, Review.state == "waiting", col(Review.flagged))
    yield Waiting("flagged", flagged, queue + "flagged")
    others = or_(col(Review.decided_by).is_(None), Review.decided_by != reader)
    yield Waiting("escalated", _count(session, Review, Review.state == "escalated", others), queue + "escalated")
    neither = (SuggestionDraft.proposed_by != reader, func.coalesce(SuggestionDraft.edited_by, "") != reader)
    proposed = _count(session, SuggestionDraft, SuggestionDraft.state == "proposed", *neither)
    yield Waiting("suggestions", proposed, "/office/suggestions")


def _for_operators(session: Session, reader: str, round_: Round | None) -> Iterator[Waiting]:
    if round_ is None:
        return
    of_round = f"/rounds/{round_.slug}"
    changes = (Proposal.round_id == round_.id, Proposal.state == "waiting", Proposal.proposed_by != reader)
    yield Waiting("changes", _count(session, Proposal, *changes), of_round + "/changes")
    exclusions = (Exclusion.round_id == round_.id, Exclusion.state == "waiting", Exclusion.proposed_by != reader)
    yield Waiting("exclusions", _count(session, Exclusion, *exclusions), "/office/exclusions")
    yield Waiting("appeals", _count(session, Appeal, Appeal.state == "waiting"), "/office/exclusions")
    entries = select(Entry.id).where(Entry.round_id == round_.id)
    outages = (col(Outage.ended_at).is_(None), col(Outage.entry_id).in_(entries))
    yield Waiting("outages", _count(session, Outage, *outages), of_round + "/health")


def _for_auditors(_session: Session, _reader: str, _round: Round | None) -> Iterator[Waiting]:
    yield from ()


_WAITING: Final[Mapping[str, Callable[[Session, str, Round | None], Iterator[Waiting]]]] = {
    "operator": _for_operators,
    "moderator": _for_moderators,
    "auditor": _for_auditors,
}
