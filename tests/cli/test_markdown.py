"""An answer as it comes: each block once, whole words, wide letters, longer than the screen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from learnctl.cli.markdown import finished, show_stream

ANSWER = """# Cats

The **cat** is called 喵喵喵喵喵喵喵喵喵喵 and she sleeps in the kitchen.

1. milk

2. fish

```python
print("one")

print("two")
```

""" + "\n\n".join(f"Line number {number} of a long answer." for number in range(30))


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One line", ""),
        ("One\n\nTwo", "One\n\n"),
        ("One\n\n", ""),
        ("- a\n\n  still a\n\nTwo", "- a\n\n  still a\n\n"),
        ("```\na\n\nb\n", ""),
        ("```\na\n\nb\n```\n\nTwo", "```\na\n\nb\n```\n\n"),
        ("", ""),
    ],
)
def test_what_is_finished(text: str, whole: str) -> None:
    assert text[: finished(text)] == whole


def test_through_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    show_stream(piece for piece in ("**a** ", "\x1b[2Jb"))
    assert capsys.readouterr().out == "**a** [2Jb\n"


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize("no_color", ["", "1"])
def test_on_a_terminal(
    terminal: Callable[..., Any], tmp_path: Path, width: int, no_color: str
) -> None:
    """Read from the screen and from what has left it at the top."""
    script = tmp_path / "answer.py"
    script.write_text(
        "from learnctl.cli.markdown import show_stream\n"
        f"answer = {ANSWER!r}\n"
        "show_stream(answer[i : i + 3] for i in range(0, len(answer), 3))\n",
        encoding="utf-8",
    )
    shown = terminal(str(script), width=width, NO_COLOR=no_color).wait_for("ended with 0")
    words = shown.split()
    assert "**" not in shown
    assert "```" not in shown
    for once in ("Cats", "喵喵喵喵喵喵喵喵喵喵", "kitchen.", "milk", "fish", 'print("two")'):
        assert words.count(once) == 1, once
    assert [f"number {number} of" in shown for number in range(30)] == [True] * 30
    assert shown.count("Line number 29") == 1
    assert "2" in words
