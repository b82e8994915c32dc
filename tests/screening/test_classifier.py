"""The classifier is asked over a real socket; whatever it does, there are findings or it is down."""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from arena.screening import classifier as room
from arena.screening.classifier import Classifier, ClassifierDownError, NotTakenError, classifier_of, judged
from arena.screening.findings import Finding
from arena.screening.rules import Threshold
from tests.battles.endpoint import Answering, Endpoint, Script, endpoint, mute, sending, status
from tests.support import settings_for

PROMPT = "아주 비밀스러운 질문"
THRESHOLDS = {
    "violence": Threshold(level="block", at=0.8),
    "self-harm": Threshold(level="hold", at=0.5),
    "self-harm/intent": Threshold(level="log", at=0.1),
    "sexual": Threshold(level="off", at=0.0),
}


def answer(scores: Mapping[str, Any], flags: Mapping[str, Any] | None = None) -> bytes:
    categories = dict.fromkeys(scores, False) | dict(flags or {})
    result = {"flagged": any(categories.values()), "categories": categories, "category_scores": scores}
    return json.dumps({"id": "modr-1", "model": "m", "results": [result]}).encode()


def ask(made: Endpoint, *, path: str = "/v1/moderations", key: str | None = None) -> tuple[Finding, ...]:
    async def asked() -> tuple[Finding, ...]:
        url = made.origin + path
        settings = settings_for("", classifier_url=url, classifier_model="m", classifier_key=key and SecretStr(key))
        classifier = classifier_of(settings)
        assert isinstance(classifier, Classifier)
        try:
            return await classifier.findings(PROMPT, THRESHOLDS)
        finally:
            await classifier.close()

    return asyncio.run(asked())


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "DEADLINE_S", 0.2)


def test_scores_count_from_their_thresholds_on_each_category_at_its_gravest() -> None:
    scores = {"violence": 0.79, "self-harm": 0.5, "self-harm/intent": 0.9, "sexual": 1}
    with endpoint(sending(answer(scores), kind="application/json")) as made:
        assert ask(made) == (Finding("classifier", "self_harm", "hold"),)


def test_it_is_asked_for_the_model_with_the_key() -> None:
    with endpoint(sending(answer({}), kind="application/json")) as made:
        assert ask(made, key="secret") == ()
        (asked,) = made.asked
    assert asked.body == {"model": "m", "input": PROMPT}
    assert asked.path == "/v1/moderations"
    assert asked.headers["authorization"] == "Bearer secret"


def test_what_it_flags_in_a_category_without_a_threshold_is_noted() -> None:
    found = judged(answer({"gambling": 0.2, "hate": 0.99}, {"gambling": True}), THRESHOLDS)
    assert found == (Finding("classifier", "other", "log"),)


def test_what_is_switched_off_is_ignored_though_flagged() -> None:
    assert judged(answer({"sexual": 1.0}, {"sexual": True}), THRESHOLDS) == ()


def test_a_category_that_a_model_does_not_judge_may_be_null() -> None:
    assert judged(answer({}, {"illicit": None}), THRESHOLDS) == ()


async def _redirect(answering: Answering) -> None:
    await answering.begin("302 Found", "application/json", location="/good/v1/moderations")
    await answering.raw(answer({}))


async def _endless(answering: Answering) -> None:
    await answering.begin(kind="application/json")
    while True:
        await answering.raw(b" " * 4096)


async def _drip(answering: Answering) -> None:
    await answering.begin(kind="application/json")
    await answering.raw(b'{"results": [')
    await answering.hang()


