"""learnctl's commands as copies of one process that has imported everything: each begins at once, is a
process of its own, and can be killed.

Nothing is computed in the process that is copied, so that a copy holds no thread and no lock of it.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"


class Copy:
    """A copy at work.

    Attributes:
        said: what it prints, a file that grows.
    """

    def __init__(self, work: Callable[[], object], said: Path) -> None:
        self.said = said
        said.write_text("")
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            _work(work, said)

    def wait(self) -> int:
        """Its exit code; the negative number of the signal where one ended it."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> int:
        """SIGKILL, for it and what it has started."""
        os.killpg(self.pid, signal.SIGKILL)
        return self.wait()

    @property
    def ended(self) -> bool:
        found = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return found is not None

    @property
    def phases(self) -> list[str]:
        """The beginnings of the lines it has said, up to a colon."""
        return [line.partition(":")[0] for line in self.said.read_text().splitlines()]

    def wait_for(self, phase: str) -> bool:
        """Wait until it has said a line that begins so; false where it ends without."""
        while True:
            ended = self.ended  # asked first: what it said last is read after it has ended
            if phase in self.phases:
                return True
            if ended:
                return False
            time.sleep(0.001)


def import_all() -> None:
    """Import what a night needs; once, before the first copy."""
    from learnctl.trainer import base

    base.quiet_libraries()
    import peft  # noqa: F401
    from transformers import (  # noqa: F401
        AutoModelForCausalLM,
        AutoTokenizer,
        LlamaForCausalLM,
        PreTrainedTokenizerFast,
    )

    from learnctl.cli import app  # noqa: F401
    from learnctl.trainer import consolidate, talk  # noqa: F401


def learnctl(home: Path, *arguments: str) -> Callable[[], None]:
    """One command on one home, for a copy to do."""

    def work() -> None:
        from learnctl.cli.app import app

        app(["--home", str(home), *arguments])

    return work


def done(work: Callable[[], object], said: Path) -> tuple[int, str]:
    """Do it in a copy to its end: the exit code, and what was said."""
    code = Copy(work, said).wait()
    return code, said.read_text()


def _work(work: Callable[[], object], said: Path) -> None:
    code = 1
    try:
        os.setsid()
        descriptor = os.open(said, os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
