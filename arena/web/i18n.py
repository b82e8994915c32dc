"""Languages, Korean first: gettext catalogues compiled in memory, numbers and dates in the reader's form."""

import gettext
import re
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale as BabelLocale
from babel.core import negotiate_locale
from babel.dates import format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from arena.web.pages import LOCALES, Locale

CATALOGUES = Path(__file__).parent.parent / "locale"
SEOUL = ZoneInfo("Asia/Seoul")
DATE = {"ko": "y년 M월 d일", "en": "d MMMM y"}
TIME = {"ko": "y년 M월 d일 HH:mm", "en": "d MMMM y, HH:mm"}


@cache
def translations(locale: Locale) -> gettext.NullTranslations:
    """The catalogue of a language; English is what the msgids are written in."""
    path = CATALOGUES / f"{locale}.po"
    if not path.exists():
        return gettext.NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def choose_locale(cookie: str | None, accept_language: str) -> Locale:
    """The language chosen before, else the one the browser likes best, else Korean."""
    for locale in LOCALES:
        if cookie == locale:
            return locale
    ranges = [_language_range(part) for part in accept_language.split(",")[:20]]
    liked = sorted((r for r in ranges if r[1] > 0), key=lambda r: -r[1])
    found = negotiate_locale([tag for tag, _ in liked if tag], LOCALES)
    return "en" if found == "en" else "ko"


def _language_range(text: str) -> tuple[str, float]:
    """A language and its quality, such as `("en_gb", 0.8)`, of a part of Accept-Language (RFC 9110, 12.5.4)."""
    tag, _, quality = text.partition(";")
    weight = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", quality)
    return tag.strip().lower().replace("-", "_"), float(weight[1]) if weight else 1.0


def format_number(value: float, digits: int, locale: Locale) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=BabelLocale(locale))


def format_date(value: datetime, locale: Locale) -> str:
    return format_datetime(value, DATE[locale], tzinfo=SEOUL, locale=BabelLocale(locale))


def format_time(value: datetime, locale: Locale) -> str:
    return format_datetime(value, TIME[locale], tzinfo=SEOUL, locale=BabelLocale(locale))
