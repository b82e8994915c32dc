"""The main job over HTTP: ask, read, vote."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.accounts.actions import record_consent
from arena.accounts.queries import consent_given
from arena.accounts.routes import CurrentOperator
from arena.battles import actions, queries
from arena.battles.markdown import LiveMarkdown
from arena.battles.pages import CONSENT_VERSION, PROMPT_LIMIT, BattlePage, LandingPage, SuggestionView
from arena.battles.relay import Relay, TurnJob, done_event, state_event
from arena.battles.relays import Relays
from arena.battles.stream import EventStream, Follower, Replay
from arena.battles.tables import Turn
from arena.clock import now
from arena.errors import N_, ArenaError, ConflictError, InvalidError
from arena.rounds.pages import RoundPage
from arena.rounds.queries import open_round, published_round, round_page, suggestion, suggestions, view
from arena.web.i18n import translations
from arena.web.observe import BATTLES, VOTES
from arena.web.pages import Locale
from arena.web.respond import is_partial, render, see_other
from arena.web.services import (
    Arena,
    Csrf,
    CurrentLocale,
    CurrentVisitor,
    locale_of,
    own_form,
    services_of,
    visitor_of,
)
from arena.web.visitor import Visitor

NO_CONSENT = N_("Please tick that you want to take part. Your question is still here.")
NO_ROUND = N_("No round is open at the moment, so nothing can be asked.")
SHOWN_SUGGESTIONS = 4

router = APIRouter()


async def get_relays(request: Request) -> Relays:
    relays: Relays = request.app.state.relays
    return relays


CurrentRelays = Annotated[Relays, Depends(get_relays)]
BattleId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
TurnNumber = Annotated[int, Path(ge=1, le=1000)]
Prompt = Annotated[str, Form()]


@router.get("/")
async def landing(
    request: Request, arena: Arena, visitor: CurrentVisitor, locale: CurrentLocale, shuffle: int = 0
) -> Response:
    page = await arena.db.read(lambda session: _landing(session, visitor, locale, shuffle=shuffle))
    part = "battles/_suggestions.html" if "shuffle" in request.query_params else None
    return render(request, "battles/landing.html", page, part=part, demo=_demo(page))


def _demo(page: LandingPage) -> bool:
    return page.round is not None and page.round.demo


def _landing(
    session: Session,
    visitor: Visitor,
    locale: Locale,
    *,
    shuffle: int = 0,
    prompt: str = "",
    chosen: str = "",
    publish: bool = False,
    problem: str | None = None,
) -> LandingPage:
    round_ = open_round(session)
    offered: tuple[SuggestionView, ...] = ()
    votes, open_id = 0, None
    if round_ is not None and round_.id is not None:
        found = suggestions(session, round_.id, locale, limit=SHOWN_SUGGESTIONS, shuffle=shuffle)
        offered = tuple(SuggestionView(item.code, item.text) for item in found)
        votes = queries.votes_cast(session, round_.id)
        prompt = _suggested(session, round_.id, chosen) or prompt
        current = queries.open_battle(session, round_.id, visitor.id) if visitor.known else None
        open_id = current.id if current else None
    return LandingPage(
        round=view(round_, locale) if round_ else None,
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


@router.post("/battles", dependencies=[Csrf])
async def ask(
    request: Request,
    arena: Arena,
    relays: CurrentRelays,
    visitor: CurrentVisitor,
    locale: CurrentLocale,
    prompt: Prompt = "",
    suggestion: Annotated[str, Form()] = "",
    consent: Annotated[tuple[str, ...], Form()] = (),
) -> Response:
    """Starts a battle; a refusal shows the form again with the question kept."""

    def start(session: Session) -> tuple[str, TurnJob | None]:
        return _start(session, visitor, locale, prompt, suggestion, consent)

    try:
        relays.check_room()
        battle_id, job = await arena.db.write(start)
    except ArenaError as error:
        again = partial(
            _landing,
            prompt=prompt,
            chosen=suggestion,
            publish="publish" in consent,
            problem=error.text(translations(locale).gettext),
        )
        page = await arena.db.read(lambda session: again(session, visitor, locale))
        return render(
            request, "battles/landing.html", page, part="battles/_landing.html", status=error.status, demo=_demo(page)
        )
    if job:
        BATTLES.inc()
        relays.start(job)
    return await _shown(request, arena, visitor, locale, battle_id)


def _start(
    session: Session, visitor: Visitor, locale: Locale, prompt: str, code: str, consent: tuple[str, ...]
) -> tuple[str, TurnJob | None]:
    round_ = open_round(session)
    if round_ is None or round_.id is None:
        raise ConflictError(NO_ROUND, code="no_round")
    prompt = actions.clean_prompt(_suggested(session, round_.id, code) or prompt)
    if consent_given(session, visitor.id, CONSENT_VERSION) is None:
        if "participate" not in consent:
            raise InvalidError(NO_CONSENT, code="no_consent")
        record_consent(session, visitor.id, CONSENT_VERSION, publish="publish" in consent, now=now())
    dealt = actions.start_battle(session, round_, visitor.id, prompt, locale, now())
    return dealt.battle.id, queries.turn_job(session, dealt.turn) if dealt.new else None


def _suggested(session: Session, round_id: int, code: str) -> str:
    found = suggestion(session, round_id, code) if code else None
    return found.text if found else ""


async def _shown(request: Request, arena: Arena, visitor: Visitor, locale: Locale, battle_id: str) -> Response:
    """The battle after a form: htmx gets the part with its address, a browser without it is sent on."""
    if not is_partial(request):
        return see_other(f"/battles/{battle_id}")
    page = await arena.db.read(lambda session: queries.battle_page(session, visitor.id, battle_id, locale))
    return _battle(request, page)


def _battle(request: Request, page: BattlePage) -> Response:
    return render(
        request,
        "battles/battle.html",
        page,
        part="battles/_battle.html",
        demo=page.battle.round.demo,
        push_url=f"/battles/{page.battle.id}",
    )


@router.get("/battles/{battle_id}")
async def battle(
    request: Request,
    battle_id: BattleId,
    arena: Arena,
    relays: CurrentRelays,
    visitor: CurrentVisitor,
    locale: CurrentLocale,
) -> Response:
    """The battle as it stands. A reader without JavaScript keeps its streams alive by coming back."""
    page = await arena.db.read(lambda session: queries.battle_page(session, visitor.id, battle_id, locale))
    if page.battle.state == "streaming":
        await _alive(arena, relays, visitor, battle_id, page.battle.turns[-1].number)
    return _battle(request, page)


async def _alive(
    arena: Arena, relays: Relays, visitor: Visitor, battle_id: str, number: int
) -> tuple[Turn, Relay | None]:
    """The turn, and its relay if it streams here; one that nobody streams any more is begun again."""
    turn = await arena.db.read(lambda session: queries.turn_of(session, visitor.id, battle_id, number))
    assert turn.id is not None
    if (relay := relays.find(turn.id)) is not None:
        relay.touch()
        return turn, relay
    if turn.state not in ("streaming", "paused"):
        return turn, None
    return turn, await _begin_again(arena, relays, turn)


async def _begin_again(arena: Arena, relays: Relays, turn: Turn, *, stopped: bool = False) -> Relay | None:
    def claim(session: Session) -> TurnJob | None:
        if not actions.claim_turn(session, turn, now(), stopped=stopped):
            return None
        return queries.turn_job(session, queries.turn_by_id(session, turn.id or 0))

    relays.check_room()
    job = await arena.db.write(claim)
    return relays.start(job) if job else None


@router.get("/battles/{battle_id}/turns/{number}/stream")
async def stream(
    battle_id: BattleId, number: TurnNumber, arena: Arena, relays: CurrentRelays, visitor: CurrentVisitor
) -> Response:
    """Both sides as they grow: joins the relay, follows another process's, or replays what is over."""
    turn, relay = await _alive(arena, relays, visitor, battle_id, number)
    if relay is not None:
        reader = relay.join()
        return EventStream(reader, lambda: relay.leave(reader))

    async def state() -> tuple[bool, bytes]:
        return await arena.db.read(lambda session: _stored(session, turn.id or 0))

    over, data = await state()
    return EventStream(Replay(data) if over else Follower(data, state))


