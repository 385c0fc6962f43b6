"""What is given to a scheduler, read by the scheduler's own programs: systemd, cron, and a plist parser.

The cron daemon runs in a mount namespace of its own, so that this machine's crontabs are never touched; its clock
is set shortly before the time that was scheduled. Where cron is not installed, Debian's is fetched.
"""

import os
import plistlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import clock
from benchmarks.cron import Cron, why_not

ROOT = Path(__file__).parent.parent.parent
ODD = 'it\'s 100% "mine" $HOME; \\ &'


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This checkout's learnctl as an installed program, in a folder with an odd name."""
    folder = tmp_path / ODD / "bin"
    folder.mkdir(parents=True)
    script = folder / "learnctl"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT / ".dev"}" exec "{sys.executable}" -m learnctl.cli "$@"\n'
    )
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    return script


def units(run: Any, *args: str) -> dict[str, str]:
    """The unit files that `schedule print` shows, by name."""
    found: dict[str, str] = {}
    name = ""
    for line in run(*args).stdout.splitlines(keepends=True):
        if line.startswith("# /"):
            name = Path(line[2:].strip()).name
            found[name] = ""
        else:
            found[name] += line
    return found


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
@pytest.mark.parametrize(
    "times",
    [["--daily", "02:30"], ["--weekly"], ["--every", "24h"], ["--every", "6h"], ["--every", "5m"]],
    ids=" ".join,
)
def test_systemd_accepts_the_units(
    run: Any, program: Path, tmp_path: Path, times: list[str]
) -> None:
    home = tmp_path / ODD / "home"
    written = units(
        run, "--home", str(home), "schedule", "print", "--using", "systemd", *times
    )  # fmt: skip
    folder = tmp_path / "units"
    folder.mkdir()
    for name, text in written.items():
        (folder / name).write_text(text)
    checked = subprocess.run(
        ["systemd-analyze", "--user", "verify", *map(str, folder.iterdir())],
        capture_output=True,
        text=True,
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert checked.stderr == ""
    assert checked.returncode == 0
    (timer,) = (text for name, text in written.items() if name.endswith(".timer"))
    (service,) = (text for name, text in written.items() if name.endswith(".service"))
    assert "Persistent=true" in timer
    for line in (
        "SuccessExitStatus=4 5 75",
        "StandardOutput=null",
        "Nice=10",
        "CPUSchedulingPolicy=batch",
    ):
        assert line in service.splitlines()


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_would_complain_of_bad_units(tmp_path: Path) -> None:
    """The check above can fail: a service whose program does not exist is refused."""
    (tmp_path / "bad.service").write_text("[Service]\nType=oneshot\nExecStart=/nowhere/learnctl\n")
    command = ["systemd-analyze", "--user", "verify", str(tmp_path / "bad.service")]
    assert subprocess.run(command, capture_output=True).returncode


def test_the_property_list_says_what_is_meant(run: Any, program: Path, tmp_path: Path) -> None:
    home = str(tmp_path / ODD / "home")
    printed = run(
        "--home", home, "schedule", "print", "--using", "launchd", "--weekly", "--daily", "4:05",
        "--on-finish", "echo <done> & out",
    ).stdout  # fmt: skip
    agent = plistlib.loads(printed.encode())
    assert agent["ProgramArguments"] == [
        str(program), "--home", home, "consolidate", "--scheduled", "--on-finish=echo <done> & out",
    ]  # fmt: skip
    assert agent["StartCalendarInterval"] == {"Weekday": 0, "Hour": 4, "Minute": 5}
    assert agent["EnvironmentVariables"] == {"LEARNCTL_MODELS": os.environ["LEARNCTL_MODELS"]}


@pytest.fixture
def cron(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cron]:
    """A daemon whose clock stands shortly before three; `crontab` is its own."""
    if reason := why_not():
        pytest.skip(reason)
    clock.turn(tmp_path / "clock", "2026-03-01 02:50:00")
    with Cron(tmp_path, tmp_path / "clock") as daemon:
        monkeypatch.setenv("PATH", f"{daemon.crontab.parent}:{os.environ['PATH']}")
        yield daemon


def test_a_real_cron_fires_the_night(
    run: Any, program: Path, tmp_path: Path, cron: Cron, wait: Callable[..., None]
) -> None:
    """What `install` writes with the real `crontab` starts a night of that home: odd names and all, with its log and its
    command. `remove` leaves the table as it was."""
    home = tmp_path / ODD / "home"
    told = tmp_path / "told 100%"
    (tmp_path / "note.md").write_text("# House\n\nThe boiler is serviced by Harald Immer.\n")
    run("--home", str(home), "ingest", str(tmp_path / "note.md"))

    def schedule(*args: str) -> str:
        done = run("--home", str(home), "schedule", *args)
        assert done.exit_code == 0
        return str(done.output)

    before = "# mine\n0 1 * * * true 100\\%\n"
    subprocess.run(["crontab", "-"], input=before, text=True, check=True)
    installed = schedule(
        "install", "--using", "cron", "--min-new-tokens=1000000", "--on-battery", "--max-load=9",
        "--on-finish", f'echo "$LEARNCTL_DECISION" > "{told}"',
    )  # fmt: skip
    assert "scheduled: every day at 03:00, by cron" in installed
    assert "no cron is running" not in installed
    assert "scheduled by cron: 0 3 * * *" in schedule("status")
    cron.turn("2026-03-01 02:59:58")
    wait(lambda: told.exists() and told.read_text().endswith("\n"))
    assert told.read_text() == "paused\n"
    (log,) = (home / "nights").glob("*.log")
    assert "did not run: too little is new" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    schedule("remove")
    assert subprocess.run(["crontab", "-l"], capture_output=True, text=True).stdout == before


@pytest.fixture
def wait() -> Callable[..., None]:
    def until(done: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.1)

    return until
