"""Recall and false alarms of masking, on a fourth corpus: a natural sample of a public arena's answers.

It was written without sight of the code or of the other corpora, with a set of names that the code had never met, and
was not used to mend it.
"""

import pytest

from tests.battles.naming import ALLOW, NAMES, leaking, lines, share, tells, touched


@pytest.fixture(autouse=True)
def new_team(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["마루인텔리전스", "Maru Intelligence", "마루", "Maru", "마루-14B", "maru-14b-chat"]
    monkeypatch.setitem(NAMES, "maru", names)
    monkeypatch.setitem(ALLOW, "maru", ["마루", "Maru"])


@pytest.mark.parametrize("file", ["last-leaks.tsv", "last-innocents.tsv"])
def test_the_corpus_has_two_hundred_different_lines_of_every_set_of_names(file: str) -> None:
    corpus = lines(file)
    assert len({line.text for line in corpus}) == len(corpus) == 200
    assert {line.names for line in corpus} == set(NAMES)


def test_the_search_finds_a_name_in_every_leak_before_masking() -> None:
    assert [line.place for line in lines("last-leaks.tsv") if not tells(line, line.text)] == []


def test_a_quarter_of_the_innocent_answers_contain_the_letters_of_a_name() -> None:
    assert sum(tells(line, line.text) for line in lines("last-innocents.tsv")) >= 50


def test_at_most_one_in_a_hundred_answers_that_name_their_model_still_does_when_shown() -> None:
    corpus = lines("last-leaks.tsv")
    assert share("leaks left", leaking(corpus), len(corpus)) <= 0.01


def test_at_most_one_in_two_hundred_innocent_answers_is_touched() -> None:
    corpus = lines("last-innocents.tsv")
    assert share("innocents touched", touched(corpus), len(corpus)) <= 0.005
