"""The rules for prompts: shown, tried on recent prompts, published."""

from fastapi import APIRouter

router = APIRouter()
