"""Korean first: which language a visitor meets, and numbers and dates in its form."""

import re
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from babel.messages.pofile import read_po

from arena.web.i18n import CATALOGUES, choose_locale, format_date, format_number, format_time
from tests.support import Citizen

LATE = datetime(2026, 11, 30, 18, 5, tzinfo=UTC)


def language(page: httpx.Response) -> str:
    found = re.search(r'<html lang="(\w+)"', page.text)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("en;q=0.4, ko;q=0.8", "ko"),
        ("ko;q=0, en", "en"),
        ("en-GB", "en"),
        ("EN", "en"),
        ("de-DE,de;q=0.9", "ko"),
        ("de-DE,de;q=0.9,en;q=0.8", "en"),
        ("*", "ko"),
        ("en;q=nonsense;;;,,", "en"),
        ("\u00e9\u00e9;q=1", "ko"),
        ("x" * 5000, "ko"),
    ],
)
def test_the_browsers_best_liked_language_counts_and_korean_else(accepted: str, expected: str) -> None:
    assert choose_locale(None, accepted) == expected


def test_a_chosen_language_counts_before_the_browsers() -> None:
    assert choose_locale("en", "ko") == "en"
    assert choose_locale("ko", "en") == "ko"
    assert choose_locale("tlh", "en") == "en"


def test_pages_and_errors_speak_the_readers_language(arena: str) -> None:
    for path in ("/", "/how", "/rounds", "/sign-in", "/nothing"):
        assert language(httpx.get(arena + path)) == "ko"
        english = httpx.get(arena + path, headers={"Accept-Language": "en"})
        assert language(english) == "en"
        assert "Accept-Language" in english.headers["vary"]
        assert "Cookie" in english.headers["vary"]
    assert "찾" in httpx.get(arena + "/nothing").text
    assert "could not find" in httpx.get(arena + "/nothing", headers={"Accept-Language": "en"}).text


def test_the_language_switch_is_remembered_and_returns_to_the_page(minji: Citizen) -> None:
    assert language(minji.http.get("/how")) == "ko"
    changed = minji.post("/preferences", locale="en", next="/how")
    assert (changed.status_code, changed.headers["location"]) == (303, "/how")
    assert language(minji.http.get("/how")) == "en"
    minji.post("/preferences", locale="ko")
    assert language(minji.http.get("/how")) == "ko"


def test_the_theme_switch_is_remembered(minji: Citizen) -> None:
    assert 'data-theme="auto"' in minji.http.get("/how").text
    assert minji.post("/preferences", theme="dark").status_code == 303
    assert 'data-theme="dark"' in minji.http.get("/how").text


@pytest.mark.parametrize("form", [{"locale": "tlh"}, {"theme": "pink"}])
def test_an_unknown_preference_is_refused_and_not_remembered(minji: Citizen, form: dict[str, Any]) -> None:
    answer = minji.post("/preferences", **form)
    assert answer.status_code == 422
    assert not any(
        "arena_locale" in cookie or "arena_theme" in cookie for cookie in answer.headers.get_list("set-cookie")
    )


def test_dates_are_korean_dates_in_seoul() -> None:
    assert format_date(LATE, "ko") == "2026년 12월 1일"
    assert format_date(LATE, "en") == "1 December 2026"
    assert format_time(LATE, "ko") == "2026년 12월 1일 03:05"
    assert format_time(LATE, "en") == "1 December 2026, 03:05"


def test_numbers_are_grouped_and_have_the_asked_digits() -> None:
    for locale in ("ko", "en"):
        assert format_number(1234567, 0, locale) == "1,234,567"
        assert format_number(1234.5678, 2, locale) == "1,234.57"
        assert format_number(0.5, 1, locale) == "0.5"


def test_no_translation_is_marked_uncertain() -> None:
    with (CATALOGUES / "ko.po").open("rb") as file:
        catalogue = read_po(file, locale="ko")
    assert len(catalogue) > 100
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
