"""One place where errors become answers: a page, the part that htmx shows, or RFC 9457 problem details."""

from collections.abc import Callable
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from arena.errors import ArenaError, InvalidError, LimitError, NotFoundError, UnauthorizedError
from arena.web.i18n import translations
from arena.web.pages import ErrorPage
from arena.web.respond import is_partial, render
from arena.web.services import locale_of

log = structlog.get_logger()


def _as_arena_error(error: Exception) -> ArenaError:
    if isinstance(error, ArenaError):
        return error
    if isinstance(error.__cause__, ArenaError):
        return error.__cause__  # FastAPI wraps what was raised while it read the body
    if isinstance(error, DataError):
        return InvalidError()  # what no database can hold, such as a NUL in an address
    if isinstance(error, RequestValidationError):
        return NotFoundError() if any(e["loc"][0] == "path" for e in error.errors()) else InvalidError()
    if isinstance(error, HTTPException):
        found: ArenaError = NotFoundError() if error.status_code in (404, 405) else InvalidError()
        found.status, found.code = error.status_code, HTTPStatus(error.status_code).name.lower()
        return found
    log.error("unhandled", exc_info=error)
    return ArenaError()


def _headers(found: ArenaError, error: Exception) -> dict[str, str]:
    if isinstance(found, UnauthorizedError):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(found, LimitError):
        return {"Retry-After": str(found.retry_after_s)}
    return dict(getattr(error, "headers", None) or {})


def page_of(request: Request, error: Exception) -> Response:
    """The error in the reader's language; htmx puts it where it does not replace what is being read."""
    found = _as_arena_error(error)
    message = found.text(translations(locale_of(request)).gettext)
    page = ErrorPage(found.status, message, request.scope["state"]["request_id"])
    response = render(request, "web/error.html", page, part="web/_error.html", status=found.status)
    response.headers.update(_headers(found, error))
    if is_partial(request):
        response.headers.update({"HX-Retarget": "#problem", "HX-Reswap": "innerHTML"})
    return response


def problem_of(_request: Request, error: Exception) -> Response:
    """The error as problem details; `detail` is English."""
    found = _as_arena_error(error)
    detail = found.text(str)
    if isinstance(error, RequestValidationError):
        detail = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
    body = {"type": f"urn:blind-arena:{found.code}", "title": found.code, "status": found.status, "detail": detail}
    return JSONResponse(body, found.status, _headers(found, error), media_type="application/problem+json")


def handle_failures(app: FastAPI, as_answer: Callable[[Request, Exception], Response]) -> None:
    """Makes every error of `app` an answer by `as_answer`, which is `page_of` or `problem_of`."""
    for kind in (ArenaError, DataError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, as_answer)
