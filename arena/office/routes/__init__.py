"""The office: where rounds are run."""

from fastapi import APIRouter

from arena.office.routes import exclusions, guide, home, rounds, teams, trail

router = APIRouter()
for part in (home, rounds, exclusions, trail, teams, guide):
    router.include_router(part.router)
