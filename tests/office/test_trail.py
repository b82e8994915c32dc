"""The trail over HTTP: every act in words, found by person, act, subject, outcome and day; saved as files."""

import ast
import csv
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session

from arena.accounts.trail import record
from arena.clock import now
from arena.db import Database
from arena.office.trail_page import differences
from arena.office.trail_pages import Difference
from arena.office.trail_query import PAGE
from arena.office.trail_words import ACTS, GROUPS
from arena.web.i18n import translations
from tests.data import opened
from tests.rounds.offices import acts
from tests.staff import HANA, JIWOO, SORA, hire, signed_in
from tests.support import Citizen, serving, settings_for

ARENA = Path(__file__).parents[2] / "arena"
TRAIL = "/office/trail"


@pytest.fixture
def office(db: Database) -> Database:
    hire(db)
    return db


@pytest.fixture
def sora(office: Database, database_url: str) -> Iterator[Citizen]:
    with serving(settings_for(database_url)) as origin:
        person = signed_in(origin, "sora")
        yield person
        person.close()


def notes(
    db: Database,
    what: str,
    who: str = SORA,
    subject: str = "stage-1",
    *,
    at: datetime | None = None,
    why: str = "",
    **detail: object,
) -> None:
    def work(session: Session) -> None:
        record(session, who, what, subject, "refused" if why else "done", at or now(), why=why, detail=detail)

    db.writing(work)


def shown(person: Citizen, **wanted: str) -> list[str]:
    """The acts on the page, in words, without those of signing in."""
    answer = person.http.get(TRAIL, params=wanted)
    assert answer.status_code == 200
    words = re.findall(r'<p class="act-what">\s*<strong>([^<]+)</strong>', answer.text)
    return [word for word in words if word not in (ACTS["auth.sign_in"], ACTS["auth.sign_out"])]


def lines(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))


def test_an_act_is_told_in_words_with_who_when_on_what_and_why(office: Database, sora: Citizen) -> None:
    notes(office, "prompt.reject", JIWOO, "prompt-7", reason="mistake", note="두 번 물었어요")
    notes(office, "change.approve", HANA, why="same_person")
    page = sora.http.get(TRAIL).text
    assert "Rejected a question" in page
    assert "<span>moderator-3</span><span>jiwoo@example.org</span>" in page
    assert "Reason: There was a mistake" in page
    assert "Note: 두 번 물었어요" in page
    assert "Why it was refused: Two different people have to agree to this." in page
    sora.http.headers["Accept-Language"] = "ko"
    assert "질문을 거절했어요" in sora.http.get(TRAIL).text


def test_what_was_changed_is_shown_field_by_field_and_as_inert_text(office: Database, sora: Citizen) -> None:
    before = {"text": "가", "topic": "work", "same": 1}
    notes(office, "suggestion.edit", JIWOO, before=before, after={**before, "text": "<b>나</b>", "topic": None})
    page = sora.http.get(TRAIL).text
    assert "<del>가</del>" in page
    assert "<ins>&lt;b&gt;나&lt;/b&gt;</ins>" in page
    assert "<b>나" not in page
    assert "<code>same</code>" not in page


def test_only_what_differs_is_a_difference() -> None:
    assert differences("held", "approved") == (Difference("", "held", "approved"),)
    assert differences({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1], "c": {"d": 3}}) == (
        Difference("b", "1, 2", "1"),
        Difference("c.d", None, "3"),
    )
    assert differences(None, None) == ()


def test_the_subject_leads_to_its_page_where_the_reader_has_one(
    office: Database, sora: Citizen, database_url: str
) -> None:
    opened(office)
    doyun = signed_in(sora.origin, "doyun")
    for what, subject, operators, auditors in (
        ("round.open", "stage-1", "/office/rounds/stage-1", "/rounds/stage-1"),
        ("change.propose", "stage-1", "/rounds/stage-1/changes", "/rounds/stage-1"),
        ("team_link.make", "stage-1", "/office/rounds/stage-1/teams", "/rounds/stage-1"),
        ("exclusion.propose", "exclusion-1", "/office/exclusions/1", "/office/exclusions/1"),
        ("appeal.decline", "appeal-1", "/office/exclusions", "/office/exclusions"),
        ("admin.create", "operator-9", "/office/people", None),
        ("prompt.hide", "prompt-1", None, None),
    ):
        notes(office, what, subject=subject)
        for person, path in ((sora, operators), (doyun, auditors)):
            page = person.http.get(TRAIL, params={"what": what}).text
            assert re.findall(rf'<a href="([^"]+)">{subject}</a>', page) == ([path] if path else [])
    doyun.close()


