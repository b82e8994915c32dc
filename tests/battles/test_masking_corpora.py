"""Recall and false alarms of masking on corpora written without sight of the code, then used to mend it."""

import pytest

from tests.battles.naming import NAMES, leaking, lines, share, tells, touched

CORPORA = ("second", "fresh")


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("kind", ["leaks", "innocents"])
def test_a_corpus_has_two_hundred_different_lines_of_known_sets_of_names(corpus: str, kind: str) -> None:
    found = lines(f"{corpus}-{kind}.tsv")
    assert len({line.text for line in found}) == len(found) == 200
    assert len({line.names for line in found} & set(NAMES)) >= 9


@pytest.mark.parametrize("corpus", CORPORA)
def test_the_search_finds_a_name_in_every_leak_before_masking(corpus: str) -> None:
    assert [line.place for line in lines(f"{corpus}-leaks.tsv") if not tells(line, line.text)] == []


@pytest.mark.parametrize("corpus", CORPORA)
def test_many_innocent_answers_contain_the_letters_of_a_name(corpus: str) -> None:
    assert sum(tells(line, line.text) for line in lines(f"{corpus}-innocents.tsv")) >= 80


@pytest.mark.parametrize("corpus", CORPORA)
def test_at_most_one_in_a_hundred_answers_that_name_their_model_still_does_when_shown(corpus: str) -> None:
    found = lines(f"{corpus}-leaks.tsv")
    assert share("leaks left", leaking(found), len(found)) <= 0.01


@pytest.mark.parametrize("corpus", CORPORA)
def test_at_most_one_in_two_hundred_innocent_answers_is_touched(corpus: str) -> None:
    found = lines(f"{corpus}-innocents.tsv")
    assert share("innocents touched", touched(found), len(found)) <= 0.005
