"""What pages about excluded votes show: proposals, appeals, rejected questions, votes and effects."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from arena.accounts.queries import SignedIn
from arena.battles.standing import REINSTATE
from arena.battles.tables import Appeal, Battle, Exclusion, Turn, Vote
from arena.moderation.pages import REASON_NAMES
from arena.office.effect import Figures, Weighed
from arena.office.exclusion_pages import (
    AppealView,
    Effect,
    EffectRow,
    Figure,
    ProposalView,
    RejectedView,
    VoteRow,
)
from arena.rounds.decisions import number_of
from arena.rounds.pairing import pseudonym
from arena.rounds.tables import Round
from arena.screening.tables import Review
from arena.teams.queries import entries_of

VOTES_SHOWN = 100
QUESTION_SHOWN = 300


def appeal_view(session: Session, appeal: Appeal) -> AppealView:
    vote = session.get_one(Vote, appeal.vote_id)
    proposed = session.exec(
        select(Exclusion)
        .join(Battle, col(Battle.round_id) == Exclusion.round_id)
        .where(Battle.id == vote.battle_id, Exclusion.state == "waiting", Exclusion.kind == REINSTATE)
    )
    return AppealView(
        id=appeal.id or 0,
        text=appeal.text,
        at=appeal.made_at,
        battle=vote.battle_id,
        why=vote.excluded_why or "",
        question=_question(session, vote.battle_id),
        proposal=next((found.id for found in proposed if vote.battle_id in found.battles), None),
    )


def proposal_view(session: Session, proposal: Exclusion, reader: SignedIn, standing: str = "") -> ProposalView:
    """`standing` as `arena.battles.standing.waiting` finds it, where it waits."""
    review = session.get(Review, proposal.review_id) if proposal.review_id else None
    return ProposalView(
        id=proposal.id or 0,
        kind=proposal.kind,
        reason=proposal.reason,
        note=proposal.note,
        number=len(proposal.battles),
        by=proposal.proposed_by,
        at=proposal.proposed_at,
        mine=number_of(proposal.proposed_by) == number_of(reader.code),
        state=proposal.state,
        standing=standing,
        decided_by=proposal.decided_by,
        decided_at=proposal.decided_at,
        question=rejected_view(review) if review else None,
    )


def rejected_view(review: Review) -> RejectedView:
    return RejectedView(
        review=review.id or 0,
        text=review.text[:QUESTION_SHOWN],
        reason=REASON_NAMES.get(review.reason or "", review.reason or ""),
        by=review.decided_by or "",
        at=review.decided_at or review.created_at,
    )


def vote_rows(session: Session, round_: Round, battles: Sequence[str], start: int = 0) -> tuple[VoteRow, ...]:
    """A page of the comparisons of a proposal, from place `start` on."""
    seed = bytes.fromhex(round_.seed)
    found = session.exec(
        select(Battle, Vote)
        .join(Vote, col(Vote.battle_id) == Battle.id, isouter=True)
        .where(col(Battle.id).in_(battles[start : start + VOTES_SHOWN]))
        .order_by(col(Battle.created_at))
    )
    return tuple(_vote_row(session, seed, battle, vote) for battle, vote in found)


def _vote_row(session: Session, seed: bytes, battle: Battle, vote: Vote | None) -> VoteRow:
    return VoteRow(
        battle=battle.id,
        voter=pseudonym(seed, battle.voter_id),
        question=_question(session, battle.id),
        at=battle.created_at if vote is None else vote.cast_at,
        state=_state(battle, vote),
    )


def _state(battle: Battle, vote: Vote | None) -> str:
    if vote is None:
        return "no_vote_yet" if battle.state in ("streaming", "votable") else "no_vote"
    return "out" if vote.excluded else "counts"


def _question(session: Session, battle: str) -> str:
    found = session.exec(select(Turn.prompt).where(Turn.battle_id == battle).order_by(col(Turn.number)).limit(1))
    return (found.first() or "")[:QUESTION_SHOWN]


def effect_view(session: Session, round_: Round, weighed: Weighed, locale: str) -> Effect:
    names = {entry.code: entry.name(locale) for entry in entries_of(session, round_.id or 0)}
    before, after = weighed
    order, then = _order(before), _order(after)
    return Effect(
        rows=tuple(
            EffectRow(
                team=names[code],
                before=_figure(before["entries"][code]),
                after=_figure(after["entries"][code]),
                places=(place, then.index(code) + 1),
            )
            for place, code in enumerate(order, start=1)
        ),
        votes=(before["votes"], after["votes"]),
        rated=(before["state"] == "ok", after["state"] == "ok"),
    )


def _order(figures: Figures) -> list[str]:
    entries = figures["entries"]
    return sorted(entries, key=lambda code: -float(entries[code]["rating"] or 0))


def _figure(entry: dict[str, Any]) -> Figure:
    interval, rank, points = entry["interval"], entry["rank"], entry["points"]
    return Figure(
        rating=None if entry["rating"] is None else float(entry["rating"]),
        interval=(float(interval[0]), float(interval[1])) if interval else None,
        rank=(rank[0], rank[1]) if rank else None,
        points=None if points is None else float(points),
        votes=entry["votes"],
    )
