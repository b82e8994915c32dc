"""The main job over HTTP: ask, read, vote."""

from fastapi import APIRouter

from arena.battles.routes import asking, reading, voting

router = APIRouter()
for part in (voting, reading, asking):
    router.include_router(part.router)
