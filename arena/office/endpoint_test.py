"""A question of an operator's own to one entry, asked as citizens' are: how it answers, and what would leak.

Nothing of it is stored but times and counts on the trail: no battle, no breaker and no ledger knows of it.
"""

import asyncio
import fcntl
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlmodel import Session

from arena.battles.gateway import GOOD, Ending, Endpoint, Gateway, Message
from arena.battles.health import speed
from arena.battles.masking import Masker
from arena.battles.queries import MARKS, endpoint_of
from arena.errors import N_, LimitError
from arena.office.round_acts import refused
from arena.rounds.queries import rules_of
from arena.rounds.rules import Deadlines, Rules
from arena.rounds.tables import Round
from arena.teams.addresses import in_clear
from arena.teams.queries import NamedEntry, entries_of, entry, giveaways, is_anothers_key

LONGEST_S: Final = 120.0
SHOWN: Final = 20_000
"""Characters of an answer, and of its thoughts, that a page shows."""
GREETING: Final = N_("Hello! Please greet me in one sentence.")
WHO_ARE_YOU: Final = N_("Who are you, and which company made you?")
ONE_AT_A_TIME: Final = N_("A test of yours is running. Please wait until it has ended.")

_GENERIC: Final = frozenset({
    "ai", "arena", "base", "beta", "bot", "chat", "code", "coder", "demo", "dev", "dpo", "exp", "fast", "fp", "free",
    "full", "gguf", "gpt", "gptq", "awq", "hf", "inst", "instruct", "int", "it", "large", "latest", "light", "lite",
    "llm", "main", "max", "medium", "mini", "model", "moe", "nano", "new", "next", "omni", "open", "plus", "preview",
    "pro", "prod", "public", "rl", "sft", "small", "standard", "stable", "team", "test", "the", "think", "thinking",
    "tiny", "turbo", "ultra", "vision", "vl", "xl", "xs", "모델", "팀", "인공지능", "주식회사", "컨소시엄", "그룹",
    "연구소",
})  # fmt: skip
_WORDS: Final = re.compile(r"[^\W\d_]{2,}")
_SENTENCES: Final = ("저는 {}입니다.", "I am {}, a language model.", "{}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is tested: an entry of a round, with all names that no answer of the round may show.

    `own_key`: no other team sends the key to another host.
    """

    named: NamedEntry
    endpoint: Endpoint
    rules: Rules
    names: tuple[str, ...]
    own_key: bool

    def check(self, allow: Sequence[str]) -> None:
        """Looks up the host; raises ArenaErrors where the key would go to whom it does not belong."""
        if not self.own_key:
            raise refused("anothers_key")
        if self.endpoint.api_key_env and in_clear(self.endpoint.base_url, allow):
            raise refused("in_clear")


@dataclass(frozen=True, slots=True)
class Trial:
    """How an entry answered a question. Times in seconds; `seen` is what citizens would read of `raw`."""

    entry: str
    question: str
    ending: Ending
    first_token_s: float | None
    total_s: float
    raw: str
    seen: str
    names: int
    thoughts: str

    @property
    def good(self) -> bool:
        return self.ending in GOOD

    @property
    def characters_a_second(self) -> float | None:
        first = None if self.first_token_s is None else 1000 * self.first_token_s
        return speed(len(self.raw), first, 1000 * self.total_s)

    def facts(self) -> dict[str, Any]:
        """For the trail: no word of the answer."""
        first = None if self.first_token_s is None else round(self.first_token_s * 1000)
        return {
            "entry": self.entry,
            "ending": self.ending,
            "good": self.good,
            "first_token_ms": first,
            "total_ms": round(self.total_s * 1000),
            "characters": len(self.raw),
            "names": self.names,
            "hidden": len(self.thoughts),
        }


def subject(session: Session, round_: Round, named: NamedEntry) -> Subject:
    endpoint, names = endpoint_of(session, named.id), (named.name_ko, named.name_en)
    own_key = not is_anothers_key(session, names, endpoint.api_key_env, endpoint.base_url)
    return Subject(named, endpoint, rules_of(round_), giveaways(session, round_.id or 0), own_key)


def subjects(session: Session, round_: Round) -> list[Subject]:
    return [subject(session, round_, named) for named in entries_of(session, round_.id or 0)]


async def try_out(subject: Subject, questions: Sequence[str], allow: Sequence[str], locale: str) -> list[Trial]:
    """Asks one entry all questions at the same time."""
    gateway = Gateway(allow)
    try:
        return await asyncio.gather(*(_try(gateway, subject, question, locale) for question in questions))
    finally:
        await gateway.close()


async def try_all(every: Sequence[Subject], question: str, allow: Sequence[str], locale: str) -> list[Trial]:
    """Asks all entries one question at the same time."""
    gateway = Gateway(allow)
    try:
        return await asyncio.gather(*(_try(gateway, each, question, locale) for each in every))
    finally:
        await gateway.close()


async def _try(gateway: Gateway, subject: Subject, question: str, locale: str) -> Trial:
    began = time.monotonic()
    pieces: list[str] = []
    thoughts: list[str] = []
    first: float | None = None

    def take(text: str) -> None:
        nonlocal first
        first = time.monotonic() - began if first is None else first
        pieces.append(text)

    asked = (Message("user", question),)
    within = deadlines(subject.rules)
    ending = await gateway.stream(subject.endpoint, asked, subject.rules.answer, within, take, thoughts.append)
    total, raw = time.monotonic() - began, "".join(pieces)
    seen, names = Masker(subject.names, subject.rules.identity_allow).masked(raw, MARKS[locale])
    return Trial(subject.named.code, question, ending, first, total, raw, seen, names, "".join(thoughts))


def deadlines(rules: Rules) -> Deadlines:
    """Those of the round, but no test lasts longer than two minutes."""
    return rules.deadlines.model_copy(update={"total_s": min(rules.deadlines.total_s, LONGEST_S)})


def uncovered(session: Session, entry_id: int, round_: Round) -> tuple[str, ...]:
    """Words of an entry's team and model that an answer could say without being masked."""
    found = entry(session, entry_id)
    named = next(each for each in entries_of(session, round_.id or 0) if each.id == entry_id)
    masker = Masker(giveaways(session, round_.id or 0), rules_of(round_).identity_allow)
    words = dict.fromkeys(
        word
        for text in (named.name_ko, named.name_en, found.model)
        for word in _WORDS.findall(text)
        if word.casefold() not in _GENERIC
    )
    return tuple(word for word in words if not _is_masked(masker, word))


def _is_masked(masker: Masker, word: str) -> bool:
    return any(masker.masked(sentence.format(word), "")[1] for sentence in _SENTENCES)


@contextmanager
def one_at_a_time(data_dir: Path, who: str) -> Iterator[None]:
    """Holds a lock that ends with the process, so that nobody runs two tests at once. Raises LimitError."""
    folder = data_dir / "tests"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{who}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LimitError(ONE_AT_A_TIME, code="test_running", retry_after_s=10) from None
        yield
