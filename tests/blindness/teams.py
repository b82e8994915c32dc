"""Five teams whose words come from one pool and who differ in everything else; run as a module they answer.

They are scripted endpoints in a process of their own, so that neither the arena nor the recorder waits for them.
"""

import asyncio
import itertools
import json
import math
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from arena.rounds.rules import RoundFile
from tests.battles.endpoint import END, Answering, Script, endpoint
from tests.processes import ROOT
from tests.support import RULES

KEY_NAME, KEY = "BLINDNESS_TEAMS_KEY", "key-of-the-teams-9f8e7d6c5b"
FAILS_EVERY = 30
BLOCKS = (
    "먼저 재료를 모두 꺼내 두고, 시간이 오래 걸리는 것부터 차례로 손질해 두면 한결 편해요.",
    "가장 중요한 것은 **불의 세기**예요. 처음에는 세게, 끓기 시작하면 약하게 줄여 주세요.",
    "- 물은 한 컵이면 넉넉해요\n- 소금은 *나중에* 넣어요\n- 뚜껑은 반쯤 열어 두세요",
    "1. 십 분쯤 그대로 둡니다\n2. 가볍게 한 번 저어 줍니다\n3. 맛을 보고 간을 맞춥니다",
    "### 미리 알아 두면 좋은 점\n\n사람마다 입맛이 다르니 처음부터 많이 넣지 마세요.",
    "잘 안 되었을 때는 `처음`으로 돌아가 순서를 하나씩 확인해 보는 것이 가장 빠른 길이에요.",
    "남은 것은 식힌 다음 그릇에 담아 두면 사흘은 맛있게 드실 수 있고, 얼리면 더 오래 가요.",
    "> 서두르지 않는 것이 요령입니다.\n\n익숙해지면 절반의 시간으로도 충분해요.",
    "저는 {name}이라고 해요. 요리를 도와 드리려고 만들어진 모델이니 편하게 물어보세요.",
    "도움이 되었으면 좋겠어요. 더 궁금한 것이 있으면 언제든지 편하게 다시 물어봐 주세요.",
)


def words(chance: random.Random, name: str) -> str:
    """An answer of some 150 to 400 characters; every second one says who gives it, which nobody may see."""
    return "\n\n".join(chance.sample(BLOCKS, chance.randint(4, 7))).format(name=name)


