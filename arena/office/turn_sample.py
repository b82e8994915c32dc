"""A sample of a round's turns from some time, of a bounded size however many battles there are.

Turns are numbered as they come, so those of a time are a range of numbers, of which at most so many are read, evenly
apart. What they have to be is looked at afterwards, not in SQL: a planner that began at the round's battles instead
of these numbers would read them all.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import case, select
from sqlmodel import Session, col

from arena.battles.gateway import GOOD
from arena.battles.tables import Answer, Battle, Turn

TURNS: Final = 1000
"""At most so many turns are read at once."""


class Said(NamedTuple):
    """One side of a turn, and what became of its battle."""

    at: datetime
    number: int
    turn_state: str
    battle: str
    battle_state: str
    round_id: int
    probe: bool
    entry_id: int
    side: str
    ending: str | None
    first_token_ms: int | None
    total_ms: int | None
    characters: int | None
    names: int

    @property
    def is_over(self) -> bool:
        return self.turn_state in ("complete", "failed") and self.ending is not None

    @property
    def good(self) -> bool:
        return self.ending in GOOD


@dataclass(frozen=True, slots=True)
class Sample:
    """Of every `every` turns one was read."""

    said: tuple[Said, ...]
    every: int


def sample(session: Session, round_id: int, since: datetime, until: datetime) -> Sample:
    numbers = _numbers(session, since, until)
    columns: tuple[Any, ...] = (
        Turn.created_at, Turn.number, Turn.state, Battle.id, Battle.state, Battle.round_id, Battle.identity_probe,
        case((col(Answer.side) == "a", col(Battle.entry_a)), else_=col(Battle.entry_b)), Answer.side,
        Answer.ending, Answer.first_token_ms, Answer.total_ms, Answer.characters, Answer.names,
    )  # fmt: skip
    found = (
        select(*columns)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .join(Answer, col(Answer.turn_id) == Turn.id)
        .where(col(Turn.id).in_(list(numbers)))
    )
    rows = (Said(*row) for row in session.execute(found))
    return Sample(tuple(row for row in rows if row.round_id == round_id), numbers.step)


def _numbers(session: Session, since: datetime, until: datetime) -> range:
    """The numbers of turns begun in a time, at most TURNS of them, evenly apart and the newest among them."""
    by_number = select(col(Turn.id)).limit(1)
    lowest = session.execute(by_number.order_by(col(Turn.id))).scalar()
    highest = session.execute(by_number.order_by(col(Turn.id).desc())).scalar()
    if lowest is None or highest is None:
        return range(0)
    first = first_turn_since(session, since, lowest, highest + 1)
    end = first_turn_since(session, until, first, highest + 1)
    step = max(1, -(-(end - first) // TURNS))
    return range(first + (end - 1 - first) % step, end, step) if end > first else range(0)


def first_turn_since(session: Session, since: datetime, low: int, high: int) -> int:
    """The first turn that was not begun before then; `high` when all were. Halves the range again and again."""
    while low < high:
        middle = (low + high) // 2
        found = select(col(Turn.id), col(Turn.created_at)).where(col(Turn.id) >= middle)
        row = session.execute(found.order_by(col(Turn.id)).limit(1)).first()
        if row is None or row[0] >= high or row[1] >= since:
            high = middle
        else:
            low = row[0] + 1
    return low
