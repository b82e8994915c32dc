"""A team's own page, by a link."""

from fastapi import APIRouter

router = APIRouter()
