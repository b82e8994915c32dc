"""Rounds and teams: drafts, tests, opening, progress, closing."""

from fastapi import APIRouter

router = APIRouter()
