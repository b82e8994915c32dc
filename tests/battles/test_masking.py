"""Names in answers give way to a mark, however they are dressed up; everything else passes unchanged."""

import re
import sys
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.battles.lettering import shape
from arena.battles.masking import AFTER, SPAN, Masker
from tests.battles.naming import ALLOW, CORPUS, FIRST_NAMES, MARK

MASKERS = {names: Masker(aliases, ALLOW.get(names, ())) for names, aliases in FIRST_NAMES.items()}
ALIASES = ["한빛", "HyperCLOVA X", "네이버", "SKT", "A.X", "믿음", "Solar", "EXAONE", "LG", "LG AI연구원"]
MASKER = Masker(ALIASES)

# Text made of names and of what stands around them, so that cuts fall into both.
SCRAPS = st.sampled_from(
    [
        *ALIASES,
        *("하", "ㅎ", "ㅏ", "ㄴ", "빛", "지도", "입니다", "은", "저는", "만든", "개발", "솔란", "데요", "믿:음"),
        *(
            "CLOVA",
            "panel",
            "s",
            "ium",
            "AI",
            "Model",
            "team",
            "이에요!",
            "이름: ",
            "감사합니다\n",
            "ChatGPT",
            "믿음은",
        ),
        *("a.x", "lg", "@", ".com", ".ai", "한 빛", "H y p e r", "I am ", "- 2.0"),
        *(" ", "  ", "\n", "\r", ". ", "*", "**", "-", "👩"),
        *("\u1112", "\u1161", "\u11ab", "\u200b", "\u0301", "\u200d"),
        *("&", "&nbsp;", "&#72;", "&#54620;", "&#x", ";"),
    ]
)
TEXTS = st.lists(SCRAPS | st.text(max_size=3), max_size=40).map("".join)
NAMELESS = st.text(
    st.characters(codec="utf-8", exclude_categories=("L", "N", "So", "Sk"))
    | st.sampled_from("가각\u1100\u1161👩\u200d💻ㅋé")
)


class Line(NamedTuple):
    leak: bool
    masker: Masker
    text: str
    expected: str


def lines() -> list[Line]:
    found = []
    for row in (CORPUS / "masking.tsv").read_text("utf-8").splitlines():
        if not row.startswith("#"):
            kind, names, escaped = row.split("\t")
            text = re.sub(r"\\u([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), escaped)
            expected = re.sub(r"\{[^}]*\}", MARK, text)
            found.append(Line(kind == "leak", MASKERS[names], re.sub("[{}]", "", text), expected))
    return found


def streamed(masker: Masker, text: str, cuts: list[int]) -> tuple[str, int]:
    stream, shown, places = masker.stream(MARK), "", sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        shown += stream.push(text[start:end])
    return shown + stream.finish(), stream.found


def test_names_of_the_corpus_go_and_innocent_lines_stay() -> None:
    leaks = [line for line in lines() if line.leak]
    innocents = [line for line in lines() if not line.leak]
    shown = [line for line in leaks if line.masker.masked(line.text, MARK)[0] != line.expected]
    touched = [line for line in innocents if line.masker.masked(line.text, MARK) != (line.text, 0)]
    recall, rate = 1 - len(shown) / len(leaks), len(touched) / len(innocents)
    sys.stdout.write(f"recall {recall:.4f} of {len(leaks)}, touched {rate:.4f} of {len(innocents)}\n")
    sys.stdout.writelines(f"{line.text}\n" for line in shown + touched)
    assert recall >= 0.99
    assert rate <= 0.005


@given(TEXTS, st.lists(st.integers(0, 400), max_size=30))
def test_where_the_text_is_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    assert streamed(MASKER, text, cuts) == MASKER.masked(text, MARK)


@given(TEXTS)
def test_character_by_character_is_no_different(text: str) -> None:
    assert streamed(MASKER, text, list(range(len(text)))) == MASKER.masked(text, MARK)


@given(NAMELESS, st.lists(st.integers(0, 400), max_size=10))
def test_text_without_a_name_passes_to_the_last_character(text: str, cuts: list[int]) -> None:
    assert streamed(MASKER, text, cuts) == (text, 0)


@given(
    st.sampled_from(
        [
            "저는 👩\u200d💻입니다\r\n",
            unicodedata.normalize("NFD", "찬란한 빛을 보았다.\r"),
            "a\u0301\u200b 네이\u200b웃",
        ]
    )
)
def test_joiners_jamo_and_carriage_returns_pass(text: str) -> None:
    assert streamed(MASKER, text, list(range(len(text)))) == (text, 0)


@given(TEXTS, TEXTS)
def test_whatever_is_masked_and_whatever_stays_makes_up_the_text(before: str, after: str) -> None:
    text = before + after
    masked, found = MASKER.masked(text, "\ue000")
    kept = masked.split("\ue000")
    assert len(kept) == found + 1
    assert re.fullmatch(".+?".join(map(re.escape, map(unemphasised, kept))), unemphasised(text), re.DOTALL)


def unemphasised(text: str) -> str:
    return re.sub(r"[*~`]", "", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**EX**AONE입니다", f"**{MARK}**입니다"),
        ("저는 **우리 EX**AONE입니다", f"저는 **우리 {MARK}**입니다"),
        ("EX**AONE**입니다", f"**{MARK}**입니다"),
        ("`EX`AONE입니다", f"`{MARK}`입니다"),
        ("E*X*AONE입니다", f"{MARK}입니다"),
        ("EX**AONE입니다", f"{MARK}입니다"),
    ],
)
def test_emphasis_whose_half_is_inside_a_name_stays_a_pair(text: str, shown: str) -> None:
    assert MASKER.masked(text, MARK) == (shown, 1)


