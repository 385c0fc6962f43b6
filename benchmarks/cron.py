"""A real cron daemon under a clock that can be set, in a mount namespace of its own, so that this machine's crontabs
are never touched."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import psutil

from . import clock, debian

KILLED = -9
START = """
set -e
mount -t tmpfs none /var/spool
mkdir -p /var/spool/cron/crontabs
mount --bind "$1" /var/spool/cron/crontabs
mount -t tmpfs none /run
[ ! -d /etc/cron.d ] || mount -t tmpfs none /etc/cron.d
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
shift
exec setpriv --pdeathsig KILL env "$@" -f
"""
FUTURE = 2_000_000_000
KEPT = ("PYTHONPATH", "OMP_NUM_THREADS")  # else a job of cron has hardly any environment


def why_not() -> str:
    """Why there can be none; empty where there can."""
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return "needs root and a mount namespace"
    if not debian.programs():
        return "cron and libfaketime are neither installed nor can be fetched from Debian"
    return ""


class Cron:
    """The daemon, from entering to leaving, or until this process is killed.

    Args:
        work: a folder for its crontabs.
        file: its clock.

    Attributes:
        crontab: the program that reads and writes them, from anywhere.
    """

    def __init__(self, work: Path, file: Path) -> None:
        root = debian.programs()
        assert root
        self._begun, self._code, self._file = work / "begun", work / "code", file
        self._n_turns = 0
        self._spool = work / "spool"
        self._spool.mkdir(mode=0o700)
        self._under = [f"{name}={value}" for name, value in clock.variables(root, file).items()]
        # See `turn`: what files say of their time must not depend on the clock.
        own = [*self._under, "NO_FAKE_STAT=1"]
        start = [START, "sh", str(self._spool), *own, str(root / "usr/sbin/cron")]
        self._daemon = psutil.Popen(["unshare", "-m", "sh", "-c", *start])
        self.crontab = work / "bin" / "crontab"
        self.crontab.parent.mkdir()
        there = f"nsenter --mount=/proc/{self._daemon.pid}/ns/mnt -- '{root / 'usr/bin/crontab'}'"
        self.crontab.write_text(f'#!/bin/sh\nexec {there} "$@"\n')
        self.crontab.chmod(0o755)

    def __enter__(self) -> "Cron":
        # From then on it can be woken.
        self._wait_for(Path(f"/proc/{self._daemon.pid}/root/run/crond.pid").exists)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._end_jobs()
        self._daemon.kill()
        self._daemon.wait()

    def turn(self, moment: str) -> None:
        """Set the clock, and let the daemon look at it: it sleeps until the next minute else.

        It takes crontabs for unchanged that are as old, to the second, as those it has read; so they get another time.
        """
        clock.turn(self._file, moment)
        self._n_turns += 1
        for path in (self._spool, *self._spool.iterdir()):
            os.utime(path, (FUTURE + self._n_turns, FUTURE + self._n_turns))
        self._daemon.send_signal(signal.SIGCHLD)

    def put(self, line: str, disk: int | None = None) -> None:
        """Make a line the crontab, to be done once.

        Args:
            line: as `learnctl schedule print --using cron` shows it. When the clock is set back by less than three hours, cron
                does only what has a star for its minute.
            disk: bytes that a file may have.
        """
        for file in (self._begun, self._code):
            file.unlink(missing_ok=True)
        *times, command = line.split(" ", 5)
        limit = f"ulimit -f {disk // 512};" if disk is not None else ""
        kept = [f"{name}={os.environ[name]}" for name in KEPT if name in os.environ]
        command = command.rstrip().rpartition(" # learnctl ")[0]
        job = f"touch '{self._begun}'; {limit} {command} ; echo $? > '{self._code}'\n"
        table = "\n".join([*kept, *self._under, f"{' '.join(times)} {job}"])
        subprocess.run([self.crontab, "-"], input=table, text=True, check=True)

    def wait(self, cut: Callable[[], bool] | None = None) -> int:
        """Wait until the line has been done, and say its exit code.

        Args:
            cut: asked again and again: whether the power fails now, and everything is killed.
        """
        try:
            self._wait_for(self._begun.exists)
            # Once is enough, however long it takes.
            subprocess.run([self.crontab, "-r"], check=True)
            self._wait_for(lambda: (cut and cut()) or self._ended())
            return int(self._code.read_text()) if self._ended() else KILLED
        finally:
            self._end_jobs()

    def _ended(self) -> bool:
        return self._code.exists() and self._code.read_text().endswith("\n")

    def _wait_for(self, done: Callable[[], object]) -> None:
        while not done():
            self._require_running()
            time.sleep(0.05)

    def _require_running(self) -> None:
        if self._daemon.poll() is not None:
            sys.exit("cron does not run")

    def _end_jobs(self) -> None:
        for process in self._daemon.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                process.kill()
