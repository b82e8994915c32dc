"""Changes of an open round, for operators: one proposes, another approves; what is refused is on record.

No route here is a coroutine, so that each runs in a thread of its own: they look up hosts, and wait for writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import load_admin, only
from arena.accounts.trail import on_record
from arena.clock import now
from arena.errors import ArenaError, ForbiddenError, NotFoundError, UnauthorizedError
from arena.rounds.changes import approve, propose, withdraw
from arena.rounds.changes_page import changes_page
from arena.rounds.pages import ChangeProblem
from arena.rounds.wanted import read_wanted
from arena.web.i18n import translations
from arena.web.pages import Locale
from arena.web.respond import render, see_other
from arena.web.services import Arena, Csrf, CurrentLocale, Services, own_form

KEY_FIELD = "api_key_env"
"""Where somebody may have put a key itself: what was refused there is not shown again."""

router = APIRouter(prefix="/rounds/{slug}/changes")


@dataclass(frozen=True, slots=True)
class Desk:
    """A round's changes, and whoever of the admins is at work on them: another role is refused on record."""

    request: Request
    slug: str
    arena: Services
    locale: Locale
    admin: SignedIn

    def attempt(
        self, what: str, act: Callable[[], object], form: str, typed: dict[str, str], **detail: object
    ) -> Response:
        """Does it and shows the page again, or why it was refused beside the `form` with what was `typed`."""
        try:
            with on_record(self.arena.db, self.admin.code, what, self.slug, **detail):
                act()
        except (ForbiddenError, NotFoundError):
            raise
        except ArenaError as error:
            problem = ChangeProblem(form, error.code, error.text(translations(self.locale).gettext))
            kept = {name: value for name, value in typed.items() if (name, error.code) != (KEY_FIELD, KEY_FIELD)}
            return self.page(problem, kept, error.status)
        return see_other(f"/rounds/{self.slug}/changes")

    def page(
        self, problem: ChangeProblem | None = None, typed: dict[str, str] | None = None, status: int = 200
    ) -> Response:
        with self.arena.db.reading() as session:
            page = changes_page(session, self.slug, self.locale, self.admin.code, now(), problem=problem, kept=typed)
        return render(self.request, "rounds/changes.html", page, status=status, demo=page.round.demo)


async def _desk(
    request: Request,
    slug: str,
    arena: Arena,
    locale: CurrentLocale,
    admin: Annotated[SignedIn | None, Depends(load_admin)],
) -> Desk:
    if admin is None:
        raise UnauthorizedError
    return Desk(request, slug, arena, locale, admin)


async def _form(request: Request) -> dict[str, str]:
    return {name: values[0].strip() for name, values in (await own_form(request)).items()}


AtDesk = Annotated[Desk, Depends(_desk)]
Form = Annotated[dict[str, str], Depends(_form)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]


@router.get("", dependencies=[only("operator")])
def changes(desk: AtDesk) -> Response:
    return desk.page()


@router.post("")
def propose_change(form: Form, desk: AtDesk) -> Response:
    def act() -> None:
        wanted = read_wanted(form, desk.arena.settings.endpoint_allow)
        desk.arena.db.writing(lambda session: propose(session, desk.slug, wanted, desk.admin.code, now()))

    about = {name: form[name][:20] for name in ("kind", "entry") if name in form}
    return desk.attempt("change.propose", act, form.get("kind", ""), form, **about)


@router.post("/{proposal}/approve", dependencies=[Csrf])
def approve_change(proposal: Number, desk: AtDesk) -> Response:
    def act() -> None:
        desk.arena.db.writing(lambda session: approve(session, desk.slug, proposal, desk.admin.code, now()))

    return desk.attempt("change.approve", act, f"proposal-{proposal}", {}, proposal=proposal)


@router.post("/{proposal}/withdraw", dependencies=[Csrf])
def withdraw_change(proposal: Number, desk: AtDesk) -> Response:
    def act() -> None:
        desk.arena.db.writing(lambda session: withdraw(session, desk.slug, proposal, desk.admin.code, now()))

    return desk.attempt("change.withdraw", act, f"proposal-{proposal}", {}, proposal=proposal)
