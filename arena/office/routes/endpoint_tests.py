"""Testing the endpoints of a draft or an open round."""

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from arena.accounts.routes import only
from arena.battles.actions import clean_prompt
from arena.battles.pages import PROMPT_LIMIT
from arena.errors import ArenaError, ForbiddenError, NotFoundError
from arena.office.endpoint_test import (
    GREETING,
    LONGEST_S,
    SHOWN,
    WHO_ARE_YOU,
    Subject,
    Trial,
    one_at_a_time,
    subject,
    subjects,
    try_all,
    try_out,
)
from arena.office.key_places import Endpoints
from arena.office.round_acts import found, refused
from arena.office.round_checks import entry_row, last_tests
from arena.office.round_pages import TrialPage, TrialView
from arena.office.routes.operating import AtWork, Operator, SentForm
from arena.rounds.queries import rules_of, view
from arena.rounds.tables import Round
from arena.teams.queries import NamedEntry, entries_of
from arena.web.i18n import translations
from arena.web.respond import see_other
from arena.web.services import Csrf

router = APIRouter(prefix="/office/rounds/{slug}")


@router.get("/entries/{code}/test", dependencies=[only("operator")])
def test_page(slug: str, code: str, operator: AtWork) -> Response:
    return _page(operator, slug, code)


@router.post("/entries/{code}/test")
def test_entry(slug: str, code: str, form: SentForm, operator: AtWork) -> Response:
    facts: list[dict[str, object]] = []
    endpoints: Endpoints = {}
    typed, ask_who = form.text("question"), form.text("who") == "yes"
    operator.check("endpoint.test", slug)
    try:
        with operator.on_record("endpoint.test", slug, found=facts, endpoints=endpoints):
            question = clean_prompt(typed)
            tested = _subject(operator, slug, code)
            _check(operator, [tested], endpoints)
            with one_at_a_time(operator.arena.settings.data_dir, operator.admin.code):
                trials = _try(operator, tested, [question, *([_says(operator, WHO_ARE_YOU)] if ask_who else [])])
            facts += [trial.facts() for trial in trials]
    except (ForbiddenError, NotFoundError):
        raise
    except ArenaError as error:
        return _page(operator, slug, code, typed=typed, ask_who=ask_who, problem=error)
    return _page(operator, slug, code, typed=question, ask_who=ask_who, trials=trials)


@router.post("/tests", dependencies=[Csrf])
def test_all(slug: str, operator: AtWork) -> Response:
    """A greeting to every entry."""
    facts: list[dict[str, object]] = []
    endpoints: Endpoints = {}
    operator.check("endpoint.test", slug)
    greeting, allow = _says(operator, GREETING), operator.arena.settings.endpoint_allow
    with operator.on_record("endpoint.test", slug, found=facts, endpoints=endpoints):
        with operator.arena.db.reading() as session:
            every = subjects(session, _testable(found(session, slug)))
        _check(operator, every, endpoints)
        with one_at_a_time(operator.arena.settings.data_dir, operator.admin.code):
            trials = asyncio.run(try_all(every, greeting, allow, operator.locale))
        facts += [trial.facts() for trial in trials]
    return see_other(f"/office/rounds/{slug}#teams")


def _testable(round_: Round) -> Round:
    if round_.state == "closed":
        raise refused("over")
    return round_


def _subject(operator: Operator, slug: str, code: str) -> Subject:
    with operator.arena.db.reading() as session:
        round_ = _testable(found(session, slug))
        return subject(session, round_, _named(entries_of(session, round_.id or 0), code))


def _check(operator: Operator, tested: list[Subject], endpoints: Endpoints) -> None:
    """Refuses to send a key where it does not belong; `endpoints` is filled for the trail."""
    for each in tested:
        endpoints[each.named.code] = {"address": each.endpoint.base_url, "key": each.endpoint.api_key_env}
    for each in tested:
        each.check(operator.arena.settings.endpoint_allow)


def _named(entries: tuple[NamedEntry, ...], code: str) -> NamedEntry:
    named = next((each for each in entries if each.code == code), None)
    if named is None:
        raise NotFoundError
    return named


def _try(operator: Operator, tested: Subject, questions: list[str]) -> list[Trial]:
    return asyncio.run(try_out(tested, questions, operator.arena.settings.endpoint_allow, operator.locale))


def _says(operator: Operator, text: str) -> str:
    return translations(operator.locale).gettext(text)


def _page(
    operator: Operator,
    slug: str,
    code: str,
    *,
    typed: str | None = None,
    ask_who: bool = True,
    trials: list[Trial] | None = None,
    problem: ArenaError | None = None,
) -> Response:
    with operator.arena.db.reading() as session:
        round_ = found(session, slug)
        named = _named(entries_of(session, round_.id or 0), code)
        row = entry_row(session, round_, named, operator.locale, last_tests(session, slug))
    page = TrialPage(
        round=view(round_, operator.locale, operator=True),
        entry=row,
        question=_says(operator, GREETING) if typed is None else typed,
        question_limit=PROMPT_LIMIT,
        ask_who=ask_who,
        who=_says(operator, WHO_ARE_YOU),
        longest_s=min(rules_of(round_).deadlines.total_s, LONGEST_S),
        cut=rules_of(round_).deadlines.total_s > LONGEST_S,
        trials=tuple(_trial_view(trial) for trial in trials or ()),
        problem=operator.says(problem) if problem else None,
    )
    return operator.render(
        "office/round_test.html", page, status=problem.status if problem else 200, demo=round_.demo
    )


def _trial_view(trial: Trial) -> TrialView:
    return TrialView(
        question=trial.question,
        good=trial.good,
        ending=trial.ending,
        first_token_s=trial.first_token_s,
        total_s=trial.total_s,
        characters=len(trial.raw),
        characters_a_second=trial.characters_a_second,
        raw=trial.raw[:SHOWN],
        seen=trial.seen[:SHOWN],
        names=trial.names,
        hidden=len(trial.thoughts),
        thoughts=trial.thoughts[:SHOWN],
    )
