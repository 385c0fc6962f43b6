"""What machines wrote for machines and what says nothing makes no chunk, and one can see what it was."""

import base64
import hashlib
import json
import random
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

import pytest

from learnctl.memory.ingest import ingest
from learnctl.memory.left_out import listed
from learnctl.memory.quality import (
    ENCODED,
    HASHES,
    LOG,
    MARKUP,
    MINIFIED,
    TOO_SHORT,
    TRACE,
    sift,
)
from learnctl.memory.store import Store

BEFORE = "The lamp in the hall is green."
AFTER = "The chair in the attic is red."
ENCODED_TEXT = base64.b64encode(random.Random(1).randbytes(400)).decode()

WORTHLESS = {
    "base64 in one line": (ENCODED, ENCODED_TEXT),
    "base64 in lines": (
        ENCODED,
        "\n".join(ENCODED_TEXT[at : at + 76] for at in range(0, len(ENCODED_TEXT), 76)),
    ),
    "checksums": (
        HASHES,
        "\n".join(f"{hashlib.sha256(bytes([n])).hexdigest()}  file{n}.bin" for n in range(5)),
    ),
    "log": (
        LOG,
        "\n".join(f"2024-05-17 10:30:{n:02} INFO worker: did step {n}" for n in range(10, 16)),
    ),
    "syslog": (LOG, "\n".join(f"May 17 10:30:{n} host sshd[{n}]: closed" for n in range(10, 16))),
    "access log": (
        LOG,
        "\n".join(
            f'10.0.0.{n} - - [17/May/2024:10:30:00 +0000] "GET /{n} HTTP/1.1" 200 5'
            for n in range(4)
        ),
    ),
    "python trace": (
        TRACE,
        'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g(1)\n'
        '  File "b.py", line 9, in g\n    raise ValueError\nValueError: no',
    ),
    "java trace": (
        TRACE,
        "java.lang.IllegalStateException: no\n"
        + "\n".join(f"\tat org.example.Some.method{n}(Some.java:{n})" for n in range(5)),
    ),
    "javascript trace": (
        TRACE,
        "TypeError: no\n" + "\n".join(f"    at f{n} (/app/index.js:{n}:12)" for n in range(5)),
    ),
    "minified": (
        MINIFIED,
        "".join(
            f"function a{n}(b,c){{return b(c)[{n}]==c;}}var d{n}=a{n}(x,y);" for n in range(20)
        ),
    ),
    "html": (MARKUP, '<div class="a"><span style="b">Hi</span><br/><img src="x.png"/></div>' * 2),
    "latex": (
        MARKUP,
        r"\begin{tabular}{ll} \hline \textbf{a} \\ \hline \multicolumn{2}{c} \end{tabular}",
    ),
}


@pytest.mark.parametrize("name", WORTHLESS)
def test_worthless_paragraphs(name: str) -> None:
    reason, text = WORTHLESS[name]
    kept, left_out = sift(f"{BEFORE}\n\n{text}\n\n{AFTER}")
    assert [found.reason for found in left_out] == [reason]
    assert text.startswith(left_out[0].beginning.split()[0])
    assert kept.split() == f"{BEFORE} {AFTER}".split()


@pytest.mark.parametrize(
    "text",
    [
        BEFORE,
        "def f(a, b):\n    return a + b\n\nfor n in range(3):\n    print(f(n, n))",
        "The token is sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, he said.",
        'It failed with\n  File "a.py", line 3\nand I do not know why.\nWho does?\nAsk Ann.',
        "10:30 Ann: hello there, shall we go?\n10:31 Bob: yes, at eight\n10:32 Ann: see you then",
        "Use <b>bold</b> for what matters, says the manual, and <i>italics</i> for the rest of it.",
        r"The formula \frac{a}{b} is the share of green lamps among all of them, which is small.",
        "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstellenleiterin kam.",
        "https://example.org/a/very/long/path/with/many/parts/and-hyphens/in-it/index.html is the page.",
        "春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。" * 10,
        "- 2024-05-17 Ann came\n- 2024-05-18 Bob came\n- 2024-05-19 nobody came",
    ],
)
def test_what_people_can_read_stays(text: str) -> None:
    assert sift(text) == (text, [])
    assert sift(text, is_message=True) == (text, [])


@pytest.mark.parametrize(
    "text", ["ok", "lol", "Thanks!", "👍", "haha 😂😂", "...", "да", "好的", "Merci !"]
)
def test_messages_that_say_nothing(text: str) -> None:
    assert [found.reason for found in sift(text, is_message=True)[1]] == [TOO_SHORT]


@pytest.mark.parametrize("text", ["Ann", "at 8", "ok, at eight", "In Berlin.", "12 May"])
def test_short_messages_that_say_something(text: str) -> None:
    assert sift(text, is_message=True) == (text, [])


def test_one_can_see_what_was_left_out(store: Store, folder: Path) -> None:
    talk = [
        {"role": "user", "content": "My boiler is from 1998."},
        {"role": "assistant", "content": "Ok!"},
        {"role": "user", "content": "lol"},
    ]
    (folder / "a.md").write_text(f"# Hall\n\n{BEFORE}\n\n{ENCODED_TEXT}\n")
    (folder / "b.jsonl").write_text(json.dumps({"messages": talk}))
    report = ingest(store, [folder])
    assert report.left_out == 3
    assert report.chunks == 2
    assert [(Path(e["source"]).name, e["place"], e["reason"]) for e in listed(store)] == [
        ("a.md", "Hall", ENCODED),
        ("b.jsonl", "message 2", TOO_SHORT),
        ("b.jsonl", "message 3", TOO_SHORT),
    ]
    assert store.value("SELECT count(*) FROM messages") == 3
    assert len(listed(store, [1])) == 1


def test_notes_are_those_of_the_file_as_it_is(store: Store, take: Any, folder: Path) -> None:
    take({"a.md": f"# Hall\n\n{BEFORE}\n\n{ENCODED_TEXT}\n"})
    take({"a.md": f"# Hall\n\n{BEFORE}\n"})
    assert listed(store) == []
    talk = json.dumps({"messages": [{"role": "user", "content": "ok"}]})
    take({"b.jsonl": talk})
    take({"b.jsonl": talk + "\n" + json.dumps({"messages": [{"role": "user", "content": AFTER}]})})
    assert [entry["reason"] for entry in listed(store)] == [TOO_SHORT]


@pytest.mark.parametrize(
    "piece", ["a", "<a ", "\\a{", "f" * 31 + " ", "at a(", "10:30:00 ", "&a;", "A1b"]
)
def test_a_long_text_of_one_piece_ends(limited: Executor, piece: str) -> None:
    for text, is_message in ((piece, True), (piece + "\n", False)):
        long = text * (500_000 // len(piece))
        kept, _ = limited.submit(sift, long, is_message).result()
        assert len(kept) <= len(long)
