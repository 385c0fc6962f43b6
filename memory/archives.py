"""Zips and tars that are no export of their own: the files in them, read as if they lay in a folder.

Each is unpacked, read and removed before the next. They are shown as `archive.zip!/notes/a.md`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import sandbox
from .errors import UnreadableSource
from .limits import Limits
from .sandbox import OnRead
from .unpack import LARGEST_MEMBER_BYTES
from .walk import Found, Refused, Skipped, file_entry

FORMAT = "archive"
UNPACKING = Limits(written_bytes=LARGEST_MEMBER_BYTES)
MOST_MEMBERS = 100_000
MOST_BYTES = 16 * 2**30
DEEPEST = 2


@dataclass(frozen=True)
class Member:
    """A file of an archive, at `path` until the next one is asked for."""

    shown: Path
    path: Path
    format: str


@dataclass
class _Spent:
    """Over the archive and those inside it."""

    members: int = 0
    n_bytes: int = 0


def members(
    path: Path, on_read: OnRead = lambda n_bytes: None
) -> Iterator[Member | Skipped | Refused]:
    """What is in an archive, each with what is to be done with it.

    Args:
        on_read: called now and then with the bytes of the archive that were read.

    Raises:
        UnreadableSource: the archive, or the rest of it, is damaged or too much.
    """
    yield from _members(path, path, 1, _Spent(), on_read)


def _members(
    path: Path, shown: Path, depth: int, spent: _Spent, on_read: OnRead = lambda n_bytes: None
) -> Iterator[Member | Skipped | Refused]:
    for kind, found in sandbox.ask("unpack", path, UNPACKING, on_read):
        named = Path(f"{shown}!/{found['name']}")
        if kind != "member":
            passed_over = Skipped if kind == "skip" else Refused
            yield passed_over(named, found["reason"])
            continue
        spent.members += 1
        spent.n_bytes += Path(found["path"]).stat().st_size
        if spent.members > MOST_MEMBERS:
            raise UnreadableSource(f"an archive with more than {MOST_MEMBERS:,} files in it")
        if spent.n_bytes > MOST_BYTES:
            raise UnreadableSource(f"unpacks to more than {MOST_BYTES >> 30} GB")
        yield from _member(Path(found["path"]), named, depth, spent)


def _member(
    path: Path, shown: Path, depth: int, spent: _Spent
) -> Iterator[Member | Skipped | Refused]:
    entry = file_entry(path, path.parent)
    if not isinstance(entry, Found):
        yield type(entry)(shown, entry.reason)
        return
    try:
        name = sandbox.detect(path)
        if name != FORMAT:
            yield Member(shown, path, name)
        elif depth < DEEPEST:
            yield from _members(path, shown, depth + 1, spent)
        else:
            yield Refused(shown, "an archive in an archive in an archive")
    except UnreadableSource as error:
        yield Refused(shown, str(error))
