"""Documents that are made by programs say what these make."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import sources

ROOT = Path(__file__).parent.parent


def test_commands_are_up_to_date() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "learnctl.cli.reference"],
        env=os.environ | {"PYTHONPATH": str(ROOT / ".dev"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    ).stdout
    kept = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert kept == made, "run: python -m learnctl.cli.reference > docs/commands.md"


@pytest.mark.slow
def test_what_was_found_in_exports_is_found() -> None:
    folder = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder")
    if not all((folder / name).is_dir() for name in sources.FOLDERS):
        pytest.skip("no folder of real files: set LEARNCTL_TEST_DATA")
    kept = (ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    found = "\n".join(sources.table(folder))
    assert kept.endswith(f"\n\n{found}\n"), "run: python -m benchmarks.sources --data FOLDER"
