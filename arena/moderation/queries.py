"""Reads of the review queue. But for a search, no statement touches more of an index than the page shows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import BindParameter, ColumnElement, Integer, Select, String, bindparam, cast, func, select, union_all
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from arena.battles.tables import Turn
from arena.errors import NotFoundError
from arena.moderation.actions import UNDECIDED, UNDO_FOR
from arena.moderation.pages import (
    COUNT_CAP,
    FLAG_NAMES,
    FlagView,
    LastAct,
    QueuePage,
    ReviewView,
    RoundChoice,
    Words,
)
from arena.moderation.plain import folded, visible
from arena.moderation.queue_filter import GROUPS, STATES, Cell, Filter, Place, State, cells_of
from arena.rounds.queries import open_round, published_round, published_rounds, title
from arena.rounds.tables import Round
from arena.screening.tables import Review
from arena.web.i18n import translations
from arena.web.pages import Locale

T = TypeVar("T")
PAGE_SIZE: Final = 50


def queue_page(
    session: Session, wanted: Filter, by: str, locale: Locale, now: datetime, problems: Sequence[str] = ()
) -> QueuePage:
    """A page of the queue for the moderator whose code is `by`; the first where the one that is wanted is empty.

    Raises NotFoundError for an unknown round.
    """
    rounds = published_rounds(session)
    choices = tuple(RoundChoice(each.slug, title(each, locale)) for each in rounds)
    if not rounds and not wanted.round:
        return nothing_yet(wanted, problems)
    round_ = chosen_round(session, wanted)
    assert round_.id is not None
    earlier, places, later = _page(session, round_.id, wanted, by)
    if not places and wanted != wanted.beginning:
        return queue_page(session, wanted.beginning, by, locale, now, problems)
    return QueuePage(
        wanted=wanted,
        round=RoundChoice(round_.slug, title(round_, locale)),
        rounds=choices,
        demo=round_.demo,
        counts=counts(session, round_.id, by),
        reviews=review_views(session, [place.id for place in places], by, locale, now),
        earlier=wanted.path(before=str(places[0])) if earlier else None,
        later=wanted.path(after=str(places[-1])) if later else None,
        newest=newest(session, round_.id),
        last=_last(session, by, now),
        problems=tuple(problems),
    )


def nothing_yet(wanted: Filter, problems: Sequence[str]) -> QueuePage:
    """The page before the first round."""
    return QueuePage(
        wanted=wanted,
        round=None,
        rounds=(),
        demo=False,
        counts={},
        reviews=(),
        earlier=None,
        later=None,
        newest=0,
        last=None,
        problems=tuple(problems),
    )


def chosen_round(session: Session, wanted: Filter) -> Round:
    """The round of the filter; else the open one, else the newest. Raises NotFoundError."""
    found = published_round(session, wanted.round) if wanted.round else first_round(session)
    if found is None:
        raise NotFoundError
    return found


def first_round(session: Session) -> Round | None:
    """The open round, else the newest that was opened."""
    return open_round(session) or next(iter(published_rounds(session)), None)


def _page(session: Session, round_id: int, wanted: Filter, by: str) -> tuple[bool, list[Place], bool]:
    """The places of a page, and whether there are others before and after it."""
    after, before = Place.read(wanted.after), Place.read(wanted.before)
    if before is not None:
        found = _places(session, round_id, wanted, by, before, backwards=True)
        return len(found) > PAGE_SIZE, found[:PAGE_SIZE][::-1], bool(found)
    found = _places(session, round_id, wanted, by, after, backwards=False)
    return after is not None and bool(found), found[:PAGE_SIZE], len(found) > PAGE_SIZE


def _places(
    session: Session, round_id: int, wanted: Filter, by: str, start: Place | None, *, backwards: bool
) -> list[Place]:
    """One more place than a page shows, walking away from `start` group by group."""
    downwards = (wanted.order == "newest") != backwards
    narrowed = _narrowed(wanted, session.get_bind().dialect.name)
    groups = list(enumerate(GROUPS[wanted.state]))
    found: list[Place] = []
    for number, cells in reversed(groups) if backwards else groups:
        missing = PAGE_SIZE + 1 - len(found)
        passed = start is not None and (number > start.group if backwards else number < start.group)
        if passed or not missing:
            continue
        beyond = _beyond(start.id, downwards=downwards) if start and number == start.group else []
        wheres = [[*_in_cell(round_id, cell, by), *narrowed, *beyond] for cell in cells]
        found += [Place(number, each) for each in session.scalars(_merged(wheres, missing, downwards=downwards))]
    return found


def _beyond(bound: int, *, downwards: bool) -> list[ColumnElement[bool]]:
    return [col(Review.id) < bound if downwards else col(Review.id) > bound]


def _merged(wheres: Iterable[Sequence[ColumnElement[bool]]], limit: int, *, downwards: bool) -> Select[int]:
    """The ids of several cells in order: each is read along the index, and only as far as needed."""
    number = col(Review.id)
    order = number.desc() if downwards else number
    parts = [select(number.label("id")).where(*where).order_by(order).limit(limit).subquery() for where in wheres]
    every = union_all(*(select(part.c.id) for part in parts)).subquery()
    return select(every.c.id).order_by(every.c.id.desc() if downwards else every.c.id).limit(limit)


def _in_cell(
    round_id: int | BindParameter[int], cell: Cell, by: str | BindParameter[str]
) -> list[ColumnElement[bool]]:
    """What was erased is nothing to decide on."""
    where = [col(Review.round_id) == round_id, col(Review.state) == cell.state, col(Review.flagged) == cell.flagged]
    if cell.state in UNDECIDED:
        where.append(col(Review.text) != "")
    if cell.others:
        where.append(col(Review.decided_by) != by)
    return where


def _narrowed(wanted: Filter, dialect: str) -> list[ColumnElement[bool]]:
    """What else a prompt must be like. SQLite's LIKE knows no case, and lower() would cost a third more."""
    where: list[ColumnElement[bool]] = []
    if wanted.language:
        where.append(col(Review.locale) == wanted.language)
    if wanted.flag:
        where.append(cast(Review.flags, String).contains(f'"code": "{wanted.flag}"', autoescape=True))
    if wanted.q:
        contains = col(Review.text).contains if dialect == "sqlite" else col(Review.text).icontains
        where.append(contains(wanted.q, autoescape=True))
    return where


