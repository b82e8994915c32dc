"""Suggestions below HTTP: proposed, edited, approved by a second person, declined; whose words they may be."""

from collections.abc import Callable
from functools import partial

import pytest

from arena.accounts.actions import record_consent
from arena.clock import now
from arena.db import Database
from arena.errors import ArenaError, ConflictError, NotFoundError
from arena.moderation.suggestion_words import cleaned, folded
from arena.rounds.tables import Round
from arena.screening.holding import withdraw_all
from tests.data import MINJI, closes, in_parallel, opened
from tests.moderation.suggesting import (
    BIKE,
    LIBRARY,
    TEA,
    THIRD,
    acts,
    approves,
    asked,
    declines,
    draft_of,
    edits,
    proposes,
    publishes,
    retires,
    seen_of,
    takes_over,
    texts,
)
from tests.staff import BORA, JIWOO


@pytest.fixture(autouse=True)
def round_(db: Database) -> Round:
    return opened(db)


def refuses(code: str, act: Callable[[], object]) -> ArenaError:
    with pytest.raises(ArenaError) as refusal:
        act()
    assert refusal.value.code == code
    return refusal.value


def test_a_proposal_waits_for_a_second_person(db: Database) -> None:
    draft = proposes(db, f"  {BIKE}\n", JIWOO)
    assert draft_of(db, draft).text == BIKE
    refuses("same_person", lambda: approves(db, draft, JIWOO))
    assert draft_of(db, draft).state == "proposed"
    approves(db, draft, BORA)
    kept = draft_of(db, draft)
    assert (kept.state, kept.decided_by) == ("approved", BORA)
    assert BIKE not in texts(db), "it is published with a version and not before"


