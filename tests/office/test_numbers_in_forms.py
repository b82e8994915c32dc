"""Numbers of rows as forms send them."""

import pytest

from arena.office.exclusion_form import LARGEST, number_in


@pytest.mark.parametrize("text", ["", "0", "-1", "x", "²", str(LARGEST + 1), "9" * 5000, "0" * 19 + "1" * 5000])
def test_what_numbers_no_row_is_zero(text: str) -> None:
    assert number_in(text) == 0


def test_a_rows_number_is_read() -> None:
    assert [number_in(text) for text in ("1", "42", str(LARGEST))] == [1, 42, LARGEST]
