"""Takes the pictures of the README: a real battle in the demo round, and a leaderboard of scripted votes.

Run by `make screenshots`. The votes for the leaderboard are cast by this script at random, leaning towards longer
answers; they show the page, not the teams.
"""

import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from tests.support import Citizen

IMAGES = Path("docs/images")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
BATTLES: tuple[tuple[str, ViewportSize, str, Literal["light", "dark"]], ...] = (
    ("battle", DESK, "ko-KR", "light"),
    ("battle-phone", PHONE, "ko-KR", "light"),
    ("battle-phone-en-dark", PHONE, "en-GB", "dark"),
)
CITIZENS = 70


@contextmanager
def demo() -> Iterator[str]:
    """A demo round in a process of its own; yields its origin."""
    command = [sys.executable, "-m", "arena", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        greeting = next(line for line in process.stdout if "http://" in line)
        found = re.search(r"http://[\d.:]+", greeting)
        assert found
        try:
            yield found[0]
        finally:
            process.send_signal(signal.SIGINT)


def battle(
    browser: Browser, origin: str, name: str, size: ViewportSize, locale: str, scheme: Literal["light", "dark"]
) -> None:
    """A battle up to the choices."""
    context = browser.new_context(base_url=origin, viewport=size, locale=locale, color_scheme=scheme)
    page = context.new_page()
    page.goto("/")
    page.locator("input[value=participate]").check()
    page.locator("button[name=suggestion]").first.click()
    page.locator("#vote").wait_for(timeout=60_000)
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def leaderboard(browser: Browser, origin: str) -> None:
    """The leaderboard after scripted votes."""
    dice = random.Random(7)
    for _ in range(CITIZENS):
        citizen = Citizen(origin)
        for number in range(2):
            path = citizen.ask(f"안녕하세요 {number}")
            played = citizen.read(path)
            ahead = "a" if len(played.a) > len(played.b) else "b"
            other = "b" if ahead == "a" else "a"
            citizen.vote(path, dice.choices([ahead, other, "tie", "both_bad"], [5, 2.5, 2, 1])[0])
        citizen.close()
    context = browser.new_context(base_url=origin, viewport=DESK, locale="ko-KR")
    page = context.new_page()
    page.goto("/rounds/demo/leaderboard")
    page.locator("svg.plot").wait_for()
    page.screenshot(path=IMAGES / "leaderboard.png", full_page=True)
    context.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for view in BATTLES:
            battle(browser, origin, *view)
        leaderboard(browser, origin)
        browser.close()


if __name__ == "__main__":
    main()
