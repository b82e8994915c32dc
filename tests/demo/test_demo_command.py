"""`arena demo` as a visitor starts it: in a process of its own, from its greeting to Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.support import Citizen

LABEL = {"ko": "시연", "en": "Demo round"}
ENDS_WITHIN_S = 3
"""The promise of `make demo`."""


@dataclass(frozen=True, slots=True)
class Demo:
    process: "subprocess.Popen[str]"
    greeting: str

    def said(self, pattern: str) -> str:
        found = re.search(pattern, self.greeting)
        assert found, self.greeting
        return found[1]

    @property
    def address(self) -> str:
        return self.said(r"demo round: +(http://127\.0\.0\.1:\d+)\n")


@contextmanager
def started(*options: str, home: Path) -> Iterator[Demo]:
    settings = {name: value for name, value in os.environ.items() if not name.startswith("ARENA_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "arena", "demo", "--port", "0", *options],
        cwd=home,
        env=settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout
        greeting = ""
        while "Ctrl-C" not in greeting and (line := process.stdout.readline()):
            greeting += line
        try:
            yield Demo(process, greeting)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with started(home=tmp_path_factory.mktemp("demo")) as running:
        yield running


def logins(demo: Demo) -> list[tuple[str, ...]]:
    return re.findall(r"^ +(operator|moderator|auditor) +(\S+@\S+) +(\S+)$", demo.greeting, re.MULTILINE)


def test_the_greeting_names_two_operators_two_moderators_and_an_auditor(demo: Demo) -> None:
    roles = sorted(role for role, _, _ in logins(demo))
    assert roles == ["auditor", "moderator", "moderator", "operator", "operator"]
    lines = [line for line in demo.greeting.splitlines() if "@" in line]
    assert len({line.rindex("  ") for line in lines}) == 1, "aligned"


def test_each_greeted_login_opens_the_office(demo: Demo) -> None:
    for role, email, password in logins(demo):
        with closing(Citizen(demo.address)) as visitor:
            answer = visitor.post("/sign-in", email=email, password=password)
            assert (role, answer.status_code, answer.headers["location"]) == (role, 303, "/office")
            assert email in visitor.http.get("/account").text


def test_the_greeted_key_and_command_give_the_ratings(demo: Demo) -> None:
    key = demo.said(r"API key: +(\S+)\n")
    url = demo.said(r"curl -H 'Authorization: Bearer \S+' (\S+)\n")
    assert f"Bearer {key}'" in demo.greeting
    ratings = httpx.get(url, headers={"Authorization": f"Bearer {key}"})
    assert ratings.status_code == 200
    assert ratings.json()["round"] == "demo"
    assert len(ratings.json()["entries"]) == 5
    votes = url.replace("ratings", "votes")
    assert httpx.get(votes, headers={"Authorization": f"Bearer {key}"}).status_code == 200


def label(page: httpx.Response) -> str:
    """The notice above a page's content; empty without one."""
    found = re.search(r'<aside class="demo-note".*?</aside>', page.text, re.DOTALL)
    return found[0] if found else ""


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_public_page_says_that_it_is_a_demonstration(demo: Demo, language: str) -> None:
    pages = ["/", "/how", "/privacy", "/rounds", "/rounds/demo", "/rounds/demo/rules", "/rounds/demo/leaderboard"]
    with closing(Citizen(demo.address, language=language)) as visitor:
        for path in [*pages, "/sign-in", visitor.ask(), "/nothing"]:
            assert (path, LABEL[language] in label(visitor.http.get(path))) == (path, True)


def test_an_arena_that_is_no_demo_does_not_say_so(minji: Citizen) -> None:
    for path in ("/", "/how", "/rounds", "/rounds/stage-1"):
        assert label(minji.http.get(path)) == ""


def test_ctrl_c_ends_a_demo_quickly_even_while_an_answer_streams(tmp_path: Path) -> None:
    with started("--dir", str(tmp_path), home=tmp_path) as demo, closing(Citizen(demo.address)) as visitor:
        battle = visitor.ask()
        with visitor.http.stream("GET", f"{battle}/turns/1/stream") as answer:
            assert next(answer.iter_raw())
            demo.process.send_signal(signal.SIGINT)
            assert demo.process.wait(ENDS_WITHIN_S) in (0, 130)
    assert (tmp_path / "arena.db").exists()


def test_a_demo_without_a_folder_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    with started(home=tmp_path) as demo:
        assert list(scratch.iterdir())
        demo.process.send_signal(signal.SIGINT)
        demo.process.wait(ENDS_WITHIN_S)
    assert list(tmp_path.rglob("*")) == [scratch]
