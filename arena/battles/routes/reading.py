"""Reading a battle: its page, its stream, follow-up questions, stop and begin again."""

from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path
from sqlmodel import Session
from starlette.responses import Response

from arena.battles import actions, queries
from arena.battles.relay import Relay, TurnJob, done_event, state_event
from arena.battles.routes.caller import BattleId, Caller, CurrentCaller, Prompt
from arena.battles.stream import EventStream, Follower, Replay
from arena.battles.tables import Turn
from arena.clock import now
from arena.errors import BusyError, InvalidError, LimitError
from arena.screening.checks import Screened
from arena.screening.holding import HeldLimitError, hold
from arena.screening.screen import screen
from arena.web.i18n import translations
from arena.web.observe import HELD
from arena.web.services import Csrf

router = APIRouter()

TurnNumber = Annotated[int, Path(ge=1, le=1000)]


@router.get("/battles/{battle_id}")
async def battle(battle_id: BattleId, caller: CurrentCaller) -> Response:
    """The battle as it stands. A reader without JavaScript keeps its streams alive by coming back."""
    page = await caller.page(battle_id)
    if page.battle.state == "streaming":
        with suppress(BusyError):  # what there is can be read all the same
            await _alive(caller, battle_id, page.battle.turns[-1].number)
    return caller.shown(page)


async def _turn(caller: Caller, battle_id: str, number: int) -> Turn:
    return await caller.db.read(lambda session: queries.turn_of(session, caller.visitor.id, battle_id, number))


async def _alive(caller: Caller, battle_id: str, number: int) -> tuple[Turn, Relay | None]:
    """The turn, and its relay if it streams here; one that nobody streams any more is begun again."""
    turn = await _turn(caller, battle_id, number)
    if (relay := caller.relays.find(turn.id or 0)) is not None:
        relay.touch()
        return turn, relay
    if turn.state not in ("streaming", "paused"):
        return turn, None
    return turn, await _begin_again(caller, turn)


async def _begin_again(caller: Caller, turn: Turn, *, stopped: bool = False) -> Relay | None:
    def claim(session: Session) -> TurnJob | None:
        if not actions.claim_turn(session, turn, now(), stopped=stopped):
            return None
        return queries.turn_job(session, queries.turn_by_id(session, turn.id or 0))

    caller.relays.check_room()
    job = await caller.db.write(claim)
    return caller.relays.start(job) if job else None


@router.get("/battles/{battle_id}/turns/{number}/stream")
async def stream(battle_id: BattleId, number: TurnNumber, caller: CurrentCaller) -> Response:
    """Both sides as they grow: joins the relay, follows another process's, or replays what is over."""
    turn, relay = await _alive(caller, battle_id, number)
    if relay is not None:
        reader = relay.join()
        return EventStream(reader, lambda: relay.leave(reader))

    async def state() -> tuple[bool, bytes]:
        return await caller.db.read(lambda session: _stored(session, turn.id or 0))

    over, data = await state()
    return EventStream(Replay(data) if over else Follower(data, state))


def _stored(session: Session, turn_id: int) -> tuple[bool, bytes]:
    """A turn as the database has it: whether it is over here, and its events."""
    turn = queries.turn_by_id(session, turn_id)
    a, b = (str(queries.answer_html(answer.text)) for answer in queries.answers_of(session, turn_id))
    data = state_event((a, ""), (b, ""))
    gone = turn.state == "streaming" and actions.abandoned(turn, now())
    over = turn.state != "streaming" or gone
    return over, data + (done_event("paused" if gone else turn.state) if over else b"")


@router.post("/battles/{battle_id}/turns", dependencies=[Csrf])
async def follow_up(battle_id: BattleId, caller: CurrentCaller, prompt: Prompt = "") -> Response:
    """Asks both models, or keeps the question for a person to look at; one that is refused is shown in the form."""
    caller.relays.check_room()
    try:
        screened = await caller.screened(partial(_screened, caller=caller, battle_id=battle_id, prompt=prompt))
        job = await caller.db.write(partial(_ask_again, caller=caller, battle_id=battle_id, screened=screened))
    except (InvalidError, HeldLimitError, LimitError) as error:
        problem = error.text(translations(caller.locale).gettext)
        return caller.shown(await caller.page(battle_id, problem=problem, prompt=prompt), status=error.status)
    if job is None:
        HELD.inc()
        response = await caller.sent_on(battle_id, just_held=screened.text)
        response.headers["HX-Reswap"] = "outerHTML"  # morphing would leave what was typed in the form
        return response
    caller.relays.start(job)
    return await caller.sent_on(battle_id)


def _screened(session: Session, caller: Caller, battle_id: str, prompt: str) -> Screened:
    battle, round_ = queries.battle_of(session, caller.visitor.id, battle_id)
    actions.next_number(session, battle, round_, now())
    prompt = actions.clean_prompt(prompt)
    caller.arrivals.admit_known(battle.voter_id, now())
    return screen(session, battle.round_id, battle.voter_id, prompt)


def _ask_again(session: Session, caller: Caller, battle_id: str, screened: Screened) -> TurnJob | None:
    """What a relay needs; None where a person looks at the question first."""
    text, checks = screened
    if checks and checks.hold:
        battle, _ = queries.battle_of(session, caller.visitor.id, battle_id)
        hold(session, actions.asker(battle), text, checks, now())
        return None
    turn = actions.ask_again(session, caller.visitor.id, battle_id, text, now(), checks)
    return queries.turn_job(session, turn)


@router.post("/battles/{battle_id}/turns/{number}/stop", dependencies=[Csrf])
async def stop(battle_id: BattleId, number: TurnNumber, caller: CurrentCaller) -> Response:
    turn = await _turn(caller, battle_id, number)
    if (relay := caller.relays.find(turn.id or 0)) is not None:
        relay.end("stopped")
        await relay.saved.wait()
    else:
        await caller.db.write(lambda session: actions.stop_turn(session, turn))
    return await caller.sent_on(battle_id)


@router.post("/battles/{battle_id}/turns/{number}/resume", dependencies=[Csrf])
async def resume(battle_id: BattleId, number: TurnNumber, caller: CurrentCaller) -> Response:
    """Asks both models again for the answers that the voter had stopped."""
    await _begin_again(caller, await _turn(caller, battle_id, number), stopped=True)
    return await caller.sent_on(battle_id)
