"""Changes of an open round over HTTP: two operators at their browsers, and who else tries."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from sqlmodel import select

from arena.accounts.tables import Act
from arena.db import Database
from tests.data import closes, opened
from tests.rounds.offices import FORMS, acts, told
from tests.staff import HANA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

PAGE = "/rounds/stage-1/changes"


@dataclass(frozen=True, slots=True)
class Office:
    """A served round that may be changed, and its people at their browsers."""

    db: Database
    sora: Citizen
    hana: Citizen
    jiwoo: Citizen
    public: Citizen


@pytest.fixture
def desk(running: Database, database_url: str) -> Iterator[Office]:
    with serving(settings_for(database_url)) as origin:
        sora, hana, jiwoo = (signed_in(origin, name) for name in ("sora", "hana", "jiwoo"))
        public = Citizen(origin, language="en")
        yield Office(running, sora, hana, jiwoo, public)
        for person in (sora, hana, jiwoo, public):
            person.close()


def sends(person: Citizen, kind: str, **fields: str) -> httpx.Response:
    return person.post(PAGE, kind=kind, **FORMS[kind] | fields)


def waiting(person: Citizen) -> list[str]:
    """The paths at which the reader may approve what waits."""
    return re.findall(r'formaction="([^"]+)"', person.http.get(PAGE).text)


def test_over_http_one_operator_proposes_and_another_approves(desk: Office) -> None:
    for kind in ("address", "pause", "resume", "join"):
        assert sends(desk.sora, kind).status_code == 303
        page = desk.sora.http.get(PAGE).text
        assert "another operator has to approve it" in page
        assert waiting(desk.sora) == []
        (path,) = waiting(desk.hana)
        assert desk.hana.post(path).status_code == 303
        assert waiting(desk.hana) == []
    assert [leaf["change"] for leaf in told(desk.db)] == ["address", "pause", "resume", "join"]
    assert acts(desk.db) == [
        (who, what, "stage-1", "done", "")
        for _ in range(4)
        for who, what in ((SORA, "change.propose"), (HANA, "change.approve"))
    ]


def test_every_refused_attempt_over_http_is_on_record(desk: Office) -> None:
    assert sends(desk.sora, "pause").status_code == 303
    (path,) = waiting(desk.hana)
    tries = [
        (desk.sora.post(path), 422, SORA, "change.approve", "same_person"),
        (desk.jiwoo.post(path), 403, JIWOO, "change.approve", "role"),
        (sends(desk.jiwoo, "pause"), 403, JIWOO, "change.propose", "role"),
        (desk.jiwoo.post(path.replace("approve", "withdraw")), 403, JIWOO, "change.withdraw", "role"),
        (sends(desk.hana, "resume"), 409, HANA, "change.propose", "takes_part"),
        (sends(desk.hana, "address", base_url="http://10.0.0.1"), 422, HANA, "change.propose", "base_url"),
        (desk.hana.post(f"{PAGE}/999/approve"), 404, HANA, "change.approve", "not_found"),
    ]
    closes(desk.db)
    tries.append((desk.hana.post(path), 409, HANA, "change.approve", "not_open"))
    tries.append((sends(desk.hana, "join"), 409, HANA, "change.propose", "not_open"))
    assert [answer.status_code for answer, *_ in tries] == [status for _, status, *_ in tries]
    expected = [(who, what, "stage-1", "refused", why) for _, _, who, what, why in tries]
    assert acts(desk.db)[1:] == expected
    assert told(desk.db) == []
    page = desk.hana.http.get(PAGE).text
    assert "Two different people have to agree to this." in page
    assert page.count(">refused<") == len(tries)


def test_a_change_that_the_rules_do_not_name_is_refused_over_http_on_record(db: Database, database_url: str) -> None:
    hire(db)
    opened(db)
    with serving(settings_for(database_url)) as origin:
        sora = signed_in(origin, "sora")
        page = sora.http.get(PAGE).text
        answers = [sends(sora, kind) for kind in FORMS]
        sora.close()
    assert "allow no change while it is open" in page
    assert "<select" not in page
    assert [answer.status_code for answer in answers] == [409] * len(FORMS)
    assert acts(db) == [(SORA, "change.propose", "stage-1", "refused", "not_allowed")] * len(FORMS)


def test_the_public_and_other_admins_do_not_see_the_page_and_strangers_leave_no_act(desk: Office) -> None:
    assert desk.public.http.get(PAGE).status_code == 401
    assert desk.jiwoo.http.get(PAGE).status_code == 403
    assert desk.sora.http.get("/rounds/stage-9/changes").status_code == 404
    assert sends(desk.public, "pause").status_code == 401
    assert desk.sora.post(PAGE, csrf="forged", kind="pause", **FORMS["pause"]).status_code == 403
    assert acts(desk.db) == []
    assert f'href="{PAGE}"' in desk.sora.http.get("/rounds/stage-1").text
    assert f'href="{PAGE}"' not in desk.jiwoo.http.get("/rounds/stage-1").text


def test_a_proposal_that_cannot_be_is_not_found(desk: Office) -> None:
    for number in ("0", "-1", "x", "9" * 30):
        assert desk.sora.post(f"{PAGE}/{number}/approve").status_code == 404


def test_a_refused_form_comes_back_with_what_was_typed_but_never_with_a_key(desk: Office) -> None:
    answer = sends(desk.sora, "join", base_url="http://10.0.0.1/v1", aliases="<b>바</b>\n둘", reason="appeal_upheld")
    assert answer.status_code == 422
    kept = answer.text
    for typed in (
        'value="바 팀"',
        'value="Team F"',
        'value="http://10.0.0.1/v1"',
        "&lt;b&gt;바&lt;/b&gt;",
        'value="TEAM_F_KEY"',
    ):
        assert typed in kept
    assert 'value="appeal_upheld" selected' in kept
    assert 'id="join-problem" role="alert"' in kept
    assert 'aria-invalid="true" aria-describedby="join-problem"' in kept
    secret = "sk-THISISAKEY"
    assert secret not in sends(desk.sora, "join", api_key_env=secret).text
    with desk.db.reading() as session:
        assert secret not in str([act.model_dump() for act in session.exec(select(Act))])


def test_the_page_speaks_korean_too(desk: Office) -> None:
    desk.sora.http.headers["Accept-Language"] = "ko"
    sends(desk.hana, "pause")
    page = desk.sora.http.get(PAGE).text
    english = re.sub(r"<[^>]+>", "", page)
    assert "승인하기" in page
    assert "변경 제안" in page
    assert "A pause" not in english
    refused = sends(desk.sora, "resume")
    assert "이미 참여하고 있어요" in refused.text
