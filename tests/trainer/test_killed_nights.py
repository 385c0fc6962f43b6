"""A night that is killed at random moments harms nothing, and is finished by the next one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(os, "fork"), reason="processes are copied and killed in another way"
)
def test_killed_at_random_moments() -> None:
    """Four times; `benchmarks.killed_nights` does it fifty times."""
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.killed_nights", "--kills", "4", "--json"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert ended.stdout, ended.stderr
    outcome = json.loads(ended.stdout)
    assert outcome["faults"] == []
    assert len(outcome["kills"]) == 4
    assert len(outcome["completed"]) >= 1
