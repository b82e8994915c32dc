"""Personal data is masked in all its spellings, and innocent numbers are left alone."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.errors import InvalidError
from arena.screening.personal import KINDS, MARKS, refuse_personal_data, without_personal_data
from arena.screening.rules import Rule, built_in
from arena.screening.shapes import MASKED, SHAPES, Shape
from tests.screening.corpus import Line, read

WORDS = (
    "010 1234 5678 900101 1234567 02 4518 5260 1815 9088 naver.com +82 골뱅이 주민번호 계좌 여권 M12345678 공일공"
    " 에 뒤 휴대폰 10 카드 팔오공일공일 19900101 뒷자리"
)
PIECES = st.sampled_from([*MARKS.values(), *"-. @a()+,:*년\n\t\u200b\uffff", *WORDS.split()])


def right(line: Line) -> bool:
    return without_personal_data(line.typed) == (line.masked, line.counts)


@pytest.mark.parametrize("name", ["personal.txt", "personal_unseen.txt", "personal_blind.txt"])
def test_personal_data_of_the_corpus_is_masked_exactly_and_innocent_lines_stay(name: str) -> None:
    lines = read(name)
    personal = [line for line in lines if line.counts]
    innocent = [line for line in lines if not line.counts]
    missed = [line.typed for line in personal if not right(line)]
    false_alarms = [line.typed for line in innocent if not right(line)]
    assert len(missed) <= 0.01 * len(personal), missed
    assert len(false_alarms) < 0.01 * len(innocent), false_alarms


@pytest.mark.parametrize("line", read("personal_slips.txt"), ids=lambda line: line.typed)
def test_what_once_got_through_or_was_masked_for_nothing_is_right_now(line: Line) -> None:
    assert without_personal_data(line.typed) == (line.masked, line.counts)


@pytest.mark.parametrize("name", ["personal.txt", "personal_unseen.txt", "personal_slips.txt", "personal_blind.txt"])
def test_syllables_in_pieces_hide_nothing(name: str) -> None:
    for line in read(name):
        apart = unicodedata.normalize("NFD", line.typed)
        assert without_personal_data(apart) == (unicodedata.normalize("NFC", line.masked), line.counts)


def test_the_corpus_is_as_large_and_as_hard_as_it_is_said_to_be() -> None:
    lines = read("personal.txt")
    assert len(lines) >= 300
    assert sum(not line.counts for line in lines) >= 100
    assert {kind for line in lines for kind in line.counts} == set(KINDS)


@pytest.mark.parametrize("rule", built_in().rules, ids=lambda rule: rule.category)
def test_no_built_in_rule_looks_like_personal_data(rule: Rule) -> None:
    refuse_personal_data("\n".join(rule.entries) + rule.note)


def test_what_stays_for_ever_is_refused_with_personal_data() -> None:
    with pytest.raises(InvalidError, match="write it without them"):
        refuse_personal_data("문의는 010-1234-5678")


def test_what_is_masked_is_counted_by_kind() -> None:
    masked, counts = without_personal_data("010-1234-5678, 010-8765-4321, hong@naver.com")
    assert masked == "[전화번호], [전화번호], [이메일]"
    assert counts == {"phone": 2, "email": 1}


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.replace(MASKED, ""))


@given(st.text(st.characters(), max_size=200))
def test_any_text_can_be_masked_even_with_lone_surrogates(text: str) -> None:
    masked, counts = without_personal_data(text)
    assert (masked == composed(text)) == (counts == {})


@given(st.lists(PIECES, max_size=40).map("".join))
@example("+10245181234+9.0256781234567").via("what stands beside a mark can be a number only then")
def test_what_was_masked_has_nothing_more_to_mask(text: str) -> None:
    masked, _ = without_personal_data(text)
    assert without_personal_data(masked) == (masked, {})


@given(st.lists(PIECES, max_size=40).map("".join))
def test_all_but_the_masked_parts_stays_as_it_was(text: str) -> None:
    masked, _ = without_personal_data(text)
    text = composed(text)
    for mark in MARKS.values():
        masked = masked.replace(mark, "\x00")
    place = 0
    for piece in masked.split("\x00"):
        assert (place := text.find(piece, place)) >= 0


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.kind)
def test_every_repetition_is_bounded_so_that_no_text_makes_a_search_long(shape: Shape) -> None:
    bare = re.sub(r"\[[^\]]*\]|\\.", "x", shape.pattern.pattern)
    assert not re.search(r"[*+]|,\}", bare)
