"""The office's people in tests: two operators, two moderators, an auditor."""

from functools import partial
from typing import Final

from arena.accounts.actions import create_admin
from arena.clock import now
from arena.db import Database
from tests.support import Citizen

PASSWORD: Final = "a long enough password"
SORA, HANA, JIWOO, BORA, DOYUN = "operator-1", "operator-2", "moderator-3", "moderator-4", "auditor-5"
"""Their codes, in a database where `hire` made the first admins."""

_ROLES: Final = {
    "sora": "operator",
    "hana": "operator",
    "jiwoo": "moderator",
    "bora": "moderator",
    "doyun": "auditor",
}


def hire(db: Database) -> None:
    for name, role in _ROLES.items():
        db.writing(partial(create_admin, email=f"{name}@example.org", role=role, password=PASSWORD, now=now()))


def signed_in(origin: str, name: str, *, language: str = "en") -> Citizen:
    """Someone of the office, such as "sora", at a browser."""
    someone = Citizen(origin, language=language)
    answer = someone.post("/sign-in", email=f"{name}@example.org", password=PASSWORD)
    assert answer.status_code == 303
    return someone