@pytest.mark.parametrize(
    "ending", ["이고요", "니까요", "이므로", "치고는", "한테서만은", "더러", "표", "답게", "이었답니다"]
)
def test_any_particle_and_copula_may_follow_a_name_of_two_syllables(ending: str) -> None:
    assert MASKER.masked(f"한빛{ending} 하네.", MARK) == (f"{MARK}{ending} 하네.", 1)


def test_another_word_that_begins_like_a_name_counts_only_where_the_sentence_introduces() -> None:
    assert MASKER.masked("한빛탑에 갔다.", MARK)[1] == 0
    assert MASKER.masked("저는 한빛탄생 모델입니다.", MARK)[1] == 1


@pytest.mark.parametrize("reference", ["&#72;", "&#x48;", "&#X48;", "&nbsp;H", "&ZeroWidthSpace;H"])
def test_a_character_reference_is_the_character_that_it_shows(reference: str) -> None:
    text = f"I am {reference}yperCLOVA&nbsp;X."
    masked, found = streamed(MASKER, text, list(range(len(text))))
    assert (masked.endswith(f"{MARK}."), found) == (True, 1)


def test_ampersands_that_are_no_references_pass() -> None:
    text = "R&D &c. &lg; &#; &#xZ; a&b"
    assert streamed(MASKER, text, list(range(len(text)))) == (text, 0)


def test_a_word_of_every_day_counts_in_capitals_or_with_a_label() -> None:
    assert MASKER.masked("solar_flux and solar output, upstage of it", MARK)[1] == 0
    assert MASKER.masked("Solar says so. model: solar", MARK)[1] == 2


@given(st.sampled_from([name for name in ALIASES if name != "믿음"]), TEXTS)
def test_a_name_that_says_who_it_is_is_gone_whatever_came_before(name: str, before: str) -> None:
    text = f"{before}\n저는 {name}입니다."
    masked, found = MASKER.masked(text, MARK)
    assert found >= 1
    assert masked.endswith(f"\n저는 {MARK}입니다.")