@dataclass(frozen=True, slots=True)
class Team:
    """How a team answers: seconds to the first token at most, characters a second, in an event, and sent at once."""

    code: str
    korean: str
    first_s: float
    a_second: float
    an_event: int
    at_once: int
    fail: Callable[[Answering, str], Awaitable[None]]
    headers: Mapping[str, str] = field(default_factory=dict)
    newline: str = "\n"
    comments: bool = False
    role: bool = True
    reasoning: int = 0
    thought: str = ""
    finish: str | None = "stop"
    usage: bool = False
    done: bool = True

    def event(self, delta: Mapping[str, str], finish: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = {"id": f"chatcmpl-{self.code}", "model": self.code, "system_fingerprint": f"fp_{self.code}"}
        data = json.dumps(chunk | {"choices": [choice]} | more, ensure_ascii=False)
        comment = f": {self.code}\n\nretry: 9\nid: {self.code}\n" if self.comments else ""
        return f"{comment}data: {data}\n\n".replace("\n", self.newline).encode()

    def said(self, text: str) -> bytes:
        cuts = range(0, len(text), self.an_event)
        return b"".join(self.event({"content": text[at : at + self.an_event]}) for at in cuts)


async def refuse(answer: Answering, name: str) -> None:
    await answer.begin("500 Internal Server Error", "application/json", server=name)
    await answer.raw(json.dumps({"error": {"message": name}}).encode())


async def refuse_for_now(answer: Answering, name: str) -> None:
    await answer.begin(f"429 {name}", "text/plain", retry_after="1", set_cookie=f"team={name}")


async def show_a_page(answer: Answering, name: str) -> None:
    await answer.begin(kind="text/html")
    await answer.raw(f"<html><h1>{name} is down</h1></html>".encode())


async def say_an_error(answer: Answering, name: str) -> None:
    await answer.begin()
    await answer.raw(b"data: %b\n\n" % json.dumps({"error": {"message": name}}).encode())


async def break_off(answer: Answering, name: str) -> None:
    await answer.begin(server=name)
    await answer.say("먼저 재료를 모두 꺼내 두고, ")
    await asyncio.sleep(1.5)
    raise ConnectionResetError


AT_ONCE = 100_000
TEAMS = (
    Team("duruminara", "두루미나라", 0.02, math.inf, AT_ONCE, AT_ONCE, refuse, {"connection": "close"}, usage=True),
    Team(
        "hwangsoro", "황소로", 0.7, 170, 1, 1, break_off, {"server": "hwangsoro", "set_cookie": "team=hwangsoro"},
    ),
    Team(
        "beodeulnae", "버들내", 0.3, 300, 4, 60, show_a_page, {"openai_organization": "beodeulnae"},
        newline="\r\n", comments=True, role=False, finish="length",
    ),
    Team("mirinaegol", "미리내골", 0.55, 2000, 7, 7, say_an_error, reasoning=20, done=False),
    Team(
        "solbaramteo", "솔바람터", 0.15, 200, 16, 16, refuse_for_now, {"x_request_id": "solbaramteo"},
        comments=True, thought="<think>나는 솔바람터니까 짧게 답하자.</think>", finish=None, usage=True,
    ),
)  # fmt: skip


def script(team: Team) -> Script:
    """How a team answers; every thirtieth time it fails, in its own way."""
    chance, numbers = random.Random(team.code), itertools.count(1)

    async def answer(answer: Answering) -> None:
        if next(numbers) % FAILS_EVERY:
            await speak(answer, team, words(chance, team.korean), chance)
        else:
            await team.fail(answer, team.code)

    return answer


async def speak(answer: Answering, team: Team, text: str, chance: random.Random) -> None:
    clock = asyncio.get_running_loop().time
    due = clock() + team.first_s * chance.uniform(0.7, 1)
    await begin(answer, team)
    for at in range(0, len(text), team.at_once):
        await asyncio.sleep(due - clock())
        await answer.raw(team.said(text[at : at + team.at_once]))
        due += team.at_once / team.a_second * chance.uniform(0.8, 1.2)
    await end(answer, team)


async def begin(answer: Answering, team: Team) -> None:
    await answer.begin(**team.headers)
    if team.role:
        await answer.raw(team.event({"role": "assistant", "content": ""}))
    for _ in range(team.reasoning):
        await answer.raw(team.event({"reasoning_content": team.korean}))
    if team.thought:
        await answer.raw(team.said(team.thought))


async def end(answer: Answering, team: Team) -> None:
    if team.finish:
        await answer.raw(team.event({}, team.finish))
    if team.usage:
        await answer.raw(team.event({}, choices=[], usage={"completion_tokens": 7}))
    if team.done:
        await answer.raw(END)


def entry(team: Team, origin: str) -> dict[str, object]:
    """The team's entry in a round file."""
    return {
        "team": {"ko": team.korean, "en": f"{team.code.title()} Labs"},
        "model": f"{team.code}-large",
        "base_url": f"{origin}/{team.code}/v1",
        "aliases": [f"{team.korean}봇"],
        "api_key_env": KEY_NAME,
    }


def audited_round(origin: str, pacing: str) -> RoundFile:
    """A round of the five teams, whose entries stand in the order of TEAMS."""
    return RoundFile.model_validate(
        {
            "slug": "audit",
            "title": {"ko": "점검", "en": "Audit"},
            "rules": RULES | {"pacing": pacing},
            "entries": [entry(team, origin) for team in TEAMS],
        }
    )


@contextmanager
def answering_teams() -> Iterator[str]:
    """The origin of the five teams, who answer in a process of their own while the block runs."""
    command = [sys.executable, "-m", "tests.blindness.teams"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    """Prints the origin and answers until it is killed, or whoever started it is gone."""
    scripts = {team.code: script(team) for team in TEAMS}

    async def answer(answer: Answering) -> None:
        await scripts[answer.asked.team](answer)

    with endpoint(answer) as played:
        print(played.origin, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
