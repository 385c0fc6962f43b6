"""Faults of every kind cost one line and the right exit code."""

import errno
import os
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.errors import LearnctlError, Locked

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def failing(run: Any, pretend: Any, notes: Path) -> Callable[..., Any]:
    """Run a command that meets the given fault."""

    def invoke(error: BaseException, *options: str) -> Any:
        def fail(store: object, options: object) -> None:
            raise error

        pretend("status", status=fail)
        assert run("init").exit_code == 0
        return run(*options, "status")

    return invoke


@pytest.fixture(autouse=True)
def small_base(run: Any) -> None:
    run("config", "set", "base", "embedded")  # so that nothing looks for a GPU


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (LearnctlError("the gate is shut", hint="knock"), 1, "error: the gate is shut"),
        (LearnctlError("two\nlines"), 1, "error: two lines"),
        (LearnctlError("a \x1b[31mred\x1b[0m name"), 1, "error: a [31mred[0m name"),
        (Locked("another run holds the lock"), 11, "error: another run holds the lock"),
        (
            sqlite3.OperationalError("database or disk is full"),
            1,
            "error: the store cannot be used: database or disk is full",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/disk/file"),
            1,
            "error: /disk/file: no space left on device",
        ),
        (MemoryError(), 1, "error: out of memory"),
        (ValueError("not like this"), 1, "error: ValueError: not like this"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (EOFError(), 1, "error: stopped before anything was done"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_one_line(failing: Any, error: BaseException, code: int, line: str) -> None:
    result = failing(error)
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.strip().splitlines()[0] == line
    assert "Traceback" not in result.stderr


def test_a_hint_stands_apart(failing: Any) -> None:
    assert failing(LearnctlError("shut", hint="knock")).stderr == "error: shut\n\nhint: knock\n"


@pytest.mark.parametrize("name", ["elsewhere", "my notes"])
def test_a_hint_names_the_home_that_was_given(run: Any, tmp_path: Path, name: str) -> None:
    """What it says can be typed as it stands."""
    home = str(tmp_path / name)
    hint = run("--home", home, "status").stderr.split("`")[1]
    assert shlex.split(hint) == ["learnctl", "--home", home, "ingest", "PATH"]
    assert run("--home", home, "init").exit_code == 0
    assert (
        f"`learnctl --home {shlex.quote(home)} sources`" in run("--home", home, "show", "x").stderr
    )
    assert "`learnctl show --help`" in run("--home", home, "show", "--no-such").stderr
    assert "`learnctl ingest PATH`" in run("status").stderr


def test_debug_shows_where(failing: Any) -> None:
    result = failing(LearnctlError("shut"), "--debug")
    assert result.exit_code == 1
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("error: shut\n")


def test_a_closed_pipe_is_no_fault(process: Any) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-m', 'learnctl.cli', 'config', 'list'],"
        " stdout=subprocess.PIPE, stderr=subprocess.PIPE)\n"
        "child.stdout.close()\n"
        "print(child.stderr.read().decode(), end='')\n"
        "print(child.wait())"
    )
    assert process("-c", code).stdout == "1\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_stdout(process: Any) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.run([sys.executable, '-m', 'learnctl.cli', 'config', 'list'],"
        " stdout=open('/dev/full', 'w'), stderr=subprocess.PIPE, text=True)\n"
        "print(child.returncode, child.stderr, end='')"
    )
    assert process("-c", code).stdout == "1 error: no space left on device\n"


def test_bytes_on_stdin_that_are_no_text(process: Any) -> None:
    ask = ("-m", "learnctl.cli", "ask", "--version", "base")
    strict = {"PYTHONIOENCODING": "utf-8:strict"}  # as in any locale but C
    result = process(*ask, input="caf\udcff\n", errors="surrogateescape", env=strict)
    assert "is not on this machine" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="shells are different there")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(closed: str) -> None:
    env = os.environ | {"PYTHONPATH": str(ROOT / ".dev")}
    command = f'exec "$0" -m learnctl.cli config set epochs 3 {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], env=env, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "epochs = 3" in (Path(os.environ["LEARNCTL_HOME"]) / "config.toml").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")
def test_ctrl_c_is_130() -> None:
    code = (
        # A job in the background of a shell is started with Ctrl-C ignored.
        "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "import sys, types, time\nfrom learnctl.cli.app import main\nimport learnctl.trainer\n"
        "def status(store, options):\n    print('waiting', flush=True)\n    time.sleep(30)\n"
        "module = types.ModuleType('learnctl.trainer.status')\nmodule.status = status\n"
        "sys.modules[module.__name__] = module\n"
        "from learnctl.memory.home import find_home\nfrom learnctl.memory.store import Store\n"
        "Store.open(find_home(), create=True).close()\n"
        "sys.argv = ['learnctl', 'status']\nmain()"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT / ".dev")}
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == "waiting\n"
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        _, stderr = child.communicate(timeout=20)
    assert child.returncode == 130
    assert stderr == "interrupted\n"