def _stored(session: Session, turn_id: int) -> tuple[bool, bytes]:
    """A turn as the database has it: whether it is over here, and its events."""
    turn = queries.turn_by_id(session, turn_id)
    columns = LiveMarkdown(), LiveMarkdown()
    for column, answer in zip(columns, queries.answers_of(session, turn_id), strict=True):
        column.push(answer.text)
        column.finish()
    data = state_event(*columns)
    gone = turn.state == "streaming" and actions.abandoned(turn, now())
    over = turn.state != "streaming" or gone
    return over, data + (done_event("paused" if gone else turn.state) if over else b"")


@router.post("/battles/{battle_id}/turns", dependencies=[Csrf])
async def follow_up(
    request: Request,
    battle_id: BattleId,
    arena: Arena,
    relays: CurrentRelays,
    visitor: CurrentVisitor,
    locale: CurrentLocale,
    prompt: Prompt = "",
) -> Response:
    def start(session: Session) -> TurnJob:
        turn = actions.ask_again(session, visitor.id, battle_id, actions.clean_prompt(prompt), now())
        return queries.turn_job(session, turn)

    relays.check_room()
    relays.start(await arena.db.write(start))
    return await _shown(request, arena, visitor, locale, battle_id)


@router.post("/battles/{battle_id}/turns/{number}/stop", dependencies=[Csrf])
async def stop(
    request: Request,
    battle_id: BattleId,
    number: TurnNumber,
    arena: Arena,
    relays: CurrentRelays,
    visitor: CurrentVisitor,
    locale: CurrentLocale,
) -> Response:
    turn = await arena.db.read(lambda session: queries.turn_of(session, visitor.id, battle_id, number))
    if (relay := relays.find(turn.id or 0)) is not None:
        relay.end("stopped")
        await relay.saved.wait()
    else:
        await arena.db.write(lambda session: actions.stop_turn(session, turn))
    return await _shown(request, arena, visitor, locale, battle_id)


