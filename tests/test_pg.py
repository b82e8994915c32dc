"""The PostgreSQL the tests run on: it starts, holds databases apart, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.pg import database, postgres_server


@pytest.fixture(scope="module")
def admin_url() -> Iterator[str]:
    yield from postgres_server()


def names(admin_url: str) -> set[str]:
    with psycopg.connect(admin_url) as connection:
        return {name for (name,) in connection.execute("SELECT datname FROM pg_database")}


def tables(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name for (name,) in rows}


def test_the_server_is_the_release_the_product_is_run_on(admin_url: str) -> None:
    with psycopg.connect(admin_url) as connection:
        assert connection.info.server_version // 10_000 == 15


def test_a_database_holds_what_its_template_holds(admin_url: str) -> None:
    with database(admin_url) as template:
        with psycopg.connect(template) as connection:
            connection.execute("CREATE TABLE votes (id bigint)")
        with database(admin_url, template.rsplit("/", 1)[1]) as copy:
            assert tables(copy) == {"votes"}


def test_what_is_written_in_one_database_is_in_no_other(admin_url: str) -> None:
    with database(admin_url) as one, database(admin_url) as other:
        with psycopg.connect(one) as connection:
            connection.execute("CREATE TABLE votes (id bigint)")
        assert tables(other) == set()


def test_a_database_is_dropped_though_a_connection_was_left_open(admin_url: str) -> None:
    before = names(admin_url)
    with database(admin_url) as url:
        forgotten = psycopg.connect(url)
        assert names(admin_url) != before
    assert names(admin_url) == before
    forgotten.close()


def test_the_server_is_gone_afterwards() -> None:
    with contextmanager(postgres_server)() as url:
        names(url)
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(url)
