"""`learnctl daemon` as a process of its own, and `ask` through it."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.home import Home


@pytest.fixture
def daemon(run: Any, home: Path) -> Any:
    """The process number of a daemon that was started."""
    result = run("daemon", "start")
    assert result.exit_code == 0, result.output
    yield json.loads(run("daemon", "status", "--json").stdout)["pid"]
    run("daemon", "stop")


def test_start_and_stop(run: Any, daemon: int, home: Path) -> None:
    assert "no model is loaded" in run("daemon", "status").stdout
    log = Home(home).daemon_log
    log.write_text("what it has to tell\n")
    again = run("daemon", "start")
    assert again.exit_code == 11
    assert "serves" in again.stderr
    assert log.read_text() == "what it has to tell\n"
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


def test_a_restore_stops_it(run: Any, daemon: int, tmp_path: Path) -> None:
    """Its socket and its lock go with the folder that is replaced."""
    (tmp_path / "note.txt").write_text("The lamp is green.")
    run("ingest", str(tmp_path / "note.txt"))
    saved = str(tmp_path / "saved.zip")
    run("backup", saved)
    assert run("restore", str(tmp_path / "note.txt"), "--yes").exit_code == 1
    assert "process" in run("daemon", "status").stdout
    restored = run("restore", saved, "--yes")
    assert restored.exit_code == 0, restored.output
    assert "the daemon was stopped" in restored.stderr
    while _is_alive(daemon):
        time.sleep(0.02)
    assert run("daemon", "start").exit_code == 0


def test_ask_goes_to_the_daemon(
    run: Any, home: Path, tiny_llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where none is at work the model is loaded here, with the same answer, and nothing is said about it."""
    run("config", "set", "base", str(tiny_llama))
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
