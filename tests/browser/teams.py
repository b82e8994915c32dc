"""Teams that answer at once, wait at a gate in mid-answer, or fail, as the question's words have it."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from arena.demo.endpoints import serve_in_thread
from arena.demo.personas import PERSONAS
from arena.demo.replies import Message, reply

# `%d` is the team's number, so that a test can tell whose answer it reads while no reader can.
FIRST = """## 묵은지 %d번

김치찌개는 **묵은지**로 끓이면 [깊은 맛](https://example.org/)이 나요.

1. 돼지고기를 볶아요.
2. 묵은지를 넣고 `중불`에서 10분 더 볶아요.

```python
def simmer(minutes: int) -> str:
    return "보글 " * minutes  # 한 줄이 칸보다 길면 이 상자 안에서만 옆으로 움직여요, 글 전체가 움직이지 않고요
```

여기까지가 앞부분이에요."""
REST = """

| 재료 | 양 | 손질 | 넣는 때 | 불 | 시간 | 까닭 | 없으면 |
|---|---|---|---|---|---|---|---|
| 두부 | 반 모 | 도톰하게 | 나중에 | 약불 | 5분 | 부서지지 않게 | 빼도 돼요 |

뒷부분까지 다 왔어요."""
FIRST_END = "여기까지가 앞부분이에요."
REST_END = "뒷부분까지 다 왔어요."

NAMES = tuple(
    word
    for persona in PERSONAS.values()
    for word in (*persona.name.values(), persona.model, f"/{persona.code}/", persona.code.title())
)


class Gate:
    """Holds answers until it is opened, from any thread."""

    def __init__(self, *, silent: bool) -> None:
        self.silent = silent
        self._open = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def passed(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._open.wait()

    def open(self) -> None:
        if self._loop is None:
            self._open.set()
        else:
            self._loop.call_soon_threadsafe(self._open.set)


class Teams:
    """The endpoints of the demo's teams, moved by the test."""

    def __init__(self) -> None:
        self.origin = ""
        self.asked: Counter[str] = Counter()
        self._gates: dict[str, Gate] = {}
        self._refused: set[str] = set()
        self._given: dict[str, str] = {}

    @contextmanager
    def holding(self, prompt: str, *, silent: bool = False) -> Iterator[Gate]:
        """Answers to `prompt` stop after FIRST, or before any word, until the gate is opened."""
        gate = self._gates[prompt] = Gate(silent=silent)
        try:
            yield gate
        finally:
            gate.open()
            del self._gates[prompt]

    @contextmanager
    def refusing(self, prompt: str) -> Iterator[None]:
        """Whoever is asked `prompt` answers with status 500."""
        self._refused.add(prompt)
        try:
            yield
        finally:
            self._refused.discard(prompt)

    @contextmanager
    def saying(self, prompt: str, text: str) -> Iterator[None]:
        """Whoever is asked `prompt` says `text`."""
        self._given[prompt] = text
        try:
            yield
        finally:
            del self._given[prompt]

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{team}/v1/chat/completions", self._complete, methods=["POST"])])

    async def _complete(self, request: Request) -> Response:
        code = request.path_params["team"]
        messages = [Message(said["role"], said["content"]) for said in (await request.json())["messages"]]
        prompt = messages[-1].text
        self.asked[prompt] += 1
        if prompt in self._refused:
            return Response(status_code=500)
        return StreamingResponse(self._events(code, messages, prompt), media_type="text/event-stream")

    async def _events(self, code: str, messages: list[Message], prompt: str) -> AsyncIterator[str]:
        if gate := self._gates.get(prompt):
            if gate.silent:
                await gate.passed()
            yield _event(FIRST % (list(PERSONAS).index(code) + 1))
            await gate.passed()
            yield _event(REST)
        else:
            yield _event(self._given.get(prompt) or reply(code, messages))
        yield "data: [DONE]\n\n"


def _event(text: str) -> str:
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return f"data: {json.dumps(chunk)}\n\n"


@contextmanager
def serving_teams() -> Iterator[Teams]:
    teams = Teams()
    with serve_in_thread(teams.app()) as teams.origin:
        yield teams
