"""The walk takes what a person wrote, passes over what tools made, and stays inside."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from learnctl.memory.walk import Entry, Found, Refused, Skipped, walk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def write(path: Path, content: str | bytes = "text") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def found(entries: list[Entry], root: Path) -> list[str]:
    return [str(e.path.relative_to(root)) for e in entries if isinstance(e, Found)]


def others(entries: list[Entry], root: Path) -> dict[str, str]:
    return {
        str(e.path.relative_to(root)): e.reason for e in entries if isinstance(e, Skipped | Refused)
    }


def test_files_in_sorted_order_with_their_root(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.txt", "a/b/c.txt", "c.txt"):
        write(tmp_path / name)
    entries = list(walk([tmp_path]))
    assert found(entries, tmp_path) == ["a/b/c.txt", "a/z.txt", "b.md", "c.txt"]
    assert {e.root for e in entries if isinstance(e, Found)} == {tmp_path}


def test_a_named_file_has_its_folder_as_root(tmp_path: Path) -> None:
    path = write(tmp_path / ".hidden.md")
    assert list(walk([path])) == [Found(path, tmp_path)]


def test_a_file_given_twice_is_met_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    assert len(list(walk([tmp_path, path, tmp_path]))) == 1


def test_what_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path / ".git/config")
    write(tmp_path / ".secret")
    write(tmp_path / "node_modules/x/readme.md")
    write(tmp_path / "__pycache__/x.pyc")
    write(tmp_path / "mine/pyvenv.cfg")
    write(tmp_path / "env/notes.md")
    write(tmp_path / "empty.txt", b"")
    write(tmp_path / "cat.txt", PNG)
    write(tmp_path / "song.mp3", b"ID3\x03\x00\x00")
    write(tmp_path / "tool", b"\x7fELF\x02\x01")
    write(tmp_path / "data.bin", b"\x05\x00\x01\x02")
    write(tmp_path / "wide.txt", "wide".encode("utf-16"))
    write(tmp_path / "BMW.txt", "BMW is a maker of cars")
    entries = list(walk([tmp_path]))
    assert found(entries, tmp_path) == ["BMW.txt", "env/notes.md", "wide.txt"]
    assert others(entries, tmp_path) == {
        ".git": "hidden",
        ".secret": "hidden",
        "__pycache__": "made by tools, not by a person",
        "cat.txt": "an image, not text",
        "data.bin": "a binary file, not text",
        "empty.txt": "empty",
        "mine": "made by tools, not by a person",
        "node_modules": "made by tools, not by a person",
        "song.mp3": "a sound recording, not text",
        "tool": "a program, not text",
    }


def test_what_another_file_holds_too_is_passed_over(tmp_path: Path) -> None:
    said = "[2024-01-02 10:00:00] Ann: Hello  \n\n"
    entry = '{"date": "2024-01-02T10:00:00", "sender": "Ann", "body": "Hello  ", "quote": ""}\n'
    for name in ("Ann", "Bob"):
        write(tmp_path / name / "chat.md", said)
        write(tmp_path / name / "index.html", "<html><body>Hello</body></html>")
    write(tmp_path / "Ann/data.json", entry)
    write(tmp_path / "notes/data.json", entry)
    write(tmp_path / "site/chat.md", "# Of chats")
    write(tmp_path / "site/index.html", "<html><body>Hello</body></html>")
    row = '[{"ID": 1, "Timestamp": "2024-02-01 10:00:00", "Contents": "Hello"}]'
    write(tmp_path / "messages/c12/messages.json", row)
    write(tmp_path / "messages/c12/channel.json", '{"id": "12"}')
    write(tmp_path / "messages/index.json", '{"12": "general in Home"}')
    entries = list(walk([tmp_path]))
    assert found(entries, tmp_path) == [
        "Ann/data.json",
        "Bob/chat.md",
        "messages/c12/messages.json",
        "notes/data.json",
        "site/chat.md",
        "site/index.html",
    ]
    assert others(entries, tmp_path) == {
        "Ann/chat.md": "the same chat as data.json beside it",
        "Ann/index.html": "the same chat as data.json beside it",
        "Bob/index.html": "the same chat as chat.md beside it",
        "messages/c12/channel.json": "names for messages.json, which is read with them",
        "messages/index.json": "names for messages.json, which is read with them",
    }


def test_ignore_file_has_the_syntax_of_git(tmp_path: Path) -> None:
    write(tmp_path / ".learnctlignore", "# mine\n*.log\n!keep.log\ndrafts/\n/top.md\n")
    write(tmp_path / "sub/.learnctlignore", "old.md\n")
    for name in (
        "a.log",
        "keep.log",
        "drafts/a.md",
        "top.md",
        "sub/top.md",
        "sub/old.md",
        "old.md",
    ):
        write(tmp_path / name)
    entries = list(walk([tmp_path]))
    assert found(entries, tmp_path) == ["keep.log", "old.md", "sub/top.md"]
    reasons = others(entries, tmp_path)
    assert reasons["drafts"] == reasons["a.log"] == "ignored by .learnctlignore"
    assert "drafts/a.md" not in reasons


def test_a_bad_pattern_does_not_undo_the_others(tmp_path: Path) -> None:
    write(tmp_path / ".learnctlignore", b"!\n\xff\xfe\n*.log\n")
    write(tmp_path / "a.log")
    assert found(list(walk([tmp_path])), tmp_path) == []


@pytest.mark.filterwarnings("error")
def test_letters_other_than_some_are_within_a_name(tmp_path: Path) -> None:
    write(tmp_path / ".learnctlignore", "log[!0-9]*\nb[^]]\n[[]*\n")
    for name in ("log/a.md", "b/a.md", "logs.md", "bc", "[x].md"):
        write(tmp_path / name)
    assert found(list(walk([tmp_path])), tmp_path) == ["b/a.md", "log/a.md"]


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*a" * 30 + "b", "a" * 120 + "b", "a" * 120 + ".md"),
        ("**/a*/" * 15 + "b", "/".join(["a"] * 30) + "/b", "/".join(["a"] * 30) + "/c"),
        ("x*[ab]?*.*.md", "x-abc.d.md", "x-abc.md"),
    ],
)
def test_a_pattern_with_many_stars_takes_no_time(
    tmp_path: Path, pattern: str, matching: str, other: str
) -> None:
    write(tmp_path / ".learnctlignore", pattern + "\n")
    write(tmp_path / matching)
    write(tmp_path / other)
    begun = time.monotonic()
    assert found(list(walk([tmp_path])), tmp_path) == [other]
    assert time.monotonic() - begun < 5


def test_an_ignore_file_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".learnctlignore")
    write(tmp_path / "a.md")
    entries = list(walk([tmp_path]))
    assert found(entries, tmp_path) == ["a.md"]
    assert "ignore" in "".join(str(e.path) for e in entries if isinstance(e, Refused))


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/secret.md")
    inside = tmp_path / "inside"
    write(inside / "real/a.md")
    (inside / "to_file").symlink_to(outside)
    (inside / "to_folder").symlink_to(outside.parent)
    (inside / "loop").symlink_to(inside)
    (inside / "again.md").symlink_to(inside / "real/a.md")
    (inside / "broken").symlink_to(inside / "nothing")
    entries = list(walk([inside]))
    assert found(entries, inside) == ["real/a.md"]
    assert others(entries, inside) == {
        "again.md": "a link to a file that is met anyway",
        "broken": "a link to nothing",
        "loop": "a link to a folder that is met anyway",
        "to_file": "a link that leads out of the folder",
        "to_folder": "a link that leads out of the folder",
    }
    refused = {e.path.name for e in entries if isinstance(e, Refused)}
    assert refused == {"broken", "to_file", "to_folder"}


def test_links_in_a_circle_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    write(tmp_path / "c.md")
    entries = list(walk([tmp_path, tmp_path / "a"]))
    assert found(entries, tmp_path) == ["c.md"]
    assert others(entries, tmp_path) == {"a": "a link to nothing", "b": "a link to nothing"}


@pytest.fixture
def bottom(tmp_path: Path) -> Iterator[Path]:
    """A file under so many folders that one call for each would be too many, and under it more of
    them than a path may name."""
    here, deep = os.getcwd(), 2200
    os.chdir(tmp_path)
    for depth in range(deep):
        os.mkdir("d")
        os.chdir("d")
        if depth == 1499:
            Path("deep.md").write_text("text")
    yield tmp_path.joinpath(*["d"] * 1500, "deep.md")
    for depth in range(deep, 0, -1):  # too deep for what removes folders of tests
        if depth == 1500:
            os.remove("deep.md")
        os.chdir("..")
        os.rmdir("d")
    os.chdir(here)


@pytest.mark.skipif(os.name != "posix", reason="paths of another length")
def test_folders_deeper_than_python_calls(tmp_path: Path, bottom: Path) -> None:
    write(tmp_path / "e.md")
    entries = list(walk([tmp_path]))
    assert found(entries, tmp_path) == [str(bottom.relative_to(tmp_path)), "e.md"]
    assert list(others(entries, tmp_path).values()) == ["file name too long"]


@pytest.mark.skipif(sys.platform != "linux", reason="file names must be text here")
def test_an_export_in_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    export = tmp_path / os.fsdecode(b"caf\xe9")
    write(export / "users.json", "[]")
    write(export / "channels.json", "[]")
    assert list(walk([tmp_path])) == [Refused(export, "a name that is not UTF-8")]


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "nowhere"
    assert list(walk([path])) == [Refused(path, "there is no such file or folder")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert list(walk([tmp_path])) == [Skipped(tmp_path / "pipe", "not a regular file")]


WALK_AS_NOBODY = """
import os, sys
from pathlib import Path
from learnctl.memory.errors import UnreadableSource
from learnctl.memory.readers import detect
from learnctl.memory.walk import walk
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
os.chdir(sys.argv[1])
for entry in walk([Path(".")]):
    print(entry.path, "|", getattr(entry, "reason", "found"))
try:
    detect(Path("locked.md"))
except UnreadableSource as error:
    print("detect |", error)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions of another kind")
def test_what_may_not_be_read_is_refused() -> None:
    # Not in tmp_path, which is closed to the user that the child becomes.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        write(folder / "a.md")
        locked = write(folder / "locked.md")
        closed = write(folder / "closed/b.md").parent
        locked.chmod(0)
        closed.chmod(0)
        try:
            done = subprocess.run(
                [sys.executable, "-c", WALK_AS_NOBODY, name],
                capture_output=True,
                text=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        finally:
            closed.chmod(0o700)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "a.md | found",
        "closed | no permission to read it",
        "locked.md | no permission to read it",
        "detect | no permission to read it",
    ]
