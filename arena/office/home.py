"""The office's first page: what waits for the person who reads it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import Select

from arena.accounts.queries import SignedIn
from arena.battles.queries import votes_cast
from arena.battles.standing import waiting
from arena.battles.tables import Appeal, Battle, Vote
from arena.moderation.queries import count, first_round
from arena.moderation.queue_filter import HANDED_ON, Cell, cells_of
from arena.office.home_pages import HomePage, RoundNow, Waiting, WaitingFor
from arena.rounds.decisions import number_of
from arena.rounds.pages import RoundView
from arena.rounds.queries import open_round, published_rounds, title, view
from arena.rounds.tables import Proposal, Round, SuggestionDraft
from arena.teams.tables import Entry, Outage
from arena.web.i18n import SEOUL


def home_page(session: Session, reader: SignedIn, locale: str, now: datetime) -> HomePage:
    found = open_round(session)
    operator = reader.role == "operator"
    items = _WAITING[reader.role](session, reader.code, found, locale)
    return HomePage(
        role=reader.role,
        now=_now(session, found, locale, now, operator=operator) if found else None,
        waiting=tuple(item for item in items if item.number),
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


def _for_moderators(session: Session, reader: str, _round: Round | None, locale: str) -> Iterator[Waiting]:
    shown = first_round(session)
    if shown:
        numbers = count(session, shown.id or 0, _IN_QUEUE, reader)
        yield from (Waiting(what, number, f"/office/queue?state={what}") for what, number in numbers.items())
    drafts = (
        select(Round, func.count())
        .join(SuggestionDraft, col(SuggestionDraft.round_id) == Round.id)
        .where(Round.state != "closed", SuggestionDraft.state == "proposed", SuggestionDraft.proposed_by != reader)
        .where(func.coalesce(SuggestionDraft.edited_by, "") != reader)
    )
    yield from _by_round(session, "suggestions", drafts, "/office/suggestions", locale)


def _by_round(
    session: Session, what: WaitingFor, found: Select[Round, int], path: str, locale: str
) -> Iterator[Waiting]:
    """The open round's first, then the newest."""
    for round_, number in session.exec(
        found.group_by(col(Round.id)).order_by(col(Round.state) != "open", col(Round.id).desc())
    ):
        name = None if round_.state == "open" else title(round_, locale)
        yield Waiting(what, number, f"{path}?round={round_.slug}", name)


def _for_operators(session: Session, reader: str, round_: Round | None, locale: str) -> Iterator[Waiting]:
    if round_:
        yield from _in_round(session, reader, round_)
    appeals = (
        select(Round, func.count())
        .join(Battle, col(Battle.round_id) == Round.id)
        .join(Vote, col(Vote.battle_id) == Battle.id)
        .join(Appeal, col(Appeal.vote_id) == Vote.id)
        .where(Appeal.state == "waiting")
    )
    yield from _by_round(session, "appeals", appeals, "/office/exclusions", locale)


def _in_round(session: Session, reader: str, round_: Round) -> Iterator[Waiting]:
    of_round = f"/rounds/{round_.slug}"
    changes = (Proposal.round_id == round_.id, Proposal.state == "waiting", Proposal.proposed_by != reader)
    yield Waiting("changes", _count(session, Proposal, *changes), of_round + "/changes")
    yield Waiting("exclusions", _decidable(session, reader, round_), "/office/exclusions")
    entries = select(Entry.id).where(Entry.round_id == round_.id)
    outages = (col(Outage.ended_at).is_(None), col(Outage.entry_id).in_(entries))
    yield Waiting("outages", _count(session, Outage, *outages), of_round + "/health")


def _decidable(session: Session, reader: str, round_: Round) -> int:
    """How many proposals about votes can be decided now, and not by whoever proposed them."""
    proposals = waiting(session, round_.id or 0)
    ready = session.execute(select(proposals.c.proposed_by).where(proposals.c.standing == "ready")).scalars()
    return sum(number_of(by) != number_of(reader) for by in ready)


def _for_auditors(_session: Session, _reader: str, _round: Round | None, _locale: str) -> Iterator[Waiting]:
    yield from ()


_IN_QUEUE: Final[Mapping[WaitingFor, Sequence[Cell]]] = {
    "held": cells_of("held"),
    "flagged": cells_of("flagged"),
    "escalated": HANDED_ON,
}
_WAITING: Final[Mapping[str, Callable[[Session, str, Round | None, str], Iterator[Waiting]]]] = {
    "operator": _for_operators,
    "moderator": _for_moderators,
    "auditor": _for_auditors,
}
