"""What stands around a name in Korean and English text: endings, innocent phrases, signs of self-naming.

The words are in masking.toml. All texts here are shapes (`lettering.shape`), short windows beside a name. A function
that gets `settled=False` has not seen the whole window yet.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from importlib.resources import files
from itertools import product
from typing import Any

from arena.battles.lettering import JAMO, shape

Contexts = dict[str, list[tuple[str, str]]]

_DATA: dict[str, Any] = tomllib.loads(files("arena.battles").joinpath("masking.toml").read_text("utf-8"))
_STOP = re.compile(r"[!?。\n]|\.(?=\s)")
_ADDRESS = re.compile(r"(?:@|://|www\.)[a-z0-9_.-]*$")
_ADDRESS_ENDS = re.compile(r"[a-z0-9_-]*(?:@|\.(?:com|co|ai|kr|net|io|org)[^a-z])")
_PAST_ADDRESS = re.compile(r"[^a-z0-9_.-]")
_MODEL_ID = re.compile(
    r"-?v?[0-9]|[a-z]*/[^ ]*[0-9]| ?[0-9.]+b[^a-z]| [0-9]\.[0-9][^0-9a-z% ]"
    r"|-(?:pro|mini|nano|light|large|base|chat|instruct|think|vision|preview)[^a-z]"
)
_SEPARATORS = re.compile(r"[ \-*_~`]+")
_SYLLABLE = re.compile("[\u1100-\u1112][\u1161-\u1175]")
_NEAR = 80  # letters: longer than what stands on one side of a name in a phrase
_KEY = 3  # letters of a right side by which contexts are looked up
_PHRASE_END_SIZE = 3
_BESIDE_SIZE = 40  # letters: longer than any label with its punctuation
_PHRASE_END = re.compile("s?(?![a-z])(?![\u1100-\u1112](?![\u1161-\u1175]))")  # no half word, no half syllable


def _shapes(words: Iterable[str]) -> list[str]:
    """Patterns for words, longest first; a space in a word may be missing."""
    shapes = sorted({shape(word) for word in words}, key=len, reverse=True)
    return [re.escape(word).replace(r"\ ", " ?") for word in shapes]


def _one_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(_shapes(words))})"


def _whole(pattern: str) -> str:
    """A Hangul word may go on, a Latin one may not."""
    return pattern + "(?![a-z])" * pattern.isascii()


def _words(key: str) -> str:
    """A pattern for a list's words where a word begins. The first letter comes first, which makes searching fast."""
    shapes, choices = _shapes(_DATA[key]), []
    for first in sorted({pattern[0] for pattern in shapes}):
        letter = "[a-z]" if first.isascii() else f"[{JAMO}]"
        rests = "|".join(_whole(pattern)[1:] for pattern in shapes if pattern[0] == first)
        choices.append(f"{first}(?<!{letter}{first})(?:{rests})")
    return f"(?:{'|'.join(choices)})"


