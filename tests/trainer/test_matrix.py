"""The measures of a continual matrix, on a small one and on one that others measured."""

import json
import os
from pathlib import Path

import pytest

from learnctl.trainer.matrix import Continual, Matrix, summarise

DATA = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder")

MATRIX: Matrix = [
    [0.1, None, 0.3],
    [0.8, 0.1, None],
    [0.9, 0.6, None],
    [0.5, 0.7, 0.4],
]


def test_measures_of_a_small_matrix() -> None:
    """The first night was best after the second (.9 to .5), the second night still grows (.6 to .7)."""
    found = summarise(MATRIX)
    assert found.acc == pytest.approx((0.5 + 0.7 + 0.4) / 3)
    assert found.bwt == pytest.approx(((0.5 - 0.8) + (0.7 - 0.6)) / 2)
    assert found.forgetting == pytest.approx(((0.9 - 0.5) + (0.6 - 0.7)) / 2)
    assert found.diagonal == pytest.approx((0.8 + 0.6 + 0.4) / 3)
    assert found.base == pytest.approx((0.1 + 0.3) / 2)


def test_what_was_not_measured_counts_for_nothing() -> None:
    """A missing cell leaves its night out of a mean; it is no zero."""
    gone = [list(row) for row in MATRIX]
    gone[3][1] = None
    found = summarise(gone)
    assert found.acc == pytest.approx((0.5 + 0.4) / 2)
    assert found.bwt == pytest.approx(0.5 - 0.8)
    gone[3] = [None, None, None]
    found = summarise(gone)
    assert (found.acc, found.bwt, found.forgetting) == (None, None, None)
    assert found.diagonal == pytest.approx(0.7)


def test_one_night_and_none() -> None:
    """Nothing can be forgotten in one night."""
    assert summarise([[None], [0.5]]) == Continual(0.5, None, None, 0.5, None)
    assert summarise([[]]) == Continual(None, None, None, None, None)


def test_rows_must_fit() -> None:
    with pytest.raises(ValueError, match="2 rows need 1 columns"):
        summarise([[0.1, 0.2], [0.3, 0.4]])


def test_matrix_that_others_measured() -> None:
    """SEAL's eight passages in a row, with the figures known for them."""
    path = DATA / "squad" / "seal_continual_matrix.json"
    if not path.exists():
        pytest.skip("no matrix to compare with: set LEARNCTL_TEST_DATA")
    rows = json.loads(path.read_text())["mean_over_sequences"]
    matrix = [
        [cell if not after or night < after else None for night, cell in enumerate(row)]
        for after, row in enumerate(rows)
    ]
    found = summarise(matrix)
    assert found.acc == pytest.approx(0.247425, abs=1e-6)
    assert found.bwt == pytest.approx(-0.191057, abs=1e-6)
    assert found.forgetting == pytest.approx(0.191057, abs=1e-6)
    assert found.diagonal == pytest.approx(0.414600, abs=1e-6)
    assert found.base == pytest.approx(0.307488, abs=1e-6)
