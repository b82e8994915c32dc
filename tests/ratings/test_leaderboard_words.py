"""What one reads on the leaderboard."""

import re
from dataclasses import replace
from typing import Any

import pytest

from arena.ratings.pages import LeaderboardPage
from arena.web.pages import Locale
from tests.ratings.boards import NAMES, NO_POINTS, RATINGS, not_ratable, shown, without_ranges
from tests.ratings.reading import ROUND, html_of, page_of, reads, text_of


def test_one_reads_who_can_be_told_apart() -> None:
    text = reads(shown())
    assert "Hana is ahead of Duri: the votes tell them apart." in text
    assert "Set and Hana cannot be told apart by these votes. That would probably take about 12,000 further" in text


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        (1, "about 1 further vote in"),
        (999_999, "about 1,000,000 further votes"),
        (1_050_001, "more than a million further votes"),
        (None, None),
    ],
)
def test_one_reads_how_many_votes_are_missing_unless_none_would_do(needed: int | None, words: str | None) -> None:
    pair = RATINGS["neighbours"][1] | {"votes_needed": needed}
    text = reads(shown(ratings={"neighbours": [pair]}))
    assert (words or "cannot be told apart by these votes. Who is last") in text


def test_one_reads_who_is_last_or_that_nobody_can_say() -> None:
    tied = "The votes do not tell who is last: Duri and Net are tied; the round's tie-break decides."
    named = "Net is last: the votes place it below every other team."
    assert tied in reads(shown())
    surely = reads(shown(ratings={"last": {"entry": "e4", "tied": ["e4"]}}))
    assert named in surely
    assert tied not in surely


def test_one_reads_each_share_won_with_its_number_of_comparisons() -> None:
    text = reads(shown())
    assert "Hana 32 % 300 48 % 300 58 % 300 62 % 300 Duri 23 % 300" in text
    assert "Set – 52 % 300 62 % 300 64 % 300 Hana" in text


def test_one_reads_what_the_side_did() -> None:
    said = "preferred in 51.0 % of comparisons between equal teams (range: 50.1 % to 52.0 %). That is not one half"
    assert said in reads(shown())
    doubtful = RATINGS["side"] | {"interval": ["0.490000", "0.520095"]}
    assert "That cannot be told from one half" in reads(shown(ratings={"side": doubtful}))


def test_one_reads_from_whose_votes_and_how_it_was_computed() -> None:
    text = reads(shown())
    assert "2,700 votes, 512 people" in text
    assert "the first 30 votes count" in text
    assert "Computed 30 November 2026, 18:00" in text
    assert "bt-half-side-cr1, version 1. Votes: those not excluded, filter first-k, version 1." in text
    assert "figures (SHA-256) f1f1" in text
    assert "counted votes (SHA-256) cece" in text


def test_one_reads_whether_the_result_is_final() -> None:
    final, provisional = reads(shown(final=True)), reads(shown(final=False))
    assert "The final result from 2,700 votes." in final
    assert "Final, it does not change any more" in final
    assert "The state of things after 2,700 votes. It still changes." in provisional
    assert "Provisional, it still changes" in provisional


@pytest.mark.parametrize(
    ("ratings", "words", "named"),
    [
        (not_ratable("one_sided", "e5"), "only won or only lost", True),
        (not_ratable("not_connected", "e5"), "not yet been compared with the others", True),
        (not_ratable("side_not_estimable", *NAMES), "a good team from a good side", False),
        (without_ranges("too_few_voters"), "too few people have voted", False),
        (without_ranges("no_spread", "e5"), "only ties link these teams", True),
    ],
    ids=lambda value: value["why"]["code"] if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("locale", ["en", "ko"])
def test_one_reads_why_something_is_missing(ratings: Any, words: str, named: bool, locale: Locale) -> None:
    notice = html_of(page_of(shown(ratings=ratings)), locale).split("</section>")[0]
    assert re.findall(r"<li>(.*?)</li>", notice) == ["&lt;b&gt;Tat &amp; Co&lt;/b&gt;"] * named
    assert ("<ul>" in notice) is named
    assert locale == "ko" or words in notice


def test_one_reads_nothing_of_points_that_the_votes_do_not_give() -> None:
    assert "Points of 25" in reads(shown())
    assert "Points" not in reads(shown(scores=NO_POINTS))


def test_points_that_may_still_change_say_so_and_until_when() -> None:
    few, open_ = "provisional until it has 1,000 votes.", "All points are provisional until the round is closed."
    final, going_on, settled = reads(shown()), reads(shown(final=False)), reads(shown(scores={"provisional": False}))
    assert "14.9 12.6–17.2 provisional" in final
    assert "13.4 11.5–15.3 1,014" in final
    assert "14.9 12.6–17.2 1,026" in going_on
    assert (few in final, open_ in final) == (True, False)
    assert (few in going_on, open_ in going_on) == (False, True)
    assert (few in settled, open_ in settled) == (False, False)


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_a_teams_name_is_text_and_never_markup(locale: Locale) -> None:
    html = html_of(page_of(shown()), locale)
    assert "&lt;b&gt;Tat &amp; Co" in html
    assert "<b>" not in html


def test_before_the_first_vote_there_is_nothing_to_see() -> None:
    nothing = replace(shown(ratings=not_ratable("no_votes", *NAMES)), votes=0)
    for seen in (None, nothing):
        text = text_of(html_of(page_of(seen)))
        assert "There are no votes yet." in text
        assert "Hana" not in text


def test_who_may_not_see_the_ratings_reads_of_no_team() -> None:
    hidden = LeaderboardPage(replace(ROUND, leaderboard=False), visible=False, board=None, desk=None)
    assert "The ratings are not shown yet" in html_of(hidden)
    assert "<table" not in html_of(hidden)
