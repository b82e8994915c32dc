"""The leaderboard: what a stored snapshot says, in the words and order of its readers."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from sqlmodel import Session

from arena.ratings.desk import desk
from arena.ratings.pages import (
    Beside,
    Board,
    Duel,
    DuelRow,
    Firmness,
    Interval,
    Last,
    LeaderboardPage,
    LeaderboardRow,
    Method,
    Neighbours,
    OneVoter,
    OtherModel,
    OtherRating,
    Points,
    Score,
    SideEffect,
    Standing,
    StyleEffect,
    Upset,
    VotesOfAType,
    Why,
)
from arena.ratings.queries import snapshot_of
from arena.ratings.tables import RatingSnapshot
from arena.rounds.queries import leaderboard_visible, view
from arena.rounds.tables import Round
from arena.stats.arithmetic import quantile
from arena.teams.queries import entries_of
from arena.web.forest import Forest, ForestRow, forest

SHADE_BOUNDS: Final = (0.30, 0.40, 0.47, 0.53, 0.60, 0.70)  # shares won; finest where teams are close

Names = Mapping[str, str]
"""Teams by entry code, in the reader's language."""


def leaderboard_page(
    session: Session, round_: Round, locale: str, *, operator: bool, bundle: bool = False
) -> LeaderboardPage:
    """The leaderboard as far as this reader may see it; `bundle` says whether the round's bundle is published."""
    assert round_.id is not None
    visible = leaderboard_visible(round_, operator=operator)
    snapshot = snapshot_of(session, round_.id) if visible else None
    shown = view(round_, locale, operator=operator)
    if snapshot is None:
        return LeaderboardPage(shown, visible, None, None, bundle)
    names = {entry.code: entry.name(locale) for entry in entries_of(session, round_.id)}
    return LeaderboardPage(
        shown, visible, board(snapshot, names), desk(snapshot, names) if operator else None, bundle
    )


def board(snapshot: RatingSnapshot, names: Names) -> Board:
    """What the snapshot says."""
    ratings = snapshot.ratings
    entries = sorted(ratings["entries"], key=lambda item: -float(item["rating"] or 0))
    points = {item["entry"]: _points(item) for item in snapshot.scores["entries"]}
    codes = [item["entry"] for item in entries]
    rows = tuple(_row(item, names, points[item["entry"]]) for item in entries)
    return Board(
        rated=ratings["state"] == "ok",
        why=_why(ratings["why"], names),
        rows=rows,
        score=_score(snapshot.scores) if any(points.values()) else None,
        plot=_plot(rows),
        neighbours=tuple(_neighbours(item, names) for item in ratings["neighbours"] if item["interval"]),
        last=_last(ratings["last"], names),
        duels=_duels(snapshot.pairs, codes, names),
        side=side_effect(ratings["side"]),
        beside=_beside(snapshot.beside, codes, names) if snapshot.beside else None,
        votes=sum(pair["battles"] for pair in snapshot.pairs),
        voters=ratings["voters"],
        method=_method(ratings),
        computed_at=snapshot.computed_at,
        final=snapshot.final,
    )


def about(number: int) -> int:
    """The number to two significant digits."""
    return round(number, 2 - len(str(number)))


def shade(share: float) -> int:
    """Which of seven shades a share won gets, 0 for the smallest and 3 for about half."""
    return bisect_right(SHADE_BOUNDS, share)


def _why(why: dict[str, Any] | None, names: Names) -> Why | None:
    return Why(why["code"], tuple(names[code] for code in why["entries"])) if why else None


def _row(item: dict[str, Any], names: Names, points: Points | None) -> LeaderboardRow:
    return LeaderboardRow(
        team=names[item["entry"]],
        rank=(item["rank"][0], item["rank"][1]) if item["rank"] else None,
        points=points,
        rating=_figure(item["rating"]),
        interval=_interval(item["interval"]),
        win_share=_figure(item["win_share"]),
        votes=item["votes"],
        wins=item["wins"],
        losses=item["losses"],
        ties=item["ties"],
    )


def _score(scores: dict[str, Any]) -> Score:
    return Score(scores["formula"], scores["points"], scores["min_votes_per_entry"], scores["provisional"])


def _points(item: dict[str, Any]) -> Points | None:
    if item["points"] is None:
        return None
    return Points(float(item["points"]), _interval(item["interval"]), item["provisional"])


def _figure(text: str | None) -> float | None:
    return None if text is None else float(text)


def _interval(bounds: Sequence[str] | None) -> Interval | None:
    return (float(bounds[0]), float(bounds[1])) if bounds else None


