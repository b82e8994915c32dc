"""Which votes an operator means: by receipts or comparisons, by a voter, or by rejected questions."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlmodel import Session, col, select

from arena.battles.standing import EXCLUDE
from arena.battles.tables import Battle, Exclusion, Turn, Vote
from arena.errors import N_
from arena.rounds.pairing import pseudonym
from arena.rounds.tables import Round
from arena.screening.tables import Review

MOST_REJECTED = 1000
FAULTS: Final = {
    "unknown": N_("This is neither a receipt nor a comparison of this round."),
    "no_vote": N_("There is no vote on this comparison."),
    "out": N_("This vote is taken out already."),
    "counts": N_("This vote counts already."),
    "voter": N_("No voter of this round has this code. It stands in the ledger and in the votes of the API."),
    "none": N_("This voter has no vote that counts."),
    "rejected": N_("One of these questions is no longer rejected, or is proposed already."),
}


class Bad(NamedTuple):
    """A line that does not name a vote that could be moved: its number, its text, and a code of FAULTS."""

    line: int
    text: str
    why: str


class Chosen(NamedTuple):
    battles: tuple[str, ...] = ()
    bad: tuple[Bad, ...] = ()


def by_numbers(session: Session, round_: Round, kind: str, text: str) -> Chosen:
    """The comparisons of receipt or comparison numbers, one a line; links to receipts will do."""
    lines = [(at, line.strip()) for at, line in enumerate(text.splitlines(), start=1) if line.strip()]
    numbers = {line: line.rpartition("/")[2].lower() for _, line in lines}
    known = _known(session, round_, kind, list(numbers.values()))
    good, bad = [], []
    for at, line in lines:
        battle, why = known.get(numbers[line], ("", "unknown"))
        if why:
            bad.append(Bad(at, line, why))
        else:
            good.append(battle)
    return Chosen(tuple(dict.fromkeys(good)), tuple(bad))


def _known(session: Session, round_: Round, kind: str, numbers: Sequence[str]) -> dict[str, tuple[str, str]]:
    """By each known number its battle, and why its vote cannot be moved, if it cannot."""
    found = session.exec(
        select(Battle.id, Vote.receipt, Vote.excluded)
        .join(Vote, col(Vote.battle_id) == Battle.id, isouter=True)
        .where(Battle.round_id == round_.id)
        .where(col(Battle.id).in_(numbers) | col(Vote.receipt).in_(numbers))
    )
    known = {}
    for battle, receipt, excluded in found:
        known[battle] = (battle, _why(kind, excluded=excluded))
        if receipt is not None:
            known[receipt] = known[battle]
    return known


def _why(kind: str, *, excluded: bool | None) -> str:
    if excluded is None:
        return "no_vote"
    if kind == EXCLUDE:
        return "out" if excluded else ""
    return "" if excluded else "counts"


def by_voter(session: Session, round_: Round, code: str) -> Chosen:
    """All comparisons whose votes by a voter, known by their pseudonym in the round, count."""
    voters = session.exec(select(Battle.voter_id).where(Battle.round_id == round_.id).distinct())
    seed, wanted = bytes.fromhex(round_.seed), code.strip().lower()
    voter = next((voter for voter in voters if pseudonym(seed, voter) == wanted), None)
    if voter is None:
        return Chosen(bad=(Bad(1, code, "voter"),))
    battles = session.exec(
        select(Battle.id)
        .join(Vote, col(Vote.battle_id) == Battle.id)
        .where(Battle.round_id == round_.id, Battle.voter_id == voter, ~col(Vote.excluded))
        .order_by(col(Vote.id))
    ).all()
    return Chosen(tuple(battles)) if battles else Chosen(bad=(Bad(1, code, "none"),))


def rejected_that_count(session: Session, round_: Round, limit: int) -> list[tuple[Review, str]]:
    """Rejected questions whose vote counts and that no proposal waits for, with their comparisons; newest first."""
    waiting = select(Exclusion.review_id).where(Exclusion.state == "waiting", col(Exclusion.review_id).is_not(None))
    found = session.exec(
        select(Review, Battle.id)
        .join(Turn, col(Turn.id) == Review.turn_id)
        .join(Battle, col(Battle.id) == Turn.battle_id)
        .join(Vote, col(Vote.battle_id) == Battle.id)
        .where(Review.round_id == round_.id, Review.state == "rejected", ~col(Vote.excluded))
        .where(col(Review.id).not_in(waiting))
        .order_by(col(Review.id).desc())
        .limit(limit)
    )
    return list(found)


def by_rejected(session: Session, round_: Round, reviews: Collection[int]) -> dict[int, str]:
    """The comparisons of those of these rejected questions that can be proposed now."""
    found = rejected_that_count(session, round_, MOST_REJECTED)
    return {review.id or 0: battle for review, battle in found if review.id in reviews}
