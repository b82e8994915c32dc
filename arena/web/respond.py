"""Answers: pages, and the parts of pages that htmx asks for. All that is peculiar to htmx is here."""

from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from arena.web.pages import THEMES, Frame, Reader
from arena.web.services import locale_of, services_of, visitor_of
from arena.web.visitor import COOKIE, YEAR_S


def is_partial(request: Request) -> bool:
    """Whether htmx asks for a part of the page."""
    return request.headers.get("hx-request") == "true"


def render(
    request: Request,
    template: str,
    page: object,
    *,
    part: str | None = None,
    status: int = 200,
    demo: bool = False,
    push_url: str | None = None,
) -> Response:
    """The whole page, or for htmx its `part`; `push_url` is then the address the browser shows.

    `demo` labels the page as a demonstration's. A visitor without a cookie gets one.
    """
    headers = {"Cache-Control": "no-store", "Vary": "HX-Request, Accept-Language, Cookie"}
    if part and is_partial(request):
        template = part
        if push_url:
            headers["HX-Push-Url"] = push_url
    services, visitor = services_of(request), visitor_of(request)
    html = services.renderer.html(template, page, _frame(request, demo=demo))
    response = HTMLResponse(html, status, headers=headers)
    if not visitor.known:
        set_cookie(request, response, COOKIE, services.identity.cookie(visitor), max_age=YEAR_S)
    return response


def _frame(request: Request, *, demo: bool) -> Frame:
    chosen = request.cookies.get("arena_theme")
    admin = getattr(request.state, "admin", None)
    return Frame(
        locale=locale_of(request),
        theme=next((theme for theme in THEMES if theme == chosen), "auto"),
        path=request.url.path,
        csrf=services_of(request).identity.csrf(visitor_of(request)),
        demo=demo or services_of(request).demo,
        admin=Reader(admin.email, admin.role) if admin else None,
    )


def see_other(path: str) -> Response:
    """Sends the browser on to `path` after a form."""
    return RedirectResponse(path, status_code=303)


def set_cookie(request: Request, response: Response, name: str, value: str, *, max_age: int) -> None:
    """A cookie that scripts and other sites never see."""
    secure = "https" in (request.url.scheme, urlsplit(services_of(request).settings.public_url).scheme)
    response.set_cookie(name, value, max_age=max_age, httponly=True, samesite="lax", secure=secure, path="/")


def local_path(path: str) -> str:
    """`path` if it stays on this site, else the landing page."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
