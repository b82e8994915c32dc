"""The gateway and every way an endpoint can behave, over real sockets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.gateway import ANSWER_LIMIT, BadStreamError, EventReader, Gateway, Message
from arena.battles.gateway import Endpoint as Address
from arena.rounds.rules import AnswerRules, Deadlines
from tests.battles.endpoint import FAULTS, UNENDING, Answering, Endpoint, endpoint, event, gated, mute
from tests.support import eventually

T = TypeVar("T")
RULES = AnswerRules(max_tokens=64, temperature=0.5, system_prompt="")
PATIENT = Deadlines(first_token_s=20, idle_s=20, total_s=30)
HASTY = Deadlines(first_token_s=0.3, idle_s=0.3, total_s=20)
QUESTION = (Message("user", "안녕?"),)


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint() as played:
        yield played


def address(team: Endpoint, **values: Any) -> Address:
    return Address(
        **{"base_url": f"{team.origin}/team/v1", "model": "m", "api_key_env": None, "extra_body": {}} | values
    )


def with_gateway(use: Callable[[Gateway], Awaitable[T]]) -> T:
    async def run() -> T:
        gateway = Gateway()
        try:
            return await use(gateway)
        finally:
            await gateway.close()

    return asyncio.run(run())


def answered(to: Address, deadlines: Deadlines = PATIENT, rules: AnswerRules = RULES) -> tuple[str, list[str]]:
    """How an answer ended, and the pieces of its text."""
    pieces: list[str] = []
    ending = with_gateway(lambda gateway: gateway.stream(to, QUESTION, rules, deadlines, pieces.append))
    return ending, pieces


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_has_its_named_ending_and_only_the_content_comes_out(team: Endpoint, fault: str) -> None:
    team.default, ending, text = FAULTS[fault]
    found, pieces = answered(address(team), HASTY)
    assert (found, "".join(pieces)) == (ending, text)
    assert eventually(lambda: team.active == 0)


@pytest.mark.parametrize("fault", UNENDING)
def test_an_answer_without_an_end_is_ended(team: Endpoint, fault: str) -> None:
    team.default, ending = UNENDING[fault]
    found, pieces = answered(
        address(team), Deadlines(first_token_s=5, idle_s=5, total_s=0.5 if ending == "too_slow" else 30)
    )
    assert found == ending
    assert 0 < len("".join(pieces)) <= ANSWER_LIMIT
    assert eventually(lambda: team.active == 0)


def test_an_endpoint_that_is_not_there_is_unreachable(team: Endpoint) -> None:
    gone = address(team)
    with endpoint() as other:
        gone = address(other)
    assert answered(gone) == ("unreachable", [])


def test_an_address_that_cannot_be_resolved_is_unreachable(team: Endpoint) -> None:
    assert answered(address(team, base_url="http://team.invalid/v1")) == ("unreachable", [])


def test_the_first_token_has_a_deadline_of_its_own(team: Endpoint) -> None:
    team.default = mute
    assert answered(address(team), Deadlines(first_token_s=0.2, idle_s=20, total_s=20)) == ("no_first_token", [])


def test_each_token_gives_the_next_one_its_time(team: Endpoint) -> None:
    async def steady(answer: Answering) -> None:
        await answer.begin()
        for _ in range(10):
            await answer.say("가")
            await asyncio.sleep(0.1)
        await answer.finish()

    team.default = steady
    assert answered(address(team), Deadlines(first_token_s=0.6, idle_s=0.6, total_s=20)) == ("complete", ["가"] * 10)


def test_a_cancelled_answer_closes_the_connection(team: Endpoint) -> None:
    team.default = gated("여기", "끝")

    async def use(gateway: Gateway) -> None:
        heard = asyncio.Event()
        asking = asyncio.create_task(
            gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: heard.set())
        )
        await heard.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await asyncio.to_thread(eventually, lambda: team.cut == 1)

    with_gateway(use)
    assert team.active == 0


def test_fifty_cancelled_answers_close_fifty_connections(team: Endpoint) -> None:
    team.default = mute

    async def use(gateway: Gateway) -> None:
        asking = [
            asyncio.create_task(gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None))
            for _ in range(50)
        ]
        assert await asyncio.to_thread(eventually, lambda: team.active == 50)
        for task in asking:
            task.cancel()
        await asyncio.wait(asking)
        assert await asyncio.to_thread(eventually, lambda: team.cut == 50)

    with_gateway(use)


async def end_later(answer: Answering) -> None:
    """As servers do: the answer's last bytes come after `[DONE]`."""
    await answer.begin()
    await answer.say("네")
    await answer.finish()
    await asyncio.sleep(0.01)


def test_connections_are_reused_after_good_answers(team: Endpoint) -> None:
    team.default = end_later

    async def use(gateway: Gateway) -> None:
        for _ in range(5):
            assert await gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None) == "complete"

    with_gateway(use)
    assert (len(team.asked), team.connections) == (5, 1)