def test_it_is_searched_by_person_act_group_subject_and_outcome(office: Database, sora: Citizen) -> None:
    notes(office, "round.open")
    notes(office, "endpoint.test", HANA)
    notes(office, "round.close", "command line", "stage-2", why="not_open")
    assert shown(sora) == ["Closed a round", "Tested an endpoint", "Opened a round"]
    assert shown(sora, who=HANA) == ["Tested an endpoint"]
    assert shown(sora, who="command line") == ["Closed a round"]
    assert shown(sora, what="round.open") == ["Opened a round"]
    assert shown(sora, what="rounds") == ["Closed a round", "Tested an endpoint", "Opened a round"]
    assert shown(sora, what="prompts") == []
    assert shown(sora, subject="stage-2") == ["Closed a round"]
    assert shown(sora, outcome="done", what="rounds") == ["Tested an endpoint", "Opened a round"]
    assert "Nothing was found" in sora.http.get(TRAIL, params={"subject": "nowhere"}).text


def test_days_are_those_of_seoul_and_both_are_included(office: Database, sora: Citizen) -> None:
    for hour, what in ((14, "round.create"), (15, "round.open"), (38, "round.close"), (39, "round.revise")):
        notes(office, what, at=datetime(2026, 8, 1, tzinfo=UTC) + timedelta(hours=hour))
    assert shown(sora, what="rounds", since="2026-08-02", until="2026-08-02") == ["Closed a round", "Opened a round"]
    assert shown(sora, what="rounds", until="2026-08-01") == ["Made a round"]
    assert shown(sora, what="rounds", since="2026-08-03") == ["Changed a round that is in preparation"]


@pytest.mark.parametrize("day", ["tomorrow", "2026-02-30", "9" * 99, "'; drop table act", "9999-12-31", "0001-12-31"])
def test_a_day_that_is_none_is_explained_and_what_was_typed_stays(sora: Citizen, day: str) -> None:
    answer = sora.http.get(TRAIL, params={"since": day, "subject": "stage-1"})
    assert answer.status_code == 422
    assert "Write days as in 2026-08-01" in answer.text
    assert 'value="stage-1"' in answer.text
    assert sora.http.get(TRAIL, params={"until": day}).status_code == 422
    assert sora.post(f"{TRAIL}/export?since={day}", format="csv").status_code == 422


def test_pages_go_on_where_the_last_one_ended_and_keep_the_search(office: Database, sora: Citizen) -> None:
    for number in range(PAGE + 3):
        notes(office, "prompt.hide", JIWOO, f"prompt-{number}")
        notes(office, "prompt.approve", JIWOO, f"prompt-{number}")
    first = sora.http.get(TRAIL, params={"what": "prompt.hide"}).text
    (older,) = re.findall(r'href="(/office/trail\?what=[^"]+)">Older ones', first)
    second = sora.http.get(older.replace("&amp;", "&")).text
    found = [re.findall(r"<span>(prompt-\d+)</span>", page) for page in (first, second)]
    assert found == [[f"prompt-{n}" for n in range(PAGE + 2, 2, -1)], ["prompt-2", "prompt-1", "prompt-0"]]
    assert "Older ones" not in second
    assert "The newest ones" in second


