"""Browsers that are known: someone of the office came in there, with all that was asked, and nothing ended that.

Being known opens nothing. It keeps those who guess elsewhere from locking such a browser out.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from arena.accounts.queries import codes_of
from arena.accounts.tables import Act

ENDINGS = (
    "admin.disable",
    "admin.end_sessions",
    "admin.password",
    "admin.reset_oidc",
    "admin.reset_totp",
    "admin.role",
    "auth.password",
    "auth.session_end",
    "auth.totp",
)
"""Acts after which a person's browsers are no longer known; all of them end sessions."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a known browser keeps, signed: the person's number, and ids of acts of theirs on the trail.

    `first` is the sign-in that made it known. `since` is that too, or a later ending that they brought about here.
    """

    person: int
    first: int
    since: int


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in: `token` is that of the session which the browser held until now.

    `known` is what it says of itself: `still_known` tells whether that holds.
    """

    token: str
    name: str
    address: str
    known: Known | None = None


def still_known(session: Session, browser: Browser) -> Known | None:
    """What makes the browser known, if nothing has ended it."""
    known = browser.known
    if known is None:
        return None
    ended = select(Act.id).where(col(Act.subject).in_(codes_of(known.person)), col(Act.what).in_(ENDINGS))
    later = ended.where(Act.outcome == "done", col(Act.id) > known.since)
    return None if session.exec(later.limit(1)).first() else known
