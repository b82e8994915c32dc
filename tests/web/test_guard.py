"""What every answer carries, and what is refused before it is read."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from arena.db import Database
from arena.web.rendering import static_url
from tests.support import Citizen, open_round, round_file, serving, settings_for

HTTPS = "https://arena.example"
GETS = {
    "/": 200,
    "/how": 200,
    "/rounds": 200,
    "/rounds/stage-1/leaderboard": 200,
    "/sign-in": 200,
    "/healthz": 200,
    "/metrics": 200,
    "/nothing": 404,
    "/battles/" + "0" * 32: 404,
    "/battles/x": 404,
    "/static/app.js": 200,
    "/static/nothing.js": 404,
    "/static/../pyproject.toml": 404,
    "/api/v1/rounds": 401,
    "/api/v1/nothing": 404,
    "/api/v1/openapi.json": 200,
}


def assert_guarded(answer: httpx.Response) -> None:
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert not re.search(r"unsafe|\*|https?:", answer.headers["content-security-policy"])
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
    assert "server" not in answer.headers
    assert "access-control-allow-origin" not in answer.headers


@pytest.fixture
def cookies(sqlite_url: str, teams: str) -> Callable[..., list[str]]:
    """Cookies that an arena with these settings gives to a request with these headers."""
    db = Database(sqlite_url)
    open_round(db, round_file(teams))
    db.close()

    def ask(headers: dict[str, str], **settings: Any) -> list[str]:
        with serving(settings_for(sqlite_url, **settings)) as origin:
            return httpx.get(origin, headers=headers).headers.get_list("set-cookie")

    return ask


@pytest.fixture
def behind_https(sqlite_url: str, teams: str) -> Iterator[str]:
    """An arena whose citizens see https://arena.example."""
    db = Database(sqlite_url)
    open_round(db, round_file(teams))
    db.close()
    with serving(settings_for(sqlite_url, public_url=HTTPS)) as origin:
        yield origin


def test_every_kind_of_answer_carries_the_headers_and_a_number_of_its_own(arena: str) -> None:
    numbers = set()
    with httpx.Client(base_url=arena) as http:
        for path, status in GETS.items():
            answer = http.get(path)
            assert (path, answer.status_code) == (path, status)
            assert_guarded(answer)
            numbers.add(answer.headers["x-request-id"])
        for refused in (http.post("/battles"), http.delete("/how"), http.request("TRACE", "/")):
            assert refused.status_code in (403, 405)
            assert_guarded(refused)
    assert len(numbers) == len(GETS)


def test_a_battles_stream_carries_them_too(minji: Citizen) -> None:
    path = minji.ask()
    with minji.http.stream("GET", f"{path}/turns/1/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert_guarded(answer)
    minji.read(path)


def test_a_request_cannot_choose_its_number(arena: str) -> None:
    answer = httpx.get(arena + "/how", headers={"X-Request-Id": "f" * 16})
    assert answer.headers["x-request-id"] != "f" * 16


def test_head_is_answered_like_get_without_a_body(arena: str) -> None:
    for path, status in GETS.items():
        answer = httpx.head(arena + path)
        assert (path, answer.status_code, answer.content) == (path, status, b"")
        assert_guarded(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/how", "GET"), ("GET", "/preferences", "POST"), ("PUT", "/battles", "POST")],
)
def test_another_method_is_refused_with_those_that_are_allowed(
    arena: str, method: str, path: str, allowed: str
) -> None:
    answer = httpx.request(method, arena + path, headers={"Origin": arena})
    assert answer.status_code == 405
    assert allowed in answer.headers["allow"]
    assert "<main" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Referer": "https://elsewhere.example/page"},
        {"Referer": "not a URL"},
        {"Origin": "https://elsewhere.example", "Host": "elsewhere.example"},
    ],
    ids=str,
)
def test_a_form_from_elsewhere_is_refused_even_with_its_token(minji: Citizen, headers: dict[str, str]) -> None:
    for path, form in {
        "/battles": {"prompt": "질문", "consent": "participate"},
        f"/battles/{'0' * 32}/vote": {"choice": "a"},
        "/preferences": {"locale": "en"},
        "/sign-in": {"email": "sora@example.org", "password": "a long enough password"},
        "/sign-out": {},
    }.items():
        data = {"csrf": minji.csrf(), **form}
        refused = minji.http.post(path, data=data, headers=headers)
        assert (path, refused.status_code) == (path, 403)
        assert "set-cookie" not in refused.headers


def test_without_any_origin_a_form_is_refused(minji: Citizen) -> None:
    assert minji.http.post("/preferences", data={"csrf": minji.csrf(), "locale": "en"}).status_code == 403


def test_our_own_referer_stands_in_for_the_origin(minji: Citizen) -> None:
    own = {"Referer": f"{minji.origin}/how?x=1"}
    answer = minji.http.post("/preferences", data={"csrf": minji.csrf(), "locale": "en"}, headers=own)
    assert answer.status_code == 303


