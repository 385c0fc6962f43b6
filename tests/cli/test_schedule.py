"""The nightly line in the crontab, with a pretended `crontab` program."""

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.cli import crontab
from learnctl.cli.conditions import unmet

FAKE = """#!/bin/sh
case "$1" in
-l) [ -f "$FAKE_CRONTAB" ] || { echo "no crontab for somebody" >&2; exit 1; }; cat "$FAKE_CRONTAB" ;;
-) cat > "$FAKE_CRONTAB" ;;
esac
"""


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the pretended crontab keeps its lines."""
    _program(tmp_path, monkeypatch, FAKE)
    monkeypatch.setenv("FAKE_CRONTAB", str(tmp_path / "table"))
    return tmp_path / "table"


def _program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")


def test_print_changes_nothing(run: Any, table: Path, home: Path) -> None:
    line = run("schedule", "print", "--daily", "2:05").stdout
    assert line.startswith("5 2 * * * ")
    assert f"--home {home} consolidate --scheduled # learnctl {home}\n" in line
    assert f"LEARNCTL_MODELS={os.environ['LEARNCTL_MODELS']} /" in line
    assert not table.exists()


def test_install_is_idempotent_and_keeps_the_rest(run: Any, table: Path) -> None:
    table.write_text("# mine\n0 1 * * * backup\n")
    assert run("schedule", "install").stdout == "scheduled: every day at 03:00\n"
    once = table.read_text()
    run("schedule", "install")
    assert table.read_text() == once
    assert once.startswith("# mine\n0 1 * * * backup\n0 3 * * * ")
    run("schedule", "install", "--daily", "04:30")
    lines = table.read_text().splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("30 4 * * * ")


def test_each_home_has_its_line(run: Any, table: Path, tmp_path: Path) -> None:
    run("--home", str(tmp_path / "a"), "schedule", "install")
    run("--home", str(tmp_path / "a b"), "schedule", "install")
    assert len(table.read_text().splitlines()) == 2
    run("--home", str(tmp_path / "a"), "schedule", "remove")
    (left,) = table.read_text().splitlines()
    assert "a b" in left


def test_remove(run: Any, table: Path) -> None:
    assert run("schedule", "remove").stderr == "nothing was scheduled\n"
    table.write_text("0 1 * * * backup\n")
    run("schedule", "install")
    assert run("schedule", "remove").exit_code == 0
    assert table.read_text() == "0 1 * * * backup\n"


def test_odd_paths_are_quoted(run: Any, table: Path, tmp_path: Path) -> None:
    odd = tmp_path / "it's 100% 'mine'; rm -rf $HOME"
    run("--home", str(odd), "schedule", "install")
    run("--home", str(odd), "schedule", "install")
    (line,) = table.read_text().splitlines()
    assert not re.search(r"(?<!\\)%", line)
    words = shlex.split(line.replace(r"\%", "%"), comments=True)
    assert words[words.index("--home") + 1] == str(odd)
    assert words[-2:] == ["consolidate", "--scheduled"]
    run("--home", str(odd), "schedule", "remove")
    assert table.read_text() == ""


def test_a_line_break_in_a_path_is_refused(run: Any, table: Path, tmp_path: Path) -> None:
    result = run("--home", str(tmp_path / "a\nb"), "schedule", "install")
    assert result.exit_code == 1
    assert not table.exists()


def test_no_crontab_program(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    result = run("schedule", "install")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: there is no `crontab` program on this machine\n")
    assert "schedule print" in result.stderr


def test_a_crontab_that_cannot_be_read_is_not_overwritten(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "written"
    refusing = f'#!/bin/sh\n[ "$1" = -l ] || touch {written}\necho "you may not" >&2\nexit 1\n'
    _program(tmp_path, monkeypatch, refusing)
    result = run("schedule", "install")
    assert result.exit_code == 1
    assert result.stderr == "error: the crontab cannot be read: you may not\n"
    assert not written.exists()


def test_the_rest_of_a_crontab_is_left_as_it_is() -> None:
    text = "MAILTO=me\n\n# learnctl is nice\n0 1 * * * x # learnctl /other\n"
    assert crontab.without_line(text, Path("/home")) == text


@pytest.mark.parametrize(
    ("plugged_in", "load", "reason"),
    [(True, 0.5, ""), (False, 0.0, "battery"), (True, 3.5, "busy")],
)
def test_conditions(plugged_in: bool, load: float, reason: str) -> None:
    found = unmet(plugged_in, load, 4)
    assert reason in found
    assert bool(found) is bool(reason)


def test_a_scheduled_run_that_must_wait(
    run: Any, monkeypatch: pytest.MonkeyPatch, pretend: Callable[..., None], notes: Path
) -> None:
    run("ingest", str(notes))
    monkeypatch.setattr("learnctl.cli.conditions.unmet", lambda *facts: "the machine is busy")
    result = run("consolidate", "--scheduled")
    assert result.exit_code == 75
    assert result.stderr == "error: not now: the machine is busy\n"
