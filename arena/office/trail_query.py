"""Finding acts: by person, act, subject, outcome and day; the newest first, page by page."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from arena.accounts.queries import codes_of
from arena.accounts.tables import Act, Admin
from arena.errors import N_, InvalidError
from arena.office.trail_pages import TrailFilter
from arena.office.trail_words import GROUPS
from arena.web.i18n import SEOUL

PAGE = 50
LONGEST = 200
DAY = N_("Write days as in 2026-08-01, with a year from 2000 to 2999.")
FIRST_YEAR, LAST_YEAR = 2000, 2999


def read_filter(fields: Mapping[str, str]) -> TrailFilter:
    return TrailFilter(**{name: fields.get(name, "").strip()[:LONGEST] for name in TrailFilter.__dataclass_fields__})


def acts(session: Session, wanted: TrailFilter, *, before: int | None, limit: int = PAGE) -> Sequence[Act]:
    """The newest acts that are wanted, those before an id. Raises InvalidError for a day that is none."""
    found = select(Act).where(*_conditions(wanted))
    if before is not None:
        found = found.where(col(Act.id) < before)
    return session.exec(found.order_by(col(Act.id).desc()).limit(limit)).all()


def people(session: Session) -> dict[str, str]:
    """The e-mail of each code that an admin has or had."""
    admins = session.exec(select(Admin.id, Admin.email))
    return {code: email for id_, email in admins for code in codes_of(id_ or 0)}


def actors(session: Session) -> Sequence[str]:
    """All who did something."""
    return session.exec(select(Act.who).distinct().order_by(Act.who)).all()


def _conditions(wanted: TrailFilter) -> list[ColumnElement[bool]]:
    exactly = ((Act.who, wanted.who), (Act.subject, wanted.subject), (Act.outcome, wanted.outcome))
    conditions: list[ColumnElement[bool]] = [col(column) == value for column, value in exactly if value]
    if wanted.what in GROUPS:
        conditions.append(or_(*(col(Act.what).startswith(f"{word}.") for word in GROUPS[wanted.what].begins)))
    elif wanted.what:
        conditions.append(col(Act.what) == wanted.what)
    if wanted.since:
        conditions.append(col(Act.at) >= _midnight(wanted.since))
    if wanted.until:
        conditions.append(col(Act.at) < _midnight(wanted.until) + timedelta(days=1))
    return conditions


def _midnight(day: str) -> datetime:
    try:
        found = date.fromisoformat(day)
    except ValueError:
        raise InvalidError(DAY, code="day") from None
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise InvalidError(DAY, code="day")
    return datetime.combine(found, time(), SEOUL)
