"""Files read in a process of their own: the same items, and hostile ones cost one line."""

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import psutil
import pytest

from learnctl.memory import readers, sandbox
from learnctl.memory.errors import UnreadableSource
from learnctl.memory.limits import Limits
from learnctl.memory.records import Conversation, Document, Message, Section
from learnctl.memory.wire import from_line, item_to_line

QUICK = Limits(seconds=1)
PATH = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def reason(path: Path, limits: Limits = QUICK) -> str:
    with pytest.raises(UnreadableSource) as caught:
        list(sandbox.read(path, limits))
    return str(caught.value)


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    """A file that never opens: nobody writes into this pipe."""
    path = tmp_path / "pipe.txt"
    os.mkfifo(path)
    return path


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.md"
    path.write_text("# Häuser\n\nThe lamp is green.\n\n## Attic\n\nThe chair is red.\n")
    return path


def reading_processes() -> list[psutil.Process]:
    found = psutil.Process().children()
    # A child of an earlier test may be dead and not yet waited for: it has no command line.
    alive = [child for child in found if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "reading_process" in " ".join(child.cmdline())]


def test_the_same_as_without(note: Path, tmp_path: Path) -> None:
    chats = tmp_path / "chats.jsonl"
    turns = [{"role": "user", "content": "Hi \u2028 there"}, {"role": "assistant", "content": "So"}]
    chats.write_text(json.dumps({"messages": turns, "id": "c1", "created": 1.7e9}) + "\n")
    for path in (note, chats):
        assert list(sandbox.read(path)) == list(readers.read(path))
        assert sandbox.detect(path) == readers.detect(path)


def test_every_field_survives_the_way() -> None:
    message = Message("user", "a\n\ud800 b", "2024-01-01T00:00:00+00:00", "Zoë")
    for item in (
        Document("t", (Section("a › b", "x"), Section("", "y")), "Ann", "2024-01-01"),
        Conversation("t", (message, message), "id", "2024-01-01", (message,)),
        Document("t", ()),
    ):
        line = item_to_line(item)
        assert line.count(b"\n") == 1
        assert from_line(line) == (type(item).__name__, item)


def test_a_refusal_keeps_its_reason_and_the_process(note: Path, tmp_path: Path) -> None:
    (tmp_path / "a.pdf").write_text("words")
    list(sandbox.read(note, QUICK))
    before = set(reading_processes())
    assert reason(tmp_path / "a.pdf") == "not a PDF, though its name says so"
    assert reason(tmp_path / "gone") == "no such file or directory"
    list(sandbox.read(note, QUICK))
    assert set(reading_processes()) == before


def test_one_that_hangs_is_ended(hanging: Path, note: Path) -> None:
    assert reason(hanging) == "took longer than 1 s"
    assert len(list(sandbox.read(note, QUICK))) == 1


def test_one_that_takes_all_memory_is_ended(tmp_path: Path, note: Path) -> None:
    body = "<w:p/>" * 2_000_000
    with zipfile.ZipFile(tmp_path / "a.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
        archive.writestr("word/document.xml", f'<w:document xmlns:w="{space}">{body}</w:document>')
    small = Limits(memory_bytes=128 * 2**20)
    assert reason(tmp_path / "a.docx", small) == "needed more than 0.12 GB of memory"
    assert len(list(sandbox.read(note, small))) == 1


def test_a_large_export_is_read_in_little_memory(tmp_path: Path) -> None:
    """60 MB of conversations, with the reader held to 48: one after the other, and none kept."""
    nodes = {
        f"m{n}": {
            "parent": f"m{n - 1}",
            "message": {"author": {"role": "user"}, "content": content},
        }
        for n in range(20)
        for content in [{"content_type": "text", "parts": [f"The word {n}. " * 400]}]
    }
    talk = json.dumps({"title": "t", "mapping": nodes, "current_node": "m19"})
    with (tmp_path / "conversations.json").open("w") as file:
        file.write("[" + ",".join([talk] * 600) + "]")
    assert (tmp_path / "conversations.json").stat().st_size > 60 * 10**6
    limits = Limits(memory_bytes=48 * 2**20)
    assert sum(1 for _ in sandbox.read(tmp_path / "conversations.json", limits)) == 600


def test_one_that_crashes_costs_a_line(hanging: Path, note: Path) -> None:
    before = set(reading_processes())
    limits = Limits(seconds=50)  # nobody else has a process of these
    list(sandbox.read(note, limits))
    (mine,) = set(reading_processes()) - before
    crash = threading.Timer(0.5, mine.send_signal, [signal.SIGSEGV])
    crash.start()
    assert reason(hanging, limits) == "the reader crashed"
    crash.join()
    assert len(list(sandbox.read(note, limits))) == 1


def test_two_files_at_once_and_one_left_in_the_middle(note: Path, tmp_path: Path) -> None:
    chats = tmp_path / "chats.jsonl"
    line = json.dumps({"messages": [{"role": "user", "content": "word " * 500}]}) + "\n"
    chats.write_text(line * 1000)
    talks = sandbox.read(chats)
    assert isinstance(next(talks), Conversation)
    assert [type(item) for item in sandbox.read(note)] == [Document]
    talks.close()  # type: ignore[attr-defined]
    assert sum(1 for _ in sandbox.read(chats)) == 1000


CONFINED = """
import os, socket, subprocess, sys
from learnctl.memory.limits import Limits, confine
confine(Limits())
for act in (
    lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: socket.getaddrinfo("localhost", 80),
    lambda: subprocess.run(["true"]),
    lambda: os.system("true"),
    lambda: os.write(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT), b"x"),
    lambda: bytearray(2**31),
):
    try:
        act()
        print("done")
    except (OSError, MemoryError) as error:
        print(type(error).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="not every kernel keeps all limits")
def test_no_network_no_programs_no_writing_no_end_of_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CONFINED, tmp_path / "f"], capture_output=True, text=True, env=PATH
    )
    assert done.stdout.split() == ["PermissionError"] * 4 + ["OSError", "MemoryError"]
    assert (tmp_path / "f").read_bytes() == b""


PARENT = """
import sys
from pathlib import Path
from learnctl.memory import sandbox
list(sandbox.read(Path(sys.argv[1])))
print("ready", flush=True)
sandbox.detect(Path(sys.argv[2]))
"""


def test_a_killed_parent_leaves_no_child(note: Path, hanging: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, note, hanging], stdout=subprocess.PIPE, env=PATH
    )
    with parent:
        assert parent.stdout
        parent.stdout.readline()
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    psutil.wait_procs([child], timeout=30)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_process_that_cannot_start_is_no_fault_of_the_file(
    note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Exception, match="does not start") as caught:
        list(sandbox.read(note, Limits(seconds=51)))
    assert not isinstance(caught.value, UnreadableSource)
