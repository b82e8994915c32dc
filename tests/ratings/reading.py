"""The leaderboard's template without a server, and the words it comes to."""

import re
from datetime import UTC, datetime
from html import unescape

from arena.ratings.pages import Board, Desk, LeaderboardPage
from arena.rounds.pages import RoundView
from arena.web.pages import Frame, Locale
from arena.web.rendering import Renderer

THEN = datetime(2026, 11, 1, tzinfo=UTC)
ROUND = RoundView(
    "stage-1", "Stage 1", "closed", demo=False, opened_at=THEN, closes_at=None, closed_at=THEN, leaderboard=True
)
RENDERER = Renderer()


def page_of(board: Board | None, desk: Desk | None = None) -> LeaderboardPage:
    return LeaderboardPage(ROUND, visible=True, board=board, desk=desk)


def html_of(page: LeaderboardPage, locale: Locale = "en") -> str:
    frame = Frame(locale, "auto", "/", "token", demo=False, admin=None)
    return RENDERER.html("ratings/_leaderboard.html", page, frame)


def text_of(html: str) -> str:
    """What one reads, in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u00a0", " ").split())


def reads(board: Board | None, desk: Desk | None = None) -> str:
    return text_of(html_of(page_of(board, desk)))