def test_the_public_url_is_the_only_origin_when_it_is_set(behind_https: str) -> None:
    page = httpx.get(behind_https)
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    cookie = page.headers["set-cookie"].partition(";")[0]
    answers = {
        origin: httpx.post(
            behind_https + "/preferences",
            data={"csrf": token[1], "locale": "en"},
            headers={"Origin": origin, "Cookie": cookie},
        ).status_code
        for origin in (HTTPS, behind_https, "http://arena.example", HTTPS + ":8443")
    }
    assert list(answers.values()) == [303, 403, 403, 403]


@pytest.mark.parametrize("csrf", ["", "forged", "0" * 64])
def test_a_form_without_the_pages_token_is_refused(minji: Citizen, csrf: str) -> None:
    minji.http.get("/")
    assert minji.post("/preferences", locale="en", csrf=csrf).status_code == 403


def test_another_visitors_token_is_refused(minji: Citizen, junho: Citizen) -> None:
    minji.http.get("/")
    assert minji.post("/preferences", locale="en", csrf=junho.csrf()).status_code == 403


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(minji: Citizen) -> None:
    given = minji.http.get("/").headers.get_list("set-cookie")
    given += minji.post("/preferences", locale="en", theme="dark").headers.get_list("set-cookie")
    assert len(given) == 3
    for cookie in given:
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= attributes
        assert not any(part.startswith("domain") for part in attributes)


def test_cookies_are_secure_when_citizens_come_over_https(cookies: Callable[..., list[str]]) -> None:
    def secure(given: list[str]) -> bool:
        assert len(given) == 1
        return "; secure" in given[0].lower()

    forwarded = {"X-Forwarded-Proto": "https"}
    assert not secure(cookies({}))
    assert secure(cookies({}, public_url=HTTPS))
    assert secure(cookies(forwarded, trusted_proxies=["127.0.0.0/8"]))
    assert not secure(cookies(forwarded)), "nobody is trusted unless named"
    assert not secure(cookies(forwarded, trusted_proxies=["192.0.2.0/24"])), "we are not that proxy"


def test_a_forged_visitor_cookie_makes_a_new_visitor(minji: Citizen) -> None:
    battle = minji.ask()
    voter, _, signature = minji.http.cookies["arena_visitor"].partition(".")
    assert minji.http.get(battle).status_code == 200
    for forged in (voter, f"{voter}.", f"{voter}.{signature[::-1]}", f"{'0' * 32}.{signature}", "é"):
        answer = httpx.get(minji.origin + battle, headers={b"Cookie": f"arena_visitor={forged}".encode()})
        assert answer.status_code == 404
        assert "arena_visitor=" in answer.headers["set-cookie"]
    minji.read(battle)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://elsewhere.example",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "\\\\elsewhere.example",
        "/\t/elsewhere.example",
        "/\n/elsewhere.example",
        "javascript:alert(1)",
        "elsewhere.example",
        "",
    ],
)
def test_a_form_leads_back_to_our_own_pages_only(minji: Citizen, elsewhere: str) -> None:
    location = minji.post("/preferences", locale="en", next=elsewhere).headers["location"]
    target = httpx.URL(minji.origin).join(re.sub(r"[\t\r\n]", "", location).replace("\\", "/"))
    assert str(target).startswith(minji.origin + "/")
    shown = minji.http.get("/sign-in", params={"next": elsewhere}).text
    offered = re.search(r'name="next" value="([^"]*)"', shown)
    assert offered
    assert re.match(r"/(?![/\\])", offered[1])


def test_too_large_a_form_is_refused_whether_it_says_so_or_not(minji: Citizen) -> None:
    body = f"csrf={minji.csrf()}&prompt=".encode() + b"x" * 70_000
    form = {"Origin": minji.origin, "Content-Type": "application/x-www-form-urlencoded"}

    def in_pieces() -> Iterator[bytes]:
        for start in range(0, len(body), 8192):
            yield body[start : start + 8192]

    assert minji.http.post("/battles", content=body, headers=form).status_code == 413
    assert minji.http.post("/battles", content=in_pieces(), headers=form).status_code == 413


def test_files_outside_the_static_folder_stay_there(arena: str) -> None:
    assert (Path(__file__).parents[2] / "pyproject.toml").exists()
    for path in ("/static/%2e%2e/pyproject.toml", "/static/..%2fpyproject.toml", "/static//etc/passwd"):
        assert httpx.get(arena + path).status_code == 404


def test_a_static_file_whose_address_holds_its_hash_is_kept_for_ever(arena: str) -> None:
    assert "immutable" in httpx.get(arena + static_url("app.js")).headers["cache-control"]
    assert "immutable" not in httpx.get(arena + "/static/app.js").headers["cache-control"]


def test_pages_are_kept_by_nobody(arena: str) -> None:
    for path in ("/", "/rounds", "/sign-in", "/nothing"):
        assert httpx.get(arena + path).headers["cache-control"] == "no-store"
