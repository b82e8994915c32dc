"""The trail of every act."""

from fastapi import APIRouter

router = APIRouter()
