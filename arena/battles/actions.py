"""Writes of battles: every move of a state is one conditional UPDATE whose row count is checked."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from unicodedata import normalize

from sqlalchemy import CursorResult, Update, bindparam, exists, update
from sqlmodel import Session, col, select

from arena.battles import queries
from arena.battles.gateway import GOOD
from arena.battles.leaves import write_ended, write_outage
from arena.battles.pages import PROMPT_LIMIT
from arena.battles.probes import asks_identity
from arena.battles.tables import Answer, Battle, RawAnswer, Turn
from arena.db import Row
from arena.errors import N_, ConflictError, InvalidError
from arena.proofs.leaves import commitment
from arena.rounds.queries import accepts, rules_of
from arena.rounds.tables import Round
from arena.screening.checks import Checks
from arena.screening.holding import Asker, any_rejected, review_turn
from arena.stats.style import FEATURES, style_of
from arena.teams.outages import note_answer

if TYPE_CHECKING:
    from arena.battles.column import Said
    from arena.battles.relay import Outcome, Shown, TurnJob

_ANSWERS = Row.metadata.tables["answer"]

LEASE = timedelta(seconds=15)
MAX_ATTEMPTS = 5

ROUND_CLOSED = N_("This round is closed, so nothing more can be asked or voted on. Thank you for taking part.")
EMPTY = N_("Please write a question first.")
TOO_LONG = N_("The question is too long: it may have %(limit)s characters. Please shorten it.")
NOT_YET = N_("You can vote as soon as both answers are complete.")
OVER = N_("This comparison is over, so it can no longer be changed. You can start a new one at any time.")
NO_MORE_TURNS = N_("This comparison has reached its last question. Please vote now.")
REJECTED = N_("A question in this comparison was refused, so nothing more can be asked in it. You can still vote.")


def clean_prompt(text: str) -> str:
    """A citizen's question as it is stored, composed (NFC). Raises InvalidError when it is empty or too long."""
    composed = normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    prompt = composed.strip().encode("utf-8", "replace").decode()
    if not prompt:
        raise InvalidError(EMPTY, code="empty_prompt")
    if len(prompt) > PROMPT_LIMIT:
        raise InvalidError(TOO_LONG, code="long_prompt", limit=PROMPT_LIMIT)
    return prompt


def add_turn(
    session: Session, battle: Battle, number: int, prompt: str, now: datetime, checks: Checks | None = None
) -> Turn:
    """A question to both sides, with two answers that are empty yet, and its review if it was checked."""
    masked = checks.masked if checks and checks.masked else None
    turn = Turn(battle_id=battle.id, number=number, prompt=prompt, alive_at=now, created_at=now, masked=masked)
    session.add(turn)
    session.flush()
    assert turn.id is not None
    session.add_all(Answer(turn_id=turn.id, side=side) for side in ("a", "b"))
    if checks:
        review_turn(session, asker(battle), turn.id, prompt, checks, now)
    session.flush()
    return turn


def asker(battle: Battle) -> Asker:
    return Asker(battle.round_id, battle.voter_id, battle.locale)


def ask_again(
    session: Session, voter_id: str, battle_id: str, prompt: str, now: datetime, checks: Checks | None = None
) -> Turn:
    """A follow-up question to both sides. Raises NotFoundError or ConflictError."""
    battle, round_ = queries.battle_of(session, voter_id, battle_id)
    number = next_number(session, battle, round_, now)
    if not _moved(session, _battle_from("votable", battle_id).values(state="streaming")):
        raise ConflictError(OVER, code="not_votable")
    if asks_identity(prompt):
        _moved(session, _battle_from("streaming", battle_id).values(identity_probe=True))
    return add_turn(session, battle, number, prompt, now, checks)


def next_number(session: Session, battle: Battle, round_: Round, now: datetime) -> int:
    """Of the follow-up question that may be asked now. Raises ConflictError when none may."""
    turns = queries.turns_of(session, battle.id)
    if len(turns) >= rules_of(round_).max_turns:
        raise ConflictError(NO_MORE_TURNS, code="turn_limit")
    if not accepts(round_, now):
        raise ConflictError(ROUND_CLOSED, code="round_closed")
    if any_rejected(session, [turn.id for turn in turns]):
        raise ConflictError(REJECTED, code="rejected")
    if battle.state != "votable":
        raise ConflictError(NOT_YET if battle.state == "streaming" else OVER, code="not_votable")
    return len(turns) + 1


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
    if claimed and not again and _moved(session, _battle_from("streaming", turn.battle_id).values(state="void")):
        write_ended(session, queries.round_of(session, turn.battle_id), [turn.battle_id], "void", now)
    return claimed and again


def checkpoint_turn(session: Session, job: "TurnJob", said: "tuple[Said, Said]", now: datetime) -> bool:
    """Saves what was released so far; False when the turn is not this relay's any more."""
    if not _moved(session, _running(job).values(alive_at=now)):
        return False
    _save_answers(session, job.turn_id, said)
    return True


