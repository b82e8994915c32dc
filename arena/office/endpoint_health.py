"""How the endpoints of a round did hour by hour, and what became of its battles day by day.

Read from a sample that has a bounded size however many battles there are: turns are numbered as they come, so those
of a time are a range of numbers, of which at most so many are read, evenly apart.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

from sqlalchemy import case, func, select
from sqlmodel import Session, col

from arena.battles.gateway import GOOD
from arena.battles.tables import Answer, Battle, Turn
from arena.office.charts import Chart, bars, lines
from arena.office.round_pages import DayRow, EndpointRow, HourRow, Hours, Outcomes
from arena.rounds.tables import Round
from arena.teams.outages import outages
from arena.teams.queries import entries_of
from arena.teams.tables import Outage
from arena.web.i18n import SEOUL

HOURS: Final = 48
DAYS: Final = 14
TURNS: Final = 1500
"""At most so many turns are read at once."""
_ENTRY = case((col(Answer.side) == "a", col(Battle.entry_a)), else_=col(Battle.entry_b))


class _Said(NamedTuple):
    """One side of a turn that is over."""

    battle: str
    probe: bool
    at: datetime
    entry_id: int
    ending: str
    first_token_ms: int | None
    total_ms: int | None
    characters: int | None
    names: int

    @property
    def rate(self) -> float | None:
        if not self.characters or self.first_token_ms is None or self.total_ms is None:
            return None
        return 1000 * self.characters / max(1, self.total_ms - self.first_token_ms)


@dataclass(frozen=True, slots=True)
class _Window:
    """The hours that end with the one that is `end`ing."""

    end: datetime

    @property
    def start(self) -> datetime:
        return self.end - timedelta(hours=HOURS)

    def place(self, at: datetime) -> int:
        return min(max(int((at - self.start) / timedelta(hours=1)), 0), HOURS - 1)

    def hour(self, place: int) -> datetime:
        return self.start + timedelta(hours=place)

    def out(self, found: Sequence[Outage]) -> list[bool]:
        """Whether an endpoint was out of service in each hour."""
        spans = [(outage.began_at, outage.ended_at or self.end) for outage in found]
        return [
            any(began < self.hour(place + 1) and ended > self.hour(place) for began, ended in spans)
            for place in range(HOURS)
        ]


def hours(session: Session, round_: Round, locale: str, now: datetime) -> Hours:
    """The last 48 hours of a round, up to its closing."""
    last = min(round_.closed_at or now, now)
    window = _Window(last.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1))
    numbers = _numbers(session, window.start, window.end)
    said = _said(session, round_.id or 0, numbers)
    down = defaultdict(list)
    for outage in outages(session, round_.id or 0):
        down[outage.entry_id].append(outage)
    by_entry = defaultdict(list)
    for row in said:
        by_entry[row.entry_id].append(row)
    rows = tuple(
        _endpoint(entry.code, entry.name(locale), by_entry[entry.id], window, down[entry.id])
        for entry in entries_of(session, round_.id or 0)
    )
    probes = {row.battle: row.probe for row in said}
    return Hours(rows, numbers.step, len(said), sum(probes.values()) / len(probes) if probes else None)


def _said(session: Session, round_id: int, numbers: range) -> list[_Said]:
    columns: tuple[Any, ...] = (
        Battle.id, Battle.identity_probe, Turn.created_at, _ENTRY,
        Answer.ending, Answer.first_token_ms, Answer.total_ms, Answer.characters, Answer.names,
    )  # fmt: skip
    found = (
        select(*columns)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .join(Answer, col(Answer.turn_id) == Turn.id)
        .where(col(Turn.id).in_(list(numbers)), col(Battle.round_id) == round_id)
        .where(col(Turn.state).in_(("complete", "failed")), col(Answer.ending).is_not(None))
    )
    return [_Said(*row) for row in session.execute(found)]


def _endpoint(code: str, team: str, said: Sequence[_Said], window: _Window, down: Sequence[Outage]) -> EndpointRow:
    by_hour: list[list[_Said]] = [[] for _ in range(HOURS)]
    for row in said:
        by_hour[window.place(row.at)].append(row)
    found = [_hour(window.hour(place), rows) for place, rows in enumerate(by_hour)]
    out, whole = window.out(down), _hour(window.start, said)
    return EndpointRow(
        code=code,
        team=team,
        whole=whole,
        hours=tuple(row for row in found if row.answers),
        failures=bars([row.failed / row.answers if row.answers else None for row in found], 1.0, out),
        first_token=lines([[row.first_s for row in found], [row.first_p95_s for row in found]], out),
        rate=_rate(found, out),
        outages=len([outage for outage in down if (outage.ended_at or window.end) > window.start]),
        out_now=any(outage.ended_at is None for outage in down),
        named=sum(row.names > 0 for row in said),
    )


def _rate(found: Sequence[HourRow], out: Sequence[bool]) -> Chart:
    return lines([[row.rate for row in found]], out)


def _hour(at: datetime, rows: Sequence[_Said]) -> HourRow:
    first = [row.first_token_ms / 1000 for row in rows if row.first_token_ms is not None]
    rates = [row.rate for row in rows if row.rate is not None]
    return HourRow(
        at=at,
        answers=len(rows),
        failed=sum(row.ending not in GOOD for row in rows),
        first_s=median(first) if first else None,
        first_p95_s=_p95(first),
        rate=median(rates) if rates else None,
    )


def _p95(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=20, method="inclusive")[-1]


def days(session: Session, round_: Round, now: datetime) -> Outcomes:
    """What became of the battles that were begun on each of the last 14 days, by Korean time."""
    last = min(round_.closed_at or now, now)
    midnight = last.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
    numbers = _numbers(session, midnight - timedelta(days=DAYS - 1), last + timedelta(seconds=1))
    found = (
        select(col(Turn.created_at), col(Battle.state))
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .where(col(Turn.id).in_(list(numbers)), col(Turn.number) == 1, col(Battle.round_id) == round_.id)
    )
    counts: defaultdict[datetime, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    for at, state in session.execute(found):
        day = at.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)
        counts[day][state] += 1
    rows = (_day(day, counts[day]) for day in sorted(counts, reverse=True))
    return Outcomes(tuple(rows), every=numbers.step)


def _day(day: datetime, states: dict[str, int]) -> DayRow:
    voted, expired, void = (states.get(name, 0) for name in ("voted", "expired", "void"))
    return DayRow(day, sum(states.values()), voted, expired, void)


def _numbers(session: Session, since: datetime, until: datetime) -> range:
    """The numbers of turns begun in a time, at most TURNS of them, evenly apart and the newest among them."""
    lowest, highest = session.execute(select(func.min(Turn.id), func.max(Turn.id))).one()
    if highest is None:
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
