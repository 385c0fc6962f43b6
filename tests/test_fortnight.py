"""Some nights in a row in which much goes wrong, and in the end all is whole."""

import json
import os
from typing import Any

import pytest


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="processes are copied and killed in another way"
)
def test_five_nights(benchmark: Any) -> None:
    """A power cut, a full disk, poison, a forget and a rollback; `benchmarks.fortnight` lives fourteen."""
    ended = benchmark("fortnight", "--nights", "5", "--json")
    assert ended.stdout, ended.stderr
    found = json.loads(ended.stdout)
    assert found["faults"] == []
    assert [night["date"] for night in found["nights"]] == [
        f"2026-03-0{day}" for day in range(1, 6)
    ]
    events = [event for night in found["nights"] for event in night["events"]]
    assert sorted(events) == ["forgotten", "full disk", "poisoned", "power cut", "rolled back"]
    tries = [night["tries"] for night in found["nights"]]
    assert tries[1] == ["killed", "promoted"]
    assert tries[2] == ["error", "error", "error", "promoted"]
    assert found["nights"][-1]["version"] == 5
    assert len(found["matrix"]) == 4  # the base, and the versions of nights 1, 2 and 5
