"""The main job over HTTP: ask, read, vote."""

from fastapi import APIRouter

from arena.battles.routes import asking, reading, voting, watching

router = APIRouter()
for part in (voting, reading, asking, watching):
    router.include_router(part.router)
