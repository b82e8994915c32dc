"""The landing page, and the first question."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import record_consent
from arena.accounts.queries import consent_given
from arena.accounts.routes import CurrentOperator
from arena.battles import actions, queries
from arena.battles.dealing import start_battle
from arena.battles.pages import CONSENT_VERSION, PROMPT_LIMIT, LandingPage, SuggestionView
from arena.battles.relay import TurnJob
from arena.battles.routes.caller import Caller, CurrentCaller, Prompt
from arena.clock import now
from arena.errors import N_, ArenaError, ConflictError, InvalidError, LimitError
from arena.rounds.pages import RoundPage
from arena.rounds.queries import open_round, published_round, round_page, suggestion, suggestions, view
from arena.web.i18n import translations
from arena.web.observe import BATTLES
from arena.web.respond import render
from arena.web.services import Arena, Csrf, CurrentLocale

NO_CONSENT = N_("Please tick that you want to take part. Your question is still here.")
NO_ROUND = N_("No round is open at the moment, so nothing can be asked.")
SHOWN_SUGGESTIONS = 4

router = APIRouter()


@router.get("/")
async def landing(caller: CurrentCaller, shuffle: int = 0) -> Response:
    page = await caller.db.read(lambda session: _landing(session, caller, shuffle=shuffle))
    shuffled = "shuffle" in caller.request.query_params
    return _landed(caller, page, "battles/_suggestions.html" if shuffled else None)


def _landed(caller: Caller, page: LandingPage, part: str | None, *, status: int = 200) -> Response:
    demo = page.round is not None and page.round.demo
    return render(caller.request, "battles/landing.html", page, part=part, status=status, demo=demo)


def _landing(
    session: Session,
    caller: Caller,
    *,
    shuffle: int = 0,
    prompt: str = "",
    chosen: str = "",
    publish: bool = False,
    problem: str | None = None,
) -> LandingPage:
    round_, visitor = open_round(session), caller.visitor
    offered: tuple[SuggestionView, ...] = ()
    votes, open_id = 0, None
    if round_ is not None and round_.id is not None:
        found = suggestions(session, round_.id, caller.locale, limit=SHOWN_SUGGESTIONS, shuffle=shuffle)
        offered = tuple(SuggestionView(item.code, item.text) for item in found)
        votes = queries.votes_cast(session, round_.id)
        prompt = _suggested(session, round_.id, chosen) or prompt
        current = queries.open_battle(session, round_.id, visitor.id) if visitor.known else None
        open_id = current.id if current else None
    return LandingPage(
        round=view(round_, caller.locale) if round_ else None,
        suggestions=offered,
        shuffle=shuffle,
        votes=votes,
        needs_consent=not visitor.known or consent_given(session, visitor.id, CONSENT_VERSION) is None,
        consent_version=CONSENT_VERSION,
        publish_ticked=publish,
        prompt=prompt,
        prompt_limit=PROMPT_LIMIT,
        problem=problem,
        open_battle=open_id,
    )


def _suggested(session: Session, round_id: int, code: str) -> str:
    found = suggestion(session, round_id, code) if code else None
    return found.text if found else ""


@router.post("/battles", dependencies=[Csrf])
async def ask(
    caller: CurrentCaller,
    prompt: Prompt = "",
    suggestion: Annotated[str, Form()] = "",
    consent: Annotated[tuple[str, ...], Form()] = (),
    consent_version: Annotated[str, Form()] = CONSENT_VERSION,
) -> Response:
    """Starts a battle; a refusal shows the form again with the question kept.

    Ticks under another version of the consent's text than today's do not count.
    """
    consent = consent if consent_version == CONSENT_VERSION else ()
    start = partial(_start, caller=caller, prompt=prompt, code=suggestion, consent=consent)
    try:
        caller.relays.check_room()
        battle_id, job = await caller.db.write(start)
    except ArenaError as error:
        again = partial(
            _landing,
            caller=caller,
            prompt=prompt,
            chosen=suggestion,
            publish="publish" in consent,
            problem=error.text(translations(caller.locale).gettext),
        )
        response = _landed(caller, await caller.db.read(again), "battles/_landing.html", status=error.status)
        if isinstance(error, LimitError):
            response.headers["Retry-After"] = str(error.retry_after_s)
        return response
    if job:
        BATTLES.inc()
        caller.relays.start(job)
    return await caller.sent_on(battle_id)


def _start(
    session: Session, caller: Caller, prompt: str, code: str, consent: tuple[str, ...]
) -> tuple[str, TurnJob | None]:
    round_, voter_id = open_round(session), caller.visitor.id
    if round_ is None or round_.id is None:
        raise ConflictError(NO_ROUND, code="no_round")
    prompt = actions.clean_prompt(_suggested(session, round_.id, code) or prompt)
    if consent_given(session, voter_id, CONSENT_VERSION) is None:
        if "participate" not in consent:
            raise InvalidError(NO_CONSENT, code="no_consent")
        record_consent(session, voter_id, CONSENT_VERSION, publish="publish" in consent, now=now())
    dealt = start_battle(session, round_, voter_id, prompt, caller.locale, now())
    if dealt.new and not queries.has_voted(session, round_.id, voter_id):
        caller.arrivals.admit(caller.address, now())
    return dealt.battle.id, queries.turn_job(session, dealt.turn) if dealt.new else None


@router.get("/rounds/{slug}")
async def round_overview(
    request: Request, slug: str, arena: Arena, locale: CurrentLocale, operator: CurrentOperator
) -> Response:
    """Here and not in the rounds' room, as it counts votes."""

    def load(session: Session) -> RoundPage:
        found = published_round(session, slug)
        votes = queries.votes_cast(session, found.id or 0)
        return round_page(session, found, locale, votes=votes, operator=operator)

    page = await arena.db.read(load)
    return render(request, "rounds/round.html", page, demo=page.round.demo)
