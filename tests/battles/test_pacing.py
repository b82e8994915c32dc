"""The pacing rule: what shows tells nothing about which side is quicker."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from arena.battles.pacing import CEILING, Pacing, Stock, allowance

COUNTS = st.integers(0, 10 * CEILING)


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


FRAMES = st.lists(
    st.builds(Frame, came=st.tuples(COUNTS, COUNTS), ends=st.tuples(*2 * [st.sampled_from([False] * 9 + [True])])),
    max_size=40,
)


def played(frames: list[Frame], pacing: Pacing = "together") -> list[tuple[Side, Side, int]]:
    """Both sides after each frame, and what that frame allowed; a side that has ended gets nothing more."""
    a, b, states = Side(), Side(), []
    for frame in frames:
        for side, came, ends in zip((a, b), frame.came, frame.ends, strict=True):
            if not side.ended:
                side.came += came
                side.ended = ends and side.came > 0
        count = allowance(pacing, a.stock(), b.stock())
        for side in (a, b):
            side.shown = min(side.came, side.shown + count)
        states.append((Side(a.came, a.shown, a.ended), Side(b.came, b.shown, b.ended), count))
    return states


@given(FRAMES)
def test_nothing_shows_before_both_have_begun(frames: list[Frame]) -> None:
    for a, b, _ in played(frames):
        if not (a.came and b.came):
            assert (a.shown, b.shown) == (0, 0)


def test_nothing_shows_beside_an_answer_that_ended_without_a_word() -> None:
    assert allowance("together", Stock(9, begun=True, ended=False), Stock(0, begun=False, ended=True)) == 0


@given(FRAMES)
def test_both_have_shown_equally_much_until_one_answer_is_out(frames: list[Frame]) -> None:
    for a, b, _ in played(frames):
        out = [side for side in (a, b) if side.ended and side.shown == side.came]
        assert a.shown == b.shown or out
        if a.shown != b.shown and len(out) == 1:
            other = b if out[0] is a else a
            assert other.shown > out[0].shown


@given(FRAMES)
def test_no_frame_goes_above_the_ceiling(frames: list[Frame]) -> None:
    assert all(0 <= count <= CEILING for _, _, count in played(frames))


@given(FRAMES)
def test_everything_shows_in_the_end(frames: list[Frame]) -> None:
    ending = [Frame((1, 1), (True, True)), *[Frame((0, 0), (False, False))] * 2000]
    a, b, _ = played(frames + ending)[-1]
    assert (a.shown, b.shown) == (a.came, b.came)


@given(FRAMES)
def test_the_rule_knows_no_sides(frames: list[Frame]) -> None:
    mirrored = [Frame(frame.came[::-1], frame.ends[::-1]) for frame in frames]
    assert [(b, a, count) for a, b, count in played(mirrored)] == played(frames)


@given(FRAMES)
def test_raw_shows_all_that_has_come(frames: list[Frame]) -> None:
    for a, b, _ in played(frames, "raw"):
        assert (a.shown, b.shown) == (a.came, b.came)
