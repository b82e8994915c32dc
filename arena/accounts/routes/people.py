"""The office's people, for operators: who they are, their sessions, disabling and enabling; refusals are on record.

No route here is a coroutine, so that each runs in a thread of its own: they wait for writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from starlette.responses import Response

from arena.accounts.pages import Problem
from arena.accounts.people import disable, enable, sign_out_everywhere
from arena.accounts.people_page import people_page, person_page
from arena.accounts.queries import SignedIn, code_of
from arena.accounts.routes.caller import CurrentAdmin, done_here, only, shown, with_done, words_of
from arena.accounts.tables import Admin
from arena.accounts.trail import on_record
from arena.clock import now
from arena.errors import N_, ArenaError, ForbiddenError, InvalidError, NotFoundError
from arena.web.respond import see_other
from arena.web.services import Arena, Csrf, Services

NOTE_LIMIT = 500
NO_NOTE = N_("Please write why: it is kept on the trail. At most %(length)s characters.")

router = APIRouter(prefix="/office/people", dependencies=[only("operator")])

Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
Note = Annotated[str, Form(max_length=10_000)]


@dataclass(frozen=True, slots=True)
class Desk:
    """Somebody's page, and the operator at it."""

    request: Request
    arena: Services
    reader: SignedIn
    number: int

    def page(
        self, done: str = "", problem: Problem | None = None, note: str = "", why: ArenaError | None = None
    ) -> Response:
        with self.arena.db.reading() as session:
            page = person_page(session, self.number, self.reader, now(), done=done, problem=problem, note=note)
        return shown(self.request, "accounts/person.html", page, why)

    def attempt(self, what: str, act: Callable[[], dict[str, object]], note: str | None = None) -> Response:
        """Does it and says so, or why it was refused, with what was typed; `act` returns more for the trail."""
        with self.arena.db.reading() as session:
            person = session.get(Admin, self.number)
        if person is None:
            raise NotFoundError
        about: dict[str, object] = {} if note is None else {"note": note[:NOTE_LIMIT]}
        try:
            with on_record(self.arena.db, self.reader.code, what, code_of(person), **about) as noted:
                if note is not None and not 0 < len(note) <= NOTE_LIMIT:
                    raise InvalidError(NO_NOTE, code="note", length=NOTE_LIMIT)
                noted.update(act())
        except (ForbiddenError, NotFoundError):
            raise
        except ArenaError as refused:
            problem = Problem(what, words_of(self.request, refused) or "")
            return self.page(problem=problem, note=note or "", why=refused)
        page = f"/office/people/{self.number}"
        return see_other(with_done(self.request, page, what.removeprefix("admin.")))


async def _desk(request: Request, arena: Arena, reader: CurrentAdmin, number: Number) -> Desk:
    return Desk(request, arena, reader, number)


AtDesk = Annotated[Desk, Depends(_desk)]


@router.get("")
def everybody(request: Request, arena: Arena, reader: CurrentAdmin) -> Response:
    with arena.db.reading() as session:
        page = people_page(session, reader, now())
    return shown(request, "accounts/people.html", page, None)


@router.get("/{number}")
def somebody(desk: AtDesk, done: str = "") -> Response:
    return desk.page(done_here(desk.request, done))


@router.post("/{number}/disable", dependencies=[Csrf])
def disable_somebody(desk: AtDesk, note: Note = "") -> Response:
    def act() -> dict[str, object]:
        ended = desk.arena.db.writing(lambda s: disable(s, desk.number, desk.reader.code, now()))
        return {"before": "enabled", "after": "disabled", "sessions_ended": ended}

    return desk.attempt("admin.disable", act, note.strip())


@router.post("/{number}/enable", dependencies=[Csrf])
def enable_somebody(desk: AtDesk, note: Note = "") -> Response:
    def act() -> dict[str, object]:
        desk.arena.db.writing(lambda s: enable(s, desk.number, desk.reader.code))
        return {"before": "disabled", "after": "enabled"}

    return desk.attempt("admin.enable", act, note.strip())


@router.post("/{number}/end-sessions", dependencies=[Csrf])
def end_sessions_of_somebody(desk: AtDesk) -> Response:
    def act() -> dict[str, object]:
        ended = desk.arena.db.writing(lambda s: sign_out_everywhere(s, desk.number, desk.reader.code))
        return {"sessions_ended": ended}

    return desk.attempt("admin.end_sessions", act)
