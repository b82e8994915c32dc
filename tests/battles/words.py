"""A conversation with words in every place that holds some, and where to look for them."""

from sqlalchemy import MetaData, select

from arena.battles.actions import checkpoint_turn
from arena.battles.column import Said
from arena.battles.queries import CastVote, turn_job
from arena.battles.tables import Battle, Turn
from arena.battles.votes import give_feedback
from arena.clock import now
from arena.db import Database
from tests.data import MINJI, asks, ends, fresh, votes

QUESTION, COMMENT = "주황우산은 어디에 두었나요?", "노랑구두가 좋았어요"
ANSWER, RAW = "보라양말 옆에 두셨어요. ", "초록단추가 아는 한 "
WORDS = ("주황우산", "노랑구두", "보라양말", "초록단추")
SAID = (
    Said(ANSWER * 400, "complete", 10, 20, names=1, raw=RAW * 400),
    Said(ANSWER * 2, "complete", 10, 20),
)


def conversation(db: Database, voter_id: str = MINJI) -> tuple[Battle, CastVote]:
    """A battle with words in every place that holds some."""
    battle, turn = asks(db, QUESTION, voter_id)
    for part in (5, 60):
        saves(db, turn, part)
    assert ends(db, turn, said=SAID)
    vote = votes(db, battle, voter_id=voter_id)
    return battle, db.writing(lambda s: give_feedback(s, vote, ["a:clear"], COMMENT, now()))


def saves(db: Database, turn: Turn, percent: int) -> None:
    """What the relay does every few seconds."""
    half = (Said(SAID[0].text[: len(SAID[0].text) * percent // 100], None, 10, None), SAID[1])
    db.writing(lambda s: checkpoint_turn(s, turn_job(s, fresh(s, turn)), half, now()))


def stored(db: Database) -> str:
    """Every value of every column of every table."""
    schema = MetaData()
    schema.reflect(db.engine)
    with db.engine.connect() as connection:
        return "\n".join(str(row) for table in schema.sorted_tables for row in connection.execute(select(table)))


def left(db: Database) -> list[str]:
    """Which of the words can still be read anywhere in the database."""
    found = stored(db)
    return [word for word in WORDS if word in found]
