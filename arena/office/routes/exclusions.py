"""Excluded votes: what waits, its effect, decisions, appeals; what is refused is on record.

No route here is a coroutine, so that each runs in a thread of its own: they wait for writes.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import load_admin, only
from arena.accounts.trail import refusals_on_record
from arena.battles.appeals import decline_appeal
from arena.battles.cells import at_one_moment
from arena.battles.exclusions import MOST_BATTLES, REFUSALS, close_settled, find_proposal, refuse, withdraw
from arena.clock import now
from arena.errors import ArenaError, ConflictError, ForbiddenError, InvalidError, NotFoundError, UnauthorizedError
from arena.office.effect import approve_weighed
from arena.office.exclusion_form import (
    LARGEST,
    FaultyError,
    Fields,
    check_page,
    number_in,
    propose,
    read_wanted,
)
from arena.office.exclusion_pages import Problem
from arena.office.exclusions_page import WAITING_SHOWN, exclusions_page, proposals_page, ready_of
from arena.rounds.queries import published_round
from arena.rounds.tables import Round
from arena.web.i18n import translations
from arena.web.pages import Locale
from arena.web.respond import render, see_other
from arena.web.services import Arena, CurrentLocale, Services, own_form

PAGE = "/office/exclusions"
ASKED_FOR = ("round", "how", "kind", "reason", "battles", "review", "appeal", "of")
"""The fields of a proposal that the trail tells of a refused one: codes and numbers, no words."""
ASKED_FOR_LIMIT = 400
VERDICTS = {
    "approve": ("exclusion.approve", approve_weighed),
    "refuse": ("exclusion.refuse", refuse),
    "withdraw": ("exclusion.withdraw", withdraw),
}

router = APIRouter(prefix=PAGE)


@dataclass(frozen=True, slots=True)
class Desk:
    """Whoever of the admins is at work on excluded votes: another role is refused on record."""

    request: Request
    arena: Services
    locale: Locale
    admin: SignedIn

    def attempt(self, what: str, about: str, act: Callable[[Session], object], **detail: object) -> None:
        """Does it, which puts itself on the trail; a refusal is put there. Raises what it raised."""
        with refusals_on_record(self.arena.db, self.admin.code, what, about, **detail):
            if self.admin.role != "operator":
                raise ForbiddenError(REFUSALS["role"], code="role")
            self.arena.db.writing(act)

    def words(self, error: ArenaError) -> str:
        return error.text(translations(self.locale).gettext)

    def round_page(
        self,
        slug: str,
        *,
        standing: str = "ready",
        after: int = 0,
        before: int | None = None,
        problem: Problem | None = None,
        kept: Fields | None = None,
        status: int = 200,
    ) -> Response:
        with self.arena.db.reading() as session:
            page = exclusions_page(
                session,
                slug,
                self.admin,
                self.locale,
                standing=standing,
                after=after,
                before=before,
                problem=problem,
                kept=kept,
            )
        demo = page.round is not None and page.round.demo
        return render(self.request, "office/exclusions.html", page, status=status, demo=demo)

    def proposals_page(
        self,
        ids: Sequence[int],
        *,
        problems: dict[int, str] | None = None,
        later: int = 0,
        start: int = 0,
        status: int = 200,
    ) -> Response:
        """Proposals of one round with their effect now, if they can have one. Raises NotFoundError."""
        with self.at_one_moment() as session:
            page = proposals_page(session, ids, self.admin, self.locale, problems=problems, later=later, start=start)
        return render(self.request, "office/exclusion.html", page, status=status, demo=page.round.demo)

    @contextmanager
    def at_one_moment(self) -> Iterator[Session]:
        with self.arena.db.reading() as session:
            at_one_moment(session)
            yield session

    def slug_of(self, ids: Sequence[int]) -> str:
        with self.arena.db.reading() as session:
            return session.get_one(Round, find_proposal(session, ids[0]).round_id).slug


async def _desk(
    request: Request,
    arena: Arena,
    locale: CurrentLocale,
    admin: Annotated[SignedIn | None, Depends(load_admin)],
) -> Desk:
    if admin is None:
        raise UnauthorizedError
    return Desk(request, arena, locale, admin)


AtDesk = Annotated[Desk, Depends(_desk)]
Form = Annotated[Fields, Depends(own_form)]
Number = Annotated[int, Path(ge=1, le=LARGEST)]
Readers = only("operator", "auditor")


@router.get("", dependencies=[Readers])
def exclusions(
    desk: AtDesk,
    slug: Annotated[str, Query(alias="round", max_length=60)] = "",
    standing: Literal["ready", "no_vote_yet", "nothing_to_do"] = "ready",
    after: Annotated[int, Query(ge=0, le=LARGEST)] = 0,
    before: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
) -> Response:
    return desk.round_page(slug, standing=standing, after=after, before=before)


@router.post("/check", dependencies=[only("operator")])
def check(form: Form, desk: AtDesk) -> Response:
    """What would be proposed and its effect, to be confirmed; or what is wrong with the lines."""
    try:
        with desk.at_one_moment() as session:
            page = check_page(session, read_wanted(session, form), desk.locale)
    except ArenaError as error:
        return _again(desk, form, error)
    return render(desk.request, "office/exclusion_check.html", page, demo=page.round.demo)


@router.post("")
def propose_exclusion(form: Form, desk: AtDesk) -> Response:
    made: list[int] = []

    def act(session: Session) -> None:
        made.extend(propose(session, read_wanted(session, form), desk.admin.code, now()))

    about = {name: form[name][0][:ASKED_FOR_LIMIT] for name in ASKED_FOR if name in form}
    try:
        desk.attempt("exclusion.propose", "exclusions", act, **about)
    except (ForbiddenError, NotFoundError):
        raise
    except ArenaError as error:
        return _again(desk, form, error)
    return see_other(f"{PAGE}/{made[0]}" if len(made) == 1 else f"{PAGE}?round={form['round'][0]}")


@router.get("/several", dependencies=[Readers])
def several(
    desk: AtDesk,
    numbers: Annotated[list[Annotated[int, Query(ge=1, le=LARGEST)]] | None, Query(alias="id")] = None,
    by: Annotated[str, Query(max_length=40)] = "",
    slug: Annotated[str, Query(alias="round", max_length=60)] = "",
) -> Response:
    """Proposals that were chosen, or all of a round that somebody proposed and that can be decided."""
    found = list(dict.fromkeys(numbers or ()))
    if not found:
        with desk.arena.db.reading() as session:
            found = ready_of(session, slug, by)
    return desk.proposals_page(found[:WAITING_SHOWN], later=max(0, len(found) - WAITING_SHOWN))


@router.post("/chosen", dependencies=[only("operator")])
def chosen(form: Form, desk: AtDesk) -> Response:
    """Leads from ticks to what they chose."""
    numbers = _numbers(form)
    if not numbers:
        error = InvalidError(REFUSALS["no_votes"], code="no_votes")
        problem = Problem("waiting", desk.words(error))
        return desk.round_page(form.get("round", [""])[0], problem=problem, status=error.status)
    return see_other(f"{PAGE}/several?" + "&".join(f"id={number}" for number in numbers[:WAITING_SHOWN]))


@router.post("/decide")
def decide(form: Form, desk: AtDesk) -> Response:
    """One decision for each proposal: those that can be are made, and the others say why not."""
    numbers = _numbers(form)
    what, act = VERDICTS.get(form.get("verdict", [""])[0], ("exclusion.decide", _no_verdict))
    if not numbers:
        desk.attempt(what, "exclusions", _nothing)
    problems: dict[int, str] = {}
    status = 200
    for number in numbers:
        try:
            _decide_one(desk, what, act, number)
        except ArenaError as error:
            if error.code == "role":
                raise
            problems[number], status = desk.words(error), error.status
    if problems:
        return desk.proposals_page(numbers, problems=problems, status=status)
    return see_other(f"{PAGE}/{numbers[0]}" if len(numbers) == 1 else f"{PAGE}?round={desk.slug_of(numbers)}")


def _decide_one(desk: Desk, what: str, act: Callable[..., None], number: int) -> None:
    desk.attempt(what, f"exclusion-{number}", lambda session: act(session, number, desk.admin.code, now()))


def _no_verdict(_session: Session, _number: int, _by: str, _at: datetime) -> None:
    raise InvalidError(REFUSALS["verdict"], code="verdict")


def _nothing(_session: Session) -> None:
    raise InvalidError(REFUSALS["no_votes"], code="no_votes")


@router.post("/close")
def close(form: Form, desk: AtDesk) -> Response:
    """Closes what has nothing left to decide in a round."""
    slug = form.get("round", [""])[0]

    def act(session: Session) -> None:
        close_settled(session, published_round(session, slug), desk.admin.code, now())

    try:
        desk.attempt("exclusion.close", "exclusions", act, round=slug[:60])
    except ConflictError as error:
        return desk.round_page(slug, problem=Problem("waiting", desk.words(error)), status=error.status)
    return see_other(f"{PAGE}?round={slug}")


@router.get("/{proposal}", dependencies=[Readers])
def one_proposal(proposal: Number, desk: AtDesk, start: Annotated[int, Query(ge=0, le=MOST_BATTLES)] = 0) -> Response:
    return desk.proposals_page([proposal], start=start)


@router.post("/appeals/{appeal}/decline")
def decline(appeal: Number, form: Form, desk: AtDesk) -> Response:
    reply = form.get("reply", [""])[0]
    slug = form.get("round", [""])[0]
    try:
        desk.attempt(
            "appeal.decline",
            f"appeal-{appeal}",
            lambda session: decline_appeal(session, appeal, reply, desk.admin.code, now()),
        )
    except (ForbiddenError, NotFoundError):
        raise
    except ArenaError as error:
        problem = Problem(f"appeal-{appeal}", desk.words(error))
        return desk.round_page(slug, problem=problem, kept=form, status=error.status)
    return see_other(f"{PAGE}?round={slug}")


def _again(desk: Desk, form: Fields, error: ArenaError) -> Response:
    """The page with the form as it was sent, and what is wrong with it."""
    if "battles" in form:
        form = form | {"numbers": ["\n".join(form["battles"][0].split())]}
    faults = error.faults(translations(desk.locale).gettext) if isinstance(error, FaultyError) else ()
    problem = Problem(form.get("how", [""])[0], desk.words(error), faults)
    return desk.round_page(form.get("round", [""])[0], problem=problem, kept=form, status=error.status)


def _numbers(form: Fields) -> list[int]:
    """The proposals that were ticked."""
    return [number for number in dict.fromkeys(map(number_in, form.get("id", []))) if number]
