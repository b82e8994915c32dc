"""Takes the pictures of the README: a real battle in the demo round, a leaderboard of scripted votes, the office.

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
from typing import Literal, NamedTuple

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
QUESTIONS = (
    "부산에서 2박 3일 여행 일정을 짜 주세요",
    "제 번호는 010-1234-5678이에요. 이력서에 어떻게 쓰면 좋을까요?",
    "죽고 싶다는 친구를 어떻게 도와줄 수 있나요?",
    "Explain photosynthesis to a child",
)


class Demo(NamedTuple):
    """A running demo: its origin, and the logins by role, as e-mail and password."""

    origin: str
    logins: dict[str, tuple[str, str]]


@contextmanager
def demo() -> Iterator[Demo]:
    """A demo round in a process of its own."""
    command = [sys.executable, "-m", "arena", "demo", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout
        greeting = "".join(iter(process.stdout.readline, "  Ctrl-C ends it.\n"))
        found = re.search(r"http://[\d.:]+", greeting)
        assert found
        logins = re.findall(r"^ +(operator|moderator|auditor) +(\S+@\S+) +(\S+)$", greeting, re.MULTILINE)
        try:
            yield Demo(found[0], {role: (email, password) for role, email, password in logins})
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


def office(browser: Browser, running: Demo, role: str, path: str, name: str) -> None:
    """A page of the office."""
    context = browser.new_context(base_url=running.origin, viewport=DESK, locale="ko-KR")
    page = context.new_page()
    email, password = running.logins[role]
    page.goto(f"/sign-in?next={path}")
    page.locator("[name=email]").fill(email)
    page.locator("[name=password]").fill(password)
    page.locator("main button[type=submit]").first.click()
    page.wait_for_url(f"**{path}")
    page.locator("h1").wait_for()
    page.screenshot(path=IMAGES / f"{name}.png")
    context.close()


def questions(origin: str) -> None:
    """What moderators have to look at."""
    for question in QUESTIONS:
        citizen = Citizen(origin)
        citizen.read(citizen.ask(question))
        citizen.close()


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        for view in BATTLES:
            battle(browser, running.origin, *view)
        questions(running.origin)
        office(browser, running, "moderator", "/office/queue", "queue")
        leaderboard(browser, running.origin)
        office(browser, running, "operator", "/office/rounds/demo", "desk")
        browser.close()


if __name__ == "__main__":
    main()
