"""The demo teams over a real socket: OpenAI's protocol, written answers, composed ones and refusals."""

import asyncio
import json
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import httpx
import pytest

from arena.demo.endpoints import demo_app, serve_in_thread
from arena.demo.personas import PERSONAS
from tests.demo.demo_texts import CODES, NAMES, SUGGESTIONS

AT_ONCE = 1e9
NEVER = 1e-9


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with serve_in_thread(demo_app(speed=AT_ONCE)) as origin, httpx.Client(base_url=origin) as client:
        yield client


def ask(client: httpx.Client, code: str, *texts: str) -> str:
    """The answer to a conversation in which user and assistant take turns."""
    roles = ("user", "assistant")
    messages = [{"role": roles[turn % 2], "content": text} for turn, text in enumerate(texts)]
    answer = client.post(f"/{code}/v1/chat/completions", json={"model": "m", "messages": messages})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["choices"][0]["message"]["content"])


def stream(client: httpx.Client, code: str, text: str, **options: object) -> list[dict[str, Any]]:
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "stream": True, **options}
    answer = client.post(f"/{code}/v1/chat/completions", json=body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.endswith("\n\n")
    lines = answer.text.split("\n\n")[:-1]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def test_a_stream_is_a_role_then_contents_then_one_finish_reason(client: httpx.Client) -> None:
    chunks = stream(client, "dasom", SUGGESTIONS[0]["text"], temperature=0.7)
    choices = [chunk["choices"][0] for chunk in chunks]

    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    assert choices[0]["delta"]["role"] == "assistant"
    assert [choice["finish_reason"] for choice in choices[:-1]] == [None] * (len(choices) - 1)
    assert choices[-1] == {"index": 0, "delta": {}, "finish_reason": "stop"}
    contents = [choice["delta"]["content"] for choice in choices[:-1]]
    assert "".join(contents) == ask(client, "dasom", SUGGESTIONS[0]["text"])
    assert all(len(re.findall(r"[가-힣]", content)) <= 3 for content in contents)


def test_a_completion_has_openais_shape(client: httpx.Client) -> None:
    body = {"model": "asked-for", "messages": [{"role": "user", "content": [{"type": "text", "text": "2+2"}]}]}
    answer = client.post("/gaon/v1/chat/completions", json=body).json()

    assert answer["object"] == "chat.completion"
    assert answer["model"] == "asked-for"
    assert answer["choices"] == [
        {"index": 0, "message": {"role": "assistant", "content": "2 + 2 = **4**"}, "finish_reason": "stop"}
    ]
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_every_team_lists_one_model(client: httpx.Client) -> None:
    for code in CODES:
        listed = client.get(f"/{code}/v1/models").json()
        assert [(model["id"], model["object"]) for model in listed["data"]] == [(PERSONAS[code].model, "model")]


@pytest.mark.parametrize("options", [{"stream": True}, {"stream": False}])
def test_max_tokens_cuts_the_answer_and_says_length(client: httpx.Client, options: dict[str, bool]) -> None:
    question = SUGGESTIONS[0]["text"]
    if options["stream"]:
        chunks = stream(client, "nuri", question, max_tokens=7)
        text = "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks)
        finish, pieces = chunks[-1]["choices"][0]["finish_reason"], len(chunks) - 2
    else:
        body = {"model": "m", "max_tokens": 7, "messages": [{"role": "user", "content": question}]}
        answer = client.post("/nuri/v1/chat/completions", json=body).json()
        text = answer["choices"][0]["message"]["content"]
        finish, pieces = answer["choices"][0]["finish_reason"], answer["usage"]["completion_tokens"]

    assert (finish, pieces) == ("length", 7)
    assert text
    assert ask(client, "nuri", question).startswith(text)


@pytest.mark.parametrize("suggestion", SUGGESTIONS, ids=lambda suggestion: suggestion["id"])
def test_every_team_has_its_own_written_answer(client: httpx.Client, suggestion: dict[str, str]) -> None:
    written = tomllib.loads(
        files("arena.demo").joinpath("answers", f"{suggestion['locale']}.toml").read_text("utf-8")
    )
    answers = {code: ask(client, code, f"  {suggestion['text']} ") for code in CODES}

    assert answers == {code: text.strip() for code, text in written[suggestion["id"]].items()}
    assert len(set(answers.values())) == len(CODES)
    assert not NAMES.search("\n".join(answers.values()))


def test_written_answers_stay_within_the_announced_length(client: httpx.Client) -> None:
    for suggestion in SUGGESTIONS:
        lengths = {code: len(ask(client, code, suggestion["text"]).split()) for code in CODES}
        assert all(50 <= length <= 350 for length in lengths.values()), (suggestion["id"], lengths)
        assert max(lengths, key=lambda code: lengths[code]) == "dasom"


HOSTILE: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"{", 400),
    (b"[]", 400),
    (b"null", 400),
    (b"\xff\xfe", 400),
    (b"[" * 100_000, 400),
    (b'{"model": "m"}', 400),
    (b'{"model": "m", "messages": []}', 400),
    (b'{"model": 1, "messages": [{"role": "user", "content": "x"}]}', 400),
    (b'{"model": "m", "messages": [{"role": "user", "content": null}]}', 400),
    (b'{"model": "m", "messages": [{"role": "user", "content": " "}]}', 400),
    (b'{"model": "m", "messages": [{"role": "user", "content": "\\ud800"}]}', 400),
    (b'{"model": "m", "messages": [{"role": "root", "content": "x"}]}', 400),
    (b'{"model": "m", "messages": [{"role": "assistant", "content": "x"}]}', 400),
    (b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 0}', 400),
    (b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": "yes"}', 400),
    (b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "temperature": NaN}', 400),
    (b" " * (1 << 20) + b"{}", 413),
]


