"""`learnctl daemon` as a process of its own, and `ask` through it."""

import importlib.util
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import Home
from learnctl.trainer import base as bases


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model of the trainer's tests, in a folder."""
    made_by = Path(__file__).parent.parent / "trainer" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_models", made_by)
    assert spec
    assert spec.loader
    tiny = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tiny)
    bases.quiet_libraries()
    folder: Path = tiny.make_model("llama", tmp_path_factory.mktemp("tiny") / "llama")
    return folder


@pytest.fixture
def daemon(run: Any, home: Path) -> Any:
    """The process number of a daemon that was started."""
    result = run("daemon", "start")
    assert result.exit_code == 0, result.output
    yield json.loads(run("daemon", "status", "--json").stdout)["pid"]
    run("daemon", "stop")


def test_start_and_stop(run: Any, daemon: int, home: Path) -> None:
    assert "no model is loaded" in run("daemon", "status").stdout
    again = run("daemon", "start")
    assert again.exit_code == 1
    assert "serves" in again.stderr
    assert run("daemon", "stop").stdout == "stopped\n"
    assert json.loads(run("daemon", "status", "--json").stdout) is None
    assert run("daemon", "stop").exit_code == 0


def test_killed(run: Any, daemon: int, home: Path) -> None:
    os.kill(daemon, signal.SIGKILL)
    while _is_alive(daemon):
        time.sleep(0.02)
    assert Home(home).daemon_socket.exists()
    assert run("daemon", "status").stdout == "no daemon is at work\n"
    assert run("daemon", "start").exit_code == 0


def test_ask_goes_to_the_daemon(
    run: Any, home: Path, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none is at work the model is loaded here, with the same answer, and nothing is said about it."""
    run("config", "set", "base", str(tiny_base))
    run("config", "set", "device", "cpu")
    told = run("ask", "--no-retrieval", "--version", "base", "-m", "8", "Who?")
    assert told.exit_code == 0, told.output
    run("daemon", "start")
    try:
        warmly = run("ask", "--no-retrieval", "--version", "base", "-m", "8", "Who?")
        assert (warmly.stdout, warmly.stderr) == (told.stdout, told.stderr)
        status = json.loads(run("daemon", "status", "--json").stdout)
        assert (status["answers"], status["version"]) == (1, 0)
    finally:
        run("daemon", "stop")


def _is_alive(pid: int) -> bool:
    """Also true of a process that has ended and was not waited for; this waits for it."""
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False
