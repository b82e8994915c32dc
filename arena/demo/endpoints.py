"""Demo teams as OpenAI-compatible endpoints: `/{team}/v1/chat/completions` and `/{team}/v1/models`.

Errors have OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`.
"""

import asyncio
import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Literal
from uuid import uuid4

import uvicorn
from pydantic import BaseModel, Field, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from arena.demo.personas import PERSONAS, Persona, tokens
from arena.demo.replies import Message, reply

_MAX_BODY = 1 << 20


class _TextPart(BaseModel):
    type: Literal["text"]
    text: str


class _ChatMessage(BaseModel):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_TextPart]

    def plain(self) -> Message:
        content = self.content
        text = content if isinstance(content, str) else "".join(part.text for part in content)
        return Message(self.role, text)


class _ChatRequest(BaseModel, strict=True):
    model: Annotated[str, Field(min_length=1, max_length=200)]
    messages: Annotated[list[_ChatMessage], Field(min_length=1, max_length=200)]
    stream: bool = False
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None


def demo_app(*, speed: float = 1.0) -> Starlette:
    """The five demo teams; every pause is divided by `speed`, so a very large one answers at once."""

    async def complete(request: Request) -> Response:
        persona = _team(request)
        asked = _parse(await _body(request))
        text = reply(persona.code, [message.plain() for message in asked.messages])
        pieces = tokens(text)
        kept = pieces[: asked.max_tokens]
        finish = "stop" if len(kept) == len(pieces) else "length"
        pauses = (persona.pause(text, index) / speed for index in range(len(kept)))
        if asked.stream:
            events = _events(asked.model, kept, finish, pauses)
            return StreamingResponse(events, media_type="text/event-stream", headers={"cache-control": "no-cache"})
        await _pause(request, sum(pauses))
        return JSONResponse(_completion(asked, kept, finish))

    routes = [
        Route("/{team}/v1/chat/completions", complete, methods=["POST"]),
        Route("/{team}/v1/models", _models, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: _error})


@contextmanager
def serve_in_thread(app: Starlette, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serves `app` beside the caller while the block runs; gives its origin, such as `http://127.0.0.1:9101`.

    Port 0 takes a free one. Leaving the block cuts open streams. OSError when the port is taken.
    """
    with socket.create_server((host, port)) as listener:
        config = uvicorn.Config(app, lifespan="off", access_log=False, log_config=None, timeout_graceful_shutdown=1)
        server = _Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="demo-teams", daemon=True)
        thread.start()
        try:
            yield f"http://{host}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cuts what is still open first: a stopping demo owes nobody the rest of an answer."""
        for connection in self.server_state.connections:
            connection.transport.abort()
        await super().shutdown(sockets)


def _team(request: Request) -> Persona:
    code = request.path_params["team"]
    if code not in PERSONAS:
        raise HTTPException(404, "There is no such team.")
    return PERSONAS[code]


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                raise HTTPException(413, f"The request is larger than {_MAX_BODY} bytes.")
    except ClientDisconnect:
        raise HTTPException(400, "The request was cut short.") from None
    return bytes(body)


def _parse(body: bytes) -> _ChatRequest:
    try:
        asked = _ChatRequest.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in fault["loc"]) or "body"
        raise HTTPException(400, f"{where}: {fault['msg']}") from None
    if asked.messages[-1].role != "user" or not asked.messages[-1].plain().text.strip():
        raise HTTPException(400, "messages: the last one must be a user's, with a text.")
    return asked


async def _pause(request: Request, seconds: float) -> None:
    """Waits as long as a streamed answer would have taken, or until the client leaves."""
    left = asyncio.create_task(_gone(request))
    gone, _ = await asyncio.wait({left}, timeout=seconds)
    left.cancel()
    if gone:
        raise HTTPException(400, "The request was cut short.")


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _events(model: str, pieces: list[str], finish: str, pauses: Iterator[float]) -> AsyncIterator[str]:
    head = {"id": f"chatcmpl-{uuid4().hex}", "object": "chat.completion.chunk", "created": int(time.time())}

    def event(delta: dict[str, str], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return f"data: {json.dumps(head | {'model': model, 'choices': [choice]}, ensure_ascii=False)}\n\n"

    yield event({"role": "assistant", "content": ""})
    for piece, pause in zip(pieces, pauses, strict=True):
        await asyncio.sleep(pause)
        yield event({"content": piece})
    yield event({}, finish)
    yield "data: [DONE]\n\n"


def _completion(asked: _ChatRequest, pieces: list[str], finish: str) -> dict[str, object]:
    prompt = sum(len(tokens(message.plain().text)) for message in asked.messages)
    message = {"role": "assistant", "content": "".join(pieces)}
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": len(pieces),
            "total_tokens": prompt + len(pieces),
        },
    }


async def _models(request: Request) -> Response:
    persona = _team(request)
    model = {"id": persona.model, "object": "model", "created": 0, "owned_by": persona.code}
    return JSONResponse({"object": "list", "data": [model]})


async def _error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    fault = {"message": error.detail, "type": "invalid_request_error", "param": None, "code": None}
    return JSONResponse({"error": fault}, status_code=error.status_code, headers=error.headers)
