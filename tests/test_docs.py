"""docs/commands.md says what the help texts say."""

import os
import subprocess
import sys
from pathlib import Path

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
