"""No entry of the ledger tells a text, a person, an address, or whose answers were read."""

import pytest
from sqlmodel import Session, col, select

from arena.battles.tables import Battle
from arena.db import Database
from arena.ledger.tables import Leaf
from arena.rounds.queries import find_round
from arena.rounds.tables import Round
from arena.teams.queries import entries_of, giveaways
from arena.teams.tables import Entry, Outage
from tests.data import (
    ANSWERS,
    KIMCHI,
    MINJI,
    NOWHERE,
    WEATHER,
    asks,
    closes,
    ends,
    excludes,
    opened,
    reinstates,
    voted,
    voter,
    votes,
)
from tests.ledger.facts import NAMED, goes_out, is_checked

TYPES = {
    "round.opened",
    "battle.started",
    "battle.ended",
    "vote.cast",
    "vote.excluded",
    "vote.reinstated",
    "outage.began",
    "outage.ended",
    "round.closed",
    "round.scored",
}


@pytest.fixture
def round_(db: Database) -> Round:
    voter(db, MINJI)
    return opened(db, teams=3)


def test_no_entry_tells_what_has_to_stay_hidden(db: Database, round_: Round) -> None:
    """Names of teams are in the opening alone, and there they belong to no battle."""
    whole_round(db, round_)
    with db.reading() as session:
        found = session.exec(select(Leaf).order_by(col(Leaf.id))).all()
        hidden, names = secrets_of(session), set(giveaways(session, round_.id or 0))
        teams = [name for named in entries_of(session, round_.id or 0) for name in (named.name_ko, named.name_en)]
    untold = {name for name in names if not any(name in team for team in teams)}
    assert {leaf.type for leaf in found} == TYPES
    for leaf in found:
        unseen = hidden | (untold if leaf.type == "round.opened" else names)
        assert [text for text in unseen if text.lower() in leaf.body.lower()] == [], leaf.type


def whole_round(db: Database, round_: Round) -> None:
    outage = goes_out(db, round_)
    is_checked(db, round_, outage, good=True)
    cast = voted(db, MINJI)
    excludes(db, cast.id)
    reinstates(db, cast.id)
    battle, turn = asks(db)
    ends(db, turn, said=NAMED)
    votes(db, battle)
    asks(db, WEATHER)
    closes(db)


def secrets_of(session: Session) -> set[str]:
    """Prompts, answers, voters' ids, addresses, the seed and all salts."""
    battles, places, out = session.exec(select(Battle)), session.exec(select(Entry)), session.exec(select(Outage))
    round_ = find_round(session, "stage-1")
    assert round_
    texts = {KIMCHI, WEATHER, *(said.text for said in (*ANSWERS, *NAMED)), *(said.raw for said in NAMED)}
    of_battles = {text for battle in battles for text in (battle.voter_id, battle.salt)}
    addresses = {text for place in places for text in (place.base_url, place.address_salt)}
    found = texts | of_battles | addresses | {outage.salt for outage in out} | {NOWHERE, round_.seed}
    return {text for text in found if text}
