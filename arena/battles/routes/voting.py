"""The vote.

A plain route: FastAPI's dependencies would take longer than the vote (docs/decisions/0007).
"""

from fastapi import APIRouter, Request
from sqlmodel import Session
from starlette.responses import Response

from arena.battles import votes
from arena.battles.queries import CastVote, thanks_page
from arena.battles.routes.caller import caller_of
from arena.clock import now
from arena.web.observe import VOTES
from arena.web.respond import is_partial, render, see_other
from arena.web.services import own_form

router = APIRouter()


async def vote(request: Request) -> Response:
    """Casts the vote; with reasons or a comment also keeps those. Answers after the commit."""
    form = await own_form(request)
    caller, battle_id = caller_of(request), request.path_params["battle_id"]
    choice, comment = form.get("choice", [""])[0], form.get("comment", [""])[0]
    reasons, at = form.get("reasons", []), now()

    def cast(session: Session) -> CastVote:
        found = votes.cast_vote(session, caller.visitor.id, battle_id, choice, at)
        if reasons or comment.strip():
            found = votes.give_feedback(session, found, reasons, comment, at)
        return found

    found = await caller.db.write(cast)
    if found.cast_at == at:
        VOTES.inc()
        caller.arrivals.voted(caller.address, at)
    if not is_partial(request):
        return see_other(f"/battles/{battle_id}")
    page = await caller.db.read(lambda session: thanks_page(session, battle_id, found, caller.locale))
    return render(request, "battles/_thanks_region.html", page)


router.add_route("/battles/{battle_id}/vote", vote, methods=["POST"])