def test_the_body_is_the_conversation_after_the_rounds_system_prompt(team: Endpoint) -> None:
    rules = AnswerRules(max_tokens=99, temperature=0.25, system_prompt="짧게 답해요.")
    conversation = (Message("user", "하나"), Message("assistant", "둘"), Message("user", "셋"))
    with_gateway(
        lambda g: g.stream(address(team, model="hanbit-7b"), conversation, rules, PATIENT, lambda _text: None)
    )
    assert team.asked[0].path == "/team/v1/chat/completions"
    assert team.asked[0].body == {
        "model": "hanbit-7b",
        "stream": True,
        "max_tokens": 99,
        "temperature": 0.25,
        "messages": [
            {"role": "system", "content": "짧게 답해요."},
            {"role": "user", "content": "하나"},
            {"role": "assistant", "content": "둘"},
            {"role": "user", "content": "셋"},
        ],
    }


def test_an_empty_system_prompt_is_not_sent(team: Endpoint) -> None:
    answered(address(team))
    assert [message["role"] for message in team.asked[0].body["messages"]] == ["user"]


def test_extra_body_adds_to_the_request_and_overrides_nothing_of_the_rules(team: Endpoint) -> None:
    extra = {"top_p": 0.9, "chat_template_kwargs": {"enable_thinking": False}}
    wanted = {"temperature": 2, "max_tokens": 9999, "model": "x", "messages": [], "stream": False}
    answered(address(team, extra_body=extra | wanted))
    body = team.asked[0].body
    assert {name: body[name] for name in extra} == extra
    assert (body["temperature"], body["max_tokens"], body["model"], body["stream"]) == (0.5, 64, "m", True)
    assert body["messages"] == [{"role": "user", "content": "안녕?"}]


def test_a_key_is_sent_to_its_own_entry_alone(team: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANBIT_KEY", "secret-1")

    async def use(gateway: Gateway) -> None:
        for env in ("HANBIT_KEY", None, "NO_SUCH_KEY"):
            await gateway.stream(address(team, api_key_env=env), QUESTION, RULES, PATIENT, lambda _text: None)

    with_gateway(use)
    assert [asked.headers.get("authorization") for asked in team.asked] == ["Bearer secret-1", None, None]


def test_no_header_names_the_arena_and_nothing_may_be_compressed(team: Endpoint) -> None:
    answered(address(team))
    headers = team.asked[0].headers
    assert "arena" not in json.dumps(headers).lower()
    assert headers["accept-encoding"] == "identity"
    assert headers["content-type"] == "application/json"
    assert set(headers) <= {
        "host", "user-agent", "accept", "accept-encoding", "connection", "content-length", "content-type"
    }  # fmt: skip


def test_cookies_of_an_endpoint_are_not_kept(team: Endpoint) -> None:
    async def cookies(answer: Answering) -> None:
        await answer.begin(set_cookie="session=1; Path=/")
        await answer.say("네")
        await answer.finish()

    team.default = cookies

    async def use(gateway: Gateway) -> None:
        for _ in range(2):
            await gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None)

    with_gateway(use)
    assert ["cookie" in asked.headers for asked in team.asked] == [False, False]


def test_two_hundred_endpoints_that_say_nothing_hold_up_nobody(team: Endpoint) -> None:
    team.scripts["mute"] = mute

    async def use(gateway: Gateway) -> None:
        silent = address(team, base_url=f"{team.origin}/mute/v1")
        waiting = [
            asyncio.create_task(gateway.stream(silent, QUESTION, RULES, PATIENT, lambda _text: None))
            for _ in range(200)
        ]
        assert await asyncio.to_thread(eventually, lambda: team.active == 200)
        assert await gateway.stream(address(team), QUESTION, RULES, PATIENT, lambda _text: None) == "complete"
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)

    with_gateway(use)


@given(
    texts=st.lists(st.text(), max_size=5),
    cuts=st.lists(st.integers(0, 2000)),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_the_text_does_not_depend_on_where_the_bytes_are_cut(texts: list[str], cuts: list[int], newline: str) -> None:
    sent = b"".join(event({"content": text}) for text in texts) + event({}, "stop")
    sent = sent.replace(b"\n", newline.encode()) + b"data: [DONE]" + 2 * newline.encode()
    places = sorted({0, len(sent), *(cut % (len(sent) + 1) for cut in cuts)})
    pieces: list[str] = []
    reader = EventReader(pieces.append)
    for begin, end in pairwise(places):
        reader.take(sent[begin:end])
    assert "".join(pieces) == "".join(texts).replace("\0", "")
    assert reader.ending() == ("complete" if any(texts) else "empty")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["choices", "delta", "content", "finish_reason"]), inner)
    ),
)


@given(junk=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_bytes_make_the_reader_fail_otherwise_than_by_name(junk: bytes) -> None:
    pieces: list[str] = []
    reader = EventReader(pieces.append)
    with suppress(BadStreamError):
        reader.take(b"data: " + junk + b"\n\n")
    "".join(pieces).encode()
