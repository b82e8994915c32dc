"""A team's own page: whether its entry is treated like the others, and how its endpoint does."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, bindparam, case, func, or_, select
from sqlmodel import Session, col

from arena.battles.gateway import GOOD
from arena.battles.health import spread
from arena.battles.pages import FailureView
from arena.battles.tables import Answer, Battle, RawAnswer, Turn
from arena.office.team_pages import DayView, Exposure, OwnOutage, TeamPage
from arena.office.turn_sample import first_turn_since
from arena.rounds.queries import view
from arena.rounds.tables import Epoch, Round
from arena.teams.outages import outages
from arena.teams.queries import entries_of
from arena.teams.tables import Entry
from arena.web.i18n import SEOUL

DAYS_SHOWN: Final = 7
_SIDE = case((col(Battle.entry_a) == bindparam("entry"), "a"), else_="b")
"""Of a battle of the entry, the side that it was."""


class _Answer(NamedTuple):
    """One answer of the entry, in a turn that is over."""

    at: datetime
    ending: str
    first_token_ms: int | None
    total_ms: int | None
    characters: int | None

    @property
    def characters_a_second(self) -> float | None:
        if not self.characters or self.first_token_ms is None or self.total_ms is None:
            return None
        return 1000 * self.characters / max(1, self.total_ms - self.first_token_ms)


def team_page(session: Session, entry: Entry, locale: str, now: datetime) -> TeamPage:
    round_ = session.get_one(Round, entry.round_id)
    named = next(named for named in entries_of(session, entry.round_id) if named.id == entry.id)
    return TeamPage(
        round=view(round_, locale),
        team=named.name(locale),
        code=entry.code,
        at=now,
        exposure=_exposure(session, entry),
        days=_days(_answers(session, entry, round_.closed_at or now)),
        days_shown=DAYS_SHOWN,
        outages=tuple(
            OwnOutage(outage.began_at, outage.ended_at, outage.ending)
            for outage in outages(session, entry.round_id)
            if outage.entry_id == entry.id
        ),
        void=_void(session, entry),
        masked=_masked(session, entry),
        rules_hash=round_.rules_hash,
    )


def _exposure(session: Session, entry: Entry) -> Exposure:
    counted = (col(Battle.epoch), col(Battle.entry_a), col(Battle.entry_b))
    rows = session.execute(
        select(*counted, func.count())
        .where(col(Battle.round_id) == entry.round_id, col(Battle.state) != "void")
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


def _masked(session: Session, entry: Entry) -> int:
    """In how many answers of the entry names were masked: only such have a row as they came."""
    masked = (
        select(func.count())
        .select_from(RawAnswer)
        .join(Answer, col(Answer.id) == RawAnswer.answer_id)
        .join(Turn, col(Turn.id) == Answer.turn_id)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .where(*_of(entry), col(Answer.side) == _SIDE)
    )
    return int(session.execute(masked, {"entry": entry.id}).scalar_one())


def _of(entry: Entry) -> tuple[ColumnElement[bool], ...]:
    return col(Battle.round_id) == entry.round_id, or_(
        col(Battle.entry_a) == entry.id, col(Battle.entry_b) == entry.id
    )


def _answers(session: Session, entry: Entry, until: datetime) -> list[_Answer]:
    """What the entry answered in the days before, in turns that are over."""
    highest = session.execute(select(func.max(Turn.id))).scalar_one() or 0
    first = first_turn_since(session, until - timedelta(days=DAYS_SHOWN), 1, highest + 1)
    columns: tuple[Any, ...] = (
        Turn.created_at, Answer.ending, Answer.first_token_ms, Answer.total_ms, Answer.characters,
    )  # fmt: skip
    found = (
        select(*columns)
        .select_from(Turn)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .join(Answer, and_(col(Answer.turn_id) == Turn.id, col(Answer.side) == _SIDE))
        .where(*_of(entry), col(Turn.id) >= first, col(Turn.created_at) <= until)
        .where(col(Turn.state).in_(("complete", "failed")), col(Answer.ending).is_not(None))
    )
    return [_Answer(*row) for row in session.execute(found, {"entry": entry.id})]


def _days(answers: Iterable[_Answer]) -> tuple[DayView, ...]:
    by_day: defaultdict[datetime, list[_Answer]] = defaultdict(list)
    for answer in answers:
        by_day[answer.at.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)].append(answer)
    return tuple(_day(day, by_day[day]) for day in sorted(by_day, reverse=True))


def _day(day: datetime, answers: Sequence[_Answer]) -> DayView:
    failures = Counter(answer.ending for answer in answers if answer.ending not in GOOD)
    good = [answer for answer in answers if answer.ending in GOOD]
    return DayView(
        day=day,
        answers=len(answers),
        first_token_s=spread([a.first_token_ms / 1000 for a in good if a.first_token_ms is not None]),
        total_s=spread([a.total_ms / 1000 for a in good if a.total_ms is not None]),
        characters_a_second=spread([a.characters_a_second for a in good if a.characters_a_second]),
        failures=tuple(FailureView(ending, number) for ending, number in failures.most_common()),
    )
