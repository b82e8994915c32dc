"""From a page dataclass to HTML: one Jinja environment a language."""

import hashlib
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from arena.web.i18n import format_date, format_number, format_time, translations
from arena.web.office import menu
from arena.web.pages import LOCALES, Frame, Locale

PACKAGE = Path(__file__).parent.parent


def data_folder(name: str) -> Path:
    """`templates` or `static`: in the wheel under arena/_data, in the source tree at its top."""
    packed = PACKAGE / "_data" / name
    return packed if packed.is_dir() else PACKAGE.parent / name


class Renderer:
    """Renders templates; holds an environment for each language."""

    def __init__(self) -> None:
        self._environments = {locale: _environment(locale) for locale in LOCALES}

    def html(self, template: str, page: object, frame: Frame) -> str:
        environment = self._environments[frame.locale]
        return environment.get_template(template).render(page=page, frame=frame)


def _environment(locale: Locale) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(data_folder("templates")),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    catalogue = translations(locale)
    install: Any = getattr(environment, "install_gettext_translations")  # noqa: B009 - added by the extension
    install(catalogue, newstyle=True)
    environment.globals |= {"static": static_url, "office_menu": menu}
    environment.filters |= {
        "date": partial(_date, locale=locale),
        "datetime": partial(_time, locale=locale),
        "number": partial(_number, locale=locale),
    }
    return environment


def _date(value: datetime, locale: Locale) -> str:
    return format_date(value, locale)


def _time(value: datetime, locale: Locale) -> str:
    return format_time(value, locale)


def _number(value: float, digits: int = 0, *, locale: Locale) -> str:
    return format_number(value, digits, locale)


@cache
def static_url(path: str) -> str:
    """The URL of a static file with its content's hash, so that it may be cached for ever."""
    digest = hashlib.sha256((data_folder("static") / path).read_bytes()).hexdigest()
    return f"/static/{path}?v={digest[:12]}"
