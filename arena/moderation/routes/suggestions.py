"""Suggestions, for moderators: proposed, edited, approved by another person, published in versions.

No route here is a coroutine, so that each runs in a thread of its own: they wait for writes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes.caller import NOT_YOURS, CurrentAdmin, only
from arena.accounts.trail import refusals_on_record
from arena.clock import now
from arena.errors import ArenaError, ForbiddenError, NotFoundError
from arena.moderation.suggestion_pages import Problem
from arena.moderation.suggestion_versions import keep, publish, retire
from arena.moderation.suggestions import approve, decline, edit, propose, propose_from_review
from arena.moderation.suggestions_page import draft_page, next_page, suggestions_page, version_page, writing_page
from arena.rounds.queries import find_round
from arena.web.i18n import translations
from arena.web.pages import Locale
from arena.web.respond import render, see_other
from arena.web.services import Arena, CurrentLocale, Services, own_form

PLACE = "/office/suggestions"
WORDS = ("text", "topic", "locale")

router = APIRouter(prefix=PLACE)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever of the office is at work on suggestions: another role is refused, an act on record."""

    request: Request
    arena: Services
    locale: Locale
    admin: SignedIn

    def shows(self, template: str, read: Callable[[Session], object], *, status: int = 200) -> Response:
        with self.arena.db.reading() as session:
            page = read(session)
        return render(self.request, f"moderation/{template}.html", page, status=status)

    def attempt(
        self, what: str, subject: str, act: Callable[[Session], str], again: Callable[[Problem, int], Response]
    ) -> Response:
        """Does it and goes on to the path that `act` returns; or shows the form `again` with why it was refused."""
        try:
            with refusals_on_record(self.arena.db, self.admin.code, what, subject):
                if self.admin.role != "moderator":
                    raise ForbiddenError(NOT_YOURS, code="role")
                return see_other(self.arena.db.writing(act))
        except (ForbiddenError, NotFoundError):
            raise
        except ArenaError as error:
            return again(Problem(error.code, error.text(translations(self.locale).gettext)), error.status)


async def _desk(request: Request, arena: Arena, locale: CurrentLocale, admin: CurrentAdmin) -> Desk:
    return Desk(request, arena, locale, admin)


async def _form(request: Request) -> dict[str, str]:
    return {name: values[0].replace("\0", "") for name, values in (await own_form(request)).items()}


AtDesk = Annotated[Desk, Depends(_desk)]
Form = Annotated[dict[str, str], Depends(_form)]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
ReviewNumber = Annotated[int | None, Query(alias="review", ge=1, le=2**31 - 1)]
Slug = Annotated[str, Query(alias="round", max_length=64)]
MODERATORS = [only("moderator")]


@router.get("", dependencies=MODERATORS)
def desk_of_round(desk: AtDesk, slug: Slug = "") -> Response:
    return desk.shows("suggestions", lambda s: suggestions_page(s, slug, desk.locale, desk.admin.code))


@router.get("/new", dependencies=MODERATORS)
def new(desk: AtDesk, slug: Slug = "", review: ReviewNumber = None, topic: str = "", locale: str = "") -> Response:
    kept = {name: value for name, value in (("topic", topic), ("locale", locale)) if value}
    return desk.shows("suggestion_new", lambda s: writing_page(s, slug, review, desk.locale, kept=kept))


@router.post("")
def propose_one(form: Form, desk: AtDesk) -> Response:
    words, review, slug = _words(form), _number(form.get("review", "")), form.get("round", "")

    def act(session: Session) -> str:
        if review:
            made = propose_from_review(session, review, desk.admin.code, now(), **words)
        else:
            made = propose(session, _round_id(session, slug), desk.admin.code, now(), **words)
        return f"{PLACE}/{made.id}"

    def again(problem: Problem, status: int) -> Response:
        def read(session: Session) -> object:
            return writing_page(session, slug, review, desk.locale, kept=words, problem=problem)

        return desk.shows("suggestion_new", read, status=status)

    return desk.attempt("suggestion.propose", "suggestion-new", act, again)


