"""A chat in a terminal, driven by keys: what a person sees at 80 columns, at 40, and in a dumb one."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

HOUSE_LINE = "sources: House (house.md, looked up)"


@pytest.fixture
def chat(
    terminal: Callable[..., Any], tiny_folder: Callable[[str], Path], house: int, home: Path
) -> Callable[..., Any]:
    """Start a chat with a tiny model that knows where to look up one house."""
    (home / "config.toml").write_text(f'base = "{tiny_folder("llama")}"\n')

    def start(*args: str, **more: Any) -> Any:
        program = ("-m", "learnctl.cli", "--home", str(home), "chat", *args)
        started = terminal(*program, OMP_NUM_THREADS="1", **more)
        started.wait_for("/help lists the commands")
        return started

    return start


def test_at_80_columns(chat: Callable[..., Any], tmp_path: Path) -> None:
    talk = chat("--max-tokens", "12")
    talk.enter("Who lives in Dunmere Row?")
    talk.wait_for(HOUSE_LINE)
    talk.press("/so", "Tab", "Enter")
    shown = talk.wait_for("two parrots")
    assert "> /sources" in shown
    talk.press("Up", "Up", "Enter")  # what was typed before
    talk.wait_for("> Who lives in Dunmere Row?", times=2)
    talk.enter("/undo")
    talk.wait_for("taken back: Who lives in Dunmere Row?")
    talk.enter("/bad Harald Immer lives in Dunmere Row.")
    talk.wait_for("corrected as note:1, to be learned tonight")
    talk.press("/edit", "Enter")
    talk.wait_for("> Who lives in Dunmere Row?", times=3)
    talk.press("C-w", "Row now?", "Enter")
    talk.wait_for("> Who lives in Dunmere Row now?")
    talk.enter("/forget parrots")
    talk.wait_for("for good? [y/N]:")
    talk.press("n", "Enter")
    talk.wait_for("nothing was forgotten")
    talk.enter("/version 9")
    talk.wait_for("error: no version 9")
    talk.enter(f"/save {tmp_path}/talk.md")
    talk.wait_for("saved to")
    assert "**You:** Who lives in Dunmere Row now?" in (tmp_path / "talk.md").read_text()
    talk.press("C-d")
    talk.wait_for("ended with 0")


def test_at_40_columns(chat: Callable[..., Any]) -> None:
    """Several lines, wide characters, an answer that is stopped, help that keeps its words whole."""
    talk = chat("--max-tokens", "3000", width=40)
    talk.press("喵喵是我的猫。", "M-Enter", "Who is the cat?", "Enter")
    talk.wait_for("… Who is the cat?")
    assert "> 喵喵是我的猫。\n" in talk.shown()
    talk.press("C-c")
    talk.wait_for("(stopped)")
    talk.enter("/he")
    talk.wait_for("no command `/he`")
    talk.enter("/help")
    shown = talk.wait_for("begin a new line")
    assert "/remember TEXT  keep a note: known at\n                once, learned tonight\n" in shown
    assert all(cells(line) <= 40 for line in shown.splitlines())
    talk.press("C-c")
    talk.wait_for("(/exit or Ctrl-D leaves)\n>")
    talk.enter("/exit")
    talk.wait_for("ended with 0")


@pytest.mark.parametrize("width", [80, 40])
def test_what_is_said_of_an_answer(
    chat: Callable[..., Any], publish_noise: Callable[..., int], width: int
) -> None:
    """Another answer, what is right, what is to be remembered, what other versions say."""
    publish_noise()
    talk = chat("--max-tokens", "12", width=width)
    talk.enter("Who lives in Dunmere Row?")
    talk.wait_for(HOUSE_LINE)
    talk.enter("/retry")
    talk.wait_for(HOUSE_LINE, times=2)
    talk.enter("/good")
    talk.wait_for("kept as note:1, to be learned tonight")
    talk.enter("/remember The key lies under the bucket.")
    talk.wait_for("kept as note:2: looked up from now on")
    talk.enter("Where does the key lie?")
    talk.wait_for("(note:2, looked up)")
    talk.enter("/compare")
    shown = talk.wait_for("└")
    (heads,) = (line for line in shown.splitlines() if line.startswith("┃"))
    assert [head.strip() for head in heads.split("┃")] == ["", "base", "version 1", ""]
    assert all(cells(line) <= width for line in shown.splitlines())
    talk.enter("/retry")
    talk.wait_for("(note:2, looked up)", times=2)


def test_a_night_goes_by(
    chat: Callable[..., Any], publish_noise: Callable[..., int], home: Path
) -> None:
    """The new version is named once, above its first answer."""
    talk = chat("--max-tokens", "12")
    talk.enter("Who lives in Dunmere Row?")
    talk.wait_for(HOUSE_LINE)
    with filelock.FileLock(home / "consolidate.lock"):
        time.sleep(2)  # so that the model is let go of
        publish_noise()
        talk.enter("Who has parrots?")
        shown = talk.wait_for("(version 1 is in service now)")
        assert "\n> Who has parrots?\n(version 1 is in service now)\n" in shown
        talk.enter("/undo")
        talk.wait_for("taken back: Who has parrots?")
        talk.enter("Who lives in Dunmere Row now?")
        talk.enter("/version")
        shown = talk.wait_for("version 1 (there are: base, 1)")
    assert shown.count("is in service now") == 1


def test_in_a_dumb_terminal(chat: Callable[..., Any]) -> None:
    """Nothing but text: no colours, no movements, no editor."""
    talk = chat("--max-tokens", "8", TERM="dumb", NO_COLOR="1")
    talk.enter("Who lives in Dunmere Row?")
    talk.wait_for(HOUSE_LINE)
    talk.press("C-d")
    talk.wait_for("ended with 0")


def cells(line: str) -> int:
    return sum(2 if "\u2e80" <= letter <= "\u9fff" else 1 for letter in line)
