"""The review queue: prompts, one key an act."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from pydantic import Field
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes.caller import COOKIE, NOT_YOURS, CurrentAdmin, only
from arena.accounts.trail import refusals_on_record
from arena.battles.stream import EventStream
from arena.clock import now
from arena.db import Database
from arena.errors import N_, ForbiddenError
from arena.moderation.actions import ACTS, Outcome, Wish, claim, fulfil, release, subject
from arena.moderation.pages import DonePage, QueuePage, ReviewView
from arena.moderation.queries import chosen_round, counts, last_decided, queue_page, review_views
from arena.moderation.queue_filter import PATH, Filter, State
from arena.moderation.queue_watch import QueueWatch, Watcher
from arena.web.i18n import translations
from arena.web.pages import Locale
from arena.web.respond import is_partial, render, see_other
from arena.web.services import Arena, Csrf, CurrentLocale

ROWS_AT_ONCE = 200
ABOUT = N_("Question %(number)s: %(why)s")
NOTHING_CHOSEN = N_("No question was chosen. Tick one or more, and try again.")
NOTHING_TO_UNDO = N_("There is nothing of yours from the last ten minutes to take back.")

router = APIRouter(prefix=PATH)
MODERATORS = [only("moderator")]


async def _filter(request: Request) -> Filter:
    return Filter.read(request.query_params.items())


Wanted = Annotated[Filter, Depends(_filter)]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Chosen = Annotated[list[Number], Form(default_factory=list, max_length=ROWS_AT_ONCE)]
Shown = Annotated[list[Number], Query(default_factory=list, max_length=ROWS_AT_ONCE)]


@router.get("", dependencies=MODERATORS)
async def queue(
    request: Request, arena: Arena, locale: CurrentLocale, admin: CurrentAdmin, wanted: Wanted
) -> Response:
    page = await arena.db.read(lambda session: queue_page(session, wanted, admin.code, locale, now()))
    return _shown(request, page)


def _shown(request: Request, page: QueuePage, status: int = 200) -> Response:
    part = "moderation/_queue_list.html"
    return render(request, "moderation/queue.html", page, part=part, demo=page.demo, status=status)


@router.get("/rows", dependencies=MODERATORS)
async def rows(request: Request, arena: Arena, locale: CurrentLocale, admin: CurrentAdmin, review: Shown) -> Response:
    """The rows that a page shows, as they are now."""

    def load(session: Session) -> DonePage:
        views = review_views(session, review, admin.code, locale, now(), done=True)
        return DonePage(act="", done=(), proposed=0, problems=(), reviews=views, wanted=Filter())

    return render(request, "moderation/_queue_done.html", await arena.db.read(load))


@router.post("/acts", dependencies=[Csrf])
def act_on(
    request: Request,
    arena: Arena,
    locale: CurrentLocale,
    admin: CurrentAdmin,
    review: Chosen,
    act: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=40)] = "",
    note: Annotated[str, Form(max_length=4000)] = "",
    then: Annotated[Number | None, Form()] = None,
    left: Annotated[Number | None, Form()] = None,
    back: Annotated[str, Form(max_length=2000)] = PATH,
) -> Response:
    """Acts on prompts, or takes back the last act; gives back what was `left`, claims what is looked at `then`.

    A reason alone rejects. It runs in a thread of its own, where it waits for what it writes.
    """
    wish = _wish(arena.db, admin, review, "reject" if reason else act, reason, note.strip())
    wanted, by = Filter.of_path(back), admin.code

    def work(session: Session) -> DonePage:
        outcomes = _fulfilled(session, review, wish, by)
        if left:
            release(session, left, by)
        missed = [then] if then and not claim(session, then, by, now()) else []
        touched = [*(outcome.review for outcome in outcomes), *missed]
        views = review_views(session, touched, by, locale, now(), done=True)
        return _done(outcomes, wish, views, wanted, locale)

    done = arena.db.writing(work)
    status = 409 if done.problems and not done.done else 200
    if is_partial(request):
        if done.done:
            done = replace(done, counts=_counts(arena.db, wanted, by))
        return render(request, "moderation/_queue_done.html", done, status=status)
    if not done.problems:
        return see_other(wanted.here)
    with arena.db.reading() as session:
        page = queue_page(session, wanted, by, locale, now(), done.problems)
    return _shown(request, page, status)


def _wish(db: Database, admin: SignedIn, reviews: Sequence[int], act: str, reason: str, note: str) -> Wish | None:
    """None for a claim alone. Whoever may not decide, or asks for what cannot be, is refused on record."""
    what = f"prompt.{act if act in ACTS else 'decide'}"
    about = subject(reviews[0]) if len(reviews) == 1 else "prompts"
    with refusals_on_record(db, admin.code, what, about, reviews=list(reviews), reason=reason):
        if admin.role != "moderator":
            raise ForbiddenError(NOT_YOURS, code="role")
        return Wish(act, reason, note) if act else None


def _counts(db: Database, wanted: Filter, by: str) -> dict[State, int]:
    with db.reading() as session:
        return counts(session, chosen_round(session, wanted).id or 0, by)


def _fulfilled(session: Session, reviews: Sequence[int], wish: Wish | None, by: str) -> list[Outcome]:
    if wish is None:
        return []
    if wish.act == "undo" and not reviews:
        reviews = [review.id or 0 for review in last_decided(session, by, now())]
    return fulfil(session, reviews, wish, by, now())


def _done(
    outcomes: Sequence[Outcome], wish: Wish | None, views: tuple[ReviewView, ...], wanted: Filter, locale: Locale
) -> DonePage:
    gettext = translations(locale).gettext
    problems = [
        gettext(ABOUT) % {"number": outcome.review, "why": outcome.refusal.text(gettext)}
        for outcome in outcomes
        if outcome.refusal
    ]
    if wish and not outcomes:
        nothing = NOTHING_TO_UNDO if wish.act == "undo" else NOTHING_CHOSEN
        problems.append(gettext(nothing))
    return DonePage(
        act=wish.act if wish else "",
        done=tuple(outcome.review for outcome in outcomes if not outcome.refusal),
        proposed=sum(outcome.proposed for outcome in outcomes),
        problems=tuple(problems),
        reviews=views,
        wanted=wanted,
    )


@router.get("/events", dependencies=MODERATORS)
async def events(
    request: Request,
    arena: Arena,
    admin: CurrentAdmin,
    wanted: Wanted,
    since: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
) -> Response:
    """Tells an open page of new prompts, and which rows have changed."""
    watch: QueueWatch = request.app.state.queue_watch
    round_id = await arena.db.read(lambda session: chosen_round(session, wanted).id or 0)
    watcher = Watcher(admin.code, request.cookies.get(COOKIE, ""), round_id, wanted.state, set())
    await watch.join(watcher, since)
    return EventStream(watcher, lambda: watch.leave(watcher))
