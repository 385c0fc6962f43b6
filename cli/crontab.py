"""A person's crontab: read, written as a whole, with one line of ours for each home folder."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from ..memory.errors import LearnctlError


def line(home: Path, daily: str) -> str:
    """The crontab line that consolidates one home folder every day at `HH:MM`."""
    hour, minute = (int(part) for part in daily.split(":"))
    command = [*_program(), "--home", str(home), "consolidate", "--scheduled"]
    # cron starts with hardly any environment; where the models lie has to go along.
    models = os.environ.get("LEARNCTL_MODELS")
    where = f"LEARNCTL_MODELS={shlex.quote(str(Path(models).absolute()))} " if models else ""
    whole = f"{where}{shlex.join(command)} {_marker(home)}"
    if "\n" in whole:
        raise LearnctlError("a path with a line break in it cannot stand in a crontab")
    return f"{minute} {hour} * * * " + whole.replace("%", r"\%")  # a bare % is a line break to cron


def with_line(text: str, home: Path, new: str) -> str:
    """The crontab with that line in it once, in place of an earlier one."""
    return without_line(text, home) + new + "\n"


def without_line(text: str, home: Path) -> str:
    marker = " " + _marker(home).replace("%", r"\%")
    kept = [entry for entry in text.splitlines() if not entry.endswith(marker)]
    return "".join(f"{entry}\n" for entry in kept)


def read() -> str:
    """The crontab as it is; empty where there is none yet."""
    result = _crontab("-l")
    if result.returncode == 0:
        return result.stdout
    complaint = result.stderr.lower()
    if "no crontab" in complaint or "no such file" in complaint:
        return ""
    raise LearnctlError(f"the crontab cannot be read: {_reason(result)}")


def write(text: str) -> None:
    result = _crontab("-", text)
    if result.returncode:
        raise LearnctlError(f"the crontab cannot be written: {_reason(result)}")


def _crontab(argument: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    program = shutil.which("crontab")
    if program is None:
        raise LearnctlError(
            "there is no `crontab` program on this machine",
            hint="install cron, or give the command of `learnctl schedule print` to another scheduler",
        )
    return subprocess.run(
        [program, argument],
        input=text,
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )


def _program() -> list[str]:
    """How to start learnctl from anywhere, with this very installation."""
    beside = Path(sys.executable).parent / "learnctl"
    if beside.exists():
        return [str(beside)]
    return [sys.executable, "-m", "learnctl.cli"]


def _marker(home: Path) -> str:
    return f"# learnctl {shlex.quote(str(home))}"


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    return (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
