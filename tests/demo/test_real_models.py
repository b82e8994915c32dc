import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from arena.demo import real
from arena.demo.real_server import GEMMA, SMOLLM2
from tests.demo.real_models import MODELS_PYTHON

pytestmark = pytest.mark.models

ROOT = Path(__file__).parents[2]
ANSWER_LIMIT_S = 120.0
END_LIMIT_S = 10.0

Models = tuple[real.RealModel, ...]

PARENT = """
import sys
from pathlib import Path
from arena.demo.real import real_models

with real_models(Path(sys.argv[1]), lambda line: None) as models:
    print(models[0].base_url, flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Answer:
    deltas: list[str]
    finish_reason: str
    last_event: str


@pytest.fixture(params=[SMOLLM2, GEMMA])
def model(request: pytest.FixtureRequest, real_models: Models) -> real.RealModel:
    return next(model for model in real_models if model.model == request.param)


def chat(model: real.RealModel, prompt: str, max_tokens: int = 48) -> dict[str, object]:
    return {
        "model": model.model,
        "messages": [{"role": "user", "content": prompt}],
        "stream": True,
        "temperature": 0,
        "max_tokens": max_tokens,
    }


def stream_answer(model: real.RealModel, prompt: str) -> Answer:
    url = f"{model.base_url}/chat/completions"
    with httpx.stream("POST", url, json=chat(model, prompt), timeout=ANSWER_LIMIT_S) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        body = b"".join(response.iter_raw()).decode("utf-8", errors="strict")
    events = [line.removeprefix("data: ") for line in body.split("\n") if line.startswith("data: ")]
    choices = [json.loads(event)["choices"][0] for event in events[:-1]]
    deltas = [choice["delta"].get("content") or "" for choice in choices]
    return Answer([text for text in deltas if text], choices[-1]["finish_reason"], events[-1])


def test_an_answer_streams_in_pieces_and_says_how_it_ended(model: real.RealModel) -> None:
    answer = stream_answer(model, "Give me three tips for sleeping well.")

    assert len(answer.deltas) > 3
    assert answer.finish_reason in {"stop", "length"}
    assert answer.last_event == "[DONE]"


def test_a_hangul_prompt_reaches_the_model_unbroken(model: real.RealModel) -> None:
    prompt = "꽃이 왜 피나요? 값진 넋 🙂"
    origin = model.base_url.removesuffix("/v1")

    seen = httpx.post(f"{origin}/apply-template", json=chat(model, prompt)).json()["prompt"]
    answer = stream_answer(model, prompt)

    assert prompt in seen
    assert answer.deltas
    assert "\ufffd" not in "".join(answer.deltas)


def test_the_base_model_ends_its_answer_before_asking_itself_the_next_question(real_models: Models) -> None:
    gemma = next(model for model in real_models if model.model == GEMMA)

    answer = stream_answer(gemma, "What is the capital of France?")

    assert "Paris" in "".join(answer.deltas)
    assert "Question:" not in "".join(answer.deltas)
    assert answer.finish_reason == "stop"


def test_each_model_answers_under_the_name_it_is_asked_for(model: real.RealModel) -> None:
    listed = httpx.get(f"{model.base_url}/models").json()["data"]

    assert [entry["id"] for entry in listed] == [model.model]


def children_of(pid: int) -> set[int]:
    """The processes that the main thread of `pid` started and that have not been waited for."""
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


@contextmanager
def unfinished_answer(base_url: str) -> Iterator[None]:
    """Reads the beginning of an answer far too long to end by itself, and holds the rest open."""
    endless = {"messages": [{"role": "user", "content": "Tell me a story."}], "stream": True}
    endless |= {"max_tokens": 3000, "ignore_eos": True}
    with httpx.stream("POST", f"{base_url}/chat/completions", json=endless, timeout=ANSWER_LIMIT_S) as response:
        next(response.iter_raw())
        yield


def test_the_servers_end_with_the_block_even_while_an_answer_is_streaming() -> None:
    before = children_of(os.getpid())
    lines: list[str] = []

    with ExitStack() as reader, real.real_models(MODELS_PYTHON, lines.append) as models:
        started = children_of(os.getpid()) - before
        reader.enter_context(unfinished_answer(models[0].base_url))

    assert len(started) == len(real.MODELS)
    assert children_of(os.getpid()) == before
    assert [line for line in lines if line.startswith("Gemma 3 270M: ready after")]


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", PARENT, str(MODELS_PYTHON)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_the_servers_end_when_the_arena_is_killed_even_while_an_answer_is_streaming(
    parent: subprocess.Popen[str],
) -> None:
    assert parent.stdout
    base_url = parent.stdout.readline().strip()
    servers = [os.pidfd_open(pid) for pid in children_of(parent.pid)]

    with unfinished_answer(base_url):
        parent.kill()
        ended = [select.select([server], [], [], END_LIMIT_S)[0] for server in servers]

    for server in servers:
        os.close(server)
    assert len(servers) == len(real.MODELS)
    assert all(ended)


def test_a_missing_environment_is_told_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with (
        pytest.raises(real.RealModelsError, match=r"make demo MODELS=real"),
        real.real_models(tmp_path / "bin" / "python", print),
    ):
        pass


def test_an_environment_without_the_packages_is_told_in_one_line() -> None:
    with (
        pytest.raises(real.RealModelsError, match=r"^SmolLM2 .* did not start: ModuleNotFoundError.*$") as told,
        real.real_models(Path(sys.executable), print),
    ):
        pass

    assert "\n" not in str(told.value)


def test_the_lock_names_no_host_and_hashes_every_package() -> None:
    lock = (ROOT / "requirements-models.lock").read_text()
    wanted = (ROOT / "requirements-models.in").read_text().split()

    pinned = [line for line in lock.split("\n") if "==" in line]
    assert "://" not in lock
    assert [line.split("==")[0] for line in pinned] == sorted(wanted)
    assert lock.count("--hash=sha256:") >= len(pinned)
