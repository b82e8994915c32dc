"""Sets of names as a round would have them, and lines of answers to measure masking on.

A corpus is two files of `corpus/`, leaks and innocents: an answer a line, of a model that goes by one set of names.
"""

import csv
import html
import re
import sys
import tomllib
import unicodedata
from functools import cache
from pathlib import Path
from typing import NamedTuple

from arena.battles.masking import Masker

CORPUS = Path(__file__).parent / "corpus"
MARK = "[모델]"
PIECES = (1, 2, 3, 4)

_TABLES: dict[str, dict[str, list[str]]] = tomllib.loads((CORPUS / "names.toml").read_text("utf-8"))
NAMES = _TABLES["aliases"]
FIRST_NAMES = _TABLES["first_aliases"]
ALLOW = _TABLES["allow"]

_ESCAPE = re.compile(r"\\(n|t|\\|u[0-9a-f]{4})")
_LOOK_ALIKES = dict(
    zip("АВЕІКМНОРСТХаеіорсухΑΒΕΖΗΙΚΜΝΟΡΤΥΧανο", "ABEIKMHOPCTXaeiopcyxABEZHIKMNOPTYXavo", strict=True)
)


class Line(NamedTuple):
    """An answer, where it stands, and the set of names that its model goes by."""

    place: str
    names: str
    text: str


def decoded(escaped: str) -> str:
    return _ESCAPE.sub(lambda escape: str(escape[0]).encode().decode("unicode_escape"), escaped)


def lines(file: str) -> list[Line]:
    with (CORPUS / file).open(encoding="utf-8", newline="") as rows:
        table = csv.DictReader(rows, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Line(f"{file}:{table.line_num}", row["names"], decoded(row["text"])) for row in table]


@cache
def masker(names: str) -> Masker:
    return Masker(NAMES[names], ALLOW.get(names, ()))


def streamed(line: Line, width: int) -> str:
    stream = masker(line.names).stream(MARK)
    pieces = [stream.push(line.text[at : at + width]) for at in range(0, len(line.text), width)]
    return "".join(pieces) + stream.finish()


def shown(line: Line) -> set[str]:
    """What readers see, in one piece and streamed: one text, if masking does not depend on where it is cut."""
    whole, _ = masker(line.names).masked(line.text, MARK)
    return {whole, *(streamed(line, width) for width in PIECES)}


def _choseong(jongseong: str) -> str:
    """The same consonant at a syllable's beginning, so that syllables equal their letters written apart."""
    try:
        return unicodedata.lookup(unicodedata.name(jongseong).replace("JONGSEONG", "CHOSEONG"))
    except KeyError:
        return jongseong


_FOLDED = str.maketrans(_LOOK_ALIKES | {chr(code): _choseong(chr(code)) for code in range(0x11A8, 0x11C3)})


def letters(text: str) -> str:
    """What a reader who is looking for a name might see: letters and digits alone, look-alikes made equal."""
    apart = unicodedata.normalize("NFKD", html.unescape(text))
    return "".join(filter(str.isalnum, apart)).translate(_FOLDED).casefold()


def tells(line: Line, text: str) -> bool:
    """Whether a reader may see one of the line's names in what is shown of it."""
    seen = letters(text)
    return any(letters(alias) in seen for alias in NAMES[line.names])


def leaking(corpus: list[Line]) -> list[str]:
    return [line.place for line in corpus if any(tells(line, output) for output in shown(line))]


def touched(corpus: list[Line]) -> list[str]:
    return [line.place for line in corpus if shown(line) != {line.text}]


def share(what: str, failed: list[str], of: int) -> float:
    sys.stdout.write(f"{what}: {len(failed)} of {of} lines {failed}\n")
    return len(failed) / of
