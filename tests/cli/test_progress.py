"""How long work is shown: a bar with pace and time left on a terminal, a line a phase elsewhere."""

import re

import pytest

from learnctl.cli.progress import reporting
from learnctl.trainer.progress import Progress

ESCAPES = re.compile(r"\x1b\[[\d;?]*[A-Za-z]")
STEPS = [
    Progress("load", 0, 0),
    Progress("train", 1, 10, 120.4, 855.0, "loss 3.10"),
    Progress("train", 3, 10, 1240.4, 95.0, "loss 1.20"),
]


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.usefixtures("on_a_terminal")
def test_a_bar_says_how_fast_it_goes_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting() as report:
        for step in STEPS:
            report(step)
    out, err = capsys.readouterr()
    # The last state of the display stays on the screen.
    load, train = [line for line in ESCAPES.sub("", err).splitlines() if line.strip()][-2:]
    assert load.split()[0] == "load"
    assert "tokens/s" not in load
    assert "left" not in load
    assert train.split()[0] == "train"
    assert " 3/10 1,240 tokens/s, 1m35s left, loss 1.20" in train
    assert out == ""


@pytest.mark.usefixtures("on_a_terminal")
def test_a_note_does_not_write_over_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting() as report:
        report(Progress("study", 1, 2, note="\x1b[2Jname\x07"))
    err = capsys.readouterr().err
    assert "name" in err
    assert "\x1b[2J" not in err
    assert "\x07" not in err


def test_where_nobody_watches_each_phase_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting() as report:
        for step in [*STEPS, Progress("publish", 0, 0, note="version 2")]:
            report(step)
    assert capsys.readouterr() == ("", "load\ntrain: loss 3.10\npublish: version 2\n")


@pytest.mark.usefixtures("on_a_terminal")
def test_who_wants_quiet_is_told_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with reporting(quiet=True) as report:
        for step in STEPS:
            report(step)
    assert capsys.readouterr() == ("", "")
