"""Every route of the app, opened by everybody: which role may open what is decided in one table, here."""

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount

from arena.app import create_app
from arena.clock import now
from arena.db import Database
from arena.rounds.changes import propose
from arena.rounds.wanted import Wanted
from tests.staff import SORA, hire, signed_in
from tests.support import Citizen, open_round, round_file, serving, settings_for

NOWHERE = "http://127.0.0.1:9"

OUTSIDER, OPERATOR, MODERATOR, AUDITOR = "outsider", "operator", "moderator", "auditor"
PERSON: Final = {OPERATOR: "sora", MODERATOR: "jiwoo", AUDITOR: "doyun"}

EVERYONE: Final = frozenset({OUTSIDER, OPERATOR, MODERATOR, AUDITOR})
OFFICE: Final = EVERYONE - {OUTSIDER}
OPERATORS: Final = frozenset({OPERATOR})
MODERATORS: Final = frozenset({MODERATOR})
AUDITORS: Final = frozenset({AUDITOR})
READERS: Final = frozenset({OPERATOR, AUDITOR})
KEYS: Final = frozenset[str]()
"""Opened by an API key and by no role."""

TABLE: Final = {
    "GET /": EVERYONE,
    "POST /battles": EVERYONE,
    "GET /battles/{battle_id}": EVERYONE,
    "POST /battles/{battle_id}/turns": EVERYONE,
    "POST /battles/{battle_id}/turns/{number}/resume": EVERYONE,
    "POST /battles/{battle_id}/turns/{number}/stop": EVERYONE,
    "GET /battles/{battle_id}/turns/{number}/stream": EVERYONE,
    "POST /battles/{battle_id}/vote": EVERYONE,
    "POST /held/{number}/withdraw": EVERYONE,
    "GET /how": EVERYONE,
    "POST /preferences": EVERYONE,
    "GET /privacy": EVERYONE,
    "GET /privacy/erase": EVERYONE,
    "POST /privacy/erase": EVERYONE,
    "GET /receipts/{receipt}": EVERYONE,
    "GET /receipts/{receipt}.json": EVERYONE,
    "POST /receipts/{receipt}/appeal": EVERYONE,
    "GET /rounds": EVERYONE,
    "GET /rounds/{slug}": EVERYONE,
    "GET /rounds/{slug}/bundle.zip": EVERYONE,
    "GET /rounds/{slug}/leaderboard": EVERYONE,
    "GET /rounds/{slug}/ledger": EVERYONE,
    "GET /rounds/{slug}/rules": EVERYONE,
    "GET /team/{token}": EVERYONE,
    "GET /healthz": EVERYONE,
    "GET /metrics": EVERYONE,
    "GET /readyz": EVERYONE,
    "GET /sign-in": EVERYONE,
    "POST /sign-in": EVERYONE,
    "GET /sign-in/code": EVERYONE,
    "POST /sign-in/code": EVERYONE,
    "GET /sign-in/oidc": EVERYONE,
    "GET /sign-in/oidc/back": EVERYONE,
    "GET /sign-in/set-up": EVERYONE,
    "POST /sign-in/set-up": EVERYONE,
    "POST /sign-out": EVERYONE,
    "GET /rounds/{slug}/changes": OPERATORS,
    "POST /rounds/{slug}/changes": OPERATORS,
    "POST /rounds/{slug}/changes/{proposal}/approve": OPERATORS,
    "POST /rounds/{slug}/changes/{proposal}/withdraw": OPERATORS,
    "GET /rounds/{slug}/health": OPERATORS,
    "GET /rounds/{slug}/leaks": AUDITORS,
    "GET /account": OFFICE,
    "POST /account/password": OFFICE,
    "GET /account/second-factor": OFFICE,
    "POST /account/second-factor": OFFICE,
    "POST /account/sessions/end-others": OFFICE,
    "POST /account/sessions/{mark}/end": OFFICE,
    "GET /office": OFFICE,
    "GET /office/help": OFFICE,
    "GET /office/people": OPERATORS,
    "GET /office/people/{number}": OPERATORS,
    "POST /office/people/{number}/disable": OPERATORS,
    "POST /office/people/{number}/enable": OPERATORS,
    "POST /office/people/{number}/end-sessions": OPERATORS,
    "GET /office/queue": MODERATORS,
    "POST /office/queue/acts": MODERATORS,
    "GET /office/queue/events": MODERATORS,
    "GET /office/queue/rows": MODERATORS,
    "GET /office/rules": MODERATORS,
    "GET /office/rules/edit": MODERATORS,
    "POST /office/rules/edit": MODERATORS,
    "POST /office/rules/publish": MODERATORS,
    "POST /office/rules/try": MODERATORS,
    "GET /office/rules/versions/{number}": MODERATORS,
    "GET /office/suggestions": MODERATORS,
    "POST /office/suggestions": MODERATORS,
    "POST /office/suggestions/keep": MODERATORS,
    "GET /office/suggestions/new": MODERATORS,
    "GET /office/suggestions/next": MODERATORS,
    "POST /office/suggestions/next": MODERATORS,
    "POST /office/suggestions/retire": MODERATORS,
    "GET /office/suggestions/versions/{number}": MODERATORS,
    "GET /office/suggestions/{draft}": MODERATORS,
    "POST /office/suggestions/{draft}/approve": MODERATORS,
    "POST /office/suggestions/{draft}/decline": MODERATORS,
    "POST /office/suggestions/{draft}/edit": MODERATORS,
    "GET /office/exclusions": READERS,
    "POST /office/exclusions": OPERATORS,
    "POST /office/exclusions/appeals/{appeal}/decline": OPERATORS,
    "POST /office/exclusions/check": OPERATORS,
    "POST /office/exclusions/chosen": OPERATORS,
    "POST /office/exclusions/close": OPERATORS,
    "POST /office/exclusions/decide": OPERATORS,
    "GET /office/exclusions/several": READERS,
    "GET /office/exclusions/{proposal}": READERS,
    "GET /office/rounds": OPERATORS,
    "GET /office/rounds/new": OPERATORS,
    "POST /office/rounds/new": OPERATORS,
    "GET /office/rounds/{slug}": OPERATORS,
    "GET /office/rounds/{slug}/close": OPERATORS,
    "POST /office/rounds/{slug}/close": OPERATORS,
    "GET /office/rounds/{slug}/edit": OPERATORS,
    "POST /office/rounds/{slug}/edit": OPERATORS,
    "GET /office/rounds/{slug}/entries/{code}/test": OPERATORS,
    "POST /office/rounds/{slug}/entries/{code}/test": OPERATORS,
    "GET /office/rounds/{slug}/open": OPERATORS,
    "POST /office/rounds/{slug}/open": OPERATORS,
    "GET /office/rounds/{slug}/preview": OPERATORS,
    "GET /office/rounds/{slug}/round.toml": OPERATORS,
    "GET /office/rounds/{slug}/teams": OPERATORS,
    "POST /office/rounds/{slug}/teams/links/{link}/end": OPERATORS,
    "POST /office/rounds/{slug}/teams/{code}/link": OPERATORS,
    "POST /office/rounds/{slug}/tests": OPERATORS,
    "GET /office/trail": READERS,
    "POST /office/trail/export": READERS,
    "GET /api/v1/openapi.json": EVERYONE,
    "GET /api/v1/rounds": KEYS,
    "GET /api/v1/rounds/{slug}": KEYS,
    "GET /api/v1/rounds/{slug}/checkpoint": EVERYONE,
    "GET /api/v1/rounds/{slug}/checkpoints/{size}": EVERYONE,
    "GET /api/v1/rounds/{slug}/leaves": EVERYONE,
    "GET /api/v1/rounds/{slug}/pairs": KEYS,
    "GET /api/v1/rounds/{slug}/proofs/consistency": EVERYONE,
    "GET /api/v1/rounds/{slug}/proofs/inclusion": EVERYONE,
    "GET /api/v1/rounds/{slug}/ratings": KEYS,
    "GET /api/v1/rounds/{slug}/scores": KEYS,
    "GET /api/v1/rounds/{slug}/votes": KEYS,
}
PARAMETERS: Final = {
    "slug": "stage-1",
    "battle_id": "0" * 32,
    "receipt": "0" * 32,
    "mark": "0" * 16,
    "token": "0" * 43,
    "code": "e1",
}
"""What stands for a parameter; 2 for all others: nothing has that number but an operator who is not asking."""
FORMS: Final[dict[str, dict[str, str]]] = {
    "POST /rounds/{slug}/changes": {"kind": "pause", "entry": "e1", "reason": "mistake"},
}
"""What has to be sent so that not the form is refused but who sends it."""
LAST: Final = "POST /sign-out"


