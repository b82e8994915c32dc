"""Rounds and teams: the list, a round's desk, the preview of its rules, opening, closing."""

from fastapi import APIRouter
from starlette.responses import Response

from arena.accounts.routes import only
from arena.clock import now
from arena.errors import ArenaError, ForbiddenError, NotFoundError
from arena.office.round_acts import close, found, open_draft, refused
from arena.office.round_checks import close_page, draft_page, open_page
from arena.office.round_desk import desk_page, rounds_page
from arena.office.routes.drafts import router as drafts
from arena.office.routes.endpoint_tests import router as endpoint_tests
from arena.office.routes.operating import AtWork, Operator, SentForm
from arena.rounds.queries import rules_page
from arena.web.respond import is_partial, render, see_other

WHY_LIMIT = 1000
"""Characters of why a round was closed; the field takes no more."""

router = APIRouter()
router.include_router(drafts)
router.include_router(endpoint_tests)


@router.get("/office/rounds", dependencies=[only("operator")])
def rounds(operator: AtWork) -> Response:
    with operator.arena.db.reading() as session:
        page = rounds_page(session, operator.locale)
    return operator.render("office/rounds.html", page)


@router.get("/office/rounds/{slug}", dependencies=[only("operator")])
def round_desk(slug: str, operator: AtWork) -> Response:
    """Of a draft what is ready, else the desk; htmx asks for its numbers alone."""
    numbers_only = is_partial(operator.request)
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        if round_.state == "draft":
            draft = draft_page(session, round_, operator.arena.key, operator.locale, now())
            return operator.render("office/round_draft.html", draft, demo=round_.demo)
        page = desk_page(session, slug, operator.locale, now(), whole=not numbers_only)
    template, part = "office/round_desk.html", "office/_round_numbers.html"
    return render(operator.request, template, page, part=part, demo=round_.demo)


@router.get("/office/rounds/{slug}/preview", dependencies=[only("operator")])
def preview(slug: str, operator: AtWork) -> Response:
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        page = rules_page(round_, operator.locale, operator=True)
    return operator.render("office/round_preview.html", page, demo=round_.demo)


@router.get("/office/rounds/{slug}/open", dependencies=[only("operator")])
def before_opening(slug: str, operator: AtWork) -> Response:
    return _opening(operator, slug)


@router.post("/office/rounds/{slug}/open")
def open_round(slug: str, form: SentForm, operator: AtWork) -> Response:
    typed, seen, arena = form.text("confirm"), form.text("seen"), operator.arena
    try:
        with operator.on_record("round.open", slug, **_change(operator, slug, "open")):
            if typed != slug:
                raise refused("confirm")
            arena.db.writing(lambda session: open_draft(session, slug, seen, arena.key, now()))
    except (ForbiddenError, NotFoundError):
        raise
    except ArenaError as error:
        return _opening(operator, slug, problem=error, typed=typed)
    return see_other(f"/office/rounds/{slug}")


@router.get("/office/rounds/{slug}/close", dependencies=[only("operator")])
def before_closing(slug: str, operator: AtWork) -> Response:
    return _closing(operator, slug)


@router.post("/office/rounds/{slug}/close")
def close_round(slug: str, form: SentForm, operator: AtWork) -> Response:
    typed, why, arena = form.text("confirm"), form.text("why")[:WHY_LIMIT].replace("\0", ""), operator.arena
    try:
        with operator.on_record("round.close", slug, **_change(operator, slug, "closed"), note=why):
            if typed != slug:
                raise refused("confirm")
            arena.db.writing(lambda session: close(session, slug, why, arena.key, now()))
    except (ForbiddenError, NotFoundError):
        raise
    except ArenaError as error:
        return _closing(operator, slug, problem=error, typed=typed, why=why)
    return see_other(f"/office/rounds/{slug}")


def _change(operator: Operator, slug: str, state: str) -> dict[str, object]:
    """What the trail tells of a move to this state; nothing of a round that is not there."""
    with operator.arena.db.reading() as session:
        try:
            round_ = found(session, slug)
        except NotFoundError:
            return {}
    frozen = {"rules_hash": round_.rules_hash}
    return {"before": {"state": round_.state} | frozen, "after": {"state": state} | frozen}


def _opening(operator: Operator, slug: str, *, problem: ArenaError | None = None, typed: str = "") -> Response:
    words = operator.says(problem) if problem else None
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        if round_.state != "draft":
            raise problem or refused("not_draft")
        page = open_page(session, round_, operator.arena.key, operator.locale, now(), problem=words, typed=typed)
    status = problem.status if problem else 200
    return operator.render("office/round_open.html", page, status=status, demo=round_.demo)


def _closing(
    operator: Operator, slug: str, *, problem: ArenaError | None = None, typed: str = "", why: str = ""
) -> Response:
    told = {"problem": operator.says(problem), "fault": problem.code} if problem else {}
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        if round_.state != "open":
            raise problem or refused("not_open")
        page = close_page(session, round_, operator.locale, now(), **told, typed=typed, why=why)
    status = problem.status if problem else 200
    return operator.render("office/round_close.html", page, status=status, demo=round_.demo)
