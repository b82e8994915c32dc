"""Versions of suggestions: what publishing changes, what stays as it was, and what a new round takes over."""

from collections.abc import Callable
from functools import partial

import pytest

from arena.clock import now
from arena.db import Database
from arena.errors import ArenaError, ConflictError
from arena.moderation.suggestion_versions import coming, keep, publish, retire
from arena.rounds.actions import create_round
from arena.rounds.queries import suggestion, suggestions
from arena.rounds.tables import Round, Suggestion
from arena.rounds.topics import TOPICS, handful
from tests.data import NOWHERE, in_parallel, opened
from tests.moderation.suggesting import (
    BIKE,
    LIBRARY,
    TEA,
    THIRD,
    acts,
    approves,
    coming_of,
    draft_of,
    proposes,
    publishes,
    retires,
    round_id,
    texts,
    version,
)
from tests.staff import BORA, JIWOO
from tests.support import round_file

MOVE = "ko-move"


@pytest.fixture(autouse=True)
def round_(db: Database) -> Round:
    return opened(db)


def words(db: Database, code: str) -> str:
    with db.reading() as session:
        found = suggestion(session, round_id(db), code)
    assert found is not None
    return found.text


def create_next(db: Database, *, slug: str = "stage-2") -> None:
    file = round_file(NOWHERE, slug=slug, teams=2)
    db.writing(lambda s: create_round(s, file, allow=["127.0.0.0/8"], now=now()))


def test_a_version_brings_in_what_was_approved_and_takes_out_what_was_marked(db: Database) -> None:
    first, moving = texts(db), words(db, MOVE)
    draft, waiting = proposes(db, BIKE), proposes(db, LIBRARY)
    approves(db, draft)
    retires(db, MOVE)
    assert texts(db) == first, "a mark alone changes nothing"

    made = publishes(db, JIWOO, "출퇴근 질문")

    assert (made.number, made.note, made.published_by) == (2, "출퇴근 질문", JIWOO)
    assert set(texts(db)) == {*first, BIKE} - {moving}
    assert draft_of(db, draft).state == "published"
    assert draft_of(db, waiting).state == "proposed"
    assert texts(db, 1) == first, "an older version stays what it was"
    told = acts(db)[-1]
    assert (told.what, told.subject, told.detail["before"]) == (
        "suggestion.publish",
        "suggestions-stage-1",
        {"version": 1},
    )
    assert told.detail["after"]["out"] == [MOVE]
    assert [entered["text"] for entered in told.detail["after"]["in"]] == [BIKE]


def test_every_version_can_be_looked_at(db: Database) -> None:
    seen = {1: texts(db)}
    for number, text in enumerate((BIKE, LIBRARY), start=2):
        approves(db, proposes(db, text))
        if number == 3:
            retires(db, draft_of(db, 1).code or "")
        publishes(db)
        seen[number] = texts(db)
    assert {number: texts(db, number) for number in seen} == seen
    assert BIKE in seen[2]
    assert BIKE not in seen[3]


def test_a_mark_can_be_taken_off_but_nothing_comes_back_once_it_is_out(db: Database) -> None:
    at = round_id(db)
    retires(db, MOVE)
    db.writing(lambda s: keep(s, at, MOVE, BORA, now()))
    with pytest.raises(ConflictError, match="Nothing is ready"):
        publishes(db)
    retires(db, MOVE)
    publishes(db)
    with pytest.raises(ConflictError, match="not on the landing page"):
        retires(db, MOVE)
    with pytest.raises(ConflictError, match="not on the landing page"):
        db.writing(lambda s: keep(s, at, MOVE, BORA, now()))


def test_whoever_marked_something_to_be_taken_out_does_not_publish_it(db: Database) -> None:
    at = round_id(db)
    approves(db, proposes(db, BIKE))
    retires(db, MOVE, JIWOO)
    with pytest.raises(ConflictError, match="another moderator has to publish"):
        publishes(db, JIWOO)
    assert (version(db), draft_of(db, 1).state) == (1, "approved")

    db.writing(lambda s: keep(s, at, MOVE, BORA, now()))
    retires(db, MOVE, BORA)
    with pytest.raises(ConflictError, match="another moderator has to publish"):
        publishes(db, BORA)
    assert publishes(db, JIWOO).number == 2, "the newest mark counts"


def test_a_mark_of_the_same_suggestion_in_another_round_is_no_obstacle(db: Database) -> None:
    create_next(db)
    at = round_id(db, "stage-2")
    db.writing(lambda s: retire(s, at, MOVE, BORA, now()))
    retires(db, MOVE, JIWOO)
    with db.reading() as session:
        seen = coming(session, at).fingerprint
    made = db.writing(lambda s: publish(s, at, JIWOO, now(), seen=seen, note="뺐어요"))
    assert made.number == 2


def test_a_mark_stays_while_its_words_are_proposed_anew(db: Database) -> None:
    moving, at = words(db, MOVE), round_id(db)
    retires(db, MOVE)
    proposes(db, moving, topic="everyday")
    with pytest.raises(ConflictError, match="waiting already"):
        db.writing(lambda s: keep(s, at, MOVE, BORA, now()))
    publishes(db)
    assert moving not in texts(db)


