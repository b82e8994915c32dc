"""A round's ledger over HTTP, for everyone and without a key: checkpoints, proofs, entries."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel
from sqlmodel import Session
from starlette.responses import PlainTextResponse, Response

from arena.errors import N_, NotFoundError
from arena.ledger.queries import bodies, checkpoint_of, leaf_by_hash, log_of, newest_checkpoint, tree_of
from arena.ledger.tables import StoredCheckpoint
from arena.proofs.merkle import consistency_proof, inclusion_proof
from arena.rounds.queries import published_round
from arena.web.api import NOT_MODIFIED, Slug, problems, tagged
from arena.web.services import Arena

NO_LEDGER = N_("This round has no ledger: it is from before there were ledgers.")
NO_CHECKPOINT_YET = N_("The first entries of this ledger are not signed yet; ask again in a moment.")
NO_CHECKPOINT = N_("No checkpoint was signed when the ledger had %(size)s entries.")
WHICH = N_("Which entry? Give either `leaf`, the hash of an entry, or `index`, its position from 0.")
NO_ENTRY = N_("This ledger has no entry with this hash.")
NO_POSITION_YET = N_("This entry is written and has no position yet; ask again in a moment.")
NOT_AMONG = N_("This entry is not among the first %(size)s of the ledger.")
TOO_LARGE = N_("The ledger has %(size)s entries so far.")
BACKWARDS = N_("A proof leads from a smaller ledger to a larger one: `first` may not be above `second`.")

CACHE = "no-cache"
AT_ONCE = 1000
LARGEST = 2**31 - 1

Size = Annotated[int, Path(ge=1, le=LARGEST)]
Count = Annotated[int, Query(ge=0, le=LARGEST)]
LeafHash = Annotated[str, Query(pattern="^[0-9a-fA-F]{64}$", description="an entry's leaf hash, in hex")]

ENTRY: dict[str, Any] = {
    "type": "object",
    "properties": {name: {"type": "string"} for name in ("type", "round", "at")},
    "required": ["type", "round", "at"],
}

router = APIRouter(responses=problems({404: "no such round, entry or checkpoint", 422: "a parameter does not fit"}))


class InclusionOut(BaseModel):
    """Hashes are in hex, the proof as in RFC 6962; `checkpoint` is the one signed at this size, if one was."""

    index: int
    size: int
    leaf_hash: str
    hashes: list[str]
    checkpoint: str | None


class ConsistencyOut(BaseModel):
    """The proof, as in RFC 6962 and in hex, that the ledger of `first` entries begins that of `second`."""

    first: int
    second: int
    hashes: list[str]


@router.get("/rounds/{slug}/checkpoint", response_class=PlainTextResponse, responses=NOT_MODIFIED)
async def newest(request: Request, slug: Slug, arena: Arena) -> Response:
    """The newest checkpoint, a signed note (C2SP tlog-checkpoint)."""
    found = await arena.db.read(lambda session: _newest(session, slug))
    return _note(request, found)


@router.get("/rounds/{slug}/checkpoints/{size}", response_class=PlainTextResponse, responses=NOT_MODIFIED)
async def checkpoint(request: Request, slug: Slug, size: Size, arena: Arena) -> Response:
    """The checkpoint that was signed when the ledger had this many entries."""

    def load(session: Session) -> StoredCheckpoint:
        found = checkpoint_of(session, _newest(session, slug).round_id, size)
        if found is None:
            raise NotFoundError(NO_CHECKPOINT, size=size)
        return found

    return _note(request, await arena.db.read(load))


@router.get("/rounds/{slug}/proofs/inclusion", response_model=InclusionOut, responses=NOT_MODIFIED)
async def inclusion(
    request: Request,
    slug: Slug,
    arena: Arena,
    leaf: LeafHash | None = None,
    index: Count | None = None,
    size: Count | None = None,
) -> Response:
    """That an entry, given by `leaf` or by `index`, is among the first `size` entries; of all without `size`."""

    def load(session: Session) -> InclusionOut:
        newest = _newest(session, slug)
        among = _within(newest, size)
        place = _position(session, newest, leaf, index)
        if place >= among:
            raise NotFoundError(NOT_AMONG, size=among)
        tree, signed = tree_of(session, newest.round_id), checkpoint_of(session, newest.round_id, among)
        return InclusionOut(
            index=place,
            size=among,
            leaf_hash=tree(0, place, place + 1)[0].hex(),
            hashes=[step.hex() for step in inclusion_proof(tree, place, among)],
            checkpoint=signed.note if signed else None,
        )

    return _json(request, await arena.db.read(load))


@router.get("/rounds/{slug}/proofs/consistency", response_model=ConsistencyOut, responses=NOT_MODIFIED)
async def consistency(
    request: Request, slug: Slug, arena: Arena, first: Count, second: Count | None = None
) -> Response:
    """That the ledger of `first` entries begins that of `second`; that of all without `second`."""

    def load(session: Session) -> ConsistencyOut:
        newest = _newest(session, slug)
        until = _within(newest, second)
        if _within(newest, first) > until:
            raise NotFoundError(BACKWARDS)
        proof = consistency_proof(tree_of(session, newest.round_id), first, until)
        return ConsistencyOut(first=first, second=until, hashes=[step.hex() for step in proof])

    return _json(request, await arena.db.read(load))


@router.get(
    "/rounds/{slug}/leaves",
    response_class=Response,
    responses=NOT_MODIFIED | {200: {"content": {"application/x-ndjson": {"schema": ENTRY}}}},
)
async def leaves(
    request: Request,
    slug: Slug,
    arena: Arena,
    start: Count = 0,
    limit: Annotated[int, Query(ge=1, le=AT_ONCE)] = AT_ONCE,
) -> Response:
    """The entries from position `start` on, one a line, byte by byte what was hashed; none at the ledger's end."""

    def load(session: Session) -> list[str]:
        newest = _newest(session, slug)
        return bodies(session, newest.round_id, start, min(start + limit, newest.size))

    lines = "".join(f"{body}\n" for body in await arena.db.read(load))
    return tagged(request, lines.encode(), "application/x-ndjson", CACHE)


def _newest(session: Session, slug: str) -> StoredCheckpoint:
    round_id = published_round(session, slug).id or 0
    if log_of(session, round_id) is None:
        raise NotFoundError(NO_LEDGER)
    found = newest_checkpoint(session, round_id)
    if found is None:
        raise NotFoundError(NO_CHECKPOINT_YET)
    return found


def _within(newest: StoredCheckpoint, size: int | None) -> int:
    if size is not None and size > newest.size:
        raise NotFoundError(TOO_LARGE, size=newest.size)
    return newest.size if size is None else size


def _position(session: Session, newest: StoredCheckpoint, leaf: str | None, index: int | None) -> int:
    """Where the entry stands that a caller names one way or the other, among those of the newest checkpoint."""
    if index is not None and leaf is None:
        if index >= newest.size:
            raise NotFoundError(TOO_LARGE, size=newest.size)
        return index
    if leaf is None or index is not None:
        raise NotFoundError(WHICH)
    found = leaf_by_hash(session, newest.round_id, bytes.fromhex(leaf))
    if found is None:
        raise NotFoundError(NO_ENTRY)
    if found.position is None or found.position >= newest.size:
        raise NotFoundError(NO_POSITION_YET)
    return found.position


def _note(request: Request, found: StoredCheckpoint) -> Response:
    return tagged(request, found.note.encode(), "text/plain", CACHE)


def _json(request: Request, body: BaseModel) -> Response:
    return tagged(request, body.model_dump_json().encode(), "application/json", CACHE)
