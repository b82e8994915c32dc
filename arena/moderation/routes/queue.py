"""The review queue: prompts, one key an act."""

from fastapi import APIRouter

router = APIRouter()
