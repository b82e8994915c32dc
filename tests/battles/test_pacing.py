"""The pacing rule: what shows tells nothing about which side is quicker."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.battles.pacing import FRAME_S, TEMPO, Pace, Pacing, Stock, Tempo

LONGEST_S = 180.0
COUNTS = st.integers(0, 10 * TEMPO.ceiling)


@dataclass
class Side:
    """What has come and what has been shown of it, in characters."""

    came: int = 0
    shown: int = 0
    ended: bool = False

    def stock(self) -> Stock:
        return Stock(self.came - self.shown, self.came > 0, self.ended)


@dataclass
class Frame:
    """What comes before a frame on both sides, and whether a side ends with it."""

    came: tuple[int, int]
    ends: tuple[bool, bool]


@dataclass(frozen=True)
class Shown:
    """Both sides after a frame, and what that frame allowed."""

    a: Side
    b: Side
    count: int
    at_s: float


FRAMES = st.lists(
    st.builds(Frame, came=st.tuples(COUNTS, COUNTS), ends=st.tuples(*2 * [st.sampled_from([False] * 9 + [True])])),
    max_size=60,
)
ENDING = [Frame((1, 1), (True, True)), *[Frame((0, 0), (False, False))] * 4000]


@pytest.fixture(autouse=True)
def _true_tempo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.battles.pacing.TEMPO", Tempo(start_s=1.0, ceiling=6))


def played(frames: list[Frame], pacing: Pacing = "together") -> Iterator[Shown]:
    """A frame each 50 ms; a side that has ended gets nothing more."""
    a, b, pace = Side(), Side(), Pace(pacing, LONGEST_S)
    for number, frame in enumerate(frames):
        for side, came, ends in zip((a, b), frame.came, frame.ends, strict=True):
            if not side.ended:
                side.came += came
                side.ended = ends and side.came > 0
        at_s = number * FRAME_S
        count = pace.allowance(at_s, a.stock(), b.stock())
        for side in (a, b):
            side.shown = min(side.came, side.shown + count)
        yield Shown(replace(a), replace(b), count, at_s)


@given(FRAMES)
def test_nothing_shows_before_both_have_begun_nor_before_the_common_start(frames: list[Frame]) -> None:
    for shown in played(frames):
        if not (shown.a.came and shown.b.came) or shown.at_s < TEMPO.start_s:
            assert (shown.a.shown, shown.b.shown) == (0, 0)


def test_nothing_shows_beside_an_answer_that_ended_without_a_word() -> None:
    pace = Pace("together", LONGEST_S)
    nothing = Stock(0, begun=False, ended=True)
    assert pace.allowance(2.0, Stock(9, begun=True, ended=False), nothing) == 0
    assert pace.allowance(LONGEST_S, Stock(9, begun=True, ended=False), nothing) == 0


@given(FRAMES)
def test_both_have_shown_equally_much_until_one_answer_is_out(frames: list[Frame]) -> None:
    for shown in played(frames):
        out = [side for side in (shown.a, shown.b) if side.stock().out]
        assert shown.a.shown == shown.b.shown or out
        if shown.a.shown != shown.b.shown and len(out) == 1:
            other = shown.b if out[0] is shown.a else shown.a
            assert other.shown > out[0].shown


@given(FRAMES)
def test_no_frame_goes_above_the_ceiling(frames: list[Frame]) -> None:
    assert all(0 <= shown.count <= TEMPO.ceiling for shown in played(frames))


@given(FRAMES)
def test_everything_shows_in_the_end(frames: list[Frame]) -> None:
    *_, last = played(frames + ENDING)
    assert (last.a.shown, last.b.shown) == (last.a.came, last.b.came)


@given(FRAMES)
def test_the_rule_knows_no_sides(frames: list[Frame]) -> None:
    mirrored = [Frame(frame.came[::-1], frame.ends[::-1]) for frame in frames]
    assert [Shown(s.b, s.a, s.count, s.at_s) for s in played(mirrored)] == list(played(frames))


@given(FRAMES)
def test_raw_shows_all_that_has_come(frames: list[Frame]) -> None:
    for shown in played(frames, "raw"):
        assert (shown.a.shown, shown.b.shown) == (shown.a.came, shown.b.came)


def arriving(*, first: int, every: int, piece: int, length: int) -> list[int]:
    """What comes of one answer in each frame."""
    sent = 0
    came: list[int] = []
    while sent < length:
        piece_now = min(piece, length - sent) if len(came) >= first and (len(came) - first) % every == 0 else 0
        came.append(piece_now)
        sent += piece_now
    return came


def battle(a: list[int], b: list[int]) -> list[int]:
    """What each frame shows of two answers that come so."""
    frames = []
    for number in range(4000):
        came = tuple(side[number] if number < len(side) else 0 for side in (a, b))
        ends = tuple(number == len(side) - 1 for side in (a, b))
        frames.append(Frame((came[0], came[1]), (ends[0], ends[1])))
    return [shown.count for shown in played(frames)]


QUICK = {
    "at once": {"first": 0, "every": 1, "piece": 10_000},
    "letter by letter": {"first": 2, "every": 1, "piece": 7},
    "in lumps": {"first": 8, "every": 10, "piece": 100},
    "after a thought": {"first": 19, "every": 1, "piece": 40},
}


def test_endpoints_that_are_quick_enough_all_look_alike() -> None:
    lengths = (400, 250)
    seen = {
        tuple(battle(*(arriving(**QUICK[name], length=length) for name, length in zip(pair, lengths, strict=True))))
        for pair in ((one, other) for one in QUICK for other in QUICK)
    }
    assert len(seen) == 1


@pytest.mark.parametrize("lengths", [(400, 250), (250, 400)])
def test_after_one_answer_is_out_the_other_goes_on_at_the_pace_of_both_whichever_is_slow(
    lengths: tuple[int, int],
) -> None:
    slow, quick = {"first": 4, "every": 2, "piece": 4}, QUICK["at once"]
    kinds = ((slow, quick), (quick, slow))
    shows = [battle(*(arriving(**kind, length=n) for kind, n in zip(pair, lengths, strict=True))) for pair in kinds]
    durations = [max(i for i, count in enumerate(counts) if count) for counts in shows]
    assert abs(durations[0] - durations[1]) <= 0.05 * durations[0]


def test_past_the_longest_time_all_that_has_come_shows() -> None:
    pace = Pace("together", 5.0)
    long = Stock(9000, begun=True, ended=True)
    assert pace.allowance(4.9, long, long) == TEMPO.ceiling
    assert pace.allowance(5.0, long, long) == 9000