def finish_turn(
    session: Session,
    job: "TurnJob",
    outcome: "Outcome",
    said: "tuple[Said, Said]",
    now: datetime,
    shown: "Shown | None" = None,
) -> bool:
    """Saves a turn's end and moves its battle: on when complete, void when an endpoint failed.

    An answer that has ended so has its style counted, and its ending, for the entry's breaker; a paused or stopped
    one may begin again.
    """
    turn = queries.turn_by_id(session, job.turn_id)
    _held_state(session, turn.battle_id)
    times = {"shown_ms": shown.first_ms, "ended_ms": shown.end_ms} if shown else {}
    if not _moved(session, _running(job).values(state=outcome, **times)):
        return False
    _save_answers(session, job.turn_id, said)
    _save_raw(session, job.turn_id, said)
    if outcome in ("complete", "failed"):
        _save_styles(session, job.turn_id, said)
        _end_turn(session, job, turn, said, now, complete=outcome == "complete")
    return True


def _end_turn(
    session: Session, job: "TurnJob", turn: Turn, said: "tuple[Said, Said]", now: datetime, *, complete: bool
) -> None:
    """Moves the battle on, with what the ledger has to know of it."""
    battle, round_ = queries.battle_by_id(session, turn.battle_id)
    after = {"state": "votable", "said": battle.said + _sealed(battle, turn, said)} if complete else {"state": "void"}
    moved = _moved(session, _battle_from("streaming", battle.id).values(**after, **_rated(job, said)))
    if moved and not complete:
        write_ended(session, round_, [battle.id], "void", now)
    for entry_id, answer in sorted(
        zip((battle.entry_a, battle.entry_b), said, strict=True), key=lambda pair: pair[0]
    ):
        if answer.ending is None:  # cut off as the other side failed, which says nothing of its endpoint
            continue
        outage = note_answer(session, entry_id, answer.ending, now, good=answer.ending in GOOD)
        if outage:
            write_outage(session, round_, outage, now)


def _sealed(battle: Battle, turn: Turn, said: "tuple[Said, Said]") -> str:
    """The ledger's commitment to a turn as the voter read it; none where the texts were erased meanwhile."""
    if battle.salt is None:
        return ""
    a, b = (answer.text for answer in said)
    return commitment(bytes.fromhex(battle.salt), {"prompt": turn.prompt, "a": a, "b": b})


def _rated(job: "TurnJob", said: "tuple[Said, Said]") -> dict[str, str]:
    """Why a vote will not be rated: where a model named itself, if the rules leave such battles out."""
    leaves_out = job.rules.identity_leak == "exclude" and any(answer.names for answer in said)
    return {"unrated": "identity_leak"} if leaves_out else {}


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
_SAID = ("text", "ending", "first_token_ms", "total_ms", "names")
_SAVE_ANSWER = _saving(_SAID)
_SAVE_STYLE = _saving(FEATURES)


def _save_answers(session: Session, turn_id: int, said: "tuple[Said, Said]") -> None:
    _save(session, _SAVE_ANSWER, turn_id, [{name: getattr(answer, name) for name in _SAID} for answer in said])


def _save_raw(session: Session, turn_id: int, said: "tuple[Said, Said]") -> None:
    for stored, answer in zip(queries.answers_of(session, turn_id), said, strict=True):
        if answer.names and stored.id is not None:
            session.merge(RawAnswer(answer_id=stored.id, text=answer.raw))


def _save_styles(session: Session, turn_id: int, said: "tuple[Said, Said]") -> None:
    _save(session, _SAVE_STYLE, turn_id, [style_of(answer.text)._asdict() for answer in said])


def _save(session: Session, saving: Update, turn_id: int, columns: list[dict[str, Any]]) -> None:
    session.connection().execute(
        saving,
        [{"turn": turn_id, "of_side": side, **of_side} for side, of_side in zip(("a", "b"), columns, strict=True)],
    )


def expire(session: Session, round_: Round, battle_id: str, now: datetime) -> None:
    """Closes a battle without a vote."""
    _expire_where(session, round_, col(Battle.id) == battle_id, col(Turn.battle_id) == battle_id, now)


def expire_all(session: Session, round_: Round, now: datetime) -> None:
    """Closes every open battle of a round."""
    turns = exists().where(col(Battle.id) == col(Turn.battle_id), col(Battle.round_id) == round_.id)
    _expire_where(session, round_, col(Battle.round_id) == round_.id, turns, now)


def _expire_where(session: Session, round_: Round, battles: Any, turns: Any, now: datetime) -> None:
    still_open = col(Battle.state).in_(("streaming", "votable"))
    expired = session.execute(
        update(Battle)
        .where(battles, still_open)
        .values(state="expired")
        .returning(col(Battle.id))
        .execution_options(synchronize_session=False)
    )
    write_ended(session, round_, sorted(expired.scalars()), "expired", now)
    session.execute(
        update(Turn)
        .where(turns, col(Turn.state).in_(("streaming", "paused")))
        .values(state="stopped")
        .execution_options(synchronize_session=False)
    )


def _battle_from(state: str, battle_id: str) -> Update:
    return update(Battle).where(col(Battle.id) == battle_id, col(Battle.state) == state)


def _moved(session: Session, statement: Update) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return cast(CursorResult[Any], result).rowcount == 1
