"""The one middleware, plain ASGI: request id, own origin, size limit, security headers, access log, metrics."""

import time
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from arena.errors import N_, ArenaError, ForbiddenError
from arena.web.observe import REQUESTS, SECONDS

log = structlog.get_logger()

SAFE = ("GET", "HEAD", "OPTIONS")
BODY_LIMIT = 64 * 1024
LARGER = {"/office/rounds": 512 * 1024, "/office/rules": 512 * 1024}
"""By the beginning of a path, where more may be sent: round files, forms with fifty teams, all rules at once."""
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = tuple(
    (name.lower().encode(), value.encode())
    for name, value in (
        ("Content-Security-Policy", CSP),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
    )
)
FOREIGN = N_("This form was sent from another site, so it was not accepted. Please use the form on our own page.")
TOO_LARGE = N_("That was too much text to send at once. Please shorten it.")


class TooLargeError(ArenaError):
    status = 413
    code = "too_large"
    message = TOO_LARGE


class Guard:
    """Wraps the whole application.

    `public_url` is our own origin; empty means the host that was asked. `failed` makes an answer of an error that
    nothing else has answered, so that it leaves with the same headers as any other. A HEAD is answered as the GET
    of the same URL; the server leaves out the body.
    """

    def __init__(self, app: ASGIApp, public_url: str, failed: Callable[[Request, Exception], Response]) -> None:
        self._app = app
        self._public_url = public_url
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        scope["state"]["refusal"] = self._refusal(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        inner = dict(scope, method="GET") if scope["method"] == "HEAD" else scope
        began, status, ended = time.perf_counter(), 0, False

        async def guarded(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {name for name, _ in message["headers"]}
                usual = (header for header in HEADERS if header[0] not in own)
                message["headers"] = [*message["headers"], *usual, (b"x-request-id", request_id.encode())]
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await self._app(inner, _limited(receive, _limit(scope)), guarded)
        except Exception as error:
            if not status:
                await self._failed(Request(inner), error)(inner, receive, guarded)
            elif not ended:
                raise
        finally:
            _record(inner, status or 500, time.perf_counter() - began)

    def _refusal(self, scope: Scope) -> ArenaError | None:
        """Why a request is refused before it is read: an unsafe one must come from our own origin."""
        headers = Headers(scope=scope)
        if scope["method"] in SAFE:
            return None
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > _limit(scope):
            return TooLargeError()
        own = self._public_url or f"{scope['scheme']}://{headers.get('host', '')}"
        referer = urlsplit(headers.get("referer", ""))
        origin = headers.get("origin") or (f"{referer.scheme}://{referer.netloc}" if referer.netloc else "")
        if origin == "null" and headers.get("sec-fetch-site") == "same-origin":
            return None  # a page that asks for no referrer, such as a team's; only browsers can say this
        return None if origin == own else ForbiddenError(FOREIGN, code="foreign_origin")


def _limit(scope: Scope) -> int:
    return next((limit for path, limit in LARGER.items() if scope["path"].startswith(path)), BODY_LIMIT)


def _limited(receive: Receive, limit: int) -> Receive:
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise TooLargeError
        return message

    return limited


def _record(scope: Scope, status: int, seconds: float) -> None:
    path = getattr(scope.get("route"), "path", None)
    plain = getattr(scope.get("endpoint"), "__name__", "unknown")
    route = scope.get("root_path", "") + path if path else plain
    REQUESTS.labels(scope["method"], route, str(status)).inc()
    if not route.endswith(("/stream", "/events")):
        SECONDS.labels(route).observe(seconds)
    if route not in ("/healthz", "/readyz", "/metrics"):
        ms = round(seconds * 1000, 1)
        log.info("request", method=scope["method"], route=route, status=status, ms=ms)


async def raise_refusal(request: Request) -> None:
    """Raises what the guard found wrong with the request, where it can be rendered like any error."""
    refusal: ArenaError | None = request.scope["state"].get("refusal")
    if refusal is not None:
        raise refusal
