"""The geometry of small charts."""

import pytest

from arena.office.charts import HEIGHT, WIDTH, Box, bars, lines, round_up, shades


def test_a_bar_is_as_high_as_its_share_and_hours_without_a_number_have_none() -> None:
    chart = bars([None, 0.0, 0.5, 1.0], 1.0, [False] * 4)
    assert [(box.x, box.height) for box in chart.bars] == [(151.2, HEIGHT / 2), (223.2, HEIGHT)]
    assert all(box.y + box.height == HEIGHT for box in chart.bars)


def test_the_smallest_share_can_be_seen() -> None:
    (box,) = bars([0.0001], 1.0, [False]).bars
    assert box.height == 1.5


def test_lines_break_where_there_is_no_number_and_one_alone_is_a_dash() -> None:
    chart = lines([[1.0, 2.0, None, 4.0]], [False] * 4)
    assert chart.top == 5.0
    assert chart.lines == ("M36.0 57.6L108.0 43.2M250.0 14.4h4.0",)


def test_series_share_an_axis() -> None:
    assert lines([[0.2], [0.9]], [False]).top == 1.0
    assert lines([[None], [None]], [False]).lines == ("", "")


def test_neighbouring_hours_out_of_service_are_one_shade() -> None:
    assert shades([True, True, False, True]) == (
        Box(0.0, 0.0, WIDTH / 2, HEIGHT),
        Box(WIDTH * 3 / 4, 0.0, WIDTH / 4, HEIGHT),
    )


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (0.3, 0.5), (1, 1), (1.1, 2), (4.9, 5), (99, 100), (101, 200), (0.0007, 0.001)]
)
def test_the_upper_edge_is_a_round_number(value: float, top: float) -> None:
    assert round_up(value) == pytest.approx(top)
