"""A night that is killed at random moments harms nothing, and is finished by the next one."""

import json
import os
from typing import Any

import pytest


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="processes are copied and killed in another way"
)
def test_killed_at_random_moments(benchmark: Any) -> None:
    """Four times; `benchmarks.killed_nights` does it fifty times."""
    ended = benchmark("killed_nights", "--kills", "4", "--json")
    assert ended.stdout, ended.stderr
    outcome = json.loads(ended.stdout)
    assert outcome["faults"] == []
    assert len(outcome["kills"]) == 4
    assert len(outcome["completed"]) >= 1
