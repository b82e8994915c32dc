"""A team's own page: whether its entry is treated like the others, and how its endpoint does.

Whoever has its link may vote as well, and must not learn from it on which side of their own comparison the entry is.
So the page is as of the last full hour and knows a comparison only by its vote: one that was left or void is dealt to
the same citizen again, on the same sides. Votes count in whole steps, as an hour with a single one would tell.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select
from sqlmodel import Session, col

from arena.battles.gateway import GOOD
from arena.battles.health import speed, spread
from arena.battles.pages import FailureView
from arena.battles.tables import Answer, Battle, RawAnswer, Turn, Vote
from arena.office.team_pages import DayView, Exposure, OwnOutage, TeamPage
from arena.office.turn_sample import first_turn_since
from arena.rounds.queries import names_revealed, view
from arena.rounds.tables import Epoch, Round
from arena.teams.outages import outages
from arena.teams.queries import entries_of
from arena.teams.tables import Entry
from arena.web.i18n import SEOUL

DAYS_SHOWN: Final = 7
STEP: Final = 20
"""Votes count so many at once."""
FEW: Final = 5
"""Fewer failures on a day are not told from none."""
_SIDE = case((col(Battle.entry_a) == bindparam("entry"), "a"), else_="b")
"""Of a battle of the entry, the side that it was."""


@dataclass(frozen=True, slots=True)
class _Horizon:
    """What the page may know: votes cast before `until` up to the id `vote`, and failures and outages before `day`.

    `complete` when the round is closed and its names are public: then it is all.
    """

    until: datetime
    vote: int
    day: datetime
    complete: bool

    @property
    def counted(self) -> tuple[ColumnElement[bool], ...]:
        """Which votes, joined with their battles, count."""
        return col(Vote.battle_id) == Battle.id, col(Vote.id) <= self.vote, col(Vote.cast_at) < self.until

    @property
    def first_day(self) -> datetime:
        return _midnight(self.day - timedelta(microseconds=1)) - timedelta(days=DAYS_SHOWN - 1)


class _Answer(NamedTuple):
    """One answer of the entry, in a turn that is over."""

    at: datetime
    ending: str
    first_token_ms: int | None
    total_ms: int | None
    characters: int | None


def team_page(session: Session, entry: Entry, locale: str, now: datetime) -> TeamPage:
    round_ = session.get_one(Round, entry.round_id)
    named = next(named for named in entries_of(session, entry.round_id) if named.id == entry.id)
    horizon = _horizon(session, round_, now)
    return TeamPage(
        round=view(round_, locale),
        team=named.name(locale),
        code=entry.code,
        at=horizon.until,
        complete=horizon.complete,
        step=STEP,
        few=FEW,
        exposure=_exposure(session, entry, horizon),
        days=_days(_answers(session, entry, horizon), fewest=1 if horizon.complete else FEW),
        days_shown=DAYS_SHOWN,
        outages=_outages(session, entry, horizon),
        void=_void(session, entry) if horizon.complete else None,
        masked=_masked(session, entry, horizon),
        rules_hash=round_.rules_hash,
    )


def _horizon(session: Session, round_: Round, now: datetime) -> _Horizon:
    if round_.closed_at and names_revealed(round_):
        end = round_.closed_at + timedelta(microseconds=1)
        return _Horizon(end, _last_vote(session, round_, end, 1), end, complete=True)
    until = now.replace(minute=0, second=0, microsecond=0)
    return _Horizon(until, _last_vote(session, round_, until, STEP), _midnight(until), complete=False)


def _last_vote(session: Session, round_: Round, until: datetime, step: int) -> int:
    """The id of the vote that ends the last whole step; 0 before the first."""
    cast = (
        select(col(Vote.id))
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(col(Battle.round_id) == round_.id, col(Vote.cast_at) < until)
    )
    steps = session.execute(select(func.count()).select_from(cast.subquery())).scalar_one() // step
    last = cast.order_by(col(Vote.id)).offset(steps * step - 1).limit(1)
    return session.execute(last).scalar_one() if steps else 0


def _midnight(at: datetime) -> datetime:
    return at.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)


def _exposure(session: Session, entry: Entry, horizon: _Horizon) -> Exposure:
    counted = (col(Battle.epoch), col(Battle.entry_a), col(Battle.entry_b))
    rows = session.execute(
        select(*counted, func.count())
        .join(Vote, and_(*horizon.counted))
        .where(col(Battle.round_id) == entry.round_id)
        .group_by(*counted)
    ).all()
    of_epoch, met, as_a = Counter[int](), Counter[int](), 0
    for epoch, a, b, number in rows:
        of_epoch[epoch] += number
        if entry.id in (a, b):
            met[b if a == entry.id else a] += number
            as_a += number if a == entry.id else 0
    mine, every = met.total(), of_epoch.total()
    return Exposure(
        battles=mine,
        as_a=as_a,
        as_b=mine - as_a,
        share=mine / every if every else None,
        equal=_equal(session, entry, of_epoch) / every if every else None,
        opponents=len(met),
        fewest=min(met.values(), default=0),
        most=max(met.values(), default=0),
    )


def _equal(session: Session, entry: Entry, battles: Counter[int]) -> float:
    """How many battles would have been the entry's, had all entries of each epoch had as many."""
    epochs = session.execute(
        select(col(Epoch.number), col(Epoch.entries)).where(col(Epoch.round_id) == entry.round_id)
    )
    return sum(2 * battles[number] / len(codes) for number, codes in epochs if entry.code in codes)


