"""Suggestions: proposed, edited, approved by another person, published in versions."""

from fastapi import APIRouter

router = APIRouter()