_SPEAKER = re.compile(_words("speakers"))
_SPEAKER_BESIDE = re.compile(rf"(?<![{JAMO}]){shape('저')},? $")
_SPEAKER_BEHIND = re.compile(_words("speakers_behind"))
_SPEAKS_ON = re.compile("[a-z0-9],? i[ '’]")
_MAKER = re.compile(_words("makers"))
_NO_MAKER = re.compile(_one_of(_DATA["no_makers"]))
_IDENTITY = re.compile(_words("identities"))
_OTHERS = re.compile(_words("others"))
_COMPARISON = re.compile(_words("comparisons"))
_NEGATION = re.compile(_words("negations"))
_COPULA = re.compile(rf"[{JAMO}a-z0-9][\"'’”)*`]*{_one_of(_DATA['copulas'])}(?!{shape('기')})")
_ALONE = re.compile(rf"{_COPULA.pattern}[{JAMO}]{{0,6}}\W*$")
_COMPLEMENT = re.compile(rf"{_words('complements')} ?[\"'‘“*`]*$")
_COMPLETE = re.compile(r"[a-z0-9][\"'’”*`]*(?:[^\w\s]| (?:and|by|from|but|so|not|an?|the)\b|\s*$)")
_INTRODUCED = re.compile(rf"(?:{_words('speakers')}|{_words('makers')}|{_words('identities')})$")
_BESIDE = re.compile(rf"{_words('identities')}(?:,| named| called| from| by)?[ \"'‘“]*$")
_LABELLED = re.compile(
    rf"(?:{_words('labels')}|(?:^|[^{JAMO}a-z0-9 ] ?){_one_of(_DATA['openings'])})[ *\"'‘“`\[]*$"
    rf"|{_words('fields')}[\"'*`)]* ?[:=|—–>-][ |*\"'‘“`<\[(]*$"
)
_CLOSED = re.compile(rf"{_words('closings')}[,.!]*[ \n]*\n[ \n*_—–-]*$")
_SIGNED = re.compile(r"\w\W*(?:$|[,(])")
_NAMED = re.compile(rf"[\"'’”*`\])]* ?(?:{'|'.join(map(_whole, _shapes(_DATA['namings'])))})")


def compact(text: str) -> str:
    """For comparing phrases: one space in place of any spaces, hyphens and Markdown's marks."""
    return _SEPARATORS.sub(" ", text)


def innocent_phrases(allow: Iterable[str]) -> set[str]:
    """The built-in phrases and a round's own, compact, with their spaces and without."""
    families = (product(heads.split(", "), tails) for heads, tails in _DATA["allow_behind"].items())
    built_in = (*_DATA["allow"], *(" ".join(pair) for pairs in families for pair in pairs))
    spaced = {compact(shape(phrase)) for phrase in (*built_in, *allow)}
    return spaced | {phrase.replace(" ", "") for phrase in spaced}


def everyday_words(allow: Iterable[str]) -> dict[str, bool]:
    """The letters of built-in words of every day, and of a round's: its phrases, should a name be all of one.

    With each, whether it is written with a capital.
    """
    own = list(allow)
    capitals = [shape(phrase) for phrase in own if phrase[:1].isupper()]
    return dict.fromkeys(map(shape, (*_DATA["words"], *own)), False) | dict.fromkeys(capitals, True)


def contexts(letters: str, phrases: Iterable[str]) -> Contexts:
    """What stands before and after a name in each phrase that holds it, and what makes any name innocent."""
    places = ((phrase, found) for phrase in phrases for found in re.finditer(re.escape(letters), phrase))
    around = {(phrase[: found.start()], phrase[found.end() :]) for phrase, found in places} - {("", "")}
    by_beginning = defaultdict[str, list[tuple[str, str]]](list)
    for left, right in around | {("", f" {shape(tail)}") for tail in _DATA["allow_behind_any"]}:
        by_beginning[right[:_KEY]].append((left, right))
    return dict(by_beginning)


def endings(names: Iterable[str]) -> re.Pattern[str]:
    """What a name's last letter and the letters attached to it look like: other names, a version, particles.

    Behind a Latin letter any Hangul may follow.
    """
    known = "|".join(sorted(names, key=len, reverse=True)) or "(?!)"
    latin = rf"[^{JAMO}](?:{_one_of(_DATA['latin_endings'])}|{known})?(?:v?[0-9]+[bkm]?)?s?(?![a-z0-9])"
    goes_on = rf"(?:{_one_of(_DATA['beginnings'])}|{known})"
    ends = rf"{_one_of(_DATA['last_particles'])}?(?![{JAMO}])"
    return re.compile(rf"{latin}|[{JAMO}]{_one_of(_DATA['particles'])}{{0,4}}(?:{goes_on}|{ends})")


def any_of(names: Iterable[str]) -> re.Pattern[str]:
    """Finds one of the names where a word begins."""
    known = "|".join(sorted(names, key=len, reverse=True)) or "(?!)"
    return re.compile(rf"(?<![{JAMO}a-z0-9])(?:{known})")


