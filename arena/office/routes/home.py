"""The office's first page: what waits for whom."""

from fastapi import APIRouter

router = APIRouter()
