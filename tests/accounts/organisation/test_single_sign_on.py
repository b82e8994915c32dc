"""Signing in with an organisation's account, against a provider on a socket."""

from functools import partial

import httpx
from sqlmodel import select

from arena.accounts.attempts import ADDRESS, begin_attempt
from arena.accounts.known import Browser
from arena.accounts.people import disable, reset_account
from arena.accounts.queries import admin_by_email
from arena.accounts.tables import Act
from arena.clock import now
from arena.db import Database
from tests.accounts.provider import Provider, come_back, known_to, who
from tests.staff import PASSWORD
from tests.support import Citizen, serving, settings_for


def refusals(db: Database) -> list[tuple[str, str]]:
    with db.reading() as session:
        acts = session.exec(select(Act).where(Act.outcome == "refused")).all()
    return [(act.subject, act.why) for act in acts]


def test_whom_the_provider_knows_comes_in_without_a_second_factor_of_ours(
    person: Citizen, provider: Provider, office: Database
) -> None:
    assert "/sign-in/oidc?next=/rounds" in person.http.get("/sign-in?next=/rounds").text
    answer = come_back(person, to="/rounds")
    assert (answer.status_code, answer.headers["location"]) == (303, "/rounds")
    assert who(person) == "operator-1"
    asked = provider.asked[0]
    assert {"openid", "email"} == set(asked["scope"].split())
    with office.reading() as session:
        sora = admin_by_email(session, "sora@example.org")
        signed = session.exec(select(Act).where(Act.what == "auth.sign_in")).one()
    assert sora is not None
    assert sora.subject == f"{provider.origin} sora-1"
    assert (signed.who, signed.outcome, signed.detail) == ("operator-1", "done", {"way": "oidc"})
    assert come_back(person).status_code == 303, "the same account again"


def test_the_session_is_as_safe_as_any_other_and_the_flow_leaves_no_cookie(person: Citizen) -> None:
    cookies = {line.partition("=")[0]: line.lower() for line in come_back(person).headers.get_list("set-cookie")}
    assert {"httponly", "samesite=lax"} <= {part.strip() for part in cookies["arena_admin"].split(";")}
    assert "arena_oidc" not in person.http.cookies


def test_another_account_with_the_same_address_is_refused(
    person: Citizen, provider: Provider, office: Database
) -> None:
    assert come_back(person).status_code == 303
    person.post("/sign-out")
    provider.says(sub="sora-2")
    answer = come_back(person)
    assert (answer.status_code, "Another account" in answer.text) == (403, True)
    office.writing(lambda session: reset_account(session, "sora@example.org"))
    assert come_back(person).status_code == 303, "until the command line lets another account in"
    provider.says(sub="sora-1")
    assert come_back(person).status_code == 403


def test_one_account_is_one_person_even_when_its_address_changes(person: Citizen, provider: Provider) -> None:
    come_back(person)
    person.post("/sign-out")
    provider.says(email="hana@example.org")
    assert come_back(person).status_code == 403
    assert who(person) is None


def test_a_forged_or_foreign_state_is_refused(person: Citizen, arena: str, provider: Provider) -> None:
    for forged in ("forged", "", "é"):
        answer = come_back(person, state=forged)
        assert (answer.status_code, "begun elsewhere" in answer.text) == (403, True)
    there = person.http.get("/sign-in/oidc").headers["location"]
    back = httpx.get(there).headers["location"]
    stranger = Citizen(arena, language="en")
    assert stranger.http.get(back).status_code == 403, "begun in another browser"
    stranger.http.cookies.set("arena_oidc", person.http.cookies["arena_oidc"][::-1])
    assert stranger.http.get(back).status_code == 403
    stranger.close()
    assert who(person) is None


def test_an_answer_is_good_once(person: Citizen, provider: Provider) -> None:
    there = person.http.get("/sign-in/oidc").headers["location"]
    back = httpx.get(there).headers["location"]
    assert person.http.get(back).status_code == 303
    assert person.http.get(back).status_code == 403


def test_who_is_refused_again_and_again_is_limited_and_fills_neither_the_trail_nor_the_providers_time(
    person: Citizen, arena: str, provider: Provider, office: Database
) -> None:
    provider.says(email="minji@example.org")
    there = person.http.get("/sign-in/oidc").headers["location"]
    back, flow = httpx.get(there).headers["location"], person.http.cookies["arena_oidc"]

    def replayed() -> httpx.Response:
        person.http.cookies.set("arena_oidc", flow)
        answer = person.http.get(back)
        person.http.cookies.clear()
        return answer

    assert [replayed().status_code for _ in range(ADDRESS)] == [403] * ADDRESS
    for _ in range(3):
        answer = replayed()
        assert (answer.status_code, "too many attempts" in answer.text) == (429, True)
        assert int(answer.headers["retry-after"]) > 0
    assert provider.requests["token"] == ADDRESS
    assert refusals(office) == [("unknown", "attempts")]


def test_who_comes_in_rightly_or_brings_no_answer_is_no_failure(person: Citizen, provider: Provider) -> None:
    """An answer that this browser did not ask for is anybody's: a page elsewhere could send it."""
    for _ in range(ADDRESS + 1):
        assert person.http.get("/sign-in/oidc/back?state=x&code=x").status_code == 403
        assert come_back(person).status_code == 303


def test_who_floods_the_address_does_not_lock_a_known_browser_out(
    person: Citizen, arena: str, office: Database
) -> None:
    assert come_back(person).status_code == 303
    for number in range(ADDRESS):
        strange, here = f"{number}@example.org", Browser("", "", "127.0.0.1")
        office.writing(partial(begin_attempt, email=strange, browser=here, now=now()))
    stranger = Citizen(arena)
    assert come_back(stranger).status_code == 429
    assert come_back(person).status_code == 303
    stranger.close()


def test_a_provider_that_lets_nobody_in_is_told_plainly(person: Citizen, provider: Provider) -> None:
    provider.denies = True
    answer = come_back(person)
    assert (answer.status_code, "did not let you in" in answer.text) == (403, True)


def test_a_provider_that_is_down_is_told_plainly(office: Database, database_url: str) -> None:
    with serving(known_to("http://127.0.0.1:9", database_url)) as origin:
        person = Citizen(origin, language="en")
        answer = person.http.get("/sign-in/oidc")
        assert (answer.status_code, "does not answer" in answer.text) == (503, True)
        assert answer.headers["retry-after"]
        person.close()


def test_a_provider_that_is_down_is_left_alone_for_a_while(person: Citizen, provider: Provider) -> None:
    provider.down = True
    for _ in range(3):
        assert person.http.get("/sign-in/oidc").status_code == 503
    assert provider.requests["description"] == 1


def test_who_was_disabled_does_not_come_in(person: Citizen, office: Database) -> None:
    office.writing(lambda session: disable(session, 1, "operator-2", now()))
    assert come_back(person).status_code == 403
    assert who(person) is None


def test_who_has_no_password_has_none_that_fits(person: Citizen) -> None:
    for guess in ("", " ", PASSWORD):
        assert person.post("/sign-in", email="sora@example.org", password=guess).status_code == 422


def test_without_the_settings_there_is_no_such_way(sqlite_url: str) -> None:
    with serving(settings_for(sqlite_url)) as origin:
        assert "/sign-in/oidc" not in httpx.get(f"{origin}/sign-in").text
        assert httpx.get(f"{origin}/sign-in/oidc").status_code == 404
        assert httpx.get(f"{origin}/sign-in/oidc/back").status_code == 404
