"""Writes of battles: every move of a state is one conditional UPDATE whose row count is checked."""

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from sqlalchemy import CursorResult, Update, bindparam, exists, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from arena.battles import queries
from arena.battles.pages import PROMPT_LIMIT
from arena.battles.tables import Answer, Battle, Turn
from arena.db import Row
from arena.errors import N_, ConflictError, InvalidError
from arena.rounds.actions import held_round
from arena.rounds.pairing import pair
from arena.rounds.queries import accepts, newest_epoch, rules_of
from arena.rounds.tables import Round
from arena.stats.style import FEATURES, style_of
from arena.teams.queries import entries_of

if TYPE_CHECKING:
    from arena.battles.relay import Outcome, Said, TurnJob

_ANSWERS = Row.metadata.tables["answer"]

LEASE = timedelta(seconds=15)
MAX_ATTEMPTS = 5

ROUND_CLOSED = N_("This round is closed, so nothing more can be asked or voted on. Thank you for taking part.")
TOO_MANY = N_("You have compared as often as this round allows. Thank you very much.")
EMPTY = N_("Please write a question first.")
TOO_LONG = N_("The question is too long: it may have %(limit)s characters. Please shorten it.")
NOT_YET = N_("You can vote as soon as both answers are complete.")
OVER = N_("This comparison is over, so it can no longer be changed. You can start a new one at any time.")
NO_MORE_TURNS = N_("This comparison has reached its last question. Please vote now.")


def clean_prompt(text: str) -> str:
    """A citizen's question as it is stored. Raises InvalidError when it is empty or too long."""
    prompt = text.replace("\r\n", "\n").replace("\0", "").strip().encode("utf-8", "replace").decode()
    if not prompt:
        raise InvalidError(EMPTY, code="empty_prompt")
    if len(prompt) > PROMPT_LIMIT:
        raise InvalidError(TOO_LONG, code="long_prompt", limit=PROMPT_LIMIT)
    return prompt


class Dealt(NamedTuple):
    """A battle with its first turn; `new` unless the same question had already started it."""

    battle: Battle
    turn: Turn
    new: bool


def start_battle(session: Session, round_: Round, voter_id: str, prompt: str, locale: str, now: datetime) -> Dealt:
    """Deals the voter's next pair and asks the question.

    A voter has one open battle: the same question sent twice finds it again, another question closes it and its
    cell is dealt again. Raises ConflictError when the round is closed or the voter has had all battles of it.
    """
    assert round_.id is not None
    round_ = held_round(session, round_.id)
    if not accepts(round_, now):
        raise ConflictError(ROUND_CLOSED, code="round_closed")
    assert round_.id is not None
    current = queries.open_battle(session, round_.id, voter_id)
    if current is not None:
        turns = queries.turns_of(session, current.id)
        if len(turns) == 1 and turns[0].prompt == prompt:
            return Dealt(current, turns[0], new=False)
        expire(session, current.id)
    if queries.battles_started(session, round_.id, voter_id) >= rules_of(round_).max_battles_per_voter:
        raise ConflictError(TOO_MANY, code="battle_limit")
    try:
        with session.begin_nested():
            return _deal(session, round_, voter_id, prompt, locale, now)
    except IntegrityError:  # a second request of the same voter was quicker
        return _other_request(session, round_.id, voter_id)


def _other_request(session: Session, round_id: int, voter_id: str) -> Dealt:
    current = queries.open_battle(session, round_id, voter_id)
    if current is None:
        raise ConflictError
    return Dealt(current, queries.turns_of(session, current.id)[0], new=False)


def _deal(session: Session, round_: Round, voter_id: str, prompt: str, locale: str, now: datetime) -> Dealt:
    assert round_.id is not None
    epoch = newest_epoch(session, round_.id)
    k = queries.votes_in_epoch(session, round_.id, voter_id, epoch.number)
    codes = pair(bytes.fromhex(round_.seed), round_.slug, epoch.number, epoch.entries, voter_id, k)
    ids = {entry.code: entry.id for entry in entries_of(session, round_.id)}
    battle = Battle(
        id=uuid.uuid4().hex,
        round_id=round_.id,
        voter_id=voter_id,
        epoch=epoch.number,
        k=k,
        entry_a=ids[codes[0]],
        entry_b=ids[codes[1]],
        locale=locale,
        created_at=now,
    )
    session.add(battle)
    session.flush()
    return Dealt(battle, _add_turn(session, battle.id, 1, prompt, now), new=True)


def _add_turn(session: Session, battle_id: str, number: int, prompt: str, now: datetime) -> Turn:
    turn = Turn(battle_id=battle_id, number=number, prompt=prompt, alive_at=now, created_at=now)
    session.add(turn)
    session.flush()
    assert turn.id is not None
    session.add_all(Answer(turn_id=turn.id, side=side) for side in ("a", "b"))
    session.flush()
    return turn


def ask_again(session: Session, voter_id: str, battle_id: str, prompt: str, now: datetime) -> Turn:
    """A follow-up question to both sides. Raises NotFoundError or ConflictError."""
    battle, round_ = queries.battle_of(session, voter_id, battle_id)
    number = len(queries.turns_of(session, battle_id)) + 1
    if number > rules_of(round_).max_turns:
        raise ConflictError(NO_MORE_TURNS, code="turn_limit")
    if not accepts(round_, now):
        raise ConflictError(ROUND_CLOSED, code="round_closed")
    if not _moved(session, _battle_from("votable", battle_id).values(state="streaming")):
        raise ConflictError(NOT_YET if battle.state == "streaming" else OVER, code="not_votable")
    return _add_turn(session, battle_id, number, prompt, now)


