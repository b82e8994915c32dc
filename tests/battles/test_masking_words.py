"""Aliases that are also everyday words count where an answer introduces itself, and are left alone elsewhere."""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

from tests.battles.naming import ALLOW, MARK, NAMES, Line, masker, share, shown

DEMO = ("demo/answers/ko.toml", "demo/answers/en.toml", "demo/further.toml", "demo/replies.toml")
TEXTS = (*DEMO, "rounds/suggestions.toml")
KOREAN = [(names, words[0]) for names, words in ALLOW.items()] + [("kt", "믿음")]
ENGLISH = [(names, words[1]) for names, words in ALLOW.items()] + [("upstage", "solar")]
PARTICLES = {
    "이에요": "예요",
    "이야": "야",
    "이라": "라",
    "이": "가",
    "은": "는",
    "을": "를",
    "과": "와",
    "으로": "로",
}


def inflected(template: str, word: str) -> str:
    """A template with `{}` for a word and `{은}` for it with the particle that its last syllable takes."""
    closed = (ord(word[-1]) - ord("가")) % 28
    forms = {full: word + (full if closed else open_) for full, open_ in PARTICLES.items()}
    return template.format(word, **forms)


def paragraphs(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from filter(None, value.split("\n\n"))
    else:
        for part in value.values() if isinstance(value, dict) else value:
            yield from paragraphs(part)


@pytest.mark.parametrize(
    "template",
    [
        *(
            "저는 {}입니다.",
            "제 이름은 {이에요}.",
            "난 {이라}고 해.",
            "나는 {이야}!",
            "사실 저 {이에요}.",
            "{이라}는 모델입니다.",
        ),
        *(
            "저는 {}에서 개발한 AI예요.",
            "저를 만든 곳은 {이에요}.",
            "{이} 저를 개발했어요.",
            "{} 팀이 저를 학습시켰어요.",
        ),
        *(
            "모델명: {}",
            "- 이름: {}",
            "| 모델 | {} |",
            "모델 이름 — {}",
            "작성자: <{}>",
            '{{"model": "{}"}}',
            "Assistant: {}",
        ),
        *("감사합니다.\n{} 드림", "감사합니다.\n- {}", "{이에요}! 무엇을 도와드릴까요?", "안녕하세요, {이에요}."),
        *("저는 {이} 아니라 다른 모델이에요.", "{}의 AI로서 답할게요.", "{}에서 만든 AI라서 최신 소식은 몰라요."),
        *(
            "당신은 {}입니다.",
            "ChatGPT와 달리 {은} 한국어에 강합니다.",
            "{은} 저의 이름이에요.",
            "이 답변은 {이} 작성했습니다.",
        ),
    ],
)
@pytest.mark.parametrize(("names", "word"), KOREAN)
def test_a_korean_word_that_introduces_the_model_is_masked(names: str, word: str, template: str) -> None:
    assert word not in masker(names).masked(inflected(template, word), MARK)[0]


@pytest.mark.parametrize(
    "template",
    [
        *("I'm {}.", "My name is {}.", "You can call me {}.", "I am a language model named {}.", "{} is my name."),
        *(
            "I was developed by {}.",
            "{} trained me to be helpful.",
            "I'm {}'s model.",
            "I run on {}.",
            "I'm not {}, no.",
        ),
        *("Model: {}", "**Name:** {}", '{{"model": "{}"}}', "Best regards,\n{}", "As {}, I can't browse the web."),
        *("Hi, {} here!", "You are {}, a helpful assistant.", "My developer is {}.", "Unlike ChatGPT, {} is small."),
    ],
)
@pytest.mark.parametrize(("names", "word"), ENGLISH)
def test_an_english_word_that_introduces_the_model_is_masked(names: str, word: str, template: str) -> None:
    assert word not in masker(names).masked(template.format(word), MARK)[0]


@pytest.mark.parametrize(
    "template",
    [
        *(
            "{은} 옛날부터 쓰이던 말입니다.",
            "저는 {을} 좋아해요.",
            "정답은 {}입니다.",
            "{으로} 만든 작품입니다.",
            "## {}",
            "- {}",
        ),
        *(
            "저는 AI라서 {을} 볼 수 없어요.",
            "주인공의 이름은 {}입니다.",
            "우리는 그것을 {이라}고 부릅니다.",
            "제목: {}",
        ),
        *(
            "안녕하세요! {}에 대해 설명해 드릴게요.",
            "{} 이야기를 만들어 볼게요.",
            "저는 {}에 대한 책을 만든 적이 있어요.",
        ),
        *("저는 {으로} 케이크를 만들었어요.", "{과} 설탕을 섞으세요.", "감사합니다. {}에 대해 더 궁금하신가요?"),
    ],
)
@pytest.mark.parametrize(("names", "word"), KOREAN)
def test_a_korean_word_of_every_day_is_left_alone(names: str, word: str, template: str) -> None:
    text = inflected(template, word)
    assert masker(names).masked(text, MARK) == (text, 0)


@pytest.mark.parametrize(
    "template",
    [
        *(
            "The {} is old.",
            "I'm happy to explain {} to you.",
            "I'm a fan of {}.",
            "His name is {}.",
            "- {}\n- apple",
        ),
        *(
            "As an AI, I can't see {} directly.",
            "The theme, called {}, returns later.",
            "I'm sure that {} can be grown.",
        ),
        *(
            "{} was created by a famous artist.",
            "{} can be made at home.",
            "Hello! Let's talk about {}.",
            "**{}**: old",
        ),
    ],
)
@pytest.mark.parametrize(("names", "word"), ENGLISH)
def test_an_english_word_of_every_day_is_left_alone(names: str, word: str, template: str) -> None:
    text = template.format(word)
    assert masker(names).masked(text, MARK) == (text, 0)


def test_a_word_that_was_the_name_once_is_the_name_in_the_rest_of_the_answer() -> None:
    text = "가온은 말입니다. 저는 가온입니다. 가온은 배우는 중이에요."
    assert masker("gaon").masked(text, MARK) == (f"가온은 말입니다. 저는 {MARK}입니다. {MARK}은 배우는 중이에요.", 2)


def test_a_phrase_with_a_capital_makes_the_capital_an_everyday_one_too() -> None:
    assert masker("konan").masked("Konan is a city. KONAN is not.", MARK) == (f"Konan is a city. {MARK} is not.", 1)
    assert masker("upstage").masked("solar is clean. Solar is not.", MARK) == (f"solar is clean. {MARK} is not.", 1)


def test_at_most_one_in_two_hundred_paragraphs_of_answers_that_nobody_tuned_on_is_touched() -> None:
    sources = (files("arena").joinpath(name).read_text("utf-8") for name in TEXTS)
    texts = [text for source in sources for text in paragraphs(tomllib.loads(source))]
    lines = [Line(text[:30], names, text) for names in NAMES for text in texts]
    touched = [f"{line.names}: {line.place}" for line in lines if shown(line) != {line.text}]
    assert len(texts) > 800
    assert share("paragraphs touched", touched, len(lines)) <= 0.005