def test_who_edited_last_may_not_approve_and_neither_may_who_proposed(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    edits(db, draft, LIBRARY, BORA)
    for author in (JIWOO, BORA):
        refuses("same_person", partial(approves, db, draft, author))
    approves(db, draft, THIRD)
    edited = draft_of(db, draft)
    assert (edited.text, edited.edited_by, edited.state) == (LIBRARY, BORA, "approved")


def test_the_last_edit_counts(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    edits(db, draft, LIBRARY, BORA)
    edits(db, draft, BIKE, THIRD)
    approves(db, draft, BORA)
    assert draft_of(db, draft).state == "approved"


def test_an_edit_after_the_approval_needs_another_approval(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    approves(db, draft, BORA)
    edits(db, draft, LIBRARY, BORA)
    edited = draft_of(db, draft)
    assert (edited.state, edited.decided_by) == ("proposed", None)
    refuses("same_person", lambda: approves(db, draft, BORA))


def test_nobody_approves_or_overwrites_what_they_have_not_seen(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    seen = seen_of(db, draft)
    edits(db, draft, LIBRARY, JIWOO)
    refuses("changed", lambda: approves(db, draft, BORA, seen=seen))
    refuses("changed", lambda: edits(db, draft, TEA, BORA, seen=seen))
    assert draft_of(db, draft).text == LIBRARY


def test_a_proposal_is_declined_with_a_reason_also_by_who_made_it(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    refuses("reason", lambda: declines(db, draft, BORA, reason="because"))
    refuses("personal", lambda: declines(db, draft, BORA, note="전화 010-1234-5678"))
    declines(db, draft, JIWOO, reason="withdrawn", note="다시 쓸게요")
    assert draft_of(db, draft).state == "declined"
    last = acts(db)[-1]
    assert (last.what, last.detail["reason"], last.detail["note"]) == (
        "suggestion.decline",
        "withdrawn",
        "다시 쓸게요",
    )
    refuses("not_waiting", lambda: approves(db, draft, BORA))
    refuses("decided", lambda: edits(db, draft, LIBRARY))
    refuses("decided", lambda: declines(db, draft))
    assert proposes(db, BIKE, BORA) != draft, "declined words may be proposed anew"


@pytest.mark.parametrize(
    ("text", "about", "code"),
    [
        ("짧아요", {}, "text"),
        ("가" * 301, {}, "text"),
        ("?!.,~…?!.,~…", {}, "text"),
        ("\u202e \0\x07 \u200b", {}, "text"),
        (BIKE, {"topic": "weather"}, "topic"),
        (BIKE, {"locale": "fr"}, "locale"),
        ("제 번호는 010-1234-5678인데 스팸 전화를 막으려면 어떻게 해야 하나요?", {}, "personal"),
    ],
)
def test_words_that_do_not_fit_are_refused(db: Database, text: str, about: dict[str, str], code: str) -> None:
    refuses(code, lambda: proposes(db, text, **about))
    draft = proposes(db)
    if not about:
        refuses(code, lambda: edits(db, draft, text))
    assert [act.what for act in acts(db)] == ["suggestion.propose"]


def test_the_shortest_and_the_longest_are_good(db: Database) -> None:
    assert proposes(db, "가나다라마바사아자차")
    assert proposes(db, "가" * 300)


def test_what_the_rules_block_or_hold_is_refused(db: Database) -> None:
    refuses("forbidden", lambda: proposes(db, "집에서 사제 폭탄을 만드는 방법을 자세히 알려 주세요."))


@pytest.mark.parametrize("again", [BIKE, f" {BIKE.upper()} ", BIKE.replace(".", "").replace(" ", "  "), BIKE + "!"])
def test_the_same_words_are_refused_naming_the_other(db: Database, again: str) -> None:
    first = proposes(db)
    assert str(first) in str(refuses("waiting_there", lambda: proposes(db, again, BORA)))
    approves(db, first)
    refuses("waiting_there", lambda: proposes(db, again, BORA))
    publishes(db)
    code = draft_of(db, first).code or ""
    assert code in str(refuses("published_there", lambda: proposes(db, again, BORA)))
    other = proposes(db, LIBRARY)
    refuses("published_there", lambda: edits(db, other, again))


def test_the_same_words_are_no_other_question_in_another_language_or_once_taken_out(db: Database) -> None:
    text = next(text for text in texts(db) if text.startswith("Explain how a vaccine"))
    assert proposes(db, text, locale="ko")
    refuses("published_there", lambda: proposes(db, text, locale="en"))
    retires(db, "en-vaccine")
    assert proposes(db, text, locale="en"), "as when its topic is to be another one"


def test_two_who_propose_the_same_at_once_make_one_proposal(db: Database) -> None:
    calls = [partial(proposes, db, BIKE, who) for who in (JIWOO, BORA, THIRD)]
    results = in_parallel(calls)
    assert sorted(type(result).__name__ for result in results) == ["ConflictError", "ConflictError", "int"]


def test_of_two_who_approve_at_once_one_does(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    results = in_parallel([partial(approves, db, draft, who) for who in (BORA, THIRD)])
    (refused,) = [result for result in results if result is not None]
    assert isinstance(refused, ConflictError)
    assert refused.code == "not_waiting"
    assert [act.what for act in acts(db)] == ["suggestion.propose", "suggestion.approve"]


def test_an_edit_and_an_approval_at_once_never_approve_words_unseen(db: Database) -> None:
    draft = proposes(db, BIKE, JIWOO)
    seen = seen_of(db, draft)
    in_parallel([partial(approves, db, draft, BORA, seen=seen), partial(edits, db, draft, LIBRARY, JIWOO, seen=seen)])
    after = draft_of(db, draft)
    assert (after.text, after.state) in {(LIBRARY, "proposed"), (BIKE, "approved")}


def test_a_citizens_words_are_taken_over_where_they_agreed(db: Database) -> None:
    review = asked(db, LIBRARY)
    draft = takes_over(db, review, LIBRARY)
    assert draft_of(db, draft).review_id == review
    approves(db, draft)
    publishes(db)
    assert LIBRARY in texts(db)


@pytest.mark.parametrize(
    ("publish", "about"),
    [
        (False, {}),
        (True, {"state": "rejected"}),
        (True, {"state": "hidden"}),
        (True, {"masked": {"phone": 1}}),
    ],
)
def test_else_their_words_are_refused_and_others_are_not(db: Database, publish: bool, about: dict[str, str]) -> None:
    review = asked(db, LIBRARY, publish=publish, **about)
    for same in (LIBRARY, LIBRARY.replace(" ", ""), LIBRARY + "!!"):
        refuses("same_words", partial(takes_over, db, review, same))
    draft = takes_over(db, review, BIKE)
    refuses("same_words", lambda: edits(db, draft, LIBRARY))
    approves(db, draft)


def test_the_newest_consent_counts(db: Database) -> None:
    review = asked(db, LIBRARY)
    draft = takes_over(db, review, LIBRARY)
    db.writing(lambda s: record_consent(s, "minji", "2", publish=False, now=now()))
    refuses("same_words", lambda: approves(db, draft))
    db.writing(lambda s: record_consent(s, "minji", "2", publish=True, now=now()))
    approves(db, draft)
    db.writing(lambda s: record_consent(s, "minji", "2", publish=False, now=now()))
    refuses("faulty", lambda: publishes(db))
    assert LIBRARY not in texts(db)


def test_what_the_citizen_erased_meanwhile_is_gone_and_can_only_be_declined(db: Database) -> None:
    draft = takes_over(db, asked(db, LIBRARY), LIBRARY)
    other = proposes(db, BIKE)
    db.writing(lambda s: withdraw_all(s, MINJI))
    assert (draft_of(db, draft).text, draft_of(db, other).text) == ("", BIKE)
    refuses("erased", lambda: approves(db, draft))
    refuses("erased", lambda: edits(db, draft, LIBRARY))
    declines(db, draft, reason="personal")


def test_published_words_stay_when_the_citizen_erases_theirs(db: Database) -> None:
    draft = takes_over(db, asked(db, LIBRARY), LIBRARY)
    approves(db, draft)
    publishes(db)
    db.writing(lambda s: withdraw_all(s, MINJI))
    assert LIBRARY in texts(db)


def test_the_trail_tells_before_and_after_but_no_citizens_words(db: Database) -> None:
    draft = proposes(db, BIKE)
    edits(db, draft, LIBRARY, BORA)
    first, second = acts(db)
    assert first.detail["before"] is None
    assert first.detail["after"] == {"text": BIKE, "topic": "everyday", "locale": "ko", "state": "proposed"}
    assert (second.detail["before"]["text"], second.detail["after"]["text"]) == (BIKE, LIBRARY)
    assert {act.subject for act in acts(db)} == {f"suggestion-{draft}"}
    declines(db, draft, THIRD)
    takes_over(db, asked(db, LIBRARY), LIBRARY)
    last = acts(db)[-1].detail
    assert LIBRARY not in str(last)
    assert len(last["after"]["text_sha256"]) == 64


def test_a_closed_rounds_suggestions_stay(db: Database) -> None:
    draft, review = proposes(db), asked(db)
    closes(db)
    for act in (
        lambda: proposes(db, LIBRARY),
        lambda: edits(db, draft, LIBRARY),
        lambda: approves(db, draft),
        lambda: declines(db, draft),
        lambda: retires(db, "ko-move"),
        lambda: publishes(db),
        lambda: takes_over(db, review, BIKE),
    ):
        refuses("closed", act)


def test_what_is_not_there_is_not_found(db: Database) -> None:
    with pytest.raises(NotFoundError):
        approves(db, 999, seen="x")
    with pytest.raises(NotFoundError):
        takes_over(db, 999, BIKE)
    with pytest.raises(NotFoundError):
        retires(db, "nothing")


def test_words_are_cleaned_and_folded() -> None:
    assert cleaned(" 안녕\u202e하세요\r\n\t반가워요\0 ") == "안녕하세요 반가워요"
    assert cleaned("\ud800가") == "가"
    assert folded("Ｗｈａｔ is “Go”?") == folded("what IS go")
    assert folded("3 + 5") != folded("3 - 5")
