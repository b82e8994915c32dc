"""The pipeline's API, version 1. Everything it answers with comes from stored snapshots and votes."""

from collections.abc import Iterator
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlmodel import Session
from starlette.responses import Response, StreamingResponse

from arena.accounts.queries import key_scopes
from arena.battles.queries import votes_cast
from arena.errors import N_, ConflictError, ForbiddenError, UnauthorizedError
from arena.offline.bundle import WINNERS
from arena.proofs.merkle import EMPTY_ROOT
from arena.ratings.queries import PAGE, newest_settled_vote, snapshot_of, votes_after
from arena.ratings.schemas import (
    EntryOut,
    PairOut,
    PairsOut,
    RatingsOut,
    RoundOut,
    RoundsOut,
    ScoresOut,
    TeamNames,
    VoteOut,
    Winner,
)
from arena.ratings.tables import RatingSnapshot
from arena.rounds.official import filter_of
from arena.rounds.pairing import pseudonym
from arena.rounds.queries import published_round, published_rounds, rules_of
from arena.rounds.tables import Round
from arena.stats.cells import Cells, count_cells
from arena.stats.clusters import Independent
from arena.stats.figures import ratings_body
from arena.stats.rating import rate_exactly
from arena.teams.queries import entries_of
from arena.web.api import NOT_MODIFIED, Slug, problems, tagged
from arena.web.services import Arena

NO_KEY = N_("A valid API key is needed: send `Authorization: Bearer KEY`.")
NOT_FINAL = N_("The scores are final when the round is closed; ask with ?provisional=true for those so far.")
NO_SCOPE = N_("This key lacks the scope %(scope)s.")

bearer = HTTPBearer(auto_error=False, description="An API key made by `arena key create`.")

PROBLEMS = problems(
    {
        401: "no key, or one that is not known",
        403: "the key lacks the scope",
        404: "no such round",
        422: "a parameter does not fit",
    }
)

router = APIRouter(responses=PROBLEMS)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


class Needs:
    """A dependency that lets in keys with a scope."""

    def __init__(self, scope: str) -> None:
        self._scope = scope

    async def __call__(self, arena: Arena, credentials: Credentials) -> None:
        key = credentials.credentials if credentials else ""
        scopes = await arena.db.read(lambda session: key_scopes(session, key)) if key else None
        if scopes is None:
            raise UnauthorizedError(NO_KEY)
        if self._scope not in scopes:
            raise ForbiddenError(NO_SCOPE, code="scope", scope=self._scope)


def _answer(request: Request, body: BaseModel) -> Response:
    return tagged(request, body.model_dump_json().encode(), "application/json", "private, no-cache")


@router.get("/rounds", response_model=RoundsOut, responses=NOT_MODIFIED, dependencies=[Depends(Needs("rounds:read"))])
async def rounds(request: Request, arena: Arena) -> Response:
    """All rounds that were opened, newest first."""

    def load(session: Session) -> RoundsOut:
        return RoundsOut(rounds=[_round(session, round_) for round_ in published_rounds(session)])

    return _answer(request, await arena.db.read(load))


@router.get(
    "/rounds/{slug}", response_model=RoundOut, responses=NOT_MODIFIED, dependencies=[Depends(Needs("rounds:read"))]
)
async def round_(request: Request, slug: Slug, arena: Arena) -> Response:
    """One round."""
    return _answer(request, await arena.db.read(lambda session: _round(session, published_round(session, slug))))


def _round(session: Session, found: Round) -> RoundOut:
    return RoundOut(
        slug=found.slug,
        title=TeamNames(ko=found.title_ko, en=found.title_en),
        state="open" if found.state == "open" else "closed",
        demo=found.demo,
        rules_hash=found.rules_hash,
        seed_commitment=found.seed_commitment,
        entries=[EntryOut(entry=code, team=team) for code, team in _teams(session, found).items()],
        votes=votes_cast(session, found.id or 0),
    )


def _teams(session: Session, found: Round) -> dict[str, TeamNames]:
    return {e.code: TeamNames(ko=e.name_ko, en=e.name_en) for e in entries_of(session, found.id or 0)}


@router.get(
    "/rounds/{slug}/ratings",
    response_model=RatingsOut,
    responses=NOT_MODIFIED,
    dependencies=[Depends(Needs("ratings:read"))],
)
async def ratings(request: Request, slug: Slug, arena: Arena) -> Response:
    """Ratings with 95 % intervals and rank ranges, as last computed."""

    def load(session: Session) -> RatingsOut:
        found = published_round(session, slug)
        teams, kept = _teams(session, found), snapshot_of(session, found.id or 0)
        body = kept.ratings if kept else _no_ratings(found, sorted(teams))
        return RatingsOut.model_validate(
            {
                **body,
                "round": found.slug,
                "rules_hash": found.rules_hash,
                "ledger": _ledger(kept),
                "computed_at": kept.computed_at.isoformat() if kept else None,
                "final": bool(kept and kept.final),
                "entries": [{**item, "team": teams[item["entry"]]} for item in body["entries"]],
            }
        )

    return _answer(request, await arena.db.read(load))


