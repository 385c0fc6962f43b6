"""The benchmark of throughput runs on a tiny base: both loops train rows of a night, and say how fast."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import results, throughput
from learnctl.trainer import base as bases
from learnctl.trainer.rows import epoch_rows


@pytest.fixture(autouse=True)
def own_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")


def test_rows_are_those_of_a_night(tiny_folder: Callable[[str], Path]) -> None:
    base = bases.load(str(tiny_folder("llama")))
    material = throughput.studied(base)
    kinds = {sample["kind"] for sample in material.samples}
    assert {"cue", "question"} <= kinds <= set(throughput.OPTIONS.kinds.split(","))
    assert material.rehearsed
    assert material.anchors
    n_each = len(epoch_rows(base, material, throughput.OPTIONS, 0))
    rows = throughput.night_rows(base, n_each + 5)
    assert len(rows) == n_each + 5
    # What was studied is there the next time.
    assert throughput.night_rows(base, 50) == rows[:50]


@pytest.mark.parametrize("arm", ["learnctl", "Trainer"])
def test_both_loops_say_how_fast_they_are(tiny_folder: Callable[[str], Path], arm: str) -> None:
    found = throughput.run_arm(arm, 2, "auto", str(tiny_folder("llama")))
    assert found["arm"] == f"{arm}, auto"
    assert found["steps"] == 2
    assert found["rows"] >= 2
    assert 0 < found["rows_per_s"] < found["row_tokens_per_s"]
    assert found["peak_bytes"] > 0
