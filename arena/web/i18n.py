"""Languages, Korean first: gettext catalogues compiled in memory, numbers and dates in the reader's form."""

import gettext
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
    """The language chosen before, else the first the browser asks for, else Korean."""
    for locale in LOCALES:
        if cookie == locale:
            return locale
    wanted = [part.partition(";")[0].strip().replace("-", "_") for part in accept_language.split(",")[:20]]
    found = negotiate_locale([w for w in wanted if w], LOCALES)
    return "en" if found == "en" else "ko"


def format_number(value: float, digits: int, locale: Locale) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=BabelLocale(locale))


def format_date(value: datetime, locale: Locale) -> str:
    return format_datetime(value, DATE[locale], tzinfo=SEOUL, locale=BabelLocale(locale))


def format_time(value: datetime, locale: Locale) -> str:
    return format_datetime(value, TIME[locale], tzinfo=SEOUL, locale=BabelLocale(locale))
