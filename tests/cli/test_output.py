"""What stands on a terminal of an ordinary width."""

import io
from typing import Any

import pytest
from rich.console import Console

from learnctl.cli import output

QUESTION = "What is the name of the harbour in which the ferry to Orrest lies from May to the end of September?"


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A table as a terminal of some width shows it."""

    def show(width: int, columns: tuple[str, ...], rows: list[tuple[Any, ...]], fold: str) -> str:
        out = io.StringIO()
        terminal = Console(file=out, width=width, force_terminal=True, color_system=None)
        monkeypatch.setattr(output, "console", lambda: terminal)
        output.show_table(columns, rows, fold)
        lines = out.getvalue().splitlines()
        assert max(map(len, lines)) <= width
        return out.getvalue()

    return show


def letters(shown: str) -> str:
    return "".join(shown.split())


def test_no_column_is_lost(table: Any) -> None:
    columns = (
        "run",
        "version",
        "created",
        "level",
        "recall of new",
        "of old",
        "divergence",
        "state",
    )
    recall = ("6% → 61% of 18", "62% → 63% of 29")
    row = (2, 2, "2026-11-20 02:31", "fast", *recall, "0.17", "in service")
    shown = table(80, columns, [row], "state")
    for cell in ("2026-11-20", "02:31", "in", "service", "61%", "63%", "0.17"):
        assert cell in shown
    assert len(table(200, columns, [row], "state").splitlines()) == 2


def test_a_long_question_takes_nothing_from_its_answer(table: Any) -> None:
    shown = table(80, ("", "question", "answer"), [("✓", QUESTION, "In Dunmere.")], "answer")
    assert "✓" in shown
    assert "Dunmere" in shown
    states = "known since version 3, lost in version 5"
    shown = table(80, ("state", "question", "source"), [(states, QUESTION, "a.md")], "question")
    assert "lost in" in shown
    assert "a.md" in shown
    assert "September" in shown