def _plot(rows: Sequence[LeaderboardRow]) -> Forest | None:
    """The forest plot; None while ranges are unknown."""
    drawn = [
        ForestRow(row.team, row.rating, *row.interval, *row.rank)
        for row in rows
        if row.rating is not None and row.interval and row.rank
    ]
    return forest(drawn) if drawn else None


def _neighbours(item: dict[str, Any], names: Names) -> Neighbours:
    ahead, behind = (names[code] for code in item["entries"])
    needed = item["votes_needed"]
    return Neighbours(ahead, behind, item["apart"], None if needed is None else about(needed))


def _last(last: dict[str, Any] | None, names: Names) -> Last | None:
    if last is None:
        return None
    return Last(names[last["entry"]] if last["entry"] else None, tuple(names[code] for code in last["tied"]))


def _duels(pairs: Sequence[dict[str, Any]], codes: Sequence[str], names: Names) -> tuple[DuelRow, ...]:
    """Every team against every team as the votes were; empty before the first vote."""
    met: dict[tuple[str, str], Duel] = {}
    for pair in pairs:
        if pair["battles"]:
            i, j = pair["entries"]
            met[i, j], met[j, i] = (_duel(pair, wins) for wins in pair["wins"])
    return tuple(DuelRow(names[i], tuple(met.get((i, j)) for j in codes)) for i in codes) if met else ()


def _duel(pair: dict[str, Any], wins: int) -> Duel:
    share = (wins + (pair["ties"] + pair["both_bad"]) / 2) / pair["battles"]
    return Duel(share, pair["battles"], shade(share))


def side_effect(side: dict[str, Any] | None) -> SideEffect | None:
    """What a snapshot's ratings say of the side; None without an interval."""
    interval = _interval(side["interval"]) if side else None
    if side is None or interval is None:
        return None
    return SideEffect(float(side["win_share"]), interval, not interval[0] <= 0.5 <= interval[1])


def _method(ratings: dict[str, Any]) -> Method:
    applied = ratings["filter"]
    return Method(
        name=ratings["method"],
        version=ratings["method_version"],
        filter=applied["name"],
        filter_version=applied["version"],
        votes_per_voter=applied["votes_per_voter"],
        figures_hash=ratings["figures_hash"],
        cells_hash=ratings["cells_hash"],
    )


def _beside(beside: dict[str, Any], codes: Sequence[str], names: Names) -> Beside:
    firm = beside["robustness"]
    return Beside(
        models=(_model("davidson", beside["davidson"], codes), _model("style", beside["style"], codes)),
        effects=tuple(_effect(item) for item in beside["style"].get("coefficients", ())),
        firmness=_firmness(firm, codes, names) if firm else None,
    )


def _model(name: Literal["davidson", "style"], model: dict[str, Any], codes: Sequence[str]) -> OtherModel:
    if model["why"]:
        return OtherModel(name, model["why"], ())
    found = {item["entry"]: _other(item) for item in model["entries"]}
    return OtherModel(name, None, tuple(found[code] for code in codes))


def _other(item: dict[str, Any]) -> OtherRating:
    return OtherRating(float(item["rating"]), _interval(item["interval"]))


def _effect(item: dict[str, Any]) -> StyleEffect:
    value, error = _figure(item["log_odds"]), _figure(item["standard_error"])
    telling = value is not None and error is not None and abs(value) > float(quantile()) * error
    return StyleEffect(item["feature"], value, error, telling)


def _firmness(firm: dict[str, Any], codes: Sequence[str], names: Names) -> Firmness:
    voter = firm["one_voter_out"]
    return Firmness(
        last=names[firm["last"]] if firm["last"] else None,
        removal=_upset(firm["removal"], names),
        reversal=_upset(firm["reversal"], names),
        one_voter=OneVoter(voter["changes_first"], voter["changes_last"], voter["not_ratable"]) if voter else None,
        standings=_standings(firm["chances"], voter["ratings"] if voter else None, codes, names),
    )


def _upset(upset: dict[str, Any] | None, names: Names) -> Upset | None:
    if upset is None:
        return None
    types = tuple(
        VotesOfAType(names[some["first"]], names[some["second"]], some["outcome"], some["votes"])
        for some in upset["types"]
    )
    return Upset(upset["votes"], names[upset["last"]], types)


def _standings(
    chances: list[dict[str, Any]] | None, ratings: list[dict[str, Any]] | None, codes: Sequence[str], names: Names
) -> tuple[Standing, ...]:
    places = {item["entry"]: (float(item["first"]), float(item["last"])) for item in chances or ()}
    ranges = {item["entry"]: (float(item["lowest"]), float(item["highest"])) for item in ratings or ()}
    if not (places or ranges):
        return ()
    return tuple(Standing(names[code], places.get(code), ranges.get(code)) for code in codes)