async def _closed(answering: Answering) -> None:
    await answering.wire(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{")
    raise ConnectionResetError


async def _compressed(answering: Answering) -> None:
    await answering.begin(kind="application/json", content_encoding="gzip")
    await answering.raw(answer({"violence": 1.0}))


FAULTY: dict[str, Script] = {
    "says_500": status("500 Internal Server Error"),
    "is_busy": status("429 Too Many Requests"),
    "does_not_know_us": status("401 Unauthorized"),
    "does_not_let_us": status("403 Forbidden"),
    "redirects": _redirect,
    "is_endless": _endless,
    "is_long": sending(answer({}) + b" " * 70_000),
    "closes": _closed,
    "says_no_json": sending(b"<html>"),
    "says_nothing": sending(b"{}"),
    "has_no_results": sending(b'{"results": []}'),
    "has_two_results": sending(b'{"results": [{}, {}]}'),
    "has_no_scores": sending(b'{"results": [{"categories": {}}]}'),
    "has_a_list": sending(b'{"results": [{"categories": [], "category_scores": []}]}'),
    "has_words": sending(answer({"violence": "high"})),
    "has_nan": sending(b'{"results": [{"categories": {}, "category_scores": {"violence": NaN}}]}'),
    "has_a_huge_number": sending(answer({"violence": 10**400})),
    "has_a_score_of_two": sending(answer({"violence": 2})),
    "has_a_true_score": sending(answer({"violence": True})),
    "flags_by_words": sending(answer({}, {"violence": "yes"})),
    "has_many_categories": sending(answer({f"c{number}": 0.1 for number in range(200)})),
    "is_deep": sending(b"[" * 60_000),
    "is_no_utf_8": sending(b'{"results": "\xff\xfe"}'),
}


@pytest.mark.parametrize("name", FAULTY)
def test_an_answer_that_is_not_as_expected_means_that_it_is_down(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with endpoint(FAULTY[name]) as made, pytest.raises(ClassifierDownError) as down:
        ask(made)
    assert PROMPT not in f"{down.value!r} {caplog.text}"


@pytest.mark.parametrize("line", ["400 Bad Request", "413 Content Too Large", "422 Unprocessable"])
def test_an_answer_that_refuses_this_very_prompt_does_not_mean_that_it_is_down(line: str) -> None:
    with endpoint(status(line)) as made, pytest.raises(NotTakenError) as refused:
        ask(made)
    assert PROMPT not in repr(refused.value)


def many(made: Endpoint, number: int) -> list[object]:
    """What becomes of so many prompts at once."""

    async def asked() -> list[object]:
        classifier = Classifier(made.origin, "", "")
        try:
            return [
                *await asyncio.gather(
                    *(classifier.findings(PROMPT, THRESHOLDS) for _ in range(number)), return_exceptions=True
                )
            ]
        finally:
            await classifier.close()

    return asyncio.run(asked())


def test_of_very_many_at_once_each_waits_for_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AT_ONCE", 2)
    running = most = 0

    async def counted(answering: Answering) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await answering.begin(kind="application/json")
        running -= 1
        await answering.raw(answer({}))

    with endpoint(counted) as made:
        assert many(made, 20) == [()] * 20
    assert most <= 2


def test_whose_turn_does_not_come_is_told_that_it_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "AT_ONCE", 1)
    monkeypatch.setattr(room, "PATIENCE_S", 0.05)
    monkeypatch.setattr(room, "DEADLINE_S", 0.2)
    with endpoint(mute) as made:
        assert [type(outcome) for outcome in many(made, 3)] == [ClassifierDownError] * 3
        assert len(made.asked) == 1


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("script", [mute, _drip], ids=["mute", "drip"])
def test_an_answer_that_is_late_means_that_it_is_down(script: Script) -> None:
    with endpoint(script) as made, pytest.raises(ClassifierDownError):
        ask(made)


def test_nobody_at_the_address_means_that_it_is_down() -> None:
    with endpoint() as made:
        pass
    with pytest.raises(ClassifierDownError):
        ask(made)


def test_a_compressed_answer_is_not_unpacked() -> None:
    with endpoint(_compressed) as made:
        assert ask(made) == (Finding("classifier", "violence", "block"),)


def test_without_an_address_there_is_no_classifier() -> None:
    assert classifier_of(settings_for("")) is None


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_any_json_is_understood_or_refused(value: object) -> None:
    for sent in (value, {"results": [value]}, {"results": [{"categories": value, "category_scores": value}]}):
        with pytest.raises(ClassifierDownError):
            judged(json.dumps(sent).encode(), THRESHOLDS)
