"""Excluded votes: proposals, their effect, decisions, appeals."""

from fastapi import APIRouter

router = APIRouter()
