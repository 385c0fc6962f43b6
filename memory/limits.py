"""What reading one file may cost, and how a process is held to it."""

import math
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """`seconds` is for a small file; each megabyte of a larger one adds one."""

    seconds: float = 25
    memory_bytes: int = 2**30
    written_bytes: int = 0

    def allowance(self, n_bytes: int) -> float:
        """Seconds that a file of that size may take."""
        return self.seconds + n_bytes / MEGABYTE

    @property
    def too_much_memory(self) -> str:
        return f"needed more than {self.memory_bytes / 2**30:,.2g} GB of memory"


def confine(limits: Limits) -> None:
    """Hold this process to its limits from here on, and take network and other programs from it.

    The kernel keeps to memory where it can (Linux); elsewhere the parent looks at it.
    """
    _lower(resource.RLIMIT_DATA, limits.memory_bytes)
    # Address space is more than memory: libraries and mapped files count too.
    _lower(resource.RLIMIT_AS, limits.memory_bytes * 2)
    _lower(resource.RLIMIT_FSIZE, limits.written_bytes)
    _lower(resource.RLIMIT_CORE, 0)
    sys.addaudithook(_forbid)


def limit_processor_time(seconds: float) -> None:
    """So many seconds more; then the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = math.ceil(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def die_with_parent() -> None:
    """On Linux the kernel ends this process with its parent, also one that is busy."""
    if sys.platform != "linux":
        return
    import ctypes
    import signal

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)


def _lower(kind: int, wanted: int) -> None:
    _, hard = resource.getrlimit(kind)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    with suppress(ValueError, OSError):  # macOS knows the limit and does not let it be set
        resource.setrlimit(kind, (wanted, wanted))


_FORBIDDEN = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "pty.")


def _forbid(event: str, args: tuple[object, ...]) -> None:
    if event.startswith(_FORBIDDEN):
        raise PermissionError(f"{event} is not for a process that reads files")
