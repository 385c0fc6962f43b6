"""A person's crontab: read, written as a whole, with one line of ours for each home folder."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from ..memory.errors import LearnctlError
from .job import Job, When

NAME = "cron"
DAEMONS = ("cron", "crond")
START = "`sudo systemctl enable --now cron`, or `sudo service cron start`"
SILENT = ">/dev/null 2>&1"
MOST_BYTES = 998  # MAX_COMMAND of most crons, which cut what is longer or refuse the whole table


def why_not() -> str:
    """Why this scheduler cannot be used here; empty where it can."""
    return "" if shutil.which("crontab") else "there is no `crontab` program on this machine"


def advice() -> str:
    """What a person should know of it."""
    if sys.platform == "linux" and not runs():  # launchd starts cron by itself
        return f"no cron is running, and nothing will be done until you start it: {START}"
    return "cron does not make up for a night on which the machine was off"


def runs() -> bool:
    """Whether a daemon is there that reads crontabs; the program alone starts nothing."""
    import psutil

    return any(process.info["name"] in DAEMONS for process in psutil.process_iter(["name"]))


def text(job: Job) -> str:
    """The crontab line that consolidates one home folder."""
    job.require_one_line("crontab")
    environment = "".join(
        f"{name}={shlex.quote(value)} " for name, value in job.environment.items()
    )
    # Else cron mails every word of it, also that a night was put off; nights have logs of their own.
    whole = f"{SILENT} {environment}nice -n 10 {shlex.join(job.command)} {_marker(job.home)}"
    whole = whole.replace("%", r"\%")  # a bare % is a line break to cron
    if len(os.fsencode(whole)) > MOST_BYTES:
        raise LearnctlError(
            f"cron takes {MOST_BYTES} bytes of a command, and this one has {len(os.fsencode(whole)):,}",
            hint="put what --on-finish does into a script",
        )
    return f"{_times(job.when)} {whole}"


def install(job: Job) -> None:
    write(with_line(read(), job.home, text(job)))


def remove(home: Path) -> bool:
    """Take the line out; whether there was one."""
    before = read()
    after = without_line(before, home)
    if after != before:
        write(after)
    return after != before


def find(home: Path) -> str:
    """When the home folder's line is due, as it stands in the crontab; empty where there is none."""
    active = [entry for entry in _lines(read()) if not entry.lstrip().startswith("#")]
    lines = [entry for entry in active if _is_ours(entry, home)]
    return " ".join(lines[0].split()[:5]) if lines else ""


def with_line(table: str, home: Path, new: str) -> str:
    """The crontab with that line in it once, in place of an earlier one."""
    return without_line(table, home) + new + "\n"


def without_line(table: str, home: Path) -> str:
    kept = [entry for entry in _lines(table) if not _is_ours(entry, home)]
    return "".join(f"{entry}\n" for entry in kept)


def read() -> str:
    """The crontab as it is; empty where there is none yet."""
    result = _crontab("-l")
    if result.returncode == 0:
        return result.stdout.decode("utf-8", "surrogateescape")
    complaint = _reason(result).lower()
    if "no crontab" in complaint or "no such file" in complaint:
        return ""
    raise LearnctlError(f"the crontab cannot be read: {_reason(result)}")


def write(table: str) -> None:
    # An empty table is taken away whole, so that nothing of ours is left.
    result = _crontab("-", table) if table else _crontab("-r")
    if result.returncode:
        raise LearnctlError(f"the crontab cannot be written: {_reason(result)}")


def _lines(table: str) -> list[str]:
    """As cron cuts them: `splitlines` would also cut at a form feed, and at other marks."""
    return table.removesuffix("\n").split("\n") if table else []


def _times(when: When) -> str:
    if when.every_minutes >= 60:
        return f"0 */{when.every_minutes // 60} * * *"
    if when.every_minutes:
        return f"*/{when.every_minutes} * * * *"
    return f"{when.minute} {when.hour} * * {0 if when.weekly else '*'}"


def _crontab(argument: str, table: str | None = None) -> subprocess.CompletedProcess[bytes]:
    """Bytes both ways: what is no UTF-8, and every line break, goes back as it came."""
    program = shutil.which("crontab")
    if program is None:
        raise LearnctlError(
            why_not(),
            hint="install cron, or give the command of `learnctl schedule print` to another scheduler",
        )
    return subprocess.run(
        [program, argument],
        input=None if table is None else table.encode("utf-8", "surrogateescape"),
        capture_output=True,
        env={**os.environ, "LC_ALL": "C"},
    )


def _is_ours(entry: str, home: Path) -> bool:
    return entry.endswith(" " + _marker(home).replace("%", r"\%"))


def _marker(home: Path) -> str:
    return f"# learnctl {shlex.quote(str(home))}"


def _reason(result: subprocess.CompletedProcess[bytes]) -> str:
    said = result.stderr.decode("utf-8", "replace").strip()
    return (said.splitlines() or [f"exit code {result.returncode}"])[-1]
