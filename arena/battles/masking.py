"""Names of teams and models in an answer, replaced by a mark while the answer streams.

A model that names itself gives its team away. Text is folded for matching only (`lettering.py`); what is shown is
the original. A name is certain, or doubtful: covered by an innocent phrase, or spelled in an odd way. A doubtful
name counts only where the sentence speaks of whose model it is (`phrasing.py`, docs/masking.md).

Every decision looks at no more than BEFORE characters before a name, SPAN for the name, AFTER behind it, and at the
names masked before. So at most SPAN + AFTER characters are held back, and where the text was cut changes nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from arena.battles import phrasing
from arena.battles.lettering import folded, letter_at, script, shape, without_open_reference

BEFORE = 48
SPAN = 128
AFTER = 48
GAP = 12
_LONG = 8
_UNMISTAKABLE = 5  # Latin letters that name somebody even inside the word of an address: teamhanbit.ai
_PIECE = 1 << 10
_TAILS = frozenset("\u1102\u1105\u1107")
_SEPARATORS = frozenset("=,;()[]{}\"'“”‘’|")
_EMPHASIS = re.compile(r"\*+|~~|`+")


class Name(NamedTuple):
    """A name to be found, told by its folded letters.

    `starts` and `spaces` are places among the letters: where each character but the first begins, where the alias
    itself has a space. `contexts` are the texts around it that make it innocent; `is_word` says that it
    is a word of every day, `is_proper` that this word is written with a capital.
    """

    letters: str
    upper: bool
    starts: frozenset[int]
    spaces: frozenset[int]
    contexts: phrasing.Contexts
    is_word: bool
    is_proper: bool

    @property
    def is_short(self) -> bool:
        return len(self.starts) < 2

    @property
    def is_hangul(self) -> bool:
        return script(self.letters[-1]) == "hangul"

    @property
    def is_unmistakable(self) -> bool:
        return len(self.letters) >= _UNMISTAKABLE and not self.is_hangul

    def merged(self, other: "Name") -> "Name":
        """One name for two aliases of the same letters: what either of them allows."""
        return self._replace(upper=self.upper and other.upper, spaces=self.spaces | other.spaces)


class Spelling(NamedTuple):
    """A name spelled in a text from `start` to `end`.

    `breaks` are the letters that a space stands before; `tail` is a consonant that its last syllable has besides
    (카나납니다).
    """

    name: Name
    start: int
    end: int
    breaks: frozenset[int]
    tail: str = ""

    def is_oddly_spaced(self) -> bool:
        """Whether neighbouring words may have spelled it: breaks that are neither the alias's own nor everywhere."""
        name = self.name
        evenly = not name.is_short and self.breaks >= name.starts
        return not (evenly or self.breaks <= name.spaces or len(name.letters) >= _LONG)

    def is_oddly_small(self, text: str) -> bool:
        """Whether it is a word of every day as that is written, or two capitals in small letters: ax, lg."""
        written = text[self.start : self.end]
        if self.name.is_word:
            capitals = self.name.is_proper and written.istitle()
            return (capitals or not any(map(str.isupper, written))) and not self.is_dressed(text)
        return self.name.is_short and self.name.upper and not written.isupper()

    def is_dressed(self, text: str) -> bool:
        """Whether a mark stands between its syllables (믿:음): no everyday word is written like that."""
        written = text[self.start : self.end]
        marks = (fold for fold in map(folded, written) if fold and not fold.isspace() and not fold.isalnum())
        return not written.isalnum() and self.name.is_hangul and any(marks)

    def ends_in_capitals(self, text: str) -> bool:
        """Whether a capital after it begins another word: ExaoneForCausalLM, EXAONEConfig."""
        last, following, second = text[self.end - 1], text[self.end : self.end + 1], text[self.end + 1 : self.end + 2]
        return following.isupper() and (last.islower() or (second.islower() and not self.name.is_short))


