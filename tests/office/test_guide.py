"""“How a round runs”: complete for everybody, and leading each reader only to pages that they may open."""

import re
from collections.abc import Iterator

import pytest

from arena.db import Database
from tests.data import opened
from tests.staff import hire, signed_in
from tests.support import Citizen, serving, settings_for

PARTS = ["before", "opening", "running", "questions", "votes", "closing", "afterwards", "two", "roles", "keys"]
NAMES = ["sora", "jiwoo", "doyun"]


@pytest.fixture
def office(db: Database, database_url: str) -> Iterator[str]:
    opened(db, may_change=["address"])
    hire(db)
    with serving(settings_for(database_url)) as origin:
        yield origin


@pytest.fixture(params=NAMES)
def reader(request: pytest.FixtureRequest, office: str) -> Iterator[Citizen]:
    person = signed_in(office, request.param)
    yield person
    person.close()


def main_of(person: Citizen, path: str) -> str:
    answer = person.http.get(path)
    assert answer.status_code == 200, path
    return answer.text.partition("<main")[2].partition(">")[2].partition("</main>")[0]


def test_every_part_is_there_and_found_from_the_contents(reader: Citizen) -> None:
    page = main_of(reader, "/office/help")
    assert re.findall(r'<li><a href="#([a-z]+)">', page) == PARTS
    assert re.findall(r'<h2 id="([a-z]+)" tabindex', page) == PARTS


@pytest.mark.parametrize("page", ["/office", "/office/help"])
def test_every_link_leads_to_a_page_that_the_reader_may_open(reader: Citizen, page: str) -> None:
    paths = set(re.findall(r'href="(/[^"#]*)', main_of(reader, page)))
    assert {path: reader.http.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)


def test_in_korean_nothing_of_it_is_left_in_english(reader: Citizen) -> None:
    reader.http.headers["Accept-Language"] = "ko"
    page = re.sub(r"<(code|kbd)>.*?</\1>|<[^>]+>", " ", main_of(reader, "/office/help"), flags=re.DOTALL)
    assert re.findall(r"[A-Za-z]{3,}", page) == []
