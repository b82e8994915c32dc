"""What a question asks of a demo team: its case, its kind, its key words and the text it brings along."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

_GIVEN = re.compile(r"(?:[:：]\s+|\n)(?P<after>\S.*)|[\"“‘'](?P<quoted>.{8,})[\"”’']", re.DOTALL)
_JAMO = re.compile(r"[\u3130-\u318f]")
_WORD = re.compile(r"\w+(?:[-'’]\w+)*")


def normal(text: str) -> str:
    """A question in the form cases are told by: NFKC, case-folded, single spaces, no closing punctuation."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split()).rstrip(" .!?~。")


def locale_of(text: str) -> str:
    """`ko` where there is any Hangul, else `en`."""
    return "ko" if re.search(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]", text) else "en"


def is_case(case: str, plain: str) -> bool:
    """Whether a normalised question is of a case of `cases.toml`, such as `greeting`."""
    return bool(_patterns("patterns")[case].search(plain))


def kind_of(plain: str) -> str:
    """The kind of an open question: write, choose, plan, why, how, or general."""
    return next((kind for kind, pattern in _patterns("kinds").items() if pattern.search(plain)), "general")


def given_text(asked: str) -> str:
    """The text a question brings along: after a colon or a line break, or in quotation marks; else empty."""
    found = _GIVEN.search(asked)
    return (found["after"] or found["quoted"]).strip("\"“”‘’' ") if found else ""


def keywords(asked: str) -> list[str]:
    """Up to three words of the question that say what it is about, without Korean particles."""
    particle, verb, stop = _words()
    found: dict[str, None] = {}
    for word in _WORD.findall(asked):
        stem = particle.sub("", word)
        empty = len(word) == 1 or len(stem) > 24 or _JAMO.match(word) or verb.search(word)
        if not empty and not {word.casefold(), stem.casefold()} & stop:
            found[stem] = None
    return list(found)[:3]


@cache
def _cases() -> dict[str, Any]:
    return tomllib.loads(files("arena.demo").joinpath("cases.toml").read_text("utf-8"))


@cache
def _patterns(table: str) -> dict[str, re.Pattern[str]]:
    return {case: re.compile("|".join(alternatives)) for case, alternatives in _cases()[table].items()}


@cache
def _words() -> tuple[re.Pattern[str], re.Pattern[str], frozenset[str]]:
    def ending(words: Iterable[str]) -> str:
        return f"(?:{'|'.join(words)})$"

    words = {name: text.split() for name, text in _cases()["words"].items()}
    particles = ending(words["particles"])
    # After a single syllable only an object's particle is safe to take off: 길을, but 나이 and 사과 are whole.
    particle = re.compile(rf"(?<=[가-힣]{{2}}){particles}|(?<=[A-Za-z\d]){particles}|(?<=[가-힣])[을를]$")
    return particle, re.compile(f"(?<=[가-힣]){ending(words['verbs'])}"), frozenset(words["stop"])