def begins_syllable(letters: str) -> bool:
    """Whether letters that follow a Hangul name are of a syllable of their own."""
    return bool(_SYLLABLE.match(letters))


def first_word(after: str) -> str:
    """The letters that are attached to a name."""
    return after[: next((i for i, char in enumerate(after) if not char.isalnum()), len(after))]


def ends_introducing(before: str) -> bool:
    """Whether a text ends in words after which a name may follow without a space: 저는한빛입니다."""
    return bool(_INTRODUCED.search(before))


def in_address(before: str, after: str, *, settled: bool) -> bool | None:
    """Whether a name is part of a host, an e-mail address, a handle; None while it may become one."""
    if _ADDRESS.search(before) or _ADDRESS_ENDS.match(after + " " * settled):
        return True
    return False if settled or _PAST_ADDRESS.search(after) else None


def is_plain(before: str, after: str, *, settled: bool, word: bool) -> bool | None:
    """Whether a name is not of an address, nor a word of a model's id (-10.7b, -pro); None while it may become so."""
    address = in_address(before, after, settled=settled)
    if address or (word and _MODEL_ID.match(after + "\n" * settled)):
        return False
    return None if address is None else True


def has_sentence_end(after: str) -> bool:
    return bool(_STOP.search(after))


def is_covered(around: Contexts, before: str, after: str, *, settled: bool) -> bool | None:
    """Whether one of a name's contexts is around it; None while one may still come."""
    before, after = compact(before[-_NEAR:]), compact(after[:_NEAR])
    if not settled and len(after) < _KEY and any(key.startswith(after) for key in around):
        return None
    near = (context for size in range(_KEY + 1) for context in around.get(after[:size], ()))
    undecided = False
    for right in (right for left, right in near if before.endswith(left)):
        if not settled and len(after) < len(right) + _PHRASE_END_SIZE:
            undecided |= right.startswith(after[: len(right)])
        elif after.startswith(right) and (not right or _PHRASE_END.match(after, len(right))):
            return True
    return None if undecided else False


def is_labelled(before: str, after: str) -> bool:
    """Whether what is beside a name is enough to say that it is a model's or its maker's."""
    sentence, rest = _sentence(before, after)
    return bool(
        _ends(sentence, _LABELLED)
        or (_CLOSED.search(before) and _SIGNED.match(rest))
        or _NAMED.match(rest, 1)
        or _SPEAKER_BEHIND.search(rest, 1)
        or (_ALONE.match(rest) and not any(map(str.isalnum, sentence)))
    )


def speaks_of_itself(before: str, after: str, names: re.Pattern[str], *, follows: bool) -> bool:
    """Whether two signs say that the sentence names the model that answers; `after` has the name's last letter.

    That the name `follows` another one in the answer is a sign.
    """
    before, after = _sentence(before, after)
    others = _OTHERS.search(before) or _OTHERS.search(after, 1)
    signs = (
        _SPEAKER.search(before)
        or _ends(before, _SPEAKER_BESIDE)
        or _SPEAKER_BEHIND.search(after, 1)
        or _SPEAKS_ON.match(after),
        follows or names.search(after, 1),
        _MAKER.search(before) or (_MAKER.search(after, 1) and not _NO_MAKER.match(after, 1)),
        _ends(before, _BESIDE) or (_IDENTITY.search(after, 1) and not _NEGATION.search(after, 1)),
        others,
        others and (_COMPARISON.search(before) or _COMPARISON.search(after, 1)),
        _COPULA.match(after) or (_ends(before, _COMPLEMENT) and _COMPLETE.match(after)),
    )
    return sum(map(bool, signs)) > 1


def _ends(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether a text ends in a pattern, of _BESIDE_SIZE letters at most."""
    return bool(pattern.search(text, max(0, len(text) - _BESIDE_SIZE)))


def _sentence(before: str, after: str) -> tuple[str, str]:
    """What of the texts around a name is of its own sentence."""
    return _STOP.split(before)[-1], _STOP.split(after, 1)[0]