def _void(session: Session, entry: Entry) -> int:
    """How many battles became void by an answer of the entry."""
    failed = (
        select(func.count(col(Battle.id).distinct()))
        .join(Turn, col(Turn.battle_id) == Battle.id)
        .join(Answer, and_(col(Answer.turn_id) == Turn.id, col(Answer.side) == _SIDE))
        .where(*_of(entry), col(Battle.state) == "void", col(Answer.ending).not_in(GOOD))
    )
    return int(session.execute(failed, {"entry": entry.id}).scalar_one())


def _masked(session: Session, entry: Entry, horizon: _Horizon) -> int:
    """In how many answers of the entry names were masked: only such have a row as they came."""
    masked = (
        select(func.count())
        .select_from(RawAnswer)
        .join(Answer, col(Answer.id) == RawAnswer.answer_id)
        .join(Turn, col(Turn.id) == Answer.turn_id)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .join(Vote, and_(*horizon.counted))
        .where(*_of(entry), col(Answer.side) == _SIDE)
    )
    return int(session.execute(masked, {"entry": entry.id}).scalar_one())


def _of(entry: Entry) -> tuple[ColumnElement[bool], ...]:
    return col(Battle.round_id) == entry.round_id, or_(
        col(Battle.entry_a) == entry.id, col(Battle.entry_b) == entry.id
    )


def _outages(session: Session, entry: Entry, horizon: _Horizon) -> tuple[OwnOutage, ...]:
    """Only with the days when they began, until all is told."""
    found = [each for each in outages(session, entry.round_id) if each.entry_id == entry.id]
    if horizon.complete:
        return tuple(OwnOutage(each.began_at, each.ended_at, each.ending) for each in found)
    return tuple(
        OwnOutage(_midnight(each.began_at), None, each.ending) for each in found if each.began_at < horizon.day
    )


def _answers(session: Session, entry: Entry, horizon: _Horizon) -> list[_Answer]:
    """What the entry answered in the days before: where the votes count, and where it failed."""
    highest = session.execute(select(func.max(Turn.id))).scalar_one() or 0
    first = first_turn_since(session, horizon.first_day, 1, highest + 1)
    columns: tuple[Any, ...] = (
        Turn.created_at, Answer.ending, Answer.first_token_ms, Answer.total_ms, Answer.characters,
    )  # fmt: skip
    found = (
        select(*columns)
        .select_from(Turn)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .join(Answer, and_(col(Answer.turn_id) == Turn.id, col(Answer.side) == _SIDE))
        .outerjoin(Vote, and_(*horizon.counted))
        .where(*_of(entry), col(Turn.id) >= first, col(Turn.created_at) < horizon.day)
        .where(col(Turn.state).in_(("complete", "failed")), col(Answer.ending).is_not(None))
        .where(or_(col(Vote.id).is_not(None), col(Answer.ending).not_in(GOOD)))
    )
    return [_Answer(*row) for row in session.execute(found, {"entry": entry.id})]


def _days(answers: Iterable[_Answer], *, fewest: int) -> tuple[DayView, ...]:
    """The newest day first; of a day with fewer failures, none is told."""
    by_day: defaultdict[datetime, list[_Answer]] = defaultdict(list)
    for answer in answers:
        by_day[_midnight(answer.at)].append(answer)
    every = (_day(day, by_day[day], fewest) for day in sorted(by_day, reverse=True))
    return tuple(day for day in every if day.answers or day.failures)


def _day(day: datetime, answers: Sequence[_Answer], fewest: int) -> DayView:
    failures = Counter(answer.ending for answer in answers if answer.ending not in GOOD)
    good = [answer for answer in answers if answer.ending in GOOD]
    speeds = [speed(a.characters, a.first_token_ms, a.total_ms) for a in good]
    return DayView(
        day=day,
        answers=len(good),
        first_token_s=spread([a.first_token_ms / 1000 for a in good if a.first_token_ms is not None]),
        total_s=spread([a.total_ms / 1000 for a in good if a.total_ms is not None]),
        characters_a_second=spread([found for found in speeds if found is not None]),
        failures=tuple(FailureView(ending, number) for ending, number in failures.most_common())
        if failures.total() >= fewest
        else (),
    )
