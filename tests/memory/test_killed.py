"""An ingest that is killed at random moments leaves a store that is whole, and nothing reported is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(os.name != "posix", reason="processes are killed in another way")
def test_killed_at_random_moments() -> None:
    """Eight times, on one store, then to its end: the same as an undisturbed one. `benchmarks.kills` does
    it fifty times."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.kills",
            "--kills",
            "8",
            "--files",
            "40",
            "--longest",
            "0.5",
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    outcome = json.loads(done.stdout)
    assert outcome["faults"] == []
    assert outcome["kills"] == 8
    assert outcome["files_reported"] >= 39
