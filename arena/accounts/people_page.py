"""The pages about one's own account and about the office's people."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from arena.accounts.actions import token_hash
from arena.accounts.browsers import browser_words
from arena.accounts.pages import AccountPage, PeoplePage, PersonPage, PersonRow, Problem, SessionView
from arena.accounts.queries import SignedIn, admin_by_email, code_of, codes_of, open_sessions
from arena.accounts.tables import Act, Admin, AdminSession
from arena.errors import NotFoundError

MARK = 16
"""How many hex digits of a session's id name it in forms."""


def account_page(
    session: Session, reader: SignedIn, token: str, now: datetime, *, done: str = "", problem: Problem | None = None
) -> AccountPage:
    admin = admin_by_email(session, reader.email)
    assert admin is not None
    mine = [row for row in open_sessions(session, now) if row.admin_id == admin.id]
    return AccountPage(
        code=reader.code,
        email=admin.email,
        role=admin.role,
        password=bool(admin.password_hash),
        second_factor=admin.totp_secret is not None,
        sessions=_views(mine, token),
        done=done,
        problem=problem,
    )


def people_page(session: Session, reader: SignedIn, now: datetime) -> PeoplePage:
    """Everybody; who was disabled comes last."""
    rows = _rows(session, reader, now)
    return PeoplePage(tuple(sorted(rows, key=lambda row: (row.disabled_at is not None, row.number))))


def person_page(
    session: Session,
    number: int,
    reader: SignedIn,
    now: datetime,
    *,
    done: str = "",
    problem: Problem | None = None,
    note: str = "",
) -> PersonPage:
    """Raises NotFoundError."""
    found = next((row for row in _rows(session, reader, now) if row.number == number), None)
    if found is None:
        raise NotFoundError
    return PersonPage(found, done, problem, note)


def _rows(session: Session, reader: SignedIn, now: datetime) -> list[PersonRow]:
    every, acted = open_sessions(session, now), _last_acts(session)
    return [_row(admin, every, acted, reader) for admin in session.exec(select(Admin)).all()]


def _row(admin: Admin, every: list[AdminSession], acted: dict[str, datetime], reader: SignedIn) -> PersonRow:
    sessions = _views([row for row in every if row.admin_id == admin.id], "")
    code, theirs = code_of(admin), codes_of(admin.id or 0)
    seen = [*(view.seen for view in sessions), *(acted[code] for code in theirs if code in acted)]
    return PersonRow(
        number=admin.id or 0,
        code=code,
        email=admin.email,
        role=admin.role,
        last_seen=max(seen, default=None),
        second_factor=admin.totp_secret is not None,
        provider=admin.subject is not None,
        disabled_at=admin.disabled_at,
        sessions=sessions,
        me=code == reader.code,
    )


def _last_acts(session: Session) -> dict[str, datetime]:
    """When each was last on the trail: sessions that have ended are gone."""
    newest = session.exec(select(func.max(Act.id)).group_by(col(Act.who))).all()
    return {act.who: act.at for act in session.exec(select(Act).where(col(Act.id).in_(newest)))}


def _views(rows: list[AdminSession], token: str) -> tuple[SessionView, ...]:
    return tuple(
        SessionView(
            mark=row.id[:MARK],
            browser=browser_words(row.browser),
            begun=row.created_at,
            seen=row.seen_at or row.created_at,
            here=row.id == token_hash(token),
        )
        for row in rows
    )