class Masker:
    """Finds a set of names. Compile it once a set; it keeps no state of a text.

    An alias of fewer than two letters is no name. `allow` holds phrases in which a name is innocent, beside those
    that are built in; a name alone as a phrase is an everyday word.
    """

    def __init__(self, aliases: Iterable[str], allow: Iterable[str] = ()) -> None:
        own = list(allow)
        phrases, words = phrasing.innocent_phrases(own), phrasing.everyday_words(own)
        self._names: dict[str, Name] = {}
        for name in (_name(alias, phrases, words) for alias in aliases):
            if name.starts:
                self._names[name.letters] = name.merged(self._names.get(name.letters, name))
        self.beginnings = frozenset(letters[:i] for letters in self._names for i in range(1, len(letters) + 1))
        self.hints = self.beginnings | {"&"}
        self._endings = phrasing.endings(self._names)
        self._certain = phrasing.any_of(n.letters for n in self._names.values() if not (n.is_short or n.is_word))

    def masked(self, text: str, mark: str) -> tuple[str, int]:
        """The whole text with `mark` in place of names, and how many there were."""
        stream = self.stream(mark)
        return stream.push(text) + stream.finish(), stream.found

    def stream(self, mark: str) -> "MaskedStream":
        return MaskedStream(self, mark)

    def name_end(self, text: str, start: int, known: set[str], *, final: bool) -> int | None:
        """Where the name ends that begins at `start`: `start` when none does, None while more text may decide.

        `known` are the answer's names so far, as written; this one is added. `final`: no more text will come.
        """
        if _is_latin_word(pair := text[start : start + 2]) and pair.casefold() not in self.beginnings:
            return start
        begins = _begins_word(text, start)
        if not begins and not self._may_be_glued(text[start : start + 3]):
            return start
        spellings, unfinished = self._spellings(text, start, final=final)
        if unfinished:
            return None
        for spelling in reversed(spellings):
            verdict = self._is_name(text, spelling, known, begins=begins, final=final)
            if verdict is None:
                return None
            if verdict:
                known.add(text[start : spelling.end])
                return _past_invisible(text, spelling.end)
        return start

    def _may_be_glued(self, letters: str) -> bool:
        return _is_latin_word(letters) and letters.casefold() in self.beginnings

    def _spellings(self, text: str, start: int, *, final: bool) -> tuple[list[Spelling], bool]:
        """What is spelled from `start` on, shortest first, and whether more text could spell something longer."""
        window = text[start : start + SPAN]
        settled = final or len(window) == SPAN
        readable = window if settled else without_open_reference(window)
        spelled, gap, breaks, found, end = "", 0, frozenset[int](), list[Spelling](), 0
        while end < len(readable):
            fold, end = letter_at(window, end)
            if fold.isalnum():
                if fold[-1] in _TAILS and (name := self._names.get(spelled + fold[:-1])):
                    found.append(Spelling(name, start, start + end, breaks, fold[-1]))
                spelled, gap = spelled + fold, 0
            else:
                gap += 1
                breaks |= {len(spelled)} if fold.isspace() or fold in _SEPARATORS else set()
            if gap > GAP or spelled not in self.beginnings:
                return found, False
            if gap == 0 and spelled in self._names:
                found.append(Spelling(self._names[spelled], start, start + end, breaks))
        return found, not settled

    def _is_name(self, text: str, spelling: Spelling, known: set[str], *, begins: bool, final: bool) -> bool | None:
        name, start, end, _, tail = spelling
        settled = final or len(text) >= end + AFTER
        around = text[end : end + AFTER]
        after = tail + shape(around if settled else without_open_reference(around))
        word = phrasing.first_word(after)
        if word == after and not settled:
            return None
        before = shape(text[max(0, start - BEFORE) : start])
        ends = self._ends(text, spelling, word)
        if not begins or ends is False:
            return name.is_unmistakable and phrasing.in_address(before, after, settled=settled)
        covered = not spelling.is_dressed(text) and phrasing.is_covered(name.contexts, before, after, settled=settled)
        small = text[start:end] not in known and spelling.is_oddly_small(text)
        plain = small and phrasing.is_plain(before, after, settled=settled, word=name.is_word)
        if not (ends is None or covered is not False or plain is not False or spelling.is_oddly_spaced()):
            return True
        if covered is None or not (settled or phrasing.has_sentence_end(after)):
            return None
        after = name.letters[-1] + after
        labelled = not covered and phrasing.is_labelled(before, after)
        return labelled or phrasing.speaks_of_itself(before, after, self._certain, follows=bool(known))

    def _ends(self, text: str, spelling: Spelling, word: str) -> bool | None:
        """Whether a name may end where letters are attached to it; None when that is doubtful."""
        name = spelling.name
        if self._endings.match(name.letters[-1] + word) or spelling.ends_in_capitals(text):
            return True
        is_whole = spelling.breaks <= name.spaces and phrasing.begins_syllable(word)
        if name.is_word or not (name.is_hangul and is_whole):
            return False
        return None if name.is_short else True


