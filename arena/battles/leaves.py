"""What a battle's entries in the ledger say: that it started, how it ended, what was voted, whether that counts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from arena.battles.tables import Battle
from arena.ledger.actions import Written, append
from arena.proofs.leaves import commitment
from arena.rounds.decisions import Decision
from arena.rounds.pairing import pair_salt, pseudonym
from arena.rounds.tables import Round
from arena.teams.queries import entry
from arena.teams.tables import Outage

HASH_DIGITS = 64


class OfRound(NamedTuple):
    """What the entry of a vote says of its round."""

    id: int
    slug: str
    rules_hash: str
    seed: str


def write_started(
    session: Session, round_: Round, battle: Battle, codes: tuple[str, str], prompt: str, now: datetime
) -> None:
    seed = bytes.fromhex(round_.seed)
    assert battle.salt
    append(
        session,
        battle.round_id,
        round_.slug,
        "battle.started",
        now,
        battle=battle.id,
        voter=pseudonym(seed, battle.voter_id),
        epoch=battle.epoch,
        k=battle.k,
        rules=round_.rules_hash,
        prompt=commitment(bytes.fromhex(battle.salt), prompt),
        pair=commitment(pair_salt(seed, battle.id), list(codes)),
    )


def write_ended(session: Session, round_: Round, battle_ids: Iterable[str], state: str, now: datetime) -> None:
    """For battles that were left or could not be completed; a voted one ends with its vote."""
    for battle_id in battle_ids:
        append(session, round_.id or 0, round_.slug, "battle.ended", now, battle=battle_id, state=state)


def write_cast(
    session: Session,
    of: OfRound,
    voter_id: str,
    battle_id: str,
    choice: str,
    now: datetime,
    *,
    said: str,
    why: str | None,
) -> Written:
    """`said` are the commitments of the battle's turns, `why` it is not rated."""
    unrated = {"unrated": why} if why else {}
    return append(
        session,
        of.id,
        of.slug,
        "vote.cast",
        now,
        battle=battle_id,
        voter=pseudonym(bytes.fromhex(of.seed), voter_id),
        rules=of.rules_hash,
        choice=choice,
        turns=[said[place : place + HASH_DIGITS] for place in range(0, len(said), HASH_DIGITS)],
        **unrated,
    )


def write_rated(
    session: Session, round_: Round, battle_ids: Sequence[str], decision: Decision, now: datetime, *, excluded: bool
) -> None:
    """For votes, known by their battles, that two persons exclude from the ratings or take back in."""
    append(
        session,
        round_.id or 0,
        round_.slug,
        "vote.excluded" if excluded else "vote.reinstated",
        now,
        battles=battle_ids,
        **decision.facts(),
    )


def write_outage(session: Session, round_: Round, outage: Outage, now: datetime) -> None:
    """An outage that begins is a commitment to its entry; when it ends, it is known by its number."""
    if outage.ended_at is not None:
        append(session, round_.id or 0, round_.slug, "outage.ended", now, outage=outage.id)
        return
    hidden = commitment(bytes.fromhex(outage.salt), entry(session, outage.entry_id).code)
    append(session, round_.id or 0, round_.slug, "outage.began", now, outage=outage.id, entry=hidden)
