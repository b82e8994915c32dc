"""The main job over HTTP: ask, read, vote."""

from fastapi import APIRouter

from arena.battles.routes import asking, erasing, reading, receipts, voting, watching

router = APIRouter()
for part in (voting, reading, receipts, asking, erasing, watching):
    router.include_router(part.router)