def refused(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]


@pytest.mark.parametrize(("body", "status"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_bad_body_is_refused_in_openais_shape(client: httpx.Client, body: bytes, status: int) -> None:
    refused(client.post("/gaon/v1/chat/completions", content=body), status)


def test_unknown_teams_paths_and_methods_are_refused_in_openais_shape(client: httpx.Client) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
    refused(client.post("/nobody/v1/chat/completions", json=body), 404)
    refused(client.get("/nobody/v1/models"), 404)
    refused(client.get("/gaon/v1/embeddings"), 404)
    refused(client.get("/gaon/v1/chat/completions"), 405)


def test_an_overlong_question_is_answered(client: httpx.Client) -> None:
    for question in ("가" * 100_000, "a " * 100_000, "1+" * 50_000, "번역 " * 50_000, '"' * 100_000):
        assert ask(client, "dasom", question)


@pytest.mark.parametrize("streaming", [True, False])
def test_a_client_that_leaves_ends_the_answer(streaming: bool) -> None:
    messages = [{"role": "user", "content": "hello"}]
    body = json.dumps({"model": "m", "stream": streaming, "messages": messages}).encode()
    inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if b"assistant" in sent[-1]:
            inbox.put_nowait({"type": "http.disconnect"})

    async def exchange() -> None:
        inbox.put_nowait({"type": "http.request", "body": body, "more_body": False})
        if not streaming:
            inbox.put_nowait({"type": "http.disconnect"})
        path = "/maru/v1/chat/completions"
        scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
        await asyncio.wait_for(demo_app(speed=NEVER)(scope, inbox.get, send), timeout=30)

    asyncio.run(exchange())
    assert b"[DONE]" not in b"".join(sent)
    assert b'chat.completion"' not in b"".join(sent)


def test_leaving_the_server_cuts_open_answers_and_frees_the_port(caplog: pytest.LogCaptureFixture) -> None:
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    with httpx.Client() as client:
        with serve_in_thread(demo_app(speed=NEVER)) as origin:
            request = client.build_request("POST", f"{origin}/maru/v1/chat/completions", json=body)
            answer = client.send(request, stream=True)
            lines = answer.iter_lines()
            assert "assistant" in next(lines)
        with pytest.raises(httpx.TransportError):
            list(lines)
    port = int(origin.rsplit(":", 1)[1])
    with serve_in_thread(demo_app(speed=AT_ONCE), port=port) as again:
        assert again == origin
        assert httpx.get(f"{again}/gaon/v1/models").status_code == 200
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