@router.get("/next", dependencies=MODERATORS)
def next_version(desk: AtDesk, slug: Slug = "", shuffle: Annotated[int, Query(ge=0, le=10**6)] = 0) -> Response:
    return desk.shows("suggestion_next", lambda s: next_page(s, slug, desk.locale, desk.admin.code, shuffle=shuffle))


@router.post("/next")
def publish_next(form: Form, desk: AtDesk) -> Response:
    slug, note = form.get("round", ""), form.get("note", "")

    def act(session: Session) -> str:
        at = _round_id(session, slug)
        made = publish(session, at, desk.admin.code, now(), seen=form.get("seen", ""), note=note)
        return f"{PLACE}/versions/{made.number}?round={quote(slug)}"

    def again(problem: Problem, status: int) -> Response:
        def read(session: Session) -> object:
            return next_page(session, slug, desk.locale, desk.admin.code, note=note, problem=problem)

        return desk.shows("suggestion_next", read, status=status)

    return desk.attempt("suggestion.publish", f"suggestions-{slug[:64]}", act, again)


@router.get("/versions/{number}", dependencies=MODERATORS)
def version(desk: AtDesk, number: Number, slug: Slug) -> Response:
    return desk.shows("suggestion_version", lambda s: version_page(s, slug, number, desk.locale))


@router.post("/retire")
def retire_one(form: Form, desk: AtDesk) -> Response:
    return _mark(form, desk, "suggestion.retire", retire)


@router.post("/keep")
def keep_one(form: Form, desk: AtDesk) -> Response:
    return _mark(form, desk, "suggestion.keep", keep)


def _mark(form: dict[str, str], desk: Desk, what: str, change: Callable[..., None]) -> Response:
    slug, code = form.get("round", ""), form.get("code", "")

    def act(session: Session) -> str:
        change(session, _round_id(session, slug), code, desk.admin.code, now())
        return f"{PLACE}?round={quote(slug)}#{quote(code)}"

    def again(problem: Problem, status: int) -> Response:
        def read(session: Session) -> object:
            return suggestions_page(session, slug, desk.locale, desk.admin.code, problem=problem)

        return desk.shows("suggestions", read, status=status)

    return desk.attempt(what, f"suggestion-{code[:64]}", act, again)


@router.get("/{draft}", dependencies=MODERATORS)
def proposal(desk: AtDesk, draft: Number) -> Response:
    return desk.shows("suggestion", lambda s: draft_page(s, draft, desk.locale, desk.admin.code))


@router.post("/{draft}/edit")
def edit_one(draft: Number, form: Form, desk: AtDesk) -> Response:
    return _decide(form, desk, draft, "edit", partial(edit, **_words(form)))


@router.post("/{draft}/approve")
def approve_one(draft: Number, form: Form, desk: AtDesk) -> Response:
    return _decide(form, desk, draft, "approve", approve)


@router.post("/{draft}/decline")
def decline_one(draft: Number, form: Form, desk: AtDesk) -> Response:
    change = partial(decline, reason=form.get("reason", ""), note=form.get("note", ""))
    return _decide(form, desk, draft, "decline", change)


def _decide(form: dict[str, str], desk: Desk, draft: int, what: str, change: Callable[..., None]) -> Response:
    def act(session: Session) -> str:
        change(session, draft, desk.admin.code, now(), seen=form.get("seen", ""))
        return f"{PLACE}/{draft}"

    def again(problem: Problem, status: int) -> Response:
        def read(session: Session) -> object:
            return draft_page(session, draft, desk.locale, desk.admin.code, form=what, kept=form, problem=problem)

        return desk.shows("suggestion", read, status=status)

    return desk.attempt(f"suggestion.{what}", f"suggestion-{draft}", act, again)


def _words(form: dict[str, str]) -> dict[str, Any]:
    return {name: form.get(name, "") for name in WORDS}


def _number(text: str) -> int | None:
    """A row's number; None for an empty field. Raises NotFoundError for what is none."""
    if text and not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise NotFoundError
    return int(text) if text else None


def _round_id(session: Session, slug: str) -> int:
    found = find_round(session, slug)
    if found is None or found.id is None:
        raise NotFoundError
    return found.id
