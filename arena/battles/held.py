"""What visitors see of their questions that a person looks at before anyone is asked."""

from sqlmodel import Session

from arena.battles.pages import HeldView
from arena.screening.checks import LOOKED_AT
from arena.screening.holding import unasked
from arena.screening.screen import help_lines_for, why_not
from arena.screening.tables import Review


def held_views(
    session: Session, round_id: int, voter_id: str, *, just_held: str | None = None
) -> tuple[HeldView, ...]:
    """The visitor's questions of a round that were held and not asked since; `just_held` is the newest one's text."""
    return tuple(_view(review, just_held) for review in unasked(session, round_id, voter_id))


def _view(review: Review, just_held: str | None) -> HeldView:
    return HeldView(
        id=review.id or 0,
        prompt=review.text,
        masked=review.masked,
        state="looked_at" if review.state in LOOKED_AT else "approved" if review.state == "approved" else "refused",
        why_not=why_not(review) if review.state in ("rejected", "hidden") else "",
        new=review.text == just_held,
        help_lines=help_lines_for(review),
    )
