"""A browser for the session, an arena for a module, a citizen at a screen for a test."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from arena.db import Database
from arena.rounds.rules import RoundFile
from tests.browser.teams import Teams, serving_teams
from tests.browser.visitor import DESKTOP, PHONE, Device, Language, Visitor
from tests.browser.watching import WATCH, Watch
from tests.support import Citizen, open_round, round_file, serving, settings_for

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]

expect.set_options(timeout=10_000)


@dataclass(frozen=True, slots=True)
class Site:
    """A running arena and its database."""

    origin: str
    db: Database


class Visit(Protocol):
    def __call__(
        self,
        device: Device = DESKTOP,
        language: Language = "ko",
        *,
        site: Site | None = None,
        origin: str | None = None,
        as_: Citizen | None = None,
        **context: Any,
    ) -> Visitor:
        """A fresh browser profile; `as_` is a citizen who goes on there, `context` options of Playwright's."""
        ...


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def scripted_teams() -> Iterator[Teams]:
    with serving_teams() as teams:
        yield teams


class Serve(Protocol):
    def __call__(self, file: RoundFile | None = None) -> AbstractContextManager[Site]:
        """Serves an arena of its own with that round open, or with none."""
        ...


@pytest.fixture(scope="session")
def serve(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Serve:
    @contextmanager
    def served(file: RoundFile | None = None) -> Iterator[Site]:
        url = f"sqlite:///{shutil.copy(sqlite_template, tmp_path_factory.mktemp('site') / 'arena.db')}"
        db = Database(url)
        if file:
            open_round(db, file)
        with serving(settings_for(url)) as origin:
            yield Site(origin, db)
        db.close()

    return served


@pytest.fixture(scope="module")
def site(serve: Serve, scripted_teams: Teams) -> Iterator[Site]:
    """An arena with an open round whose teams are shown when it has closed."""
    with serve(round_file(scripted_teams.origin)) as made:
        yield made


@pytest.fixture(scope="module")
def empty_site(serve: Serve) -> Iterator[Site]:
    """An arena before its first round."""
    with serve() as made:
        yield made


@pytest.fixture(params=[PHONE, DESKTOP], ids=lambda device: device.name)
def device(request: pytest.FixtureRequest) -> Device:
    found: Device = request.param
    return found


@pytest.fixture(params=["ko", "en"])
def language(request: pytest.FixtureRequest) -> Language:
    found: Language = request.param
    return found


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Opens profiles; at the end none of them may have had anything to complain of."""
    watches: list[Watch] = []
    with ExitStack() as open_:

        def visited(
            device: Device = DESKTOP,
            language: Language = "ko",
            *,
            site: Site | None = None,
            origin: str | None = None,
            as_: Citizen | None = None,
            **options: Any,
        ) -> Visitor:
            at = origin or (site or request.getfixturevalue("site")).origin
            context = browser.new_context(
                viewport={"width": device.width, "height": device.height},
                has_touch=device.touch,
                is_mobile=device.touch,
                locale={"ko": "ko-KR", "en": "en-US"}[language],
                **options,
            )
            open_.callback(context.close)
            context.add_init_script(WATCH)
            watch = Watch(context, at)
            watches.append(watch)
            if as_:
                cookie = as_.http.cookies["arena_visitor"]
                context.add_cookies([{"name": "arena_visitor", "value": cookie, "url": at}])
            return Visitor(context.new_page(), context, device, language, at, watch)

        yield visited
    assert [text for watch in watches for text in watch.unexpected()] == []


@pytest.fixture
def citizen(site: Site) -> Iterator[Citizen]:
    """Somebody who has no screen in front of them yet."""
    someone = Citizen(site.origin)
    yield someone
    someone.close()
