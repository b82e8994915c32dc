"""Attempts to sign in are few: counted in the database, so that all processes count together.

A wrong password and a wrong code of the second factor count the same. While a limit holds, the right ones are
refused too.
"""

import hashlib
import ipaddress
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, text
from sqlmodel import Session, col, select

from arena.accounts.tables import SignInFailure
from arena.errors import N_, LimitError

WINDOW: Final = timedelta(minutes=15)
TOGETHER, ADDRESS, EMAIL = 5, 20, 50
"""Failures in the window: of an e-mail from one address, of one address, of an e-mail from anywhere."""
TOO_MANY = N_("There were too many attempts. Please try again in %(minutes)s min.")


def begin_attempt(session: Session, email: str, address: str, now: datetime) -> int:
    """Counts an attempt before it is judged, so that many at once count too; returns its id for `forget_attempt`.

    Attempts of long ago are swept away. Raises LimitError, which knows when the next may be made.
    """
    _alone(session)
    session.execute(delete(SignInFailure).where(col(SignInFailure.at) <= now - WINDOW))
    wait_s = seconds_to_wait(session, email, address, now)
    if wait_s:
        raise LimitError(TOO_MANY, code="attempts", retry_after_s=wait_s, minutes=math.ceil(wait_s / 60))
    row = SignInFailure(email=_hidden(email), address=_network(address), at=now)
    session.add(row)
    session.flush()
    assert row.id is not None
    return row.id


def forget_attempt(session: Session, attempt: int) -> None:
    """Takes back an attempt that succeeded."""
    session.execute(delete(SignInFailure).where(col(SignInFailure.id) == attempt))


def seconds_to_wait(session: Session, email: str, address: str, now: datetime) -> int:
    """How long until the next attempt; 0 when it may be made now."""
    hidden, network = _hidden(email), _network(address)
    of_either = or_(col(SignInFailure.email) == hidden, col(SignInFailure.address) == network)
    rows = session.exec(
        select(SignInFailure).where(of_either, col(SignInFailure.at) > now - WINDOW).order_by(col(SignInFailure.at))
    ).all()
    kinds: tuple[tuple[int, Callable[[SignInFailure], bool]], ...] = (
        (TOGETHER, lambda row: (row.email, row.address) == (hidden, network)),
        (ADDRESS, lambda row: row.address == network),
        (EMAIL, lambda row: row.email == hidden),
    )
    waits = [0.0]
    for limit, counts in kinds:
        times = [row.at for row in rows if counts(row)]
        if len(times) >= limit:
            waits.append((times[-limit] + WINDOW - now).total_seconds())
    return math.ceil(max(waits))


def _alone(session: Session) -> None:
    """Two that count at once would both find room; on SQLite a writer is alone anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE sign_in_failure IN SHARE ROW EXCLUSIVE MODE"))


def _hidden(email: str) -> str:
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def _network(address: str) -> str:
    """An IPv6 address counts with the /64 it lies in: whoever has one has them all."""
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False)) if version == 6 else address
