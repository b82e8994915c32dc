"""Drafts over HTTP: made and changed from a form and from round files, looked at, tried by others."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from sqlmodel import select

from arena.accounts.tables import Act
from arena.db import Database
from arena.office.round_fields import MOST_TEAMS
from arena.rounds.rules import parse_round_file
from arena.teams.queries import entries_of
from tests.office.rounds import EXAMPLE, Office, drafted, form, office, team
from tests.support import Citizen, open_round, round_file

NEW, EDIT = "/office/rounds/new", "/office/rounds/stage-1/edit"


@pytest.fixture
def desk(db: Database, database_url: str) -> Iterator[Office]:
    with office(db, database_url) as made:
        yield made


def seen(desk: Office, path: str = EDIT) -> str:
    """What the page says the draft is now."""
    found = re.search(r'name="seen" value="([^"]*)"', desk.sora.http.get(path).text)
    assert found
    return found[1]


def file_of(desk: Office) -> str:
    answer = desk.sora.http.get("/office/rounds/stage-1/round.toml")
    assert 'filename="stage-1.toml"' in answer.headers["content-disposition"]
    return answer.text


def test_a_draft_is_made_from_the_form_and_stands_on_the_trail_with_its_hash(desk: Office) -> None:
    assert "There is no round yet" in desk.sora.http.get("/office/rounds").text
    answer = desk.sends(form())
    assert (answer.status_code, answer.headers["location"]) == (303, "/office/rounds/stage-1")
    made = desk.round()
    assert made is not None
    assert made.state == "draft"
    assert desk.acts() == [("round.create", "stage-1", "done", "")]
    (act,) = desk.told()
    assert act.detail["after"]["rules_hash"] == made.rules_hash
    page = desk.sora.http.get("/office/rounds/stage-1").text
    assert made.rules_hash in page
    assert "Team a" in page
    assert "Stage 1" in desk.sora.http.get("/office/rounds").text


def test_a_refused_form_says_all_that_is_wrong_beside_the_fields_and_loses_nothing(desk: Office) -> None:
    answer = desk.sends(form(slug="Stage <1>", rules__max_turns="many", **{"entries.1.model": ""}))
    assert answer.status_code == 422
    page = answer.text
    for path, typed in (("slug", "Stage &lt;1&gt;"), ("rules.max_turns", "many"), ("entries.1.model", "")):
        field = path.replace(".", "-")
        assert f'href="#f-{field}"' in page
        assert f'id="f-{field}-fault"' in page
        assert re.search(
            rf'id="f-{field}" name="{path}"[^>]*value="{re.escape(typed)}"[^>]*aria-invalid="true"', page
        )
    assert 'value="TEAM_A_KEY"' in page
    assert desk.round() is None
    (act,) = desk.told()
    assert (act.outcome, act.why) == ("refused", "form")
    assert act.detail["fields"] == ["slug", "rules.max_turns", "entries.1.model"]


def test_a_key_that_was_typed_for_its_variable_is_neither_shown_nor_kept(desk: Office) -> None:
    secret = "sk-THISISAKEY"
    answer = desk.sends(form(**{"entries.0.api_key_env": secret}))
    assert answer.status_code == 422
    assert secret not in answer.text
    with desk.db.reading() as session:
        assert secret not in str([act.model_dump() for act in session.exec(select(Act))])


def test_fifty_teams_with_many_aliases_fit(desk: Office) -> None:
    fields = form()
    for number in range(MOST_TEAMS):
        fields |= team(number, f"t{number}", aliases="\n".join(f"이름 {number} {n} {'가' * 60}" for n in range(20)))
    assert desk.sends(fields).status_code == 303
    page = desk.sora.http.get(EDIT).text
    assert page.count('<fieldset class="card team"') == MOST_TEAMS
    assert 'value="add"' not in page


def test_a_draft_is_changed_by_the_form_and_the_trail_has_before_and_after(desk: Office) -> None:
    desk.sends(form())
    before = desk.round()
    answer = desk.sends(form(seen=seen(desk), rules__max_turns="7", title__en="Stage one"), EDIT)
    assert answer.status_code == 303
    after = desk.round()
    assert before is not None
    assert after is not None
    assert (after.title_en, after.seed) == ("Stage one", before.seed)
    assert after.rules_hash != before.rules_hash
    act = desk.told()[-1]
    assert (act.what, act.outcome) == ("round.revise", "done")
    assert act.detail["before"]["rules_hash"] == before.rules_hash
    assert act.detail["after"]["rules_hash"] == after.rules_hash


def test_saving_a_draft_as_it_is_changes_nothing_in_it(desk: Office) -> None:
    desk.sends(form(rules__identity_allow="가온", rules__may_change=["pause"], closes_at="2030-01-01T09:00:30"))
    before, file = desk.round(), file_of(desk)
    page = desk.sora.http.get(EDIT).text
    assert 'value="2030-01-01T09:00:30"' in page
    desk.sends(form(
        seen=seen(desk), rules__identity_allow="가온", rules__may_change=["pause"], closes_at="2030-01-01T09:00:30"
    ), EDIT)  # fmt: skip
    after = desk.round()
    assert before is not None
    assert after is not None
    assert after.rules_hash == before.rules_hash
    assert file_of(desk) == file
    act = desk.told()[-1]
    assert act.detail["before"] == act.detail["after"]


def test_of_two_who_change_a_draft_at_once_the_second_is_told_and_keeps_what_was_typed(desk: Office) -> None:
    desk.sends(form())
    was = seen(desk)
    assert desk.sends(form(seen=was, title__en="First"), EDIT, by=desk.hana).status_code == 303
    answer = desk.sends(form(seen=was, title__en="Second"), EDIT)
    assert answer.status_code == 409
    assert 'value="Second"' in answer.text
    assert "Somebody changed this draft meanwhile" in answer.text
    assert desk.acts()[-1][2:] == ("refused", "changed_meanwhile")


def test_a_draft_has_a_round_file_with_the_same_rules_hash(desk: Office) -> None:
    desk.sends(form(opens_at="2030-01-01T09:00", rules__answer__system_prompt="두 줄로\n답하세요"))
    file, made = parse_round_file(file_of(desk)), desk.round()
    assert made is not None
    assert file.rules.canonical() == made.rules
    assert file.opens_at == made.opens_at
    assert [entry.model for entry in file.entries] == ["model-a", "model-b"]


def test_a_pasted_round_file_fills_the_form_or_is_the_draft_at_once(desk: Office) -> None:
    text = EXAMPLE.read_text("utf-8")
    filled = desk.sends({"file": [text]}, do="fill")
    assert filled.status_code == 200
    assert 'value="team-d-32b"' in filled.text
    assert desk.round() is None
    assert desk.acts() == []
    assert desk.sends({"file": [text]}, do="file").status_code == 303
    made = desk.round()
    assert made is not None
    assert made.rules == parse_round_file(text).rules.canonical()


def test_an_uploaded_round_file_makes_the_draft_and_changes_it(desk: Office) -> None:
    text = EXAMPLE.read_text("utf-8")

    def upload(path: str, text: str) -> int:
        fields = {"csrf": desk.sora.csrf(), "do": "file", "seen": seen(desk, path)}
        answer = desk.sora.http.post(
            path,
            data=fields,
            files={"upload": ("stage-1.toml", text.encode(), "application/toml")},
            headers={"Origin": desk.origin},
        )
        return answer.status_code

    assert upload(NEW, text) == 303
    assert upload(EDIT, text.replace("max_turns = 5", "max_turns = 4")) == 303
    made = desk.round()
    assert made is not None
    assert tomllib.loads(file_of(desk))["rules"]["max_turns"] == 4
    assert upload(EDIT, text.replace('slug = "stage-1"', 'slug = "stage-2"')) == 422
    assert desk.round("stage-2") is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("slug = ", "This is no TOML"),
        ("#" * 200_001, "larger than 200 kB"),
    ],
)
def test_a_round_file_that_cannot_be_read_is_refused_and_stays(desk: Office, text: str, words: str) -> None:
    answer = desk.sends(form(title__en="Typed before") | {"file": [text]}, do="file")
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="Typed before"' in answer.text
    assert text[:100] in answer.text


def test_teams_are_added_and_removed_without_scripts_and_nothing_typed_is_lost(desk: Office) -> None:
    more = desk.sends(form(title__en="Kept"), do="add").text
    assert more.count('<fieldset class="card team"') == 3
    assert re.search(r'name="entries.2.team.ko"[^>]*autofocus', more)
    assert 'value="Kept"' in more
    less = desk.sends(form() | team(2, "c"), do="remove.0").text
    assert 'name="entries.0.model" type="text" value="model-b"' in less
    assert less.count('<fieldset class="card team"') == 2
    assert desk.sends(form(), do="remove.x").status_code == 200
    assert desk.acts() == []


def test_a_taken_name_is_refused_beside_it(desk: Office) -> None:
    drafted(desk.db)
    answer = desk.sends(form())
    assert answer.status_code == 409
    assert 'id="f-slug-fault"' in answer.text
    assert desk.acts()[-1][2:] == ("refused", "slug_taken")


def test_a_round_that_was_opened_cannot_be_changed_by_any_form(desk: Office) -> None:
    opened = open_round(desk.db, round_file("http://127.0.0.1:9"))
    assert desk.sora.http.get(EDIT).status_code == 409
    answer = desk.sends(form(seen="x"), EDIT)
    assert answer.status_code == 409
    assert desk.acts()[-1] == ("round.revise", "stage-1", "refused", "not_draft")
    now = desk.round()
    assert now is not None
    assert now.rules_hash == opened.rules_hash


def test_others_see_no_draft_and_their_attempts_are_on_record(desk: Office) -> None:
    drafted(desk.db)
    stranger = Citizen(desk.origin)
    paths = ["", "/new", "/stage-1", "/stage-1/edit", "/stage-1/round.toml", "/stage-1/preview", "/stage-1/open"]
    for path in paths:
        assert desk.jiwoo.http.get("/office/rounds" + path).status_code == 403, path
        assert stranger.http.get("/office/rounds" + path).status_code == 401, path
    assert desk.sends(form(slug="mine"), by=desk.jiwoo).status_code == 403
    assert desk.sends(form(), EDIT, by=desk.jiwoo).status_code == 403
    assert desk.acts() == [
        ("round.create", "mine", "refused", "role"),
        ("round.revise", "stage-1", "refused", "role"),
    ]
    assert desk.sends(form(), by=stranger).status_code == 401
    assert desk.sora.http.post(NEW, data={"csrf": "forged"}, headers={"Origin": desk.origin}).status_code == 403
    assert len(desk.acts()) == 2
    stranger.close()


def test_operators_see_the_rules_of_a_draft_as_citizens_will(desk: Office) -> None:
    made = drafted(desk.db)
    preview = desk.sora.http.get("/office/rounds/stage-1/preview").text
    assert made.rules_hash in preview
    assert desk.jiwoo.http.get("/rounds/stage-1/rules").status_code == 404
    desk.sends({"seen": [seen_of(desk)], "confirm": ["stage-1"]}, "/office/rounds/stage-1/open")
    public = desk.jiwoo.http.get("/rounds/stage-1/rules").text

    def prose(page: str) -> str:
        return page[page.index('<div class="prose">') : page.index('<p class="next-step">')]

    assert prose(preview) == prose(public)


def seen_of(desk: Office) -> str:
    return seen(desk, "/office/rounds/stage-1/open")


def test_pages_of_rounds_speak_korean_too(desk: Office) -> None:
    drafted(desk.db)
    desk.sora.http.headers["Accept-Language"] = "ko"
    for path in ("", "/new", "/stage-1", "/stage-1/edit", "/stage-1/open", "/stage-1/entries/e1/test"):
        page = desk.sora.http.get("/office/rounds" + path).text
        english = re.findall(r">\s*[A-Z][a-z]+ [a-z]+ [a-z]+", page)
        assert english == [], path


def test_entries_keep_the_order_of_the_form(desk: Office) -> None:
    desk.sends(form() | team(2, "c"))
    made = desk.round()
    assert made is not None
    with desk.db.reading() as session:
        assert [entry.name_en for entry in entries_of(session, made.id or 0)] == ["Team a", "Team b", "Team c"]
