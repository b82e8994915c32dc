"""Facts that tests of the ledger bring about: answers that fail or name their model, endpoints that come and go."""

from arena.battles.column import Said
from arena.battles.jobs import _note
from arena.db import Database
from arena.rounds.tables import Round
from arena.teams.outages import outages
from arena.teams.tables import Outage
from tests.data import ANSWERS, asks, ends, voter

FAILED = (Said("", "refused", None, 5), Said("나 답변", None, 1, None))
NAMED = (Said("저는 ●●●입니다", "complete", 10, 20, names=1, raw="저는 가온입니다"), ANSWERS[1])


def goes_out(db: Database, round_: Round) -> Outage:
    """An outage of one entry, whose endpoint has failed until it began."""
    for number in range(30):
        _, turn = asks(db, voter_id=voter(db, f"citizen-{number}"))
        ends(db, turn, "failed", FAILED)
        with db.reading() as session:
            if found := outages(session, round_.id or 0):
                return found[0]
    raise AssertionError


def is_checked(db: Database, round_: Round, outage: Outage, *, good: bool) -> None:
    """The endpoint is asked whether it answers again."""
    db.writing(lambda session: _note(session, round_, outage.id or 0, good=good))
