"""An ingest that is killed at random moments leaves a store that is whole, and nothing reported is lost."""

import json
import os
from typing import Any

import pytest


@pytest.mark.skipif(os.name != "posix", reason="processes are killed in another way")
def test_killed_at_random_moments(benchmark: Any) -> None:
    """Eight times, on one store, then to its end: the same as an undisturbed one. `benchmarks.kills` does
    it fifty times."""
    done = benchmark(
        "kills", "--kills", "8", "--files", "40", "--large-mb", "5", "--longest", "0.5"
    )
    assert done.stderr == ""
    outcome = json.loads(done.stdout)
    assert outcome["faults"] == []
    assert outcome["kills"] == 8
    assert outcome["files_reported"] >= 39
