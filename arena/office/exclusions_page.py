"""The pages about excluded votes: what waits, what is appealed against, what was decided, and with which effect."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Subquery
from sqlmodel import Session, col, func, select

from arena.accounts.queries import SignedIn
from arena.battles.exclusions import MOST_CLOSED, REASONS
from arena.battles.standing import EXCLUDE, waiting
from arena.battles.tables import Appeal, Battle, Exclusion, Vote
from arena.errors import NotFoundError
from arena.office.effect import Move, approval_of, still_out, weigh
from arena.office.exclusion_choice import rejected_that_count
from arena.office.exclusion_pages import ExclusionsPage, Problem, ProposalsPage, ProposalView
from arena.office.exclusion_views import (
    VOTES_SHOWN,
    appeal_view,
    effect_view,
    proposal_view,
    rejected_view,
    vote_rows,
)
from arena.rounds.decisions import number_of
from arena.rounds.queries import find_round, open_round, published_rounds, view
from arena.rounds.tables import Round
from arena.screening.tables import Review

FORMS = ("numbers", "voter", "rejected", "reinstate")
STANDINGS = ("ready", "no_vote_yet", "nothing_to_do")
WAITING_SHOWN = 100
DECIDED_SHOWN = 50
REJECTED_SHOWN = 50


def exclusions_page(
    session: Session,
    slug: str,
    reader: SignedIn,
    locale: str,
    *,
    standing: str = "ready",
    after: int = 0,
    before: int | None = None,
    problem: Problem | None = None,
    kept: dict[str, list[str]] | None = None,
) -> ExclusionsPage:
    """The page of a round, or without a slug of the one that is open, or of the newest. Raises NotFoundError.

    Of what waits it shows those of a standing whose number is greater than `after`.
    """
    rounds = published_rounds(session)
    round_ = find_round(session, slug) if slug else open_round(session) or next(iter(rounds), None)
    if slug and (round_ is None or round_.state == "draft"):
        raise NotFoundError
    if round_ is None:
        return ExclusionsPage(None)
    acts = reader.role == "operator"
    proposes = acts and round_.state == "open"
    rejected = _countable(session, round_) if proposes else []
    proposals = waiting(session, round_.id or 0)
    shown = _waiting(session, proposals, reader, standing, after)
    appeals = tuple(appeal_view(session, appeal) for appeal in _appeals(session, round_))
    decided = _decided(session, round_, reader, before)
    forms = tuple(how for how in FORMS if how != "rejected" or rejected) if proposes else ()
    named = {"waiting", *forms, *(f"appeal-{appeal.id}" for appeal in appeals)}
    return ExclusionsPage(
        round=view(round_, locale, operator=True),
        rounds=tuple(view(other, locale, operator=True) for other in rounds),
        acts=acts,
        forms=forms,
        standing=standing,
        standings=_standings(session, proposals),
        waiting=tuple(shown[:WAITING_SHOWN]),
        after=after,
        later=shown[WAITING_SHOWN - 1].id if len(shown) > WAITING_SHOWN else None,
        closable=MOST_CLOSED,
        groups=_groups(session, proposals, reader),
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


def _standings(session: Session, proposals: Subquery) -> dict[str, int]:
    """How many proposals wait, by their standing."""
    found = session.execute(select(proposals.c.standing, func.count()).group_by(proposals.c.standing))
    numbers = dict(found.all())
    return {standing: numbers.get(standing, 0) for standing in STANDINGS}


def _groups(session: Session, proposals: Subquery, reader: SignedIn) -> tuple[tuple[str, int], ...]:
    found = (
        select(proposals.c.proposed_by, func.count())
        .where(proposals.c.standing == "ready")
        .group_by(proposals.c.proposed_by)
        .order_by(func.count().desc(), proposals.c.proposed_by)
    )
    mine = number_of(reader.code)
    return tuple((by, number) for by, number in session.execute(found) if number_of(by) != mine)


def _waiting(
    session: Session, proposals: Subquery, reader: SignedIn, standing: str, after: int
) -> list[ProposalView]:
    """The oldest of a standing, one more than is shown."""
    found = session.exec(
        select(Exclusion)
        .join(proposals, proposals.c.id == col(Exclusion.id))
        .where(proposals.c.standing == standing, proposals.c.id > after)
        .order_by(proposals.c.id)
        .limit(WAITING_SHOWN + 1)
    )
    return [proposal_view(session, proposal, reader, standing) for proposal in found]


def ready_of(session: Session, slug: str, by: str) -> list[int]:
    """The waiting proposals of a round by somebody that can be decided now, oldest first. Raises NotFoundError."""
    round_ = find_round(session, slug)
    if round_ is None:
        raise NotFoundError
    proposals = waiting(session, round_.id or 0)
    found = select(proposals.c.id).where(proposals.c.standing == "ready", proposals.c.proposed_by == by)
    return list(session.execute(found.order_by(proposals.c.id)).scalars())


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


def proposals_page(
    session: Session,
    numbers: Sequence[int],
    reader: SignedIn,
    locale: str,
    *,
    problems: dict[int, str] | None = None,
    later: int = 0,
    start: int = 0,
) -> ProposalsPage:
    """Those of these proposals that are of the first one's round, with their effect now, or as it was then.

    The session has to read at one moment. `start` is the place of the first vote that is shown. Raises NotFoundError.
    """
    found = _found(session, numbers)
    round_ = session.get_one(Round, found[0].round_id)
    standings = _standings_of(session, round_, numbers)
    views = tuple(proposal_view(session, one, reader, standings.get(one.id or 0, "")) for one in found)
    one = found[0] if len(found) == 1 else None
    together = _together(found, views) if round_.state == "open" else []
    approval = approval_of(session, one) if one else None
    start = start if one and start < len(one.battles) else 0
    weighed = weigh(session, round_, together) if together else approval.effect if approval else None
    return ProposalsPage(
        round=view(round_, locale, operator=True),
        proposals=views,
        together=len(together),
        votes=vote_rows(session, round_, one.battles, start) if one else (),
        start=start,
        further=start + VOTES_SHOWN if one and len(one.battles) > start + VOTES_SHOWN else None,
        moved=len(approval.battles) if approval else None,
        mistaken=one is not None and round_.state == "open" and bool(still_out(session, one)),
        effect=effect_view(session, round_, weighed, locale) if weighed else None,
        acts=reader.role == "operator",
        problems=problems or {},
        later=later,
    )


def _found(session: Session, numbers: Sequence[int]) -> list[Exclusion]:
    known = session.exec(select(Exclusion).where(col(Exclusion.id).in_(numbers))).all()
    found = sorted(known, key=lambda proposal: numbers.index(proposal.id or 0))
    if not found:
        raise NotFoundError
    return [proposal for proposal in found if proposal.round_id == found[0].round_id]


def _standings_of(session: Session, round_: Round, numbers: Sequence[int]) -> dict[int, str]:
    proposals = waiting(session, round_.id or 0)
    found = select(proposals.c.id, proposals.c.standing).where(proposals.c.id.in_(numbers))
    return dict(session.execute(found).all())


def _together(proposals: Sequence[Exclusion], views: Sequence[ProposalView]) -> list[Move]:
    """What the reader can decide now; where that is nothing, all that waits."""
    ready = [one for one, shown in zip(proposals, views, strict=True) if shown.decidable]
    chosen = ready or [one for one in proposals if one.state == "waiting"]
    return [Move(one.kind, one.battles) for one in chosen]