def test_what_is_searched_for_is_saved_as_a_table_that_excel_reads(office: Database, sora: Citizen) -> None:
    notes(office, "prompt.reject", JIWOO, "=1+1", why="+82", note="@SUM(A1)", reason="-1", before="가", after="나")
    notes(office, "round.open")
    answer = sora.post(f"{TRAIL}/export?what=prompts", format="csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer.headers["Content-Disposition"]
    (row,) = lines(answer)
    assert row | {"id": "", "at": ""} == {
        "id": "",
        "at": "",
        "who": JIWOO,
        "email": "jiwoo@example.org",
        "what": "prompt.reject",
        "in_words": "Rejected a question",
        "subject": "'=1+1",
        "outcome": "refused",
        "why": "'+82",
        "reason": "'-1",
        "note": "'@SUM(A1)",
        "before": "가",
        "after": "나",
        "detail": "{}",
    }


def test_it_is_saved_for_programs_as_it_is_stored(office: Database, sora: Citizen) -> None:
    notes(office, "prompt.reject", JIWOO, "prompt-1", before={"state": "held"}, after={"state": "rejected"})
    answer = sora.post(f"{TRAIL}/export?what=prompts", format="ndjson")
    (act,) = map(json.loads, answer.text.splitlines())
    assert act["detail"] == {"before": {"state": "held"}, "after": {"state": "rejected"}}
    assert (act["who"], act["what"], act["subject"]) == (JIWOO, "prompt.reject", "prompt-1")


def test_saving_is_whole_over_many_readings(office: Database, sora: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.office.trail_export.AT_ONCE", 3)
    for number in range(7):
        notes(office, "prompt.hide", JIWOO, f"prompt-{number}")
    rows = lines(sora.post(f"{TRAIL}/export?what=prompt.hide", format="csv"))
    assert [row["subject"] for row in rows] == [f"prompt-{n}" for n in range(6, -1, -1)]


def test_saving_the_trail_is_on_the_trail(office: Database, sora: Citizen) -> None:
    sora.post(f"{TRAIL}/export?what=rounds&who={HANA}", format="csv")
    assert acts(office)[-1] == (SORA, "trail.export", "trail", "done", "")
    assert HANA in sora.http.get(TRAIL, params={"what": "trail.export"}).text


def test_saving_needs_the_form_of_the_page(office: Database, sora: Citizen) -> None:
    before = len(acts(office))
    assert sora.post(f"{TRAIL}/export", format="csv", csrf="forged").status_code == 403
    assert sora.post(f"{TRAIL}/export", format="exe").status_code == 422
    assert len(acts(office)) == before


def test_moderators_and_strangers_see_nothing_of_it(sora: Citizen) -> None:
    jiwoo, stranger = signed_in(sora.origin, "jiwoo"), Citizen(sora.origin)
    for person, status in ((jiwoo, 403), (stranger, 401)):
        assert person.http.get(TRAIL).status_code == status
        assert person.post(f"{TRAIL}/export", format="csv").status_code == status
        person.close()


NO_ACTS = re.compile(r"arena/(proofs|offline|locale|demo|migrations|stats|ledger|ratings/(export|bundle))")
WRITES = re.compile(r"accounts\.trail import|\bon_record\b|\brecord\(|Act\(")


def written() -> Iterator[tuple[str, str]]:
    """What the code may write on the trail: where, and the act's code, or how it begins if the rest is computed.

    Looked for in files that speak to the trail: texts of the form `group.act` of a group that is known.
    """
    groups = {word for group in GROUPS.values() for word in group.begins}
    code = re.compile(rf"({'|'.join(groups)})\.([a-z_]*)")
    for file in sorted(ARENA.rglob("*.py")):
        source = file.read_text()
        if not WRITES.search(source) or NO_ACTS.search(str(file)) or file.name in ("trail_words.py", "tables.py"):
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and code.fullmatch(node.value):
                yield file.name, node.value


def recorded_groups() -> set[str]:
    """The groups of all acts that `record` and `on_record` are called with directly."""
    called = re.compile(r"""(?:on_record|record|attempt)\([^"']*?["']([a-z_]+)\.""")
    return {group for file in ARENA.rglob("*.py") for group in called.findall(file.read_text())}


def test_every_act_that_the_code_writes_has_words_in_both_languages() -> None:
    for file, what in written():
        known = [act for act in ACTS if act == what or (what.endswith(".") and act.startswith(what))]
        assert known, f"{file}: {what} has no words; add them to arena/office/trail_words.py"
    korean = translations("ko").gettext
    assert [what for what, words in ACTS.items() if korean(words) == words] == []


def test_every_act_belongs_to_one_group() -> None:
    begins = [word for group in GROUPS.values() for word in group.begins]
    assert len(begins) == len(set(begins))
    assert {what.partition(".")[0] for what in ACTS} == set(begins)
    assert recorded_groups() <= set(begins)
