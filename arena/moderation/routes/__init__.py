"""Prompts under review, and suggestions."""

from fastapi import APIRouter

from arena.moderation.routes import queue, suggestions

router = APIRouter()
for part in (queue, suggestions):
    router.include_router(part.router)
