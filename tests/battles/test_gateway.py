"""The gateway and every way an endpoint can behave, over real sockets."""

import asyncio
import json
from collections.abc import Iterator

import pytest

from arena.battles.events import ANSWER_LIMIT
from arena.battles.gateway import Gateway, Message
from arena.rounds.rules import AnswerRules, Deadlines
from tests.battles.asking import HASTY, PATIENT, QUESTION, RULES, address, answered, with_gateway
from tests.battles.endpoint import Answering, Endpoint, endpoint, mute
from tests.battles.faults import FAULTS, UNENDING
from tests.support import eventually


@pytest.fixture
def team() -> Iterator[Endpoint]:
    with endpoint() as played:
        yield played


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
        address(team), Deadlines(first_token_s=20, idle_s=20, total_s=0.5 if ending == "too_slow" else 30)
    )
    assert found == ending
    assert 0 < len("".join(pieces)) <= ANSWER_LIMIT
    assert eventually(lambda: team.active == 0)


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