@router.post("/battles/{battle_id}/turns/{number}/resume", dependencies=[Csrf])
async def resume(
    request: Request,
    battle_id: BattleId,
    number: TurnNumber,
    arena: Arena,
    relays: CurrentRelays,
    visitor: CurrentVisitor,
    locale: CurrentLocale,
) -> Response:
    """Asks both models again for the answers that the voter had stopped."""
    turn = await arena.db.read(lambda session: queries.turn_of(session, visitor.id, battle_id, number))
    await _begin_again(arena, relays, turn, stopped=True)
    return await _shown(request, arena, visitor, locale, battle_id)


async def vote(request: Request) -> Response:
    """Casts the vote; with reasons or a comment also keeps those. Answers after the commit.

    A plain route: FastAPI's dependencies would take longer than the vote (docs/decisions/0007).
    """
    form = await own_form(request)
    arena, visitor, battle_id = services_of(request), visitor_of(request), request.path_params["battle_id"]
    choice, comment = form.get("choice", [""])[0], form.get("comment", [""])[0]
    reasons = form.get("reasons", [])

    def cast(session: Session) -> queries.CastVote:
        found = actions.cast_vote(session, visitor.id, battle_id, choice, now())
        if reasons or comment.strip():
            found = actions.give_feedback(session, found, reasons, comment, now())
        return found

    found = await arena.db.write(cast)
    VOTES.inc()
    if not is_partial(request):
        return see_other(f"/battles/{battle_id}")
    locale = locale_of(request)
    page = await arena.db.read(lambda session: queries.thanks_page(session, battle_id, found, locale))
    return render(request, "battles/_thanks_region.html", page)


router.add_route("/battles/{battle_id}/vote", vote, methods=["POST"])
