"""A throw-away PostgreSQL server for tests, and databases made in it from a template.

Debian's server programs run on a free port of the loopback interface, with nothing kept across a crash: a
test's data need not survive the machine. The server refuses to run as root, so root hands it to `postgres`.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
OPTIONS = "-F -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(*command: str | Path) -> None:
    """Raises with the program's own words when it fails. No pipe: the server keeps what it inherits."""
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            command, user=user, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
        if done.returncode:
            output.seek(0)
            raise RuntimeError(f"{command[0]} failed: {output.read().decode(errors='replace')}")


def postgres_server() -> Iterator[str]:
    """Yields the address of a superuser's connection; wrap in a session-scoped pytest fixture."""
    folder = Path(tempfile.mkdtemp(prefix="arena-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()
    try:
        _run(PROGRAMS / "initdb", "--auth=trust", "--username=arena", "--encoding=UTF8", "--no-sync", data)
        start = f"{OPTIONS} -k {folder} -p {port}"
        _run(PROGRAMS / "pg_ctl", "--wait", f"--pgdata={data}", f"--log={folder}/log", "-o", start, "start")
        try:
            yield f"postgresql://arena@127.0.0.1:{port}/postgres"
        finally:
            _run(PROGRAMS / "pg_ctl", "--wait", "--mode=immediate", f"--pgdata={data}", "stop")
    finally:
        shutil.rmtree(folder)


@contextmanager
def database(admin_url: str, template: str = "template1") -> Iterator[str]:
    """A new database, a copy of `template` (to which nobody may be connected), dropped at the end.

    Yields its address. Its last path segment is its name, which may serve as another one's template.
    """
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )
        try:
            yield f"{admin_url.rsplit('/', 1)[0]}/{name}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
