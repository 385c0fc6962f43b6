"""The bytes of a source: those of a file, or of all files of a folder that is read as a whole."""

import hashlib
from pathlib import Path

from .readers import slack


def sha256(path: Path) -> str:
    """A digest of what is read."""
    if not path.is_dir():
        return _of_file(path)
    whole = hashlib.sha256()
    for file in slack.files_of(path):
        whole.update(f"{file.relative_to(path).as_posix()}\n{_of_file(file)}\n".encode())
    return whole.hexdigest()


def size(path: Path) -> int:
    """How many they are."""
    files = slack.files_of(path) if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)


def _of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
