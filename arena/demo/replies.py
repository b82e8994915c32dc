"""What a demo team answers: a written answer to a suggestion, or one made of the question's own words."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from arena.demo.arithmetic import solve
from arena.demo.cases import given_text, is_case, keywords, kind_of, locale_of, normal
from arena.demo.personas import PERSONAS
from arena.demo.rewrite import clip, gist, points, shorten

_SENTENCES_KEPT = {"gaon": 2, "nuri": 2, "dasom": 3, "maru": 1, "byeol": 3}
_POINTS = {"gaon": 4, "nuri": 3, "dasom": 5, "maru": 1, "byeol": 4}
_LONGEST_REQUEST = 60  # a longer message is a question of its own, not a wish about the last answer


@dataclass(frozen=True, slots=True)
class Message:
    role: str
    text: str


def reply(code: str, messages: Sequence[Message]) -> str:
    """Team `code`'s Markdown answer to the last message; the same messages get the same answer."""
    asked = messages[-1].text.strip()
    if written := _written(code, asked):
        return written
    texts = _toml("replies.toml")[locale_of(asked)]
    return _by_case(code, texts, asked) or _follow_up(code, texts, messages) or _compose(code, texts, asked)


def _by_case(code: str, texts: Mapping[str, Any], asked: str) -> str | None:
    plain = normal(asked)
    if is_case("crisis", plain):
        return str(texts["crisis"]["all"])
    if is_case("identity", plain) or any(alias in plain for alias in _aliases()):
        return str(texts["identity"][code])
    for case in ("greeting", "thanks"):
        if is_case(case, plain):
            return str(texts[case][code])
    if solved := solve(asked):
        return str(texts["sum"][code]).format(sum=solved[0], value=solved[1])
    return None


def _follow_up(code: str, texts: Mapping[str, Any], messages: Sequence[Message]) -> str | None:
    """Work on a text: the one given in the question, else the conversation's last answer."""
    asked = messages[-1].text.strip()
    plain = normal(asked)
    previous = next((message.text for message in reversed(messages[:-1]) if message.role == "assistant"), "")
    given = given_text(asked)
    for case in ("translate", "summary"):
        if is_case(case, plain[:80] + plain[-40:]) and (given or not previous):
            return _on_text(texts[case if given else "no_text"][code], given)
    if not previous or len(asked) > _LONGEST_REQUEST:
        return None
    if is_case("translate", plain):
        return _on_text(texts["translate"][code], previous)
    if is_case("shorter", plain):
        return _shorter(code, previous)
    for case in ("example", "more"):
        if is_case(case, plain):
            lines = _further(messages, case, locale_of(asked))
            return _extend(code, texts[case]["intro"][code], lines or _about(texts[case]["lines"], previous))
    return None


def _on_text(template: str, text: str) -> str:
    return template.format(gist=clip(" ".join(gist(text, 2)) or text, 400))


def _shorter(code: str, previous: str) -> str:
    kept = shorten(previous, _SENTENCES_KEPT[code], skip=1 if code == "nuri" else 0)
    if code in ("gaon", "dasom") and len(kept) > 1:
        return "\n".join(f"- {line}" for line in kept)
    return " ".join(kept)


def _further(messages: Sequence[Message], case: str, locale: str) -> list[str]:
    """Lines written to follow the answer to a suggestion, where the conversation is about one of that locale."""
    asked = (normal(message.text) for message in reversed(messages) if message.role == "user")
    identifier = next((_suggested()[plain] for plain in asked if plain in _suggested()), "")
    return _toml("further.toml")[identifier][case] if identifier.startswith(f"{locale}-") else []


def _about(templates: Sequence[str], previous: str) -> list[str]:
    found = points(previous, len(templates))
    return [template.format(point=point) for template, point in zip(templates, found, strict=False)]


def _extend(code: str, intro: str, lines: Sequence[str]) -> str:
    if code == "maru":
        return intro
    if code == "nuri":
        return f"{intro} {' '.join(lines)}"
    kept = lines if code == "dasom" else lines[:2]
    marks = [f"{number}. " if code == "byeol" else "- " for number in range(1, len(kept) + 1)]
    return "\n".join([intro, "", *map(str.__add__, marks, kept)])


def _compose(code: str, texts: Mapping[str, Any], asked: str) -> str:
    """A way to approach an open question: an opening, points of its kind and a closing, picked by its hash."""
    plain = normal(asked)
    seed = sha256(f"{code}\0{plain}".encode()).digest()
    words = keywords(asked)
    if not words:
        return str(texts["unclear"][code])
    fill = {"words": ", ".join(words)}

    bank: list[list[str]] = texts["kinds"][kind_of(plain)]
    chosen = sorted(range(len(bank)), key=lambda index: seed[index + 2])[: _POINTS[code]]
    picked = [bank[index] for index in sorted(chosen)]

    openings, closings = texts["open"][code], texts["close"][code]
    opening = openings[seed[0] % len(openings)].format(**fill)
    closing = closings[seed[1] % len(closings)].format(**fill)
    return "\n\n".join(part for part in (opening, _body(code, texts["steps"], picked), closing) if part)


def _body(code: str, steps: Mapping[str, str], picked: Sequence[Sequence[str]]) -> str:
    if code == "gaon":
        return "\n".join(f"- **{title}**: {text}" for title, text in picked)
    if code == "byeol":
        return "\n".join(f"{number}. {title}. {text}" for number, (title, text) in enumerate(picked, 1))
    if code == "dasom":
        return _tabled(steps, picked[:2], picked[2:])
    return " ".join(text for _, text in picked)


def _tabled(steps: Mapping[str, str], todo: Sequence[Sequence[str]], checks: Sequence[Sequence[str]]) -> str:
    numbered = [f"{number}. **{title}** — {text}" for number, (title, text) in enumerate(todo, 1)]
    rows = [f"| **{title}** | {text} |" for title, text in checks]
    table = [f"| {steps['columns']} |", "|---|---|", *rows]
    parts = [f"### {steps['heading']}", "\n".join(numbered), f"### {steps['check']}", "\n".join(table)]
    return "\n\n".join([*parts, steps["example"], steps["pitfall"]])


@cache
def _aliases() -> tuple[str, ...]:
    return tuple(alias.casefold() for persona in PERSONAS.values() for alias in persona.aliases)


@cache
def _toml(name: str) -> Mapping[str, Any]:
    return tomllib.loads(files("arena.demo").joinpath(name).read_text("utf-8"))


@cache
def _suggested() -> Mapping[str, str]:
    """Ids of suggestions, by normalised text."""
    listed = tomllib.loads(files("arena.rounds").joinpath("suggestions.toml").read_text("utf-8"))
    return {normal(item["text"]): item["id"] for item in listed["suggestion"]}


def _written(code: str, asked: str) -> str | None:
    identifier = _suggested().get(normal(asked))
    if identifier is None:
        return None
    answers = _toml(f"answers/{identifier[:2]}.toml")
    return str(answers[identifier][code]).strip()
