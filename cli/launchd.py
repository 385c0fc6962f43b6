"""A launch agent of macOS: one property list for each home folder. The keys: launchd.plist(5)."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ..memory.errors import LearnctlError
from .job import Job, When, name_of

NAME = "launchd"


def why_not() -> str:
    """Why this scheduler cannot be used here; empty where it can."""
    return "" if shutil.which("launchctl") else "there is no `launchctl` program on this machine"


def advice() -> str:
    """What a person should know of it."""
    return "it runs while you are logged in; a time at which the machine slept is made up for when it wakes"


def text(job: Job) -> str:
    """The property list of one home folder."""
    import plistlib

    job.require_one_line("property list")
    return plistlib.dumps(
        {
            "Label": name_of(job.home),
            "ProgramArguments": job.command,
            "EnvironmentVariables": job.environment,
            "ProcessType": "Background",
            "LowPriorityIO": True,
            "Nice": 10,
            **_times(job.when),
        }
    ).decode()


def install(job: Job) -> None:
    file = _file(job.home)
    _launchctl("bootout", f"{_domain()}/{name_of(job.home)}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text(job), encoding="utf-8")
    result = _launchctl("bootstrap", _domain(), str(file))
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise LearnctlError(f"launchctl cannot load {file}: {reason}")


def remove(home: Path) -> bool:
    """Take the agent away; whether there was one."""
    file = _file(home)
    if not file.exists():
        return False
    _launchctl("bootout", f"{_domain()}/{name_of(home)}")
    file.unlink()
    return True


def find(home: Path) -> str:
    """Whether the home folder's agent is loaded; empty where there is none."""
    if not _file(home).exists():
        return ""
    loaded = _launchctl("print", f"{_domain()}/{name_of(home)}").returncode == 0
    return "loaded" if loaded else "the agent is not loaded"


def _times(when: When) -> dict[str, Any]:
    if when.every_minutes:
        return {"StartInterval": when.every_minutes * 60}
    day = {"Weekday": 0} if when.weekly else {}
    return {"StartCalendarInterval": {"Hour": when.hour, "Minute": when.minute, **day}}


def _file(home: Path) -> Path:
    return Path.home() / "Library" / "LaunchAgents" / f"{name_of(home)}.plist"


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _launchctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["launchctl", *arguments], capture_output=True, text=True)