DRESSINGS: dict[str, Callable[[str], str]] = {
    "decomposed": lambda name: unicodedata.normalize("NFD", name),
    "full width": lambda name: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
    "zero-width spaces": "\u200b".join,
    "bold": lambda name: f"{name[:1]}**{name[1:]}",
    "upper case": str.upper,
    "spaced out": lambda name: " ".join(name.replace(" ", "")),
    "compatibility jamo": lambda name: unicodedata.normalize("NFD", name).translate(
        {0x1112: "ㅎ", 0x1161: "ㅏ", 0x11AB: "ㄴ", 0x1107: "ㅂ", 0x1175: "ㅣ", 0x11BE: "ㅊ"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("dressing", DRESSINGS)
@pytest.mark.parametrize("name", ALIASES)
def test_a_dressed_up_name_is_masked(name: str, dressing: str) -> None:
    text = f"저는 {DRESSINGS[dressing](name)}입니다."
    assert MASKER.masked(text, MARK) == (f"저는 {MARK}입니다.", 1)


HOSTILE = [
    "한",
    "\u200b",
    " ",
    "EXAON ",
    "E X A O ",
    "믿음 ",
    "네이버 지도 ",
    "HyperCLOVA ",
    "H" + " " * 12,
    "L\u200b",
]


@pytest.mark.parametrize("beginning", HOSTILE)
def test_what_is_held_back_is_bounded(beginning: str) -> None:
    stream, shown, text = MASKER.stream(MARK), 0, beginning * (2000 // len(beginning))
    for pushed, char in enumerate(text, 1):
        shown += len(stream.push(char))
        assert pushed - shown <= SPAN + AFTER
    assert shown + len(stream.finish()) == len(text)


def test_harmless_text_is_shown_at_once() -> None:
    stream = MASKER.stream(MARK)
    text = "우리는 밥을 먹고 이 글을 읽는다."
    assert [stream.push(char) for char in text] == list(text)


def test_a_beginning_waits_until_it_is_decided() -> None:
    stream = MASKER.stream(MARK)
    assert [stream.push(char) for char in "그 한빛은 "] == ["그", " ", "", "", "", f"{MARK}은 "]
    assert stream.found == 1


def test_without_names_everything_passes_at_once() -> None:
    stream = Masker([]).stream(MARK)
    assert [stream.push(char) for char in "저는 한빛입니다"] == list("저는 한빛입니다")
    assert stream.finish() == ""


@pytest.mark.parametrize("alias", ["", " ", "**", "\u200b", "X", "빛", "👩"])
def test_an_alias_of_fewer_than_two_letters_is_no_name(alias: str) -> None:
    text = "X는 빛, ** 👩 \u200b입니다."
    assert Masker([alias]).masked(text, MARK) == (text, 0)


def test_nothing_of_a_name_is_left_not_even_an_accent() -> None:
    assert MASKER.masked("EXAONE\u0301\u200b은 모델", MARK) == (f"{MARK}은 모델", 1)


def test_a_longer_name_wins_over_one_that_it_begins_with() -> None:
    assert MASKER.masked("LG AI연구원은", MARK) == (f"{MARK}은", 1)
    assert MASKER.masked("LG AI연구", MARK) == (f"{MARK} AI연구", 1)


@pytest.mark.parametrize("aliases", [["NC AI", "NCAI"], ["NCAI", "NC AI"]])
def test_aliases_of_the_same_letters_are_all_found(aliases: list[str]) -> None:
    assert Masker(aliases).masked("NC AI, NCAI", MARK) == (f"{MARK}, {MARK}", 2)


@pytest.mark.parametrize(
    "text", ["ax.plot(x)", "y = a*x + b", "self.a.x", "O(n lg n)", "lg.airport", "Han bit his lip"]
)
def test_what_may_have_been_spelled_by_chance_is_no_name(text: str) -> None:
    masker = Masker(["A.X", "LG", "Hanbit"])
    assert streamed(masker, text, list(range(len(text)))) == (text, 0)


@pytest.mark.parametrize(
    "text", ["저는 {}의 AI입니다", "{}.com", "https://{}/", "@{}", "{}.ai", "KT에서 개발한 {} 모델"]
)
def test_a_small_or_spaced_short_name_counts_where_it_introduces_or_is_an_address(text: str) -> None:
    assert Masker(["LG"]).masked(text.format("lg"), MARK) == (text.format(MARK), 1)


def test_a_round_makes_a_phrase_innocent_and_a_self_introduction_defeats_it() -> None:
    masker = Masker(["가온"], allow=["가온 누리호"])
    assert masker.masked("가온 누리호가 떴다.", MARK)[1] == 0
    assert masker.masked("가온이 떴다.", MARK)[1] == 1
    assert masker.masked("저는 가온 누리호를 만든 회사의 AI입니다.", MARK)[1] == 1


def test_a_word_alone_as_a_phrase_is_an_everyday_word() -> None:
    masker = Masker(["하늘"], allow=["하늘"])
    assert masker.masked("하늘은 파랗고 하늘이 높다.", MARK)[1] == 0
    assert masker.masked("저는 하늘입니다.", MARK)[1] == 1


@given(st.text())
@example("≠")
def test_a_shape_does_not_depend_on_composition(text: str) -> None:
    assert shape(unicodedata.normalize("NFD", text)) == shape(unicodedata.normalize("NFC", text))
