"""Attempts to sign in are few: counted in the database, so that all processes count together.

A wrong password and a wrong code of the second factor count the same. While a limit holds, the right ones are
refused too.

A known browser's attempts are counted apart from all others, so that nobody who guesses elsewhere locks it out.
"""

import hashlib
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, text
from sqlmodel import Session, col, select

from arena.accounts.known import Browser, still_known
from arena.accounts.queries import admin_by_email
from arena.accounts.tables import SignInFailure
from arena.errors import N_, LimitError
from arena.web.network import network_of

WINDOW: Final = timedelta(minutes=15)
TOGETHER, ADDRESS, EMAIL = 5, 20, 50
"""Failures in the window: of an e-mail from one address, or of a known browser; of one address; of an e-mail from
anywhere."""
Limit = tuple[int, Callable[[SignInFailure], bool]]
TOO_MANY = N_("There were too many attempts. Please try again in %(minutes)s min.")


def begin_attempt(session: Session, email: str | None, browser: Browser, now: datetime) -> int:
    """Counts an attempt before it is judged, so that many at once count too; returns its id for `forget_attempt`.

    `email` is None where the provider has yet to tell it. Attempts of long ago are swept away. Raises LimitError,
    which knows when the next may be made.
    """
    _alone(session)
    session.execute(delete(SignInFailure).where(col(SignInFailure.at) <= now - WINDOW))
    wait_s = seconds_to_wait(session, email, browser, now)
    if wait_s:
        raise LimitError(TOO_MANY, code="attempts", retry_after_s=wait_s, minutes=math.ceil(wait_s / 60))
    hidden, place, _ = _counted_as(session, email, browser)
    row = SignInFailure(email=hidden, address=place, at=now)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def forget_attempt(session: Session, attempt: int) -> None:
    """Takes back an attempt that succeeded."""
    session.execute(delete(SignInFailure).where(col(SignInFailure.id) == attempt))


def seconds_to_wait(session: Session, email: str | None, browser: Browser, now: datetime) -> int:
    """How long until the next attempt; 0 when it may be made now."""
    hidden, place, known = _counted_as(session, email, browser)
    of_either = or_(col(SignInFailure.email) == hidden, col(SignInFailure.address) == place)
    rows = session.exec(
        select(SignInFailure).where(of_either, col(SignInFailure.at) > now - WINDOW).order_by(col(SignInFailure.at))
    ).all()
    waits = [0.0]
    for limit, counts in _limits(hidden, place, known=known):
        times = [row.at for row in rows if counts(row)]
        if len(times) >= limit:
            waits.append((times[-limit] + WINDOW - now).total_seconds())
    return math.ceil(max(waits))


def _limits(hidden: str, place: str, *, known: bool) -> list[Limit]:
    if known:
        return [(TOGETHER, lambda row: row.address == place)]
    of_address: Limit = (ADDRESS, lambda row: row.address == place)
    if not hidden:
        return [of_address]
    together: Limit = (TOGETHER, lambda row: (row.email, row.address) == (hidden, place))
    return [of_address, together, (EMAIL, lambda row: row.email == hidden)]


def _counted_as(session: Session, email: str | None, browser: Browser) -> tuple[str, str, bool]:
    """The e-mail, hidden, and the place that an attempt is stored with; and whether this person's browser is known.

    A known browser is the place itself; it is stored without the e-mail, so that it adds to no other count.
    """
    known = still_known(session, browser)
    admin = admin_by_email(session, email) if known and email is not None else None
    if known and (email is None or (admin is not None and admin.id == known.person)):
        return "", f"browser {known.person} {known.first}", True
    return _hidden(email), network_of(browser.address), False


def _alone(session: Session) -> None:
    """Two that count at once would both find room; on SQLite a writer is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE sign_in_failure IN SHARE ROW EXCLUSIVE MODE"))


def _hidden(email: str | None) -> str:
    return "" if email is None else hashlib.sha256(email.strip().lower().encode()).hexdigest()
