"""Builds the FastAPI app and mounts the rooms; nothing else knows all rooms."""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from os import PathLike, stat_result

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import arena.accounts.routes
import arena.battles.routes
import arena.moderation.routes
import arena.office.routes
import arena.ratings.api
import arena.ratings.routes
import arena.rounds.ledger_api
import arena.rounds.routes
import arena.screening.routes
import arena.web.routes
from arena import __version__
from arena.battles.arrivals import Arrivals
from arena.battles.jobs import check_endpoints
from arena.battles.relays import Relays
from arena.db import Database
from arena.errors import RefusedError
from arena.jobs import Task, work
from arena.ledger.jobs import sequencing
from arena.moderation.queue_watch import QueueWatch
from arena.ratings.jobs import publishing, rating
from arena.screening.classifier import classifier_of
from arena.settings import Settings, load_settings
from arena.web.failures import handle_failures, page_of, problem_of
from arena.web.guard import Guard, raise_refusal
from arena.web.observe import STREAMS, configure_logging
from arena.web.rendering import Renderer, data_folder
from arena.web.services import Services
from arena.web.visitor import Identity

PAGES = (
    arena.battles.routes,
    arena.ratings.routes,
    arena.rounds.routes,
    arena.office.routes,
    arena.moderation.routes,
    arena.screening.routes,
    arena.accounts.routes,
    arena.web.routes,
)


def tasks(settings: Settings) -> Sequence[Task]:
    """All that the worker looks after."""
    key = settings.signing_key
    return sequencing(key), *rating(key), publishing(settings.data_dir), check_endpoints(settings.endpoint_allow)


class _Static(StaticFiles):
    """Files whose URL holds their content's hash may be kept for ever."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        lasting = scope["query_string"].startswith(b"v=")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if lasting else "public, max-age=86400"
        )
        return response


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    services: Services = app.state.services
    settings = services.settings
    app.state.relays = Relays(services.db, settings.max_battles, settings.endpoint_allow)
    app.state.arrivals = Arrivals()
    app.state.queue_watch = QueueWatch(services.db)
    app.state.classifier = classifier = classifier_of(settings)
    STREAMS.set_function(lambda: len(app.state.relays))
    worker = asyncio.create_task(work(services.db, tasks(settings))) if settings.embedded_worker else None
    try:
        yield
    finally:
        await app.state.relays.close()
        if classifier:
            await classifier.close()
        if worker:
            worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await worker
        services.db.close()


def create_app(settings: Settings, *, demo: bool = False) -> FastAPI:
    """The whole application; `demo` labels every page. Raises RefusedError without the two secret keys."""
    if settings.secret_key is None:
        raise RefusedError("ARENA_SECRET_KEY is not set; `arena serve` needs at least 32 random characters")
    services = Services(
        settings=settings,
        db=Database(settings.database),
        renderer=Renderer(),
        identity=Identity(settings.secret_key.get_secret_value()),
        key=settings.signing_key,
        demo=demo,
    )
    app = FastAPI(
        lifespan=_lifespan,
        dependencies=[Depends(raise_refusal), Depends(arena.accounts.routes.load_admin)],
        openapi_url=None,
    )
    app.state.services = services
    handle_failures(app, page_of)
    for room in PAGES:
        app.include_router(room.router)
    app.mount("/api/v1", _api(services))
    app.mount("/static", GZipMiddleware(_Static(directory=data_folder("static")), minimum_size=1000))
    app.add_middleware(Guard, public_url=settings.public_url, failed=page_of)
    return app


def _api(services: Services) -> FastAPI:
    api = FastAPI(
        title="Blind Arena",
        version=__version__,
        description="Blind rounds: ratings, pairs and votes for scoring pipelines; ledgers for everyone.",
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    api.state.services = services
    handle_failures(api, problem_of)
    api.include_router(arena.ratings.api.router)
    api.include_router(arena.rounds.ledger_api.router)
    return api


def app_from_environment() -> FastAPI:
    """For uvicorn's worker processes."""
    configure_logging()
    app = create_app(load_settings())
    favour_event_loop()
    return app


def favour_event_loop() -> None:
    """Tunes this process for streaming, once all is loaded.

    What is there now stays, so the garbage collector need not look through it again; and a database thread keeps
    the event loop waiting for a millisecond at most.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.001)
