"""The rules for prompts: shown, tried, changed after a dry run, published. For moderators.

Routes that are no coroutines run in a thread of their own: a dry run judges a thousand prompts twice.
"""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import NOT_YOURS, load_admin, only
from arena.accounts.trail import record
from arena.clock import now
from arena.errors import ArenaError, ConflictError, ForbiddenError, InvalidError, UnauthorizedError
from arena.screening.actions import SUBJECT, publish
from arena.screening.pages import Draft
from arena.screening.queries import rules_in_force
from arena.screening.rules import Rules
from arena.screening.rules_form import Fields, read_draft
from arena.screening.rules_page import edit_page, fingerprint, rules_page, tried, version_page
from arena.web.i18n import translations
from arena.web.respond import render, see_other
from arena.web.services import Arena, Csrf, CurrentLocale, Services, own_form

PAGE = "/office/rules"
MAX_TRIED = 8000
NEWEST = 2**31 - 1

router = APIRouter(prefix=PAGE)
Moderators = only("moderator")
OwnForm = Annotated[Fields, Depends(own_form)]
Number = Annotated[int, Path(ge=0, le=NEWEST)]


@router.get("", dependencies=[Moderators])
def rules(request: Request, arena: Arena) -> Response:
    with arena.db.reading() as session:
        page = rules_page(session, arena.settings.classifier_url)
    return render(request, "screening/rules.html", page)


@router.post("/try", dependencies=[Moderators, Csrf])
async def try_text(request: Request, arena: Arena, text: Annotated[str, Form(max_length=MAX_TRIED)]) -> Response:
    in_force = await arena.db.read(rules_in_force)
    found = await tried(text, in_force, request.app.state.classifier)
    url = arena.settings.classifier_url
    page = await arena.db.read(lambda session: rules_page(session, url, text, found))
    return render(request, "screening/rules.html", page)


@router.get("/versions/{number}", dependencies=[Moderators])
def look_at_version(request: Request, arena: Arena, number: Number) -> Response:
    with arena.db.reading() as session:
        page = version_page(session, number)
    return render(request, "screening/rules_version.html", page)


@router.get("/edit", dependencies=[Moderators])
def edit(
    request: Request, arena: Arena, source: Annotated[int | None, Query(alias="from", ge=0, le=NEWEST)] = None
) -> Response:
    with arena.db.reading() as session:
        page = edit_page(session, source=source)
    return render(request, "screening/rules_edit.html", page)


@router.post("/edit", dependencies=[Moderators])
def check(request: Request, arena: Arena, form: OwnForm, locale: CurrentLocale) -> Response:
    draft, typed = read_draft(form, translations(locale).gettext)
    return _editor(request, arena, draft, typed)


@router.post("/publish")
def publish_rules(
    request: Request,
    arena: Arena,
    form: OwnForm,
    locale: CurrentLocale,
    admin: Annotated[SignedIn | None, Depends(load_admin)],
) -> Response:
    """Only what a dry run has shown is published, on top of the version that it was compared with."""
    who = _moderator(arena, admin)
    gettext = translations(locale).gettext
    draft, typed = read_draft(form, gettext)
    if typed is None or form.get("checked") != [fingerprint(typed)]:
        return _editor(request, arena, draft, typed)
    based_on = form.get("based_on", [""])[0]
    try:
        version = int(based_on) if based_on.isdecimal() and len(based_on) < 9 else -1
        arena.db.writing(lambda session: publish(session, typed, version, draft.note, who, now()))
    except InvalidError as error:
        return _editor(request, arena, replace(draft, note_problem=error.text(gettext)), typed)
    except ConflictError as error:
        _refused(arena, who, error)
        return _editor(request, arena, replace(draft, problem=error.text(gettext)), typed, status=409)
    return see_other(PAGE)


def _editor(request: Request, arena: Services, draft: Draft, typed: Rules | None, status: int = 200) -> Response:
    """The form as it was typed; with a dry run when it is in order."""
    with arena.db.reading() as session:
        page = edit_page(session, draft=draft, rules=typed)
    wrong = typed is None or draft.note_problem
    return render(request, "screening/rules_edit.html", page, status=422 if wrong else status)


def _moderator(arena: Services, admin: SignedIn | None) -> str:
    """Who publishes; that somebody else tried is on record."""
    if admin is None:
        raise UnauthorizedError
    if admin.role != "moderator":
        error = ForbiddenError(NOT_YOURS, code="role")
        _refused(arena, admin.code, error)
        raise error
    return admin.code


def _refused(arena: Services, who: str, error: ArenaError) -> None:
    arena.db.writing(
        lambda session: record(session, who, "rules.publish", SUBJECT, "refused", now(), why=error.code, detail={})
    )
