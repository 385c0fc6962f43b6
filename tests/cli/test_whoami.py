"""Telling the program who of the speakers one is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

Run = Callable[..., Result]

CHAT = "14/01/24, 09:00 - Ann: The dog is called Rex\n14/01/24, 09:01 - Bob: Mine is called Tom\n"


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.txt"
    path.write_text(CHAT)
    return path


def test_without_a_terminal_it_says_how(run: Run, chat: Path) -> None:
    result = run("ingest", str(chat))
    assert result.exit_code == 0
    assert "nobody in 1 chat is known as you: say `--me NAME` (Ann, Bob)" in result.stderr
    told = run("ingest", "--me", "ann", str(chat))
    assert "known as you" not in told.stderr
    assert "new: 0 documents, 1 conversation" in told.stdout
    assert "you         ann" in run("status").stdout
    assert "you  " not in run("ingest", "--not-me", "Ann", str(chat)).stdout + run("status").stdout


@pytest.mark.parametrize(
    ("answers", "expected"), [("2\n", "Bob"), ("nope\nann\n", "Ann"), ("\n", "")]
)
def test_on_a_terminal_it_asks(
    run: Run, chat: Path, monkeypatch: pytest.MonkeyPatch, answers: str, expected: str
) -> None:
    monkeypatch.setattr("learnctl.cli.whoami.is_terminal", lambda stream: True)
    result = run("ingest", str(chat), input=answers)
    assert result.exit_code == 0, result.output
    assert "1  Ann, 1 message" in result.stderr
    status = run("status").stdout
    assert (f"you         {expected}" in status) if expected else ("you  " not in status)


def test_a_dry_run_remembers_nothing(run: Run, chat: Path) -> None:
    result = run("ingest", "--dry-run", "--me", "Ann", str(chat))
    assert "known as you" not in result.stderr
    assert "known as you" in run("ingest", str(chat)).stderr


def test_dates_that_cannot_be_settled_are_said(
    run: Run, run_json: Callable[..., Any], chat: Path
) -> None:
    chat.write_text(CHAT.replace("14/01/24", "03/04/24"))
    note = "dates such as 03/04/24 may be day or month first: read with the day first"
    assert f"note: {chat}: {note}" in run("ingest", "--dry-run", str(chat)).stderr
    assert run_json("ingest", "--dry-run", str(chat))["notes"] == [
        {"path": str(chat), "note": note}
    ]
