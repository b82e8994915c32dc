"""The landing page, and the first question."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Form, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import record_consent
from arena.accounts.queries import consent_given
from arena.accounts.routes import CurrentOperator
from arena.battles import actions, queries
from arena.battles.dealing import begun_with, start_battle
from arena.battles.held import held_views
from arena.battles.pages import CONSENT_VERSION, PROMPT_LIMIT, HeldView, LandingPage, SuggestionView
from arena.battles.relay import TurnJob
from arena.battles.routes.caller import Caller, CurrentCaller, Prompt
from arena.clock import now
from arena.errors import N_, ArenaError, ConflictError, InvalidError, LimitError
from arena.rounds.pages import RoundPage
from arena.rounds.queries import accepts, open_round, published_round, round_page, suggestion, suggestions, view
from arena.rounds.tables import Round
from arena.rounds.topics import topic_name
from arena.screening.checks import Checks, Screened
from arena.screening.holding import Asker, hold, withdraw
from arena.screening.screen import screen
from arena.web.i18n import translations
from arena.web.observe import BATTLES, HELD
from arena.web.respond import is_partial, render, see_other
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


def _landed(caller: Caller, page: LandingPage, part: str | None, **how: Any) -> Response:
    demo = page.round is not None and page.round.demo
    return render(caller.request, "battles/landing.html", page, part=part, demo=demo, **how)


def _landing(
    session: Session,
    caller: Caller,
    *,
    shuffle: int = 0,
    prompt: str = "",
    chosen: str = "",
    publish: bool = False,
    problem: str | None = None,
    just_held: str | None = None,
    withdrawn: bool = False,
) -> LandingPage:
    round_, visitor = open_round(session), caller.visitor
    offered: tuple[SuggestionView, ...] = ()
    held: tuple[HeldView, ...] = ()
    votes, open_id = 0, None
    if round_ is not None and round_.id is not None:
        found = suggestions(session, round_.id, caller.locale, limit=SHOWN_SUGGESTIONS, shuffle=shuffle)
        offered = tuple(SuggestionView(item.code, item.text, topic_name(item.topic)) for item in found)
        votes = queries.votes_cast(session, round_.id)
        prompt = _suggested(session, round_.id, chosen) or prompt
        current = queries.open_battle(session, round_.id, visitor.id) if visitor.known else None
        open_id = current.id if current else None
        held = held_views(session, round_.id, visitor.id, just_held=just_held) if visitor.known else ()
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
        held=held,
        withdrawn=withdrawn,
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
    """Starts a battle, or keeps the question for a person to look at; a refusal shows it in the form again.

    Ticks under another version of the consent's text than today's do not count.
    """
    consent = consent if consent_version == CONSENT_VERSION else ()
    prepare = partial(_screened, caller=caller, prompt=prompt, code=suggestion, consent=consent)
    try:
        caller.relays.check_room()
        screened = await caller.screened(prepare)
        battle_id, job = await caller.db.write(
            partial(_start, caller=caller, screened=screened, publish="publish" in consent)
        )
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
    if battle_id is None:
        HELD.inc()
        return await _kept(caller, screened.text)
    if job:
        BATTLES.inc()
        caller.relays.start(job)
    return await caller.sent_on(battle_id)


def _screened(session: Session, caller: Caller, prompt: str, code: str, consent: tuple[str, ...]) -> Screened:
    """The question after the checks that need no network; one of the round's suggestions needs none."""
    round_id = _round_that_accepts(session).id or 0
    offered = _suggested(session, round_id, code)
    prompt = actions.clean_prompt(offered or prompt)
    if "participate" not in consent and consent_given(session, caller.visitor.id, CONSENT_VERSION) is None:
        raise InvalidError(NO_CONSENT, code="no_consent")
    caller.admit(session, round_id)
    return Screened(prompt, None) if offered else screen(session, round_id, caller.visitor.id, prompt)


def _start(
    session: Session, caller: Caller, screened: Screened, *, publish: bool
) -> tuple[str | None, TurnJob | None]:
    """The battle, and what a relay needs if it is a new one; no battle where a person looks at the question first."""
    round_, voter_id = _round_that_accepts(session), caller.visitor.id
    if consent_given(session, voter_id, CONSENT_VERSION) is None:
        record_consent(session, voter_id, CONSENT_VERSION, publish=publish, now=now())
    if screened.checks and screened.checks.hold:
        return _hold(session, caller, round_, screened.text, screened.checks), None
    dealt = start_battle(session, round_, voter_id, screened.text, caller.locale, now(), screened.checks)
    return dealt.battle.id, queries.turn_job(session, dealt.turn) if dealt.new else None


def _hold(session: Session, caller: Caller, round_: Round, text: str, checks: Checks) -> str | None:
    """Keeps the question; the battle instead if it was asked already, before the checks found anything."""
    by = Asker(round_.id or 0, caller.visitor.id, caller.locale)
    current = queries.open_battle(session, by.round_id, by.voter_id)
    if current and begun_with(session, current, text):
        return current.id
    hold(session, by, text, checks, now())
    return None


def _round_that_accepts(session: Session) -> Round:
    round_ = open_round(session)
    if round_ is None:
        raise ConflictError(NO_ROUND, code="no_round")
    if not accepts(round_, now()):
        raise ConflictError(actions.ROUND_CLOSED, code="round_closed")
    return round_


async def _kept(caller: Caller, text: str) -> Response:
    """The landing page, where the question waits."""
    if not is_partial(caller.request):
        return see_other("/#held")
    page = await caller.db.read(partial(_landing, caller=caller, just_held=text))
    return _landed(caller, page, "battles/_landing.html", push_url="/")


@router.post("/held/{number}/withdraw", dependencies=[Csrf])
async def take_back(number: Annotated[int, Path(ge=1, lt=2**31)], caller: CurrentCaller) -> Response:
    """Erases a question that was kept and not asked."""
    await caller.db.write(lambda session: withdraw(session, caller.visitor.id, number))
    await asyncio.to_thread(caller.db.empty_wal)
    if not is_partial(caller.request):
        return see_other("/")
    return _landed(
        caller, await caller.db.read(partial(_landing, caller=caller, withdrawn=True)), "battles/_held.html"
    )


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