def _ledger(kept: RatingSnapshot | None) -> dict[str, Any]:
    return {"size": kept.ledger_size, "root": kept.ledger_root} if kept else {"size": 0, "root": EMPTY_ROOT.hex()}


def _no_ratings(found: Round, codes: list[str]) -> dict[str, Any]:
    """Before the first snapshot."""
    counts = count_cells(codes, ())
    nothing = rate_exactly(Cells(tuple(codes), counts, Independent(counts)))
    return ratings_body(nothing) | {"filter": filter_of(rules_of(found)), "cells_hash": None}


@router.get(
    "/rounds/{slug}/scores",
    response_model=ScoresOut,
    responses=NOT_MODIFIED | {409: {**PROBLEMS[404], "description": "the scores are not final yet"}},
    dependencies=[Depends(Needs("ratings:read"))],
)
async def scores(request: Request, slug: Slug, arena: Arena, provisional: bool = False) -> Response:
    """Points of the user axis, by the round's frozen formula; before the round is closed only as provisional ones."""

    def load(session: Session) -> ScoresOut:
        found = published_round(session, slug)
        teams, kept = _teams(session, found), snapshot_of(session, found.id or 0)
        if kept is None or not (kept.final or provisional):
            raise ConflictError(NOT_FINAL, code="not_final")
        return ScoresOut.model_validate(
            {
                **kept.scores,
                "round": found.slug,
                "rules_hash": found.rules_hash,
                "method": kept.ratings["method"],
                "method_version": kept.ratings["method_version"],
                "figures_hash": kept.ratings["figures_hash"],
                "computed_at": kept.computed_at.isoformat(),
                "final": kept.final,
                "entries": [{**item, "team": teams[item["entry"]]} for item in kept.scores["entries"]],
            }
        )

    return _answer(request, await arena.db.read(load))


@router.get(
    "/rounds/{slug}/pairs",
    response_model=PairsOut,
    responses=NOT_MODIFIED,
    dependencies=[Depends(Needs("ratings:read"))],
)
async def pairs(request: Request, slug: Slug, arena: Arena) -> Response:
    """Per unordered pair: rated battles, wins each way, ties, both_bad, and the same by side."""

    def load(session: Session) -> PairsOut:
        found = published_round(session, slug)
        kept = snapshot_of(session, found.id or 0)
        return PairsOut(
            round=found.slug,
            rules_hash=found.rules_hash,
            computed_at=kept.computed_at.isoformat() if kept else None,
            pairs=[PairOut.model_validate(pair) for pair in kept.pairs] if kept else [],
        )

    return _answer(request, await arena.db.read(load))


@router.get(
    "/rounds/{slug}/votes",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": VoteOut.model_json_schema()}}}},
    dependencies=[Depends(Needs("votes:read"))],
)
async def votes(slug: Slug, arena: Arena, after: Annotated[int, Query(ge=0, le=2**63 - 1)] = 0) -> Response:
    """All votes in the order they were cast, one JSON object a line; `after` is the last id already known.

    `voter` is the voter's pseudonym in the round, as the ledger has it.
    """
    round_, codes, end = await arena.db.read(lambda session: _vote_range(session, slug))
    seed = bytes.fromhex(round_.seed)

    def page(session: Session, start: int) -> list[VoteOut]:
        return [
            VoteOut(
                id=vote.id,
                voter=pseudonym(seed, vote.voter),
                model_a=codes[vote.entry_a],
                model_b=codes[vote.entry_b],
                winner=cast(Winner, WINNERS[vote.choice]),
                at=vote.cast_at.isoformat(),
                excluded=vote.excluded,
            )
            for vote in votes_after(session, round_.id or 0, start, PAGE)
            if vote.id <= end
        ]

    def lines() -> Iterator[bytes]:
        start = after
        while start < end:
            with arena.db.reading() as session:
                found = page(session, start)
            if not found:
                return
            yield b"".join(vote.model_dump_json().encode() + b"\n" for vote in found)
            start = found[-1].id

    return StreamingResponse(lines(), media_type="application/x-ndjson", headers={"Cache-Control": "no-store"})


def _vote_range(session: Session, slug: str) -> tuple[Round, dict[int, str], int]:
    found = published_round(session, slug)
    codes = {entry.id: entry.code for entry in entries_of(session, found.id or 0)}
    return found, codes, newest_settled_vote(session, found.id or 0)
