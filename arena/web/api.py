"""What all routes under /api/v1 share: slugs, RFC 9457 problems, answers with an ETag."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import BaseModel
from starlette.responses import Response

Slug = Annotated[str, Path(pattern="^[a-z0-9-]+$", max_length=64, examples=["stage-1"])]

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "unchanged since the given ETag"}}


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str


def problems(meanings: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """How the OpenAPI document shows statuses that are answered with a problem."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"description": text, "content": content} for status, text in meanings.items()}


def tagged(request: Request, content: bytes, media_type: str, cache: str) -> Response:
    """Content with a strong ETag; 304 when the caller has it already."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": cache}
    given = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if etag in given or "*" in given:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