class MaskedStream:
    """One answer while it grows. `found` counts the names masked so far."""

    def __init__(self, masker: Masker, mark: str) -> None:
        self.found = 0
        self._masker = masker
        self._mark = mark
        self._known: set[str] = set()
        self._text = ""
        self._shown = 0

    def push(self, text: str) -> str:
        """Takes the next piece of the answer; returns what may be shown now.

        The possible beginning of a name is held back, of SPAN + AFTER characters at most.
        """
        if self._shown == len(self._text) and self._masker.hints.isdisjoint(map(folded, text)):
            self._text = (self._text + text)[-BEFORE:]
            self._shown = len(self._text)
            return text
        if len(text) > _PIECE:
            return "".join(self.push(text[i : i + _PIECE]) for i in range(0, len(text), _PIECE))
        return self._scan(text)

    def finish(self) -> str:
        """Takes the answer's end; returns what was held back."""
        return self._scan("", final=True)

    def _scan(self, piece: str, *, final: bool = False) -> str:
        hints, name_end = self._masker.hints, self._masker.name_end
        text, at = self._text + piece, self._shown
        while at < len(text):
            if folded(text[at]) not in hints or (end := name_end(text, at, self._known, final=final)) == at:
                at = at + 1 if text[at] != "&" else letter_at(text, at)[1]
            elif end is None:
                break
            else:
                self.found += 1
                shown = _marked(text, at, end, self._mark)
                text = text[:at] + shown + text[end:]
                at += len(shown)
        shown = text[self._shown : at]
        self._text = text[max(0, at - BEFORE) :]
        self._shown = min(at, BEFORE)
        return shown


def _marked(text: str, start: int, end: int, mark: str) -> str:
    """What is shown in place of a name: the mark, with emphasis inside the name that its other half is outside of."""
    inside: list[str] = _EMPHASIS.findall(text, start, end)
    if len(inside) % 2 == 0:
        return mark
    half, line = inside[-1], text[max(0, start - BEFORE) : start].rpartition("\n")[2]
    if _EMPHASIS.findall(line).count(half) % 2:
        return mark + half
    return half + mark if text.startswith(half[0], end) else mark


def _name(alias: str, phrases: Iterable[str], words: Mapping[str, bool]) -> Name:
    letters, starts, spaces = "", set(), set()
    for char in unicodedata.normalize("NFC", alias):
        fold = folded(char)
        if fold.isspace() or fold in _SEPARATORS:
            spaces.add(len(letters))
        elif fold.isalnum():
            starts.add(len(letters))
            letters += fold
    around = phrasing.contexts(letters, phrases)
    is_word, is_proper = letters in words, words.get(letters, False)
    return Name(letters, alias.isupper(), frozenset(starts - {0}), frozenset(spaces), around, is_word, is_proper)


def _is_latin_word(text: str) -> bool:
    return text.isascii() and text.isalnum()


def _begins_word(text: str, start: int) -> bool:
    """Whether no letter of the same script stands before, or an introduction without a space, or it is camel case."""
    if start and text[start - 1 : start + 1].isascii():
        return not text[start - 1].isalnum() or (text[start - 1].islower() and text[start].isupper())
    window = text[max(0, start - GAP) : start]
    near = next(filter(None, map(folded, reversed(window))), " ")
    if not near.isalnum() or (kind := script(near[-1])) != script(folded(text[start])[0]) or kind == "other":
        return True
    return kind == "hangul" and phrasing.ends_introducing(shape(window))


def _past_invisible(text: str, end: int) -> int:
    limit = min(end + AFTER, len(text))
    return next((i for i in range(end, limit) if folded(text[i])), limit)