def counts(session: Session, round_id: int, by: str) -> dict[State, int]:
    """How many there are of each state."""
    return count(session, round_id, {state: cells_of(state) for state in STATES}, by)


def count(session: Session, round_id: int, wanted: Mapping[T, Sequence[Cell]], by: str) -> dict[T, int]:
    """How many prompts there are in some cells, up to one more than COUNT_CAP; each cell is counted once."""
    cells = tuple(dict.fromkeys(cell for several in wanted.values() for cell in several))
    numbers = session.execute(_counting(cells), {"round_id": round_id, "by": by}).one()
    found = dict(zip(cells, numbers, strict=True))
    return {name: min(sum(found[cell] for cell in several), COUNT_CAP + 1) for name, several in wanted.items()}


@cache
def _counting(cells: tuple[Cell, ...]) -> Select[Any]:
    """Kept, as it takes as long to build as to run."""
    round_id, by = bindparam("round_id", type_=Integer), bindparam("by", type_=String)
    some = (select(col(Review.id)).where(*_in_cell(round_id, cell, by)).limit(COUNT_CAP + 1) for cell in cells)
    return select(*(select(func.count()).select_from(each.subquery()).scalar_subquery() for each in some))


def newest(session: Session, round_id: int) -> int:
    """The highest id of a round's prompts; 0 before the first."""
    return session.scalars(select(func.max(col(Review.id))).where(col(Review.round_id) == round_id)).one() or 0


def _last(session: Session, by: str, now: datetime) -> LastAct | None:
    reviews = last_decided(session, by, now)
    return LastAct(tuple(review.id or 0 for review in reviews), reviews[0].state) if reviews else None


def last_decided(session: Session, by: str, now: datetime) -> Sequence[Review]:
    """What a moderator decided last, all at once, as far as it can be taken back."""
    own = col(Review.decided_by) == by, col(Review.before).is_not(None)
    when = select(func.max(col(Review.decided_at))).where(*own, col(Review.decided_at) > now - UNDO_FOR)
    latest = select(Review).where(*own, col(Review.decided_at) == when.scalar_subquery()).order_by(col(Review.id))
    return session.scalars(latest).all()


def review_views(
    session: Session, reviews: Sequence[int], by: str, locale: Locale, now: datetime, *, done: bool = False
) -> tuple[ReviewView, ...]:
    """Prompts by their ids, in that order; `done` marks what is decided as decided just now."""
    found = session.scalars(
        select(Review).where(col(Review.id).in_(reviews)), execution_options={"populate_existing": True}
    )
    by_id = {review.id: review for review in found}
    rows = [by_id[number] for number in reviews if number in by_id]
    earlier = _earlier(session, [row.turn_id for row in rows if row.turn_id is not None])
    return tuple(_view(row, earlier[row.turn_id or 0], by, locale, now, done=done) for row in rows)


def _earlier(session: Session, turns: Sequence[int]) -> defaultdict[int, tuple[str, ...]]:
    """By turn, the prompts before it in its battle."""
    own, other = aliased(Turn), aliased(Turn)
    found = session.execute(
        select(col(own.id), col(other.prompt))
        .join(other, col(other.battle_id) == own.battle_id)
        .where(col(own.id).in_(turns), col(other.number) < own.number)
        .order_by(col(own.id), col(other.number))
    )
    prompts: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    for turn, prompt in found:
        prompts[turn] += (prompt,)
    return prompts


def _view(row: Review, earlier: tuple[str, ...], by: str, locale: Locale, now: datetime, *, done: bool) -> ReviewView:
    gettext = translations(locale).gettext
    flags = (
        FlagView(gettext(FLAG_NAMES.get(flag["code"], flag["code"])), flag["source"], flag["level"])
        for flag in row.flags
    )
    claimed = row.claimed_by is not None and row.claimed_until is not None and row.claimed_until > now
    undoable = row.before is not None and row.decided_by == by and row.decided_at is not None
    return ReviewView(
        id=row.id or 0,
        state=row.state,
        minutes=max(0, int((now - row.created_at).total_seconds() // 60)),
        at=row.created_at,
        language=row.locale,
        words=_words(row.text),
        earlier=tuple(_words(prompt) for prompt in earlier if prompt),
        flags=tuple(flags),
        masked=tuple(row.masked.items()),
        asked=row.turn_id is not None,
        taken_by=row.claimed_by if claimed and row.claimed_by != by else None,
        mine=claimed and row.claimed_by == by,
        barred=row.state == "escalated" and row.decided_by == by,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        by_reader=row.decided_by == by,
        reason=row.reason,
        undoable=undoable and row.decided_at is not None and now - row.decided_at <= UNDO_FOR,
        done=done and (row.state not in UNDECIDED or (row.state == "escalated" and row.decided_by == by)),
    )


def _words(text: str) -> Words:
    shown = visible(text)
    return Words(shown, folded(shown))