class Seen(NamedTuple):
    role: str
    route: str
    status: int
    expected: str

    @property
    def agrees(self) -> bool:
        if self.expected == "open":
            return self.status < 500 and self.status not in (401, 403)
        return str(self.status) == self.expected


def routes_of(routes: Any, prefix: str = "") -> Iterator[str]:
    """`METHOD /path` of every route, those of mounted apps too; static files aside."""
    for route in iter_route_contexts(routes):
        inner = route.original_route if hasattr(route, "original_route") else route
        if isinstance(inner, Mount):
            yield from routes_of(inner.routes, prefix + inner.path)
        else:
            yield from (f"{method} {prefix}{route.path}" for method in route.methods or () if method != "HEAD")


@cache
def every_route() -> tuple[str, ...]:
    """In the order in which they are tried: signing out ends it."""
    app = create_app(settings_for("sqlite:///:memory:"))
    app.state.services.db.close()
    return (*sorted(set(routes_of(app.routes)) - {LAST}), LAST)


def path_of(route: str) -> str:
    """The address, its parameters filled in."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: PARAMETERS.get(found[1], "2"), route.partition(" ")[2])


def expected(route: str, role: str) -> str:
    if role in TABLE[route]:
        return "open"
    return "401" if role == OUTSIDER or not TABLE[route] else "403"


@pytest.fixture(scope="module")
def origin(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An open round in which a change is waiting, and the office's people."""
    url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('roles') / 'arena.db')}"
    db = Database(url)
    open_round(db, round_file(NOWHERE, may_change=["pause"]))
    hire(db)
    wanted = Wanted("pause", {"entry": "e2"}, "mistake")
    for _ in range(2):
        db.writing(lambda session: propose(session, "stage-1", wanted, SORA, now()))
    db.close()
    with serving(settings_for(url)) as served:
        yield served


def opens(person: Citizen, route: str) -> int:
    """The answer's status; what streams is not read."""
    method = route.partition(" ")[0]
    form = {"csrf": person.csrf()} | FORMS.get(route, {}) if method != "GET" else None
    with person.http.stream(method, path_of(route), data=form, headers={"Origin": person.origin}) as answer:
        return answer.status_code


def test_every_route_is_in_the_table_and_no_other() -> None:
    """Whoever adds a route decides here who may open it."""
    assert sorted(every_route()) == sorted(TABLE)


@pytest.mark.parametrize("role", [OUTSIDER, AUDITOR, MODERATOR, OPERATOR])
def test_a_role_opens_what_the_table_says_and_nothing_else(origin: str, role: str) -> None:
    person = Citizen(origin) if role == OUTSIDER else signed_in(origin, PERSON[role])
    known = [route for route in every_route() if route in TABLE]
    seen = [Seen(role, route, opens(person, route), expected(route, role)) for route in known]
    person.close()
    assert [found for found in seen if not found.agrees] == []
