"""Running the server and the worker until they are told to stop."""

import asyncio
import os
import signal
import socket

import uvicorn
from fastapi import FastAPI

from arena.app import tasks
from arena.db import Database
from arena.errors import RefusedError
from arena.jobs import work
from arena.settings import Settings
from arena.web.observe import configure_logging

GRACE_S = 2
FACTORY = "arena.app:app_from_environment"


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises RefusedError when the port is taken or the address is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        why = os.strerror(error.errno or 0)
        raise RefusedError(f"cannot listen on {host}:{port}: {why}; choose another --port") from None
    listener.listen(2048)
    listener.set_inheritable(True)
    return listener


def configuration(app: FastAPI | str, settings: Settings, workers: int = 1) -> uvicorn.Config:
    """uvicorn as this project runs it: no access log (ours has no addresses), open streams ended in seconds."""
    return uvicorn.Config(
        app,
        factory=isinstance(app, str),
        workers=workers,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        loop="uvloop",
        http="httptools",
        ws="none",
        timeout_graceful_shutdown=GRACE_S,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
    )


def serve_app(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serves until SIGTERM or Ctrl-C."""
    listener = listen(host, port)
    configure_logging()
    config = configuration(FACTORY, settings, workers)
    print(f"serving at http://{host}:{listener.getsockname()[1]}", flush=True)
    if workers == 1:
        uvicorn.Server(config).run([listener])
    else:
        from uvicorn.supervisors import Multiprocess

        Multiprocess(config, sockets=[listener]).run()


def run_worker(db: Database, settings: Settings) -> None:
    """Looks after the background tasks until SIGTERM or Ctrl-C. Raises RefusedError without the ledger's key."""
    looked_after = tasks(settings)
    configure_logging()

    async def until_told() -> None:
        working = asyncio.create_task(work(db, looked_after))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, working.cancel)
        await asyncio.wait([working])

    asyncio.run(until_told())
