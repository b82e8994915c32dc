"""What one reads beside the result: other models, style, and how firm the result is."""

from typing import Any

import pytest

from arena.web.pages import Locale
from tests.ratings.boards import DAVIDSON, NAMES, ROBUSTNESS, STYLE, shown
from tests.ratings.reading import html_of, page_of, reads

LABEL = "Beside the result for reference, not used for the score"


def firm(**parts: Any) -> str:
    """What one reads where the robustness has these parts changed."""
    return reads(shown(beside={"robustness": ROBUSTNESS | parts}))


def one_voter(**parts: int | None) -> str:
    return firm(one_voter_out=ROBUSTNESS["one_voter_out"] | parts)


def styled(**parts: Any) -> str:
    """What one reads where the length has an effect with these figures."""
    length, *others = STYLE["coefficients"]
    return reads(shown(beside={"style": STYLE | {"coefficients": [length | parts, *others]}}))


def test_what_stands_beside_is_labelled_and_comes_after_the_result() -> None:
    text = reads(shown())
    assert text.count(LABEL) == 1
    assert text.index("How this was computed") < text.index(LABEL)


def test_nothing_stands_beside_ratings_that_still_change() -> None:
    assert "Beside the result" not in reads(shown(final=False))


def test_each_model_has_its_own_column_next_to_the_rating_that_counts() -> None:
    text = reads(shown())
    assert "Team Rating that counts Ties counted apart Style held equal <b>Tat & Co</b>" in text
    assert "Hana 1,014 995–1,033 1,015 997–1,033 1,009 988–1,030" in text


def test_ratings_by_another_model_may_have_no_ranges() -> None:
    bare = [item | {"interval": None} for item in DAVIDSON["entries"]]
    text = reads(shown(beside={"davidson": DAVIDSON | {"entries": bare}}))
    assert "Hana 1,014 995–1,033 1,015 1,009 988–1,030" in text


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("no_ties", "nobody voted for a tie"),
        ("only_ties", "all votes are ties"),
        ("no_votes", "none of the votes can be used"),
        ("not_finite", "the votes do not determine"),
    ],
)
def test_a_model_without_ratings_has_a_reason_in_the_place_of_its_column(why: str, words: str) -> None:
    text = reads(shown(beside={"davidson": {"why": why}}))
    assert "Rating that counts Style held equal" in text
    assert f"Ties counted apart: no ratings, because {words}" in text


def test_without_any_other_model_there_is_no_table_of_them() -> None:
    text = reads(shown(beside={"davidson": {"why": "not_finite"}, "style": {"why": "not_finite"}}))
    assert "Rating that counts" not in text
    assert "how an answer is written" not in text


@pytest.mark.parametrize(
    ("log_odds", "standard_error", "words"),
    [
        ("0.2000", "0.1000", "longer answers were preferred"),
        ("-0.2000", "0.1000", "shorter answers were preferred"),
        ("0.1900", "0.1000", "no clear effect"),
        ("-0.1900", "0.1000", "no clear effect"),
        ("0.2000", None, "cannot be told from these votes"),
        (None, None, "cannot be told from these votes"),
    ],
)
def test_length_mattered_only_where_its_effect_is_clear(
    log_odds: str | None, standard_error: str | None, words: str
) -> None:
    assert f"Length {words} Headings" in styled(log_odds=log_odds, standard_error=standard_error)


def test_one_reads_of_every_feature_what_it_did() -> None:
    text = reads(shown())
    assert "Headings no clear effect Lists answers with more were preferred" in text
    assert "Bold text answers with less were preferred Code cannot be told" in text
    assert "Length: 0.2134 (0.0312) Headings: 0.0410 (0.0297)" in text
    assert "Bold text: -0.0712 (0.0299) Code: –" in text


def test_one_reads_how_few_votes_would_make_another_team_last() -> None:
    text = reads(shown())
    assert "If 30 of the 2,700 votes were missing, Duri would be last and not Net." in text
    assert "If 15 of the 2,700 votes were turned round, Duri would be last and not Net." in text
    assert "the smallest numbers that were found; perhaps fewer are enough" in text
    assert "Votes missing: A Duri, B Net, “A is better”: 24 votes A Hana, B Net, “Neither is good”: 6 votes" in text


def test_one_reads_when_no_votes_were_found_that_do_it() -> None:
    text = firm(removal=None, reversal=None)
    assert "No votes were found without which another team than Net would be last." in text
    assert "No votes were found that, turned round, would make another team than Net last." in text
    assert "smallest numbers" not in text
    assert "Votes missing:" not in text


def test_where_several_teams_are_last_none_can_lose_that_place() -> None:
    text = firm(last=None, removal=None, reversal=None)
    assert "Several teams share the lowest rating" in text
    assert "would be last" not in text


def test_one_reads_whether_a_single_person_decides() -> None:
    assert "No single person decides who is last." in one_voter(changes_last=0)
    assert "1 person decides alone who is last: without their votes" in one_voter(changes_last=1)
    assert "2 people each decide alone who is last" in one_voter(changes_last=2)
    assert "decides who is last" not in one_voter(changes_last=None)
    assert "No single person decides who is first." in one_voter(changes_first=0)
    assert "3 people each decide alone who is first" in one_voter(changes_first=3)
    assert "decides who is first" not in one_voter(changes_first=None)
    assert "There are 4 people without any one of whom" in one_voter(not_ratable=4)
    assert "no ratings at all" not in one_voter(not_ratable=0)


def test_chances_are_in_percent_and_never_nothing_nor_all() -> None:
    text = reads(shown())
    assert "Net under 0.1 % 87.3 % 924–927" in text
    assert "<b>Tat & Co</b> 99.8 % under 0.1 % 1,091–1,094" in text
    certain = [item | {"first": "1.000"} for item in ROBUSTNESS["chances"]]
    assert "Net over 99.9 % 87.3 %" in firm(chances=certain)


def test_what_is_not_known_of_a_place_is_a_dash() -> None:
    assert "Net – – 924–927" in firm(chances=None)
    assert "Net under 0.1 % 87.3 % –" in firm(one_voter_out=None)
    assert "Chance to be first" not in firm(chances=None, one_voter_out=None)


def test_without_ratings_nothing_is_said_of_their_firmness() -> None:
    text = reads(shown(beside={"robustness": None}))
    assert LABEL in text
    assert "How firm is the result?" not in text
    assert "Fewest votes" not in text


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_a_teams_name_is_text_beside_the_result_too(locale: Locale) -> None:
    upset = ROBUSTNESS["removal"] | {"last": "e5", "types": [{**ROBUSTNESS["removal"]["types"][0], "first": "e5"}]}
    html = html_of(page_of(shown(beside={"robustness": ROBUSTNESS | {"last": "e5", "removal": upset}})), locale)
    assert NAMES["e5"] not in html
