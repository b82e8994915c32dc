"""What the operators' routes share: who is at work, refused on record when of another role; forms with files.

Routes that write are no coroutines, so that each runs in a thread of its own: they look up hosts and wait for writes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from arena.accounts.queries import SignedIn
from arena.accounts.routes import NOT_YOURS, load_admin
from arena.accounts.trail import on_record
from arena.errors import ArenaError, ForbiddenError, UnauthorizedError
from arena.office.round_fields import Sent
from arena.office.round_form import FILE_LIMIT
from arena.web.i18n import translations
from arena.web.pages import Locale
from arena.web.respond import render
from arena.web.services import Arena, CurrentLocale, Services, own_form

SUBJECT_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever of the admins is at work. Moderators and auditors are refused in `on_record` and `check`."""

    request: Request
    arena: Services
    locale: Locale
    admin: SignedIn

    @contextmanager
    def on_record(self, what: str, subject: str, **detail: object) -> Iterator[None]:
        """Notes on the trail that the block was done or refused."""
        with on_record(self.arena.db, self.admin.code, what, _subject(subject), **detail):
            if self.admin.role != "operator":
                raise ForbiddenError(NOT_YOURS, code="role")
            yield

    def check(self, what: str, subject: str) -> None:
        """Refuses another role on record, before anything is looked up for it."""
        if self.admin.role != "operator":
            with self.on_record(what, subject):
                pass

    def says(self, error: ArenaError) -> str:
        return error.text(translations(self.locale).gettext)

    def render(self, template: str, page: object, *, status: int = 200, demo: bool = False) -> Response:
        return render(self.request, template, page, status=status, demo=demo)


def _subject(text: str) -> str:
    return text.replace("\0", "")[:SUBJECT_LENGTH]


async def _operator(
    request: Request,
    arena: Arena,
    locale: CurrentLocale,
    admin: Annotated[SignedIn | None, Depends(load_admin)],
) -> Operator:
    if admin is None:
        raise UnauthorizedError
    return Operator(request, arena, locale, admin)


@dataclass(frozen=True, slots=True)
class Form:
    """A form with its token checked; `upload` is the file that came with it, if one did."""

    fields: Sent
    upload: bytes | None

    def text(self, name: str) -> str:
        values = self.fields.get(name, ())
        return values[0].strip() if values else ""


async def _form(request: Request, _operator: Annotated[Operator, Depends(_operator)]) -> Form:
    fields, whole = await own_form(request), await request.form()
    try:
        sent = whole.get("upload")
        upload = await sent.read(FILE_LIMIT + 1) if isinstance(sent, UploadFile) and sent.filename else None
        return Form(fields, upload)
    finally:
        await whole.close()


AtWork = Annotated[Operator, Depends(_operator)]
SentForm = Annotated[Form, Depends(_form)]
