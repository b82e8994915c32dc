"""One question put to an endpoint through a gateway of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from arena.battles.gateway import Endpoint as Address
from arena.battles.gateway import Gateway, Message
from arena.rounds.rules import AnswerRules, Deadlines
from tests.battles.endpoint import Endpoint

T = TypeVar("T")
RULES = AnswerRules(max_tokens=64, temperature=0.5, system_prompt="")
PATIENT = Deadlines(first_token_s=20, idle_s=20, total_s=30)
LOOPBACK = ("127.0.0.0/8",)
HASTY = Deadlines(first_token_s=0.3, idle_s=0.3, total_s=20)
QUESTION = (Message("user", "안녕?"),)


def address(team: Endpoint, **values: Any) -> Address:
    return Address(
        **{"base_url": f"{team.origin}/team/v1", "model": "m", "api_key_env": None, "extra_body": {}} | values
    )


def with_gateway(use: Callable[[Gateway], Awaitable[T]], allow: Sequence[str] = LOOPBACK) -> T:
    async def run() -> T:
        gateway = Gateway(allow)
        try:
            return await use(gateway)
        finally:
            await gateway.close()

    return asyncio.run(run())


def answered(
    to: Address, deadlines: Deadlines = PATIENT, *, allow: Sequence[str] = LOOPBACK
) -> tuple[str, list[str]]:
    """How an answer ended, and the pieces of its text."""
    pieces: list[str] = []
    ending = with_gateway(lambda gateway: gateway.stream(to, QUESTION, RULES, deadlines, pieces.append), allow)
    return ending, pieces
