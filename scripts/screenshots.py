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

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support import Citizen

IMAGES = Path("docs/images")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
VIEWS = {
    "battle": {"viewport": {"width": 1280, "height": 900}, "locale": "ko-KR", "color_scheme": "light"},
    "battle-en-dark": {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "color_scheme": "dark"},
    "battle-phone": {"viewport": {"width": 390, "height": 844}, "locale": "ko-KR", "color_scheme": "light"},
    "battle-phone-en-dark": {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", "color_scheme": "dark"},
}
VOTES = 150


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


def shoot(page: Page, name: str, *, whole: bool = False) -> None:
    page.screenshot(path=IMAGES / f"{name}.png", full_page=whole)


def battle(browser: Browser, origin: str, name: str) -> None:
    """From the landing page to the thanks, a picture of each."""
    context = browser.new_context(base_url=origin, **VIEWS[name])
    page = context.new_page()
    page.goto("/")
    shoot(page, f"{name}-landing")
    page.locator("input[value=participate]").check()
    page.locator("button[name=suggestion]").first.click()
    page.wait_for_url("**/battles/*")
    page.locator("[data-answer]").first.locator("p, li").first.wait_for()
    shoot(page, f"{name}-streaming")
    page.locator("#vote").wait_for(timeout=60_000)
    for tab in page.locator(".tabs a").all():
        if tab.is_visible():
            tab.click()
    shoot(page, name)
    page.locator("button[name=choice]").first.click(force=True)
    page.locator("#thanks-title").wait_for()
    shoot(page, f"{name}-thanks")
    context.close()


def leaderboard(browser: Browser, origin: str) -> None:
    """The leaderboard after scripted votes."""
    dice = random.Random(7)
    for _ in range(VOTES // 10):
        citizen = Citizen(origin)
        for number in range(10):
            path = citizen.ask(f"안녕하세요 {number}")
            played = citizen.read(path)
            ahead = "a" if len(played.a) > len(played.b) else "b"
            other = "b" if ahead == "a" else "a"
            citizen.vote(path, dice.choices([ahead, other, "tie", "both_bad"], [5, 2.5, 2, 1])[0])
        citizen.close()
    context = browser.new_context(base_url=origin, **VIEWS["battle"])
    page = context.new_page()
    page.goto("/rounds/demo/leaderboard")
    page.locator("svg.plot").wait_for()
    shoot(page, "leaderboard", whole=True)
    context.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for name in VIEWS:
            battle(browser, origin, name)
        leaderboard(browser, origin)
        browser.close()


if __name__ == "__main__":
    main()
