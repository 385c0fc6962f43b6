"""A real cron daemon that fires one night: in a mount namespace of its own, so that this machine's crontabs are
never touched, its clock shortly before three in the morning."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

KILLED = -9
START = """
set -e
mount --bind "$1" /var/spool/cron/crontabs
mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
mount --bind /dev/null /etc/crontab
crontab "$2"
exec cron -f
"""


def can_start() -> bool:
    """Whether there are the programs, and the right to have a mount namespace."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("cron", "crontab", "unshare", "faketime"))):
        return False
    return not subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode


def fire(line: str, work: Path, cut: Callable[[], bool] | None, disk: int | None) -> int:
    """Wait until cron has done a line, and say its exit code.

    Args:
        line: as `learnctl schedule print --using cron` shows it.
        cut: asked again and again: whether the power fails now, and everything is killed.
        disk: bytes that a file may have.
    """
    table, code, spool = work / "table", work / "code", work / "spool"
    shutil.rmtree(spool, ignore_errors=True)
    spool.mkdir(mode=0o700)
    code.unlink(missing_ok=True)
    times, command = line[: line.index("* * *") + 5], line[line.index("* * *") + 5 :]
    limit = f"ulimit -f {disk // 512};" if disk is not None else ""
    # A job of cron has hardly any environment.
    kept = [f"{name}={value}\n" for name, value in os.environ.items() if name in _KEPT]
    command = command.rstrip().rpartition(" # learnctl ")[0]
    table.write_text(f"{''.join(kept)}{times} {limit} {command} ; echo $? > '{code}'\n")
    daemon = psutil.Popen(["unshare", "-m", "sh", "-c", START, "sh", str(spool), str(table)])
    try:
        while not (code.exists() and code.read_text().endswith("\n")):
            if cut and cut():
                return KILLED
            if daemon.poll() is not None:
                sys.exit("cron did not start")
            time.sleep(0.05)
        return int(code.read_text())
    finally:
        for process in (*daemon.children(recursive=True), daemon):
            process.kill()
        daemon.wait()


_KEPT = (
    "PYTHONPATH",
    "OMP_NUM_THREADS",
    "LD_PRELOAD",
    "FAKETIME_TIMESTAMP_FILE",
    "FAKETIME_NO_CACHE",
)
