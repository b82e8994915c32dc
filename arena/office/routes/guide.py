"""How a round runs, for those who run it."""

from fastapi import APIRouter

router = APIRouter()
