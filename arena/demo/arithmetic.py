"""Sums in a question, in Korean or English: found, parsed and worked out exactly, without `eval`."""

import re
from fractions import Fraction

_WORDS = {
    "더하기": "+", "빼기": "-", "곱하기": "*", "나누기": "/", "의": "*",
    "plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/", "of": "*",
    "×": "*", "·": "*", "÷": "/", "−": "-", "퍼센트": "%", "percent": "%", "^": "**",
}  # fmt: skip
_WORD = re.compile("|".join(rf"\b{w}\b" if w.isascii() and w.isalpha() else re.escape(w) for w in _WORDS))
_SUM = re.compile(r"[-(]*\d[\d.\s+*/()%-]*[\d)%]")
_TOKEN = re.compile(r"\d+(?:\.\d+)?|\*\*|[-+*/()%]")
_AROUND = re.compile(
    r"[\s?!.=,]|얼마|계산|결과|답|값|몇|은|는|을|를|이|가|해|줘|주세요|알려|좀|인가요|이에요|예요|야|일까요"
    r"|\b(?:what's|whats|what|is|calculate|compute|how|much|the|result|equals|please|can|you|tell|me)\b"
)
_MAX_DIGITS = 40
_MAX_VALUE = 10**40


class _NotASumError(Exception):
    pass


def solve(question: str) -> tuple[str, str] | None:
    """The sum asked for and its value (`"12*3"`, `"36"`), or None when the question is not just a sum."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", question.casefold())
    text = _WORD.sub(lambda word: f" {_WORDS[word[0]]} ", text)
    found = _SUM.search(text)
    if not found or _AROUND.sub("", text[: found.start()] + text[found.end() :]):
        return None
    parts = _TOKEN.findall(found[0])
    if "".join(parts) != re.sub(r"\s", "", found[0]) or not set(parts) & {"+", "-", "*", "/", "**"}:
        return None
    try:
        value = _Parser(parts).value()
        if abs(value) > _MAX_VALUE:
            return None
    except (_NotASumError, ZeroDivisionError):
        return None
    return _shown(parts), _written(value)


class _Parser:
    """Recursive descent over `+ - * / ** % ( )`; sizes are bounded so that no sum is costly."""

    def __init__(self, parts: list[str]) -> None:
        if len(parts) > 60:
            raise _NotASumError
        self._parts = parts[::-1]

    def value(self) -> Fraction:
        value = self._terms()
        if self._parts:
            raise _NotASumError
        return value

    def _next(self, *wanted: str) -> str | None:
        return self._parts.pop() if self._parts and self._parts[-1] in wanted else None

    def _terms(self) -> Fraction:
        value = self._factors()
        while sign := self._next("+", "-"):
            value = value + self._factors() if sign == "+" else value - self._factors()
        return value

    def _factors(self) -> Fraction:
        value = self._signed()
        while sign := self._next("*", "/"):
            value = value * self._signed() if sign == "*" else value / self._signed()
        return value

    def _signed(self) -> Fraction:
        return -self._signed() if self._next("-") else self._power()

    def _power(self) -> Fraction:
        base = self._atom()
        if not self._next("**"):
            return base
        exponent = self._signed()
        if exponent.denominator != 1 or abs(exponent) > 64 or max(base.numerator, base.denominator) > 10**6:
            raise _NotASumError
        return base ** int(exponent)

    def _atom(self) -> Fraction:
        if self._next("("):
            value = self._terms()
            if not self._next(")"):
                raise _NotASumError
        elif self._parts and self._parts[-1][0].isdigit() and len(self._parts[-1]) <= _MAX_DIGITS:
            value = Fraction(self._parts.pop())
        else:
            raise _NotASumError
        while self._next("%"):
            value /= 100
        return value


def _shown(parts: list[str]) -> str:
    signs = {"*": " × ", "/": " ÷ ", "+": " + ", "-": " − ", "**": "^"}
    return "".join(signs.get(part, part) for part in parts).strip()


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return f"{int(value):,}"
    places = next((places for places in range(1, 7) if 10**places % value.denominator == 0), None)
    whole, part = divmod(round(abs(value) * 10 ** (places or 6)), 10 ** (places or 6))
    text = f"{'-' if value < 0 else ''}{whole:,}.{part:0{places or 6}}"
    return text if places else f"≈ {text}"
