"""Dealing: a voter's next battle, with the pair that was fixed before the round opened."""

import secrets
import uuid
from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from arena.battles import queries
from arena.battles.actions import ROUND_CLOSED, add_turn, expire
from arena.battles.leaves import write_started
from arena.battles.probes import asks_identity
from arena.battles.tables import Battle, Turn
from arena.errors import N_, BusyError, ConflictError, LimitError
from arena.proofs.leaves import SALT_BYTES
from arena.rounds.actions import held_round
from arena.rounds.pairing import next_place, pseudonym
from arena.rounds.queries import accepts, newest_epoch, rules_of
from arena.rounds.tables import Round
from arena.screening.checks import Checks
from arena.teams.outages import out_of_service
from arena.teams.queries import entries_of

MAY_LEAVE = 5
LEFT_WITHIN = timedelta(minutes=10)

TOO_MANY = N_("You have compared as often as this round allows. Thank you very much.")
LEFT_TOO_OFTEN = N_(
    "You have left %(limit)s comparisons in a short time. Please choose in the one that is open, or come back in"
    " %(minutes)s minutes. Your question is still here."
)
OUT_OF_SERVICE = N_("The models cannot be reached at the moment. Your question is still here: please try again soon.")


class Dealt(NamedTuple):
    """A battle with its first turn; `new` unless the same question had already started it."""

    battle: Battle
    turn: Turn
    new: bool


def start_battle(
    session: Session,
    round_: Round,
    voter_id: str,
    prompt: str,
    locale: str,
    now: datetime,
    checks: Checks | None = None,
) -> Dealt:
    """Deals the voter's next pair and asks the question; `checks` of it become its review.

    A voter has one open battle: the same question sent twice finds it again, another question closes it and its
    place is dealt again. Raises ConflictError when the round is closed or the voter has had all battles of it,
    LimitError when the voter closes one after the other, and BusyError when fewer than two entries are in service.
    """
    assert round_.id is not None
    round_ = held_round(session, round_.id)
    if not accepts(round_, now):
        raise ConflictError(ROUND_CLOSED, code="round_closed")
    assert round_.id is not None
    current = queries.open_battle(session, round_.id, voter_id)
    if current is not None:
        if begun := begun_with(session, current, prompt):
            return begun
        _check_patience(session, round_.id, voter_id, now)
        expire(session, round_, current.id, now)
    elif (last := queries.last_battle(session, round_.id, voter_id)) and last.state == "expired":
        _check_patience(session, round_.id, voter_id, now)  # the voter left it by erasing its words
    if queries.battles_started(session, round_.id, voter_id) >= rules_of(round_).max_battles_per_voter:
        raise ConflictError(TOO_MANY, code="battle_limit")
    try:
        with session.begin_nested():
            return _deal(session, round_, voter_id, prompt, locale, now, checks)
    except IntegrityError:  # a second request of the same voter was quicker
        return _other_request(session, round_.id, voter_id)


def begun_with(session: Session, battle: Battle, prompt: str) -> Dealt | None:
    """The battle as dealt before, if this question and no other was asked in it."""
    turns = queries.turns_of(session, battle.id)
    return Dealt(battle, turns[0], new=False) if [turn.prompt for turn in turns] == [prompt] else None


def _check_patience(session: Session, round_id: int, voter_id: str, now: datetime) -> None:
    left = queries.battles_left(session, round_id, voter_id, since=now - LEFT_WITHIN)
    if len(left) >= MAY_LEAVE:
        wait = left[-MAY_LEAVE] + LEFT_WITHIN - now
        raise LimitError(
            LEFT_TOO_OFTEN,
            code="left_too_often",
            retry_after_s=ceil(wait.total_seconds()),
            limit=MAY_LEAVE,
            minutes=ceil(wait / timedelta(minutes=1)),
        )


def _other_request(session: Session, round_id: int, voter_id: str) -> Dealt:
    current = queries.open_battle(session, round_id, voter_id)
    if current is None:
        raise ConflictError
    return Dealt(current, queries.turns_of(session, current.id)[0], new=False)


def _deal(
    session: Session,
    round_: Round,
    voter_id: str,
    prompt: str,
    locale: str,
    now: datetime,
    checks: Checks | None,
) -> Dealt:
    assert round_.id is not None
    epoch = newest_epoch(session, round_.id)
    ids = {entry.code: entry.id for entry in entries_of(session, round_.id)}
    out = out_of_service(session, round_.id)
    if len(set(epoch.entries) - out) < 2:
        raise BusyError(OUT_OF_SERVICE, code="out_of_service")
    seed = bytes.fromhex(round_.seed)
    k, codes = next_place(
        seed,
        round_.slug,
        epoch.number,
        epoch.entries,
        pseudonym(seed, voter_id),
        used=queries.places_voted(session, round_.id, voter_id, epoch.number),
        out=out,
        failed=queries.pair_that_failed(session, round_.id, voter_id),
    )
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
        identity_probe=asks_identity(prompt),
        salt=secrets.token_hex(SALT_BYTES),
    )
    session.add(battle)
    session.flush()
    write_started(session, round_, battle, codes, prompt, now)
    return Dealt(battle, add_turn(session, battle, 1, prompt, now, checks), new=True)
