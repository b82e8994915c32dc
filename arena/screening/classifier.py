"""A classifier that judges prompts: OpenAI's form of moderation, at an address of the operator's choice.

What it answers is not trusted: read to a limit, within a deadline, and understood or refused as a whole. Nothing of a
prompt gets into an error or a log.
"""

import asyncio
import json
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx

from arena.screening.findings import Finding, Level, category_of, gravest
from arena.screening.rules import Threshold
from arena.settings import Settings

DEADLINE_S = 3.0
AT_ONCE: Final = 32
PATIENCE_S = 6.0
"""How long a prompt waits for its turn when so many are being judged."""
MAX_ANSWER: Final = 64 * 1024
MAX_CATEGORIES: Final = 100


class ClassifierDownError(Exception):
    """It did not answer in time, or what it said could not be understood. Holds nothing of the prompt."""


class NotTakenError(Exception):
    """It is up and refused this very prompt, say as too long. Holds nothing of the prompt."""


class Classifier:
    """Connections for the whole process; use it in one event loop."""

    def __init__(self, url: str, model: str, key: str) -> None:
        self._url = url
        self._model = {"model": model} if model else {}
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=DEADLINE_S,
            follow_redirects=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
        )
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def findings(self, text: str, thresholds: Mapping[str, Threshold]) -> tuple[Finding, ...]:
        """What it finds in a text, each category at its gravest. Raises ClassifierDownError and NotTakenError."""
        await self._turn()
        try:
            answer = await self._answer(text)
        finally:
            self._turns.release()
        return judged(answer, thresholds)

    async def _turn(self) -> None:
        """Waits outside of the deadline, so that being many does not look like being slow."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._turns.acquire()
        except TimeoutError:
            raise ClassifierDownError("too many at once") from None

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _answer(self, text: str) -> bytes:
        body = json.dumps(self._model | {"input": text}).encode()
        try:
            async with asyncio.timeout(DEADLINE_S):
                async with self._client.stream("POST", self._url, content=body, headers=_JSON) as answer:
                    return await _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            raise ClassifierDownError(type(error).__name__) from None


_OF_THE_ARENA: Final = (401, 403, 429)
"""Refusals of whoever asks, not of what was asked."""
_JSON: Final = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


async def _read(answer: httpx.Response) -> bytes:
    """The body as it was sent: compressed ones are never unpacked, and are then no JSON."""
    if 400 <= answer.status_code < 500 and answer.status_code not in _OF_THE_ARENA:
        raise NotTakenError(f"status {answer.status_code}")
    if answer.status_code != 200:
        raise ClassifierDownError(f"status {answer.status_code}")
    body = b""
    async for data in answer.aiter_raw():
        body += data
        if len(body) > MAX_ANSWER:
            raise ClassifierDownError("too long")
    return body


def judged(answer: bytes, thresholds: Mapping[str, Threshold]) -> tuple[Finding, ...]:
    """What an answer finds, by the thresholds. Raises ClassifierDownError when it is not of the expected form."""
    flags, scores = _understood(answer)
    found: dict[str, list[Finding]] = {}
    for name in {**scores, **flags}:
        if level := _level(thresholds.get(name), flags.get(name, False), scores.get(name, 0.0)):
            category = category_of(name)
            found.setdefault(category, []).append(Finding("classifier", category, level))
    return tuple(worst for findings in found.values() if (worst := gravest(findings)))


def _level(threshold: Threshold | None, flagged: bool, score: float) -> Level | None:
    if threshold is None:
        return "log" if flagged else None
    return threshold.level if threshold.level != "off" and score >= threshold.at else None


def _understood(answer: bytes) -> tuple[dict[str, bool], dict[str, float]]:
    try:
        (result,) = json.loads(answer)["results"]
        flags, scores = result["categories"], result["category_scores"]
        known = isinstance(flags, dict) and isinstance(scores, dict) and len({*flags, *scores}) <= MAX_CATEGORIES
    except (ValueError, KeyError, TypeError, RecursionError):
        known = False
    if not known or not all(_is_flag(f) for f in flags.values()) or not all(_is_score(s) for s in scores.values()):
        raise ClassifierDownError("not understood")
    return {name: bool(flag) for name, flag in flags.items()}, {name: float(score) for name, score in scores.items()}


def _is_flag(value: Any) -> bool:
    """Categories that a model does not judge may be null."""
    return value is None or isinstance(value, bool)


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def classifier_of(settings: Settings) -> Classifier | None:
    """None when no address is set. Make it in the event loop that uses it."""
    if not settings.classifier_url:
        return None
    key = settings.classifier_key
    return Classifier(settings.classifier_url, settings.classifier_model, key.get_secret_value() if key else "")