def test_only_what_was_seen_is_published(db: Database) -> None:
    approves(db, proposes(db, BIKE))
    seen = coming_of(db)
    approves(db, proposes(db, LIBRARY))
    with pytest.raises(ConflictError, match="in the meantime"):
        publishes(db, seen=seen)
    assert version(db) == 1


@pytest.mark.parametrize("note", ["", "   ", "가" * 301, "문의는 010-1234-5678"])
def test_a_version_needs_a_note_without_personal_data(db: Database, note: str) -> None:
    approves(db, proposes(db, BIKE))
    with pytest.raises(ArenaError):
        publishes(db, note=note)
    assert (version(db), draft_of(db, 1).state) == (1, "approved")


def test_of_those_who_publish_at_once_one_does(db: Database) -> None:
    approves(db, proposes(db, BIKE))
    seen = coming_of(db)
    results = in_parallel([partial(publishes, db, who, seen=seen) for who in (JIWOO, BORA, THIRD)])
    assert sorted(type(result).__name__ for result in results) == [
        "ConflictError",
        "ConflictError",
        "SuggestionVersion",
    ]
    assert (version(db), texts(db).count(BIKE)) == (2, 1)


def test_what_is_approved_while_somebody_publishes_is_in_this_version_or_the_next(db: Database) -> None:
    approves(db, proposes(db, BIKE))
    later, seen = proposes(db, LIBRARY), coming_of(db)
    calls: list[Callable[[], object]] = [partial(publishes, db, seen=seen), partial(approves, db, later)]
    results = in_parallel(calls)
    published = not isinstance(results[0], Exception)
    assert (BIKE in texts(db)) is published
    assert LIBRARY not in texts(db)
    publishes(db)
    assert {BIKE, LIBRARY} <= set(texts(db))


def test_citizens_are_offered_only_what_is_in_force(db: Database) -> None:
    at, moving = round_id(db), words(db, MOVE)
    approves(db, proposes(db, BIKE))
    retires(db, MOVE)
    publishes(db)
    with db.reading() as session:
        offered = {s.text for n in range(40) for s in suggestions(session, at, "ko", limit=4, shuffle=n)}
        assert BIKE in offered
        assert moving not in offered
        kept = suggestion(session, at, MOVE)
    assert kept is not None, "it may still be on somebody's screen"
    assert kept.text == moving


def made(topic: str, number: int, locale: str = "ko") -> Suggestion:
    return Suggestion(round_id=1, code=f"{topic}-{number}", locale=locale, topic=topic, text=f"{topic} {number}")


def test_a_handful_is_on_different_topics_where_there_are_enough() -> None:
    every = [made("recipe", n) for n in range(20)] + [made(topic, 0) for topic in ("trip", "work", "study")]
    for shuffle in range(30):
        four = handful(every, "ko", limit=4, shuffle=shuffle)
        assert {item.topic for item in four} == {"recipe", "trip", "work", "study"}
    assert len({item.code for n in range(30) for item in handful(every, "ko", limit=4, shuffle=n)}) > 10


def test_a_handful_of_one_topic_is_still_a_handful() -> None:
    every = [made("recipe", n) for n in range(9)]
    four = handful(every, "ko", limit=4, shuffle=3)
    assert len({item.code for item in four}) == 4
    assert handful(every[:2], "ko", limit=4, shuffle=3) != []
    assert handful([], "ko", limit=4, shuffle=3) == []


def test_a_handful_in_the_readers_language_and_else_in_what_there_is() -> None:
    every = [made("recipe", 0), made("trip", 0, "en")]
    assert [item.locale for item in handful(every, "en", limit=4, shuffle=0)] == ["en"]
    assert len(handful(every, "fr", limit=4, shuffle=0)) == 2


def test_every_topic_of_the_curated_suggestions_has_a_name(db: Database) -> None:
    with db.reading() as session:
        topics = {s.topic for n in range(40) for s in suggestions(session, round_id(db), "ko", limit=4, shuffle=n)}
    assert len(topics) >= 8
    assert topics <= set(TOPICS)


def test_a_new_round_takes_over_what_is_in_force_and_not_what_was_taken_out(db: Database) -> None:
    moving = words(db, MOVE)
    approves(db, proposes(db, BIKE))
    retires(db, MOVE)
    publishes(db)
    approves(db, proposes(db, LIBRARY))

    create_next(db)

    assert set(texts(db, slug="stage-2")) == set(texts(db))
    assert moving not in texts(db, slug="stage-2")
    assert LIBRARY not in texts(db, slug="stage-2"), "approved is not published"
    approves(db, proposes(db, TEA, locale="en", slug="stage-2"))
    assert version(db) == 2, "each round has versions of its own"


def test_codes_stay_what_they_were_and_are_unique_in_a_round(db: Database) -> None:
    draft = proposes(db, BIKE)
    approves(db, draft)
    publishes(db)
    create_next(db)
    create_next(db, slug="stage-3")
    code = draft_of(db, draft).code or ""
    with db.reading() as session:
        found = suggestion(session, round_id(db, "stage-3"), code)
    assert found is not None
    assert (found.text, found.since, found.until) == (BIKE, 1, None)
