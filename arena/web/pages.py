"""What every template may see besides its own page."""

from dataclasses import dataclass
from typing import Literal

Locale = Literal["ko", "en"]
Theme = Literal["auto", "light", "dark"]
LOCALES: tuple[Locale, ...] = ("ko", "en")
THEMES: tuple[Theme, ...] = ("auto", "light", "dark")


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody of the office who is signed in."""

    email: str
    role: str


@dataclass(frozen=True, slots=True)
class Frame:
    """The surroundings of a page: `path` is where the language and theme forms return to."""

    locale: Locale
    theme: Theme
    path: str
    csrf: str
    demo: bool
    admin: Reader | None


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`message` is translated; `request_id` lets someone find the log line."""

    status: int
    message: str
    request_id: str


@dataclass(frozen=True, slots=True)
class TextPage:
    """A page of words alone: how it works."""
