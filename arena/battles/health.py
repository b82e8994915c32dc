"""What operators see of endpoints and of the course of battles, and auditors of names that were masked."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from statistics import median, quantiles
from typing import Any, NamedTuple

from sqlalchemy import Select, case, func, select
from sqlmodel import Session, col

from arena.battles.gateway import GOOD
from arena.battles.pages import EndpointView, FailureView, HealthPage, LeakPage, LeakView, Spread, WaitingView
from arena.battles.tables import Answer, Battle, RawAnswer, Turn
from arena.rounds.queries import outage_views, view
from arena.rounds.tables import Round
from arena.teams.queries import NamedEntry, entries_of

LATEST_TURNS = 1000
LEFT_OFTEN = 3
LEAKS_SHOWN = 50
_ENTRY = case((col(Answer.side) == "a", col(Battle.entry_a)), else_=col(Battle.entry_b))


class _Row(NamedTuple):
    """One side of a turn that is over."""

    battle_id: str
    identity_probe: bool
    turn_id: int
    shown_ms: int | None
    ended_ms: int | None
    entry_id: int
    ending: str | None
    first_token_ms: int | None
    total_ms: int | None
    characters: int | None
    names: int

    @property
    def good(self) -> bool:
        return self.ending in GOOD


def health_page(session: Session, round_: Round, locale: str) -> HealthPage:
    """The latest thousand turns, entry by entry; failures, outages and abandoned battles of the whole round."""
    assert round_.id is not None
    rows = [_Row(*row) for row in session.execute(_latest(round_.id))]
    probes = {row.battle_id: row.identity_probe for row in rows}
    failures, left = _failures(session, round_.id), _left(session, round_.id)
    return HealthPage(
        round=view(round_, locale, operator=True),
        turns=len({row.turn_id for row in rows}),
        endpoints=tuple(
            _endpoint(entry.name(locale), [row for row in rows if row.entry_id == entry.id], failures[entry.id])
            for entry in entries_of(session, round_.id)
        ),
        outages=outage_views(session, round_, locale),
        waiting=_waiting(rows),
        probes=sum(probes.values()) / len(probes) if probes else None,
        left=sum(left),
        left_often=sum(number >= LEFT_OFTEN for number in left),
        often=LEFT_OFTEN,
    )


def _latest(round_id: int) -> Select[Any]:
    columns: tuple[Any, ...] = (
        Battle.id, Battle.identity_probe, Turn.id, Turn.shown_ms, Turn.ended_ms, _ENTRY,
        Answer.ending, Answer.first_token_ms, Answer.total_ms, Answer.characters, Answer.names,
    )  # fmt: skip
    return (
        select(*columns)
        .join(Turn, col(Turn.battle_id) == Battle.id)
        .join(Answer, col(Answer.turn_id) == Turn.id)
        .where(col(Battle.round_id) == round_id, col(Turn.state).in_(("complete", "failed")))
        .order_by(col(Turn.id).desc())
        .limit(2 * LATEST_TURNS)
    )


def _endpoint(team: str, rows: Sequence[_Row], failures: tuple[FailureView, ...]) -> EndpointView:
    ended = [row for row in rows if row.ending is not None]
    good = [row for row in ended if row.good]
    speeds = [speed(row.characters, row.first_token_ms, row.total_ms) for row in good]
    return EndpointView(
        team=team,
        answers=len(ended),
        failed=len(ended) - len(good),
        first_token_s=spread([row.first_token_ms / 1000 for row in good if row.first_token_ms is not None]),
        characters_a_second=spread([found for found in speeds if found is not None]),
        named=sum(row.names > 0 for row in ended),
        failures=failures,
    )


def _failures(session: Session, round_id: int) -> defaultdict[int, tuple[FailureView, ...]]:
    """By entry id, how its answers failed in the whole round, the most frequent way first."""
    found = session.execute(
        select(_ENTRY, col(Answer.ending), func.count())
        .join(Turn, col(Turn.battle_id) == Battle.id)
        .join(Answer, col(Answer.turn_id) == Turn.id)
        .where(col(Battle.round_id) == round_id, col(Turn.state) == "failed", col(Answer.ending).not_in(GOOD))
        .group_by(_ENTRY, col(Answer.ending))
        .order_by(func.count().desc(), col(Answer.ending))
    )
    failures: defaultdict[int, tuple[FailureView, ...]] = defaultdict(tuple)
    for entry_id, ending, number in found:
        failures[entry_id] += (FailureView(ending, number),)
    return failures


def _waiting(rows: Collection[_Row]) -> WaitingView | None:
    """What readers waited for because both sides show together: for the first text, and for the end."""
    turns: defaultdict[int, list[_Row]] = defaultdict(list)
    for row in rows:
        if row.good and row.shown_ms is not None and row.ended_ms is not None:
            turns[row.turn_id].append(row)
    whole = [sides for sides in turns.values() if len(sides) == 2]
    first = [(a.shown_ms or 0) - min(a.first_token_ms or 0, b.first_token_ms or 0) for a, b in whole]
    end = [(a.ended_ms or 0) - max(a.total_ms or 0, b.total_ms or 0) for a, b in whole]
    starts, ends = (spread([max(0, ms) / 1000 for ms in waits]) for waits in (first, end))
    return WaitingView(starts, ends) if starts and ends else None


def spread(values: Sequence[float]) -> Spread | None:
    """None of nothing. Give it good answers' times: how long a failure took tells nothing of an endpoint's pace."""
    if not values:
        return None
    p95 = quantiles(values, n=20, method="inclusive")[-1] if len(values) > 1 else values[0]
    return Spread(median(values), p95)


def speed(characters: int | None, first_ms: float | None, total_ms: float | None) -> float | None:
    """Characters a second from the first on; None of nothing, and of what came at once."""
    if not characters or first_ms is None or total_ms is None or total_ms <= first_ms:
        return None
    return 1000 * characters / (total_ms - first_ms)


def _left(session: Session, round_id: int) -> list[int]:
    """How many battles each voter left without a vote, for those who left any."""
    mine = select(func.count()).where(col(Battle.round_id) == round_id, col(Battle.state) == "expired")
    return list(session.execute(mine.group_by(col(Battle.voter_id))).scalars())


def leak_page(session: Session, round_: Round, locale: str, before: int | None) -> LeakPage:
    """Answers in which names were masked, as they came; the newest first, those before an answer's id."""
    assert round_.id is not None
    names = {entry.id: entry for entry in entries_of(session, round_.id)}
    found = session.execute(
        select(col(Answer.id), col(Turn.created_at), _ENTRY, col(Answer.text), col(RawAnswer.text), col(Turn.prompt))
        .join(Turn, col(Turn.battle_id) == Battle.id)
        .join(Answer, col(Answer.turn_id) == Turn.id)
        .join(RawAnswer, col(RawAnswer.answer_id) == Answer.id)
        .where(col(Battle.round_id) == round_.id, *([col(Answer.id) < before] if before else []))
        .order_by(col(Answer.id).desc())
        .limit(LEAKS_SHOWN + 1)
    ).all()
    leaks = tuple(_leak(names, locale, row) for row in found[:LEAKS_SHOWN])
    return LeakPage(
        round=view(round_, locale, operator=True),
        leaks=leaks,
        older=leaks[-1].answer if len(found) > LEAKS_SHOWN else None,
    )


def _leak(names: dict[int, NamedEntry], locale: str, row: Any) -> LeakView:
    answer, at, entry_id, shown, raw, prompt = row
    return LeakView(answer, at, names[entry_id].name(locale), prompt, shown, raw)
