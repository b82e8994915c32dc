"""Everyone downloads the bundle of a closed round, and of no other."""

import html
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from arena.clock import now
from arena.db import Database
from arena.rounds.actions import create_round
from arena.rounds.bundles import bundle_file
from tests.data import NOWHERE
from tests.ledger.played import fails, play, played_round, sequenced
from tests.ratings.bundles import checked, finishes, publishes
from tests.support import eventually, round_file, serving, settings_for

BUNDLE = "/rounds/stage-1/bundle.zip"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@contextmanager
def reading(database_url: str, data_dir: Path, *, worker: bool = False) -> Iterator[httpx.Client]:
    """A reader without a key."""
    settings = settings_for(database_url, data_dir=data_dir, embedded_worker=worker)
    with serving(settings) as origin, httpx.Client(base_url=origin) as http:
        yield http


def status_of(http: httpx.Client, path: str) -> int:
    """The answer to a path that is sent exactly as it is."""
    connection = HTTPConnection(urlsplit(str(http.base_url)).netloc, timeout=30)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


def test_the_servers_worker_publishes_what_everyone_downloads(db: Database, data_dir: Path, tmp_path: Path) -> None:
    play(db, voters=2, battles=1)
    finishes(db)
    url = db.engine.url.render_as_string(hide_password=False)
    with reading(url, data_dir, worker=True) as http:
        assert eventually(lambda: http.get(BUNDLE).status_code == 200, 30)
        answer = http.get(BUNDLE)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="stage-1-bundle.zip"'
    assert "set-cookie" not in answer.headers
    (tmp_path / "fetched.zip").write_bytes(answer.content)
    assert checked(tmp_path / "fetched.zip", tmp_path / "unpacked").votes == 3


def test_a_download_that_broke_off_goes_on_where_it_was(sqlite_url: str, data_dir: Path) -> None:
    db = Database(sqlite_url)
    play(db, voters=2, battles=1)
    finishes(db)
    whole = publishes(db, data_dir).read_bytes()
    with reading(sqlite_url, data_dir) as http:
        first = http.get(BUNDLE, headers={"Range": "bytes=0-999"})
        assert (first.status_code, first.content) == (206, whole[:1000])
        rest = {"Range": "bytes=1000-", "If-Range": first.headers["etag"]}
        assert first.content + http.get(BUNDLE, headers=rest).content == whole
        fails(db, "e3")
        sequenced(db)
        replaced = publishes(db, data_dir).read_bytes()
        assert http.get(BUNDLE, headers=rest).content == replaced != whole
    db.close()


def test_there_is_nothing_before_it_is_published_and_nothing_of_open_rounds(sqlite_url: str, data_dir: Path) -> None:
    """Nor what an earlier arena left under the same name, or a worker that died."""
    db = Database(sqlite_url)
    play(db, voters=2, battles=1)
    draft = round_file(NOWHERE, slug="draft")
    db.writing(lambda session: create_round(session, draft, allow=["127.0.0.0/8"], now=now()))
    with reading(sqlite_url, data_dir) as http:
        for slug in ("stage-1", "draft", "unknown"):
            (data_dir / "bundles").mkdir(parents=True, exist_ok=True)
            (data_dir / "bundles" / f"{slug}.zip").write_bytes(b"from before")
            assert http.get(f"/rounds/{slug}/bundle.zip").status_code == 404
        finishes(db)
        bundle_file(data_dir, played_round(db)).unlink()
        (data_dir / "bundles" / ".stage-1.unfinished.abc").mkdir()
        (data_dir / "bundles" / ".stage-1.unfinished.abc" / "stage-1.zip").write_bytes(b"PK")
        assert http.get(BUNDLE).status_code == 404
        publishes(db, data_dir)
        assert http.get(BUNDLE).status_code == 200
    db.close()


def test_no_slug_leads_out_of_the_folder(sqlite_url: str, data_dir: Path) -> None:
    (data_dir / "bundles").mkdir(parents=True)
    (data_dir / "secret.zip").write_bytes(b"secret")
    hostile = (
        *("..", ".", "../secret", "..%2fsecret", "..%2Fsecret", "%2e%2e%2fsecret", "..%5csecret", "%2fetc%2fpasswd"),
        *("%00", "secret%00", "STAGE-1", "stage-1%0a", "*", "%EC%9D%B4", "a" * 5000, ".stage-1.unfinished.abc"),
    )
    with reading(sqlite_url, data_dir) as http:
        assert [slug for slug in hostile if status_of(http, f"/rounds/{slug}/bundle.zip") != 404] == []


@pytest.mark.parametrize(("language", "words"), [("ko", "데이터 내려받기"), ("en", "Download the data")])
def test_the_ledger_and_the_ratings_lead_to_the_download_once_it_is_there(
    sqlite_url: str, data_dir: Path, language: str, words: str
) -> None:
    db = Database(sqlite_url)
    play(db, voters=2, battles=1)
    finishes(db)
    link = f'<a class="button" href="{BUNDLE}">{words}</a>'
    with reading(sqlite_url, data_dir) as http:
        http.headers["Accept-Language"] = language

        def pages() -> list[str]:
            return [html.unescape(http.get(f"/rounds/stage-1/{page}").text) for page in ("ledger", "leaderboard")]

        assert not any(BUNDLE in page for page in pages())
        assert "arena export stage-1" in pages()[0]
        publishes(db, data_dir)
        assert all(link in page for page in pages())
        assert "arena export stage-1" not in pages()[0]
    db.close()