def stop_turn(session: Session, turn: Turn) -> None:
    """The voter has seen enough of a turn; a relay in another process notices at its next checkpoint."""
    running = col(Turn.state).in_(("streaming", "paused"))
    _moved(session, update(Turn).where(col(Turn.id) == turn.id, running).values(state="stopped"))


def abandoned(turn: Turn, now: datetime) -> bool:
    """Whether a streaming turn's process has not renewed its lease: it is gone."""
    return turn.alive_at < now - LEASE


def claim_turn(session: Session, turn: Turn, now: datetime, *, stopped: bool = False) -> bool:
    """Takes a turn that nobody streams, to begin it again; True for one caller only.

    With `stopped` the voter asks for a stopped turn; else it is a paused one, or one whose process is gone. A turn
    that was begun too often fails instead.
    """
    if _held_state(session, turn.battle_id) != "streaming":
        return False
    waiting = col(Turn.state) == ("stopped" if stopped else "paused")
    gone = (col(Turn.state) == "streaming") & (col(Turn.alive_at) < now - LEASE)
    again = turn.attempt < MAX_ATTEMPTS
    claimed = _moved(
        session,
        update(Turn)
        .where(col(Turn.id) == turn.id, col(Turn.attempt) == turn.attempt, waiting if stopped else waiting | gone)
        .values(state="streaming" if again else "failed", attempt=turn.attempt + 1, alive_at=now),
    )
    if claimed and not again:
        _moved(session, _battle_from("streaming", turn.battle_id).values(state="void"))
    return claimed and again


def checkpoint_turn(session: Session, job: "TurnJob", said: "tuple[Said, Said]", now: datetime) -> bool:
    """Saves what was released so far; False when the turn is not this relay's any more."""
    if not _moved(session, _running(job).values(alive_at=now)):
        return False
    _save_answers(session, job.turn_id, said)
    return True


def finish_turn(session: Session, job: "TurnJob", outcome: "Outcome", said: "tuple[Said, Said]") -> bool:
    """Saves a turn's end and moves its battle: on when complete, void when an endpoint failed.

    An answer that has ended so has its style counted; a paused or stopped one may begin again.
    """
    battle_id = session.exec(select(Turn.battle_id).where(Turn.id == job.turn_id)).one()
    _held_state(session, battle_id)
    if not _moved(session, _running(job).values(state=outcome)):
        return False
    _save_answers(session, job.turn_id, said)
    after = {"complete": "votable", "failed": "void"}.get(outcome)
    if after:
        _save_styles(session, job.turn_id, said)
        _moved(session, _battle_from("streaming", battle_id).values(state=after))
    return True


def _held_state(session: Session, battle_id: str) -> str:
    """A battle's state, which nobody else moves before this transaction has ended.

    A battle is always locked before its turns: two moves that meet then never wait for each other.
    """
    return session.exec(select(Battle.state).where(Battle.id == battle_id).with_for_update()).one()


def _running(job: "TurnJob") -> Update:
    return update(Turn).where(
        col(Turn.id) == job.turn_id, col(Turn.attempt) == job.attempt, col(Turn.state) == "streaming"
    )


def _saving(columns: Iterable[str]) -> Update:
    """Saves columns of one side's answer in a turn."""
    its = (_ANSWERS.c.turn_id == bindparam("turn")) & (_ANSWERS.c.side == bindparam("of_side"))
    return update(_ANSWERS).where(its).values({name: bindparam(name) for name in columns})


# Built once: every streaming turn saves this every few seconds.
_SAVE_ANSWER = _saving(("text", "ending", "first_token_ms", "total_ms"))
_SAVE_STYLE = _saving(FEATURES)


def _save_answers(session: Session, turn_id: int, said: "tuple[Said, Said]") -> None:
    _save(session, _SAVE_ANSWER, turn_id, [asdict(answer) for answer in said])


def _save_styles(session: Session, turn_id: int, said: "tuple[Said, Said]") -> None:
    _save(session, _SAVE_STYLE, turn_id, [style_of(answer.text)._asdict() for answer in said])


def _save(session: Session, saving: Update, turn_id: int, columns: list[dict[str, Any]]) -> None:
    session.connection().execute(
        saving,
        [{"turn": turn_id, "of_side": side, **of_side} for side, of_side in zip(("a", "b"), columns, strict=True)],
    )


def expire(session: Session, battle_id: str) -> None:
    """Closes a battle without a vote."""
    open_ = col(Battle.state).in_(("streaming", "votable"))
    _expire_where(session, (col(Battle.id) == battle_id) & open_, col(Turn.battle_id) == battle_id)


def expire_all(session: Session, round_id: int) -> None:
    """Closes every open battle of a round."""
    mine = (col(Battle.round_id) == round_id) & col(Battle.state).in_(("streaming", "votable"))
    turns = exists().where(col(Battle.id) == col(Turn.battle_id), col(Battle.round_id) == round_id)
    _expire_where(session, mine, turns)


def _expire_where(session: Session, battles: Any, turns: Any) -> None:
    for statement in (
        update(Battle).where(battles).values(state="expired"),
        update(Turn).where(turns, col(Turn.state).in_(("streaming", "paused"))).values(state="stopped"),
    ):
        session.execute(statement.execution_options(synchronize_session=False))


def _battle_from(state: str, battle_id: str) -> Update:
    return update(Battle).where(col(Battle.id) == battle_id, col(Battle.state) == state)


def _moved(session: Session, statement: Update) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount == 1
