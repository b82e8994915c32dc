"""The pages about excluded votes: what waits, what is appealed against, what was decided, and with which effect."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session, col, select

from arena.accounts.queries import SignedIn
from arena.accounts.tables import Act
from arena.accounts.trail import acts_on
from arena.battles.exclusions import REASONS, subject
from arena.battles.standing import EXCLUDE, REINSTATE, standing_of
from arena.battles.tables import Appeal, Battle, Exclusion, Turn, Vote
from arena.errors import NotFoundError
from arena.moderation.pages import REASON_NAMES
from arena.office.effect import Figures, Weighed
from arena.office.exclusion_choice import rejected_that_count
from arena.office.exclusion_pages import (
    AppealView,
    Effect,
    EffectRow,
    ExclusionsPage,
    Figure,
    Problem,
    ProposalsPage,
    ProposalView,
    RejectedView,
    VoteRow,
)
from arena.rounds.decisions import number_of
from arena.rounds.pairing import pseudonym
from arena.rounds.queries import find_round, open_round, published_rounds, view
from arena.rounds.tables import Round
from arena.screening.tables import Review
from arena.teams.queries import entries_of

FORMS = ("numbers", "voter", "rejected", "reinstate")
WAITING_SHOWN = 100
DECIDED_SHOWN = 50
REJECTED_SHOWN = 50
VOTES_SHOWN = 100
QUESTION_SHOWN = 300


def exclusions_page(
    session: Session,
    slug: str,
    reader: SignedIn,
    locale: str,
    *,
    before: int | None = None,
    problem: Problem | None = None,
    kept: dict[str, list[str]] | None = None,
) -> ExclusionsPage:
    """The page of a round, or without a slug of the one that is open, or of the newest. Raises NotFoundError."""
    rounds = published_rounds(session)
    round_ = find_round(session, slug) if slug else open_round(session) or next(iter(rounds), None)
    if slug and (round_ is None or round_.state == "draft"):
        raise NotFoundError
    if round_ is None:
        return ExclusionsPage(None)
    acts = reader.role == "operator"
    proposes = acts and round_.state == "open"
    rejected = _countable(session, round_) if proposes else []
    waiting = _waiting(session, round_, reader)
    appeals = tuple(appeal_view(session, appeal) for appeal in _appeals(session, round_))
    decided = _decided(session, round_, reader, before)
    forms = tuple(how for how in FORMS if how != "rejected" or rejected) if proposes else ()
    named = {"waiting", *forms, *(f"appeal-{appeal.id}" for appeal in appeals)}
    return ExclusionsPage(
        round=view(round_, locale, operator=True),
        rounds=tuple(view(other, locale, operator=True) for other in rounds),
        acts=acts,
        forms=forms,
        waiting=waiting,
        groups=tuple(Counter(proposal.by for proposal in waiting if proposal.decidable).most_common()),
        appeals=appeals,
        rejected=tuple(map(rejected_view, rejected)),
        decided=tuple(decided[:DECIDED_SHOWN]),
        older=decided[DECIDED_SHOWN - 1].id if len(decided) > DECIDED_SHOWN else None,
        reasons=REASONS[EXCLUDE],
        problem=problem if problem is None or problem.form in named else replace(problem, form=""),
        kept=kept or {},
    )


def _countable(session: Session, round_: Round) -> list[Review]:
    return [review for review, _ in rejected_that_count(session, round_, REJECTED_SHOWN)]


def _waiting(session: Session, round_: Round, reader: SignedIn) -> tuple[ProposalView, ...]:
    found = session.exec(
        select(Exclusion)
        .where(Exclusion.round_id == round_.id, Exclusion.state == "waiting")
        .order_by(col(Exclusion.id))
        .limit(WAITING_SHOWN)
    )
    return tuple(proposal_view(session, proposal, reader) for proposal in found)


def _decided(session: Session, round_: Round, reader: SignedIn, before: int | None) -> list[ProposalView]:
    """The newest that were decided, one more than is shown."""
    found = select(Exclusion).where(Exclusion.round_id == round_.id, Exclusion.state != "waiting")
    if before is not None:
        found = found.where(col(Exclusion.id) < before)
    newest = session.exec(found.order_by(col(Exclusion.id).desc()).limit(DECIDED_SHOWN + 1))
    return [proposal_view(session, proposal, reader) for proposal in newest]


def _appeals(session: Session, round_: Round) -> Sequence[Appeal]:
    return session.exec(
        select(Appeal)
        .join(Vote, col(Vote.id) == Appeal.vote_id)
        .join(Battle, col(Battle.id) == Vote.battle_id)
        .where(Appeal.state == "waiting", Battle.round_id == round_.id)
        .order_by(col(Appeal.id))
    ).all()


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


def proposal_view(session: Session, proposal: Exclusion, reader: SignedIn) -> ProposalView:
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
        standing=standing_of(session, proposal.kind, proposal.battles).word if proposal.state == "waiting" else "",
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


def proposals_page(
    session: Session,
    proposals: Sequence[Exclusion],
    reader: SignedIn,
    locale: str,
    *,
    weighed: Weighed | None,
    problems: dict[int, str] | None = None,
    later: int = 0,
) -> ProposalsPage:
    """Proposals of one round; at least one."""
    round_ = session.get_one(Round, proposals[0].round_id)
    if weighed is None and len(proposals) == 1:
        weighed = _weighed_then(session, proposals[0])
    return ProposalsPage(
        round=view(round_, locale, operator=True),
        proposals=tuple(proposal_view(session, proposal, reader) for proposal in proposals),
        votes=vote_rows(session, round_, proposals[0].battles) if len(proposals) == 1 else (),
        effect=effect_view(session, round_, weighed, locale) if weighed else None,
        acts=reader.role == "operator",
        problems=problems or {},
        later=later,
    )


def _weighed_then(session: Session, proposal: Exclusion) -> Weighed | None:
    """The effect of a proposal as the trail has it."""
    approved: Act | None = next(
        (act for act in acts_on(session, subject(proposal), limit=20) if "after" in act.detail), None
    )
    return Weighed(approved.detail["before"], approved.detail["after"]) if approved else None


def vote_rows(session: Session, round_: Round, battles: Sequence[str]) -> tuple[VoteRow, ...]:
    """The first comparisons of a proposal."""
    seed = bytes.fromhex(round_.seed)
    found = session.exec(
        select(Battle, Vote)
        .join(Vote, col(Vote.battle_id) == Battle.id, isouter=True)
        .where(col(Battle.id).in_(battles[:VOTES_SHOWN]))
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
