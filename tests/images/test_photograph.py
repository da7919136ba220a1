"""What of a photograph is computed in strips."""

import pytest

from colorize.images import photograph
from colorize.images.photograph import strips


@pytest.mark.parametrize(
    ("height", "width", "rows"), [(10, 25, [4, 4, 2]), (3, 100, [1, 1, 1]), (2, 1000, [1, 1]), (5, 1, [5]), (0, 7, [])]
)
def test_strips_are_whole_rows_that_hold_no_more_than_they_may(
    height: int, width: int, rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photograph, "STRIP_PIXELS", 100)
    found = list(strips(height, width))
    assert [strip.stop - strip.start for strip in found] == rows
    assert [row for strip in found for row in range(height)[strip]] == list(range(height))
