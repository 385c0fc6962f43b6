"""The machine is asked to stay awake for as long as a night lasts, by a pretended `systemd-inhibit`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from learnctl.cli.awake import HELD, awake

ROOT = Path(__file__).parent.parent.parent
INHIBIT = """#!/bin/sh
for word; do echo "$word" >> "$TOLD/words"; done
echo $$ > "$TOLD/new"
mv "$TOLD/new" "$TOLD/pid"
while [ "$1" != "--why=learning what is new" ]; do shift; done
shift
exec "$@"
"""
REFUSING = """#!/bin/sh
echo "Failed to inhibit: Access denied" >&2
exit 1
"""


@pytest.fixture
def inhibit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program in the place of `systemd-inhibit`."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("TOLD", str(tmp_path))

    def put(text: str) -> None:
        program = tmp_path / "systemd-inhibit"
        program.write_text(text)
        program.chmod(0o755)

    return put


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def helper(folder: Path) -> psutil.Process:
    """The pretended program, once it has started."""
    wait((folder / "pid").exists)
    return psutil.Process(int((folder / "pid").read_text()))


def has_ended(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_awake_as_long_as_it_lasts(inhibit: Any, tmp_path: Path) -> None:
    inhibit(INHIBIT)
    refused: list[str] = []
    with awake(refused.append):
        at_work = helper(tmp_path)
        assert not has_ended(at_work)
    assert has_ended(at_work)
    assert refused == []
    assert (tmp_path / "words").read_text().splitlines() == [
        "--what=sleep:idle", "--mode=block", "--who=learnctl", "--why=learning what is new", *HELD,
    ]  # fmt: skip


def test_not_longer_than_a_night_that_is_killed(inhibit: Any, tmp_path: Path) -> None:
    inhibit(INHIBIT)
    code = "import time\nfrom learnctl.cli.awake import awake\nwith awake(print): time.sleep(60)"
    env = os.environ | {"PYTHONPATH": str(ROOT / ".dev")}
    night = subprocess.Popen([sys.executable, "-c", code], env=env)
    at_work = helper(tmp_path)
    night.send_signal(signal.SIGKILL)
    night.wait()
    wait(lambda: has_ended(at_work))


def test_where_it_is_refused_the_night_runs_and_its_log_says_so(
    run: Any, home: Path, inhibit: Any
) -> None:
    inhibit(REFUSING)
    run("init")
    assert run("consolidate", "--scheduled", "--on-battery", "--max-load=99").exit_code == 5
    (log,) = (home / "nights").glob("*.log")
    (told,) = (line for line in log.read_text().splitlines() if "awake" in line)
    assert told.endswith(" the machine is not kept awake: Failed to inhibit: Access denied")
