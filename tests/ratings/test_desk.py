"""What operators alone read on the leaderboard."""

from datetime import UTC, datetime
from typing import Any

import pytest

from arena.ratings.desk import desk
from arena.ratings.pages import Ahead, VotesNeeded
from arena.web.pages import Locale
from tests.ratings.boards import NAMES, shown, snapshot
from tests.ratings.reading import html_of, page_of, reads

DIFFERENCES = ("voters: 512 kept, 511 counted", "e1-e2: a=80 <b> kept, a=79 counted")
RECOUNTED = datetime(2026, 11, 30, 9, 5, tzinfo=UTC)


def seen(**parts: Any) -> str:
    """What an operator reads with these parts of the snapshot changed."""
    return reads(shown(), desk(snapshot(**parts), NAMES))


def test_the_round_needs_a_pairs_votes_times_its_pairs() -> None:
    assert desk(snapshot(), NAMES).outlook.needed == (
        VotesNeeded(0.51, 7270, 72_700, reached=False),
        VotesNeeded(0.55, 301, 3010, reached=False),
        VotesNeeded(0.6, 300, 3000, reached=True),
    )


def test_an_operator_reads_how_many_votes_are_needed_and_reached() -> None:
    text = seen()
    assert "The pair of teams with the fewest votes has 300 so far." in text
    assert "51 % 7,270 72,700 not yet 55 % 301 3,010 not yet 60 % 300 3,000 yes" in text


def test_an_operator_reads_of_ties_and_of_votes_that_go_together() -> None:
    assert "9.1 % are ties. Votes of the same person go together:" in seen()
    assert "multiplied by 1.13" in seen()
    unknown = seen(outlook={"design_effect": None})
    assert "multiplied" not in unknown
    assert "each vote is taken by itself" in unknown


def test_where_no_number_of_votes_is_enough_none_is_given() -> None:
    text = seen(outlook={"needed": []})
    assert "no number can be given" in text
    assert "Votes for each pair" not in text


def test_teams_apart_are_grouped_by_the_better_one() -> None:
    best = NAMES["e5"]
    assert desk(snapshot(), NAMES).outlook.apart == (Ahead(best, ("Hana", "Duri", "Net")), Ahead("Hana", ("Duri",)))
    assert f"however often one looks {best} is ahead of: Hana, Duri, Net Hana is ahead of: Duri Whoever" in seen()
    assert "however often one looks None yet." in seen(outlook={"apart": []})
    assert "Planned for 2,500 votes" in seen()


@pytest.mark.parametrize("locale", ["en", "ko"])
def test_counts_that_differ_from_the_votes_are_the_first_thing_an_operator_reads(locale: Locale) -> None:
    wrong = desk(snapshot(recounted_at=RECOUNTED, differences=DIFFERENCES), NAMES)
    html = html_of(page_of(shown(), wrong), locale)
    notice = html[: html.index("</section>")]
    assert "arena round recount stage-1 --mend" in notice
    assert "<li>voters: 512 kept, 511 counted</li>" in notice
    assert "a=80 &lt;b&gt; kept" in notice


@pytest.mark.parametrize("final", [True, False])
def test_counts_that_differ_make_ratings_doubtful_unless_these_are_final(final: bool) -> None:
    wrong = desk(snapshot(recounted_at=RECOUNTED, differences=DIFFERENCES), NAMES)
    text = reads(shown(final=final), wrong)
    assert ("they may be wrong" in text) is not final
    assert ("computed from the votes themselves" in text) is final


def test_one_reads_when_counts_were_checked_unless_they_differ_or_never_were() -> None:
    checked, notice = "checked against the votes on 30 November 2026, 18:05; they agree", "The kept counts differ"
    agreeing = seen(recounted_at=RECOUNTED)
    assert (checked in agreeing, notice in agreeing) == (True, False)
    differing = seen(recounted_at=RECOUNTED, differences=DIFFERENCES)
    assert (checked in differing, notice in differing) == (False, True)
    assert "2 differences, found on 30 November 2026, 18:05" in differing
    assert "checked against" not in seen()


def test_the_plan_is_there_before_the_first_vote() -> None:
    text = reads(None, desk(snapshot(), NAMES))
    assert "There are no votes yet." in text
    assert "How many votes this round needs only operators see this" in text


def test_others_read_nothing_of_it() -> None:
    text = reads(shown())
    for words in ("How many votes this round needs", "Live indicator", "recount"):
        assert words not in text
