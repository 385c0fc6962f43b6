"""Members of zip files, read in memory and capped: a small file may unpack to any size."""

import lzma
import re
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..errors import UnreadableSource

ZIP_MAGIC = b"PK\x03\x04"
EMPTY_ZIP_MAGIC = b"PK\x05\x06"
_MOST_MEMBERS = 100_000
# What a person writes or keeps, by its name; programs put files of some such names into their exports.
_KEPT = re.compile(
    r"(?i)(?!(?:.*/)?(?:readme|no-data|file[-_]|files/))"
    r".*\.(?:md|markdown|txt|org|rst|rtf|docx|odt|pdf|epub|eml|mbox|zip)"
)
_HIDDEN = re.compile(r"(?:.*/)?(?:\.|__MACOSX/).*")
DAMAGED = "not a readable zip: damaged inside"
LARGEST_RATIO = 200
RATIO_MATTERS_BYTES = 16 * 2**20
_ENCRYPTED = 0x1
_NAMED_IN_UTF8 = 0x800
# What zipfile raises for members that are damaged, or packed in ways that it does not know.
DAMAGE = (BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError)


def open_zip(path: Path) -> ZipFile:
    """The archive, to be closed by the caller.

    Raises:
        UnreadableSource: it is no zip, or has more members than anybody's.
        OSError: it cannot be opened.
    """
    try:
        archive = ZipFile(path)
    except (BadZipFile, ValueError, NotImplementedError) as error:
        fault = str(error)[:1].lower() + str(error)[1:]
        raise UnreadableSource(f"not a readable zip: {fault}") from error
    if len(archive.filelist) > _MOST_MEMBERS:
        archive.close()
        raise UnreadableSource(f"a zip with more than {_MOST_MEMBERS:,} files in it")
    for info in archive.filelist:
        info.filename = _name(info)
        archive.NameToInfo[info.filename] = info
    return archive


def _name(info: ZipInfo) -> str:
    """Many programs write names in UTF-8 without saying so, and zipfile takes them for DOS's letters."""
    if info.filename.isascii() or info.flag_bits & _NAMED_IN_UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def member_names(path: Path) -> list[str]:
    """The names in a zip; raises as `open_zip` does."""
    with open_zip(path) as archive:
        return archive.namelist()


def files_in(archive: ZipFile) -> list[str]:
    """The names of all that somebody put into it: no folders, nothing hidden."""
    return [n for n in archive.namelist() if not n.endswith("/") and not _HIDDEN.fullmatch(n)]


def is_one_export(names: Iterable[str], folder: str) -> bool:
    """Whether the export in a folder of a zip is all there is in it.

    Otherwise the zip is somebody's archive: read as the export, it would lose the rest.

    Args:
        folder: with a slash at its end; empty for the top.
    """
    return all(name.startswith(folder) and not _KEPT.fullmatch(name) for name in names)


def open_member(archive: ZipFile, name: str | ZipInfo, largest_bytes: int) -> IO[bytes]:
    """A member as a stream; zipfile never gives more than the size that was checked here.

    Raises:
        UnreadableSource: encrypted, or it would unpack to too much.
        KeyError: there is none of that name.
    """
    info = name if isinstance(name, ZipInfo) else archive.getinfo(name)
    if info.flag_bits & _ENCRYPTED:
        raise UnreadableSource("a zip protected by a password")
    ratio = info.file_size / max(info.compress_size, 1)
    if info.file_size > largest_bytes:
        raise UnreadableSource(
            f"{info.filename} in it would unpack to {info.file_size / 2**20:,.0f} MB"
        )
    if info.file_size > RATIO_MATTERS_BYTES and ratio > LARGEST_RATIO:
        raise UnreadableSource(f"{info.filename} in it unpacks to {ratio:.0f} times its size")
    return archive.open(info)


def read_member(archive: ZipFile, name: str, largest_bytes: int) -> bytes:
    """A whole member.

    Raises:
        UnreadableSource: as `open_member`, or it is damaged.
        KeyError: there is none of that name.
    """
    try:
        with open_member(archive, name, largest_bytes) as member:
            return member.read()
    except DAMAGE as error:
        raise UnreadableSource(DAMAGED) from error
