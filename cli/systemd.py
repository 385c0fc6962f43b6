"""A timer of the person's own systemd: two unit files for each home folder.

What the settings mean: https://www.freedesktop.org/software/systemd/man/systemd.timer.html and
systemd.exec(5); how words are quoted: systemd.service(5), "Command lines".
"""

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from ..memory.errors import LearnctlError
from .job import Job, When, name_of

NAME = "systemd"
# Refused by the gate, nothing to do, conditions not met: none of them is a fault of the service.
FINE_CODES = "4 5 75"


def why_not() -> str:
    """Why this scheduler cannot be used here; empty where it can."""
    if not shutil.which("systemctl"):
        return "there is no `systemctl` program on this machine"
    if _systemctl("show-environment").returncode:
        return "this account has no systemd of its own running"
    return ""


def service_text(job: Job) -> str:
    job.require_one_line("unit file")
    environment = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in job.environment.items()
    )
    # The colon keeps systemd from putting variables in place of `$`. It takes no program whose path holds
    # quotes and the like, hence the shell, which gives its place to the program at once.
    command = ["/bin/sh", "-c", 'exec "$0" "$@"', *job.command]
    return (
        "[Unit]\n"
        f"Description=learnctl learns what is new ({_escaped(str(job.home))})\n"
        "\n"
        "[Service]\n"
        "Type=oneshot\n"
        f"{environment}"
        f"ExecStart=:{' '.join(_quoted(word) for word in command)}\n"
        f"SuccessExitStatus={FINE_CODES}\n"
        # It names files that were set aside, and no `forget` reaches the journal; nights have logs of their own.
        "StandardOutput=null\n"
        "Nice=10\n"
        "CPUSchedulingPolicy=batch\n"
        "IOSchedulingClass=idle\n"
    )


def timer_text(job: Job) -> str:
    return (
        "[Unit]\n"
        f"Description=When learnctl learns what is new ({_escaped(str(job.home))})\n"
        "\n"
        "[Timer]\n"
        f"OnCalendar={calendar(job.when)}\n"
        "Persistent=true\n"
        "\n"
        "[Install]\n"
        "WantedBy=timers.target\n"
    )


def calendar(when: When) -> str:
    """The time as `systemd-analyze calendar` reads it."""
    if when.every_minutes >= 60:
        return f"*-*-* 00/{when.every_minutes // 60}:00:00"
    if when.every_minutes:
        return f"*-*-* *:00/{when.every_minutes}:00"
    day = "Sun " if when.weekly else ""
    return f"{day}*-*-* {when.hour:02d}:{when.minute:02d}:00"


def text(job: Job) -> str:
    """Both files, each under its name."""
    service, timer = _files(job.home)
    return f"# {service}\n{service_text(job)}\n# {timer}\n{timer_text(job)}"


def install(job: Job) -> None:
    """Write the units and start the timer.

    Raises:
        LearnctlError: systemd refuses; what was there before is there again.
    """
    before = [file.read_text(encoding="utf-8") for file in _files(job.home) if file.exists()]
    try:
        _start(job.home, service_text(job), timer_text(job))
    except (LearnctlError, OSError):
        remove(job.home)
        if len(before) == 2:
            with suppress(LearnctlError, OSError):
                _start(job.home, *before)
        raise


def _start(home: Path, *texts: str) -> None:
    files = _files(home)
    files[0].parent.mkdir(parents=True, exist_ok=True)
    for file, text in zip(files, texts, strict=True):
        file.write_text(text, encoding="utf-8")
    timer = files[1].name
    _must("daemon-reload")
    _must("enable", timer)
    _must("restart", timer)  # a timer that runs already keeps its old time otherwise


def remove(home: Path) -> bool:
    """Take the units away; whether there were any."""
    files = _files(home)
    if not any(file.exists() for file in files):
        return False
    timer = files[1].name
    _systemctl("disable", "--now", timer)
    _systemctl("clean", "--what=state", timer)  # the stamp that `Persistent` leaves
    for file in files:
        file.unlink(missing_ok=True)
    _systemctl("daemon-reload")
    _systemctl("reset-failed", *(file.name for file in files))
    return True


def find(home: Path) -> str:
    """When the home folder's timer is due next; empty where there is none."""
    timer = _files(home)[1]
    if not timer.exists():
        return ""
    shown = _systemctl("show", timer.name, "--property=NextElapseUSecRealtime", "--value")
    active = _systemctl("is-active", timer.name).stdout.strip() == "active"
    return shown.stdout.strip() or "soon" if active else "the timer is not running"


def advice() -> str:
    """What a person should know of a timer of their own."""
    shown = subprocess.run(
        ["loginctl", "show-user", str(os.getuid()), "--property=Linger", "--value"],
        capture_output=True,
        text=True,
    )
    if shown.stdout.strip() == "yes":
        return "it runs whether or not you are logged in; a night that was missed is made up for"
    return (
        "it runs while you are logged in, and makes up for a night that was missed; "
        "`loginctl enable-linger` lets it run when you are logged out too"
    )


def _files(home: Path) -> tuple[Path, Path]:
    config = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    folder = Path(config) / "systemd" / "user"
    return folder / f"{name_of(home)}.service", folder / f"{name_of(home)}.timer"


def _escaped(word: str) -> str:
    """Without what systemd reads as more than itself: `%` names things, a backslash hides what follows."""
    return word.replace("\\", "\\\\").replace("%", "%%")


def _quoted(word: str) -> str:
    return '"' + _escaped(word).replace('"', '\\"') + '"'


def _systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemctl", "--user", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )


def _must(*arguments: str) -> None:
    result = _systemctl(*arguments)
    if result.returncode:
        reason = (result.stderr.strip().splitlines() or [f"exit code {result.returncode}"])[-1]
        raise LearnctlError(f"`systemctl --user {' '.join(arguments)}` failed: {reason}")
