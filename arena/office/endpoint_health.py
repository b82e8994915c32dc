"""How the endpoints of a round did hour by hour, and what became of its battles day by day, from samples of turns."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from arena.battles.health import speed, spread
from arena.office.charts import bars, lines
from arena.office.desk_pages import DayRow, EndpointRow, HourRow, Hours, LeakRow, Outcomes
from arena.office.turn_sample import Said, sample
from arena.rounds.tables import Round
from arena.teams.outages import outages
from arena.teams.queries import entries_of
from arena.teams.tables import Outage
from arena.web.i18n import SEOUL

HOURS: Final = 48
DAYS: Final = 14


@dataclass(frozen=True, slots=True)
class _Window:
    """The hours up to `end`."""

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
    found = sample(session, round_.id or 0, window.start, window.end)
    said, down = defaultdict(list), defaultdict(list)
    for row in found.said:
        if row.is_over:
            said[row.entry_id].append(row)
    for outage in outages(session, round_.id or 0):
        down[outage.entry_id].append(outage)
    rows = tuple(
        _endpoint(entry.code, entry.name(locale), said[entry.id], window, down[entry.id])
        for entry in entries_of(session, round_.id or 0)
    )
    probes = {row.battle: row.probe for row in found.said}
    share = sum(probes.values()) / len(probes) if probes else None
    return Hours(rows, found.every, sum(map(len, said.values())), share)


def _endpoint(code: str, team: str, said: Sequence[Said], window: _Window, down: Sequence[Outage]) -> EndpointRow:
    by_hour: list[list[Said]] = [[] for _ in range(HOURS)]
    for row in said:
        by_hour[window.place(row.at)].append(row)
    found = [_hour(window.hour(place), rows) for place, rows in enumerate(by_hour)]
    out = window.out(down)
    return EndpointRow(
        code=code,
        team=team,
        whole=_hour(window.start, said),
        hours=tuple(row for row in found if row.answers),
        failures=bars([row.failed / row.answers if row.answers else None for row in found], 1.0, out),
        first_token=lines([[row.first_s for row in found], [row.first_p95_s for row in found]], out),
        rate=lines([[row.rate for row in found]], out),
        outages=len([outage for outage in down if (outage.ended_at or window.end) > window.start]),
        out_now=any(outage.ended_at is None for outage in down),
    )


def _hour(at: datetime, rows: Sequence[Said]) -> HourRow:
    good = [row for row in rows if row.good]
    first = spread([row.first_token_ms / 1000 for row in good if row.first_token_ms is not None])
    speeds = [speed(row.characters, row.first_token_ms, row.total_ms) for row in good]
    rates = spread([found for found in speeds if found is not None])
    return HourRow(
        at=at,
        answers=len(rows),
        failed=len(rows) - len(good),
        first_s=first.median if first else None,
        first_p95_s=first.p95 if first else None,
        rate=rates.median if rates else None,
    )


def outcomes(session: Session, round_: Round, locale: str, now: datetime) -> Outcomes:
    """What became of the battles begun on each of the last 14 days, by Korean time; whose answers named somebody."""
    last = min(round_.closed_at or now, now)
    since = _midnight(last) - timedelta(days=DAYS - 1)
    found = sample(session, round_.id or 0, since, last + timedelta(seconds=1))
    states: defaultdict[datetime, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    answers: defaultdict[int, list[bool]] = defaultdict(list)
    for row in found.said:
        if row.number == 1 and row.side == "a":
            states[_midnight(row.at)][row.battle_state] += 1
        if row.is_over:
            answers[row.entry_id].append(row.names > 0)
    leaks = tuple(
        LeakRow(entry.name(locale), len(answers[entry.id]), sum(answers[entry.id]))
        for entry in entries_of(session, round_.id or 0)
    )
    return Outcomes(tuple(_day(day, states[day]) for day in sorted(states, reverse=True)), leaks, found.every)


def _midnight(at: datetime) -> datetime:
    return at.astimezone(SEOUL).replace(hour=0, minute=0, second=0, microsecond=0)


def _day(day: datetime, states: dict[str, int]) -> DayRow:
    voted, expired, void = (states.get(name, 0) for name in ("voted", "expired", "void"))
    return DayRow(day, sum(states.values()), voted, expired, void)
