"""What the system refuses to a night is told with what to do about it."""

import errno
import sqlite3
from pathlib import Path

import pytest

from learnctl.memory.errors import LearnctlError
from learnctl.trainer.faults import faults_of_the_system


def test_a_full_disk() -> None:
    with pytest.raises(LearnctlError, match="No space left") as caught, faults_of_the_system():
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.hint.startswith("free some disk; the next consolidation goes on")


def test_a_full_disk_under_the_store(tmp_path: Path) -> None:
    """A database that may not grow any further says that it is full."""
    database = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    database.execute("CREATE TABLE notes (text TEXT)")
    database.execute("PRAGMA max_page_count = 2")
    with pytest.raises(LearnctlError, match="full") as caught, faults_of_the_system():
        database.execute("INSERT INTO notes VALUES (zeroblob(100000))")
    assert "free some disk" in caught.value.hint
    database.close()


def test_a_store_that_another_program_holds(tmp_path: Path) -> None:
    one = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None, timeout=0)
    one.execute("CREATE TABLE notes (text TEXT)")
    one.execute("BEGIN IMMEDIATE")
    with pytest.raises(LearnctlError, match="locked") as caught, faults_of_the_system():
        other.execute("INSERT INTO notes VALUES ('one more')")
    assert "another program" in caught.value.hint
    assert "disk" not in caught.value.hint
    one.close()
    other.close()


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """No disk that is freed helps there."""
    with pytest.raises(LearnctlError, match="Is a directory") as caught, faults_of_the_system():
        tmp_path.write_text("weights")
    assert "free" not in caught.value.hint
    assert "doctor" in caught.value.hint


def test_what_a_tensors_file_says(tmp_path: Path) -> None:
    """A file of tensors that cannot be read is no matter of room."""
    from safetensors import safe_open

    (tmp_path / "adapter.safetensors").write_bytes(b"half")
    with pytest.raises(LearnctlError, match="eader") as caught, faults_of_the_system():
        safe_open(tmp_path / "adapter.safetensors", "pt")
    assert "free" not in caught.value.hint
