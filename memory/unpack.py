"""The files in a zip or tar, or the one that is compressed alone, laid one after the other into a folder to be read there.

Nothing is unpacked to a path of the archive's own choosing, and only regular files are: no links,
no devices. At most one file lies there at a time. Runs in the process that reads.
"""

import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple
from zipfile import ZipFile, ZipInfo

from .errors import UnreadableSource
from .readers.archive import (
    DAMAGE,
    DAMAGED,
    EMPTY_ZIP_MAGIC,
    LARGEST_RATIO,
    RATIO_MATTERS_BYTES,
    ZIP_MAGIC,
    member_names,
    open_member,
    open_zip,
)
from .readers.signal import is_said_twice
from .readers.tar import is_compressed_text, is_tar, opener
from .walk import HIDDEN, MADE_BY_TOOLS, TOOL_FOLDERS

LARGEST_MEMBER_BYTES = 2 * 2**30
_BLOCK_BYTES = 2**20
_LONGEST_NAME_BYTES = 120
# Zips that are one document or program, and no folder that somebody packed.
_DOCUMENT_MARKS = ("[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF", "Index/Document.iwa")
_TAR_DAMAGE = (tarfile.TarError, EOFError, OSError, ValueError, zlib.error, lzma.LZMAError)


class _Packed(NamedTuple):
    name: str
    n_bytes: int
    open: Callable[[], IO[bytes] | None]  # raises UnreadableSource


def is_archive(path: Path) -> bool:
    """A zip or a tar that holds files for themselves, or a compressed text."""
    if not _is_zip(path):
        return is_tar(path) or is_compressed_text(path)
    with open_zip(path) as archive:
        names = archive.namelist()
    return any(not name.endswith("/") for name in names) and not set(names) & set(_DOCUMENT_MARKS)


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (ZIP_MAGIC, EMPTY_ZIP_MAGIC)


def unpack(path: Path, folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Each file by name: `member` with the path it lies at until the next is asked for, else
    `skip` or `refuse` with the reason.

    Raises:
        UnreadableSource: the archive, or the rest of it, is damaged or would unpack to too much.
    """
    left = RATIO_MATTERS_BYTES + LARGEST_RATIO * path.stat().st_size
    passed: set[str] = set()
    names = _names(path)
    for packed in _files(path):
        kind, fault, where = _judge(packed, names)
        if fault:
            if where not in passed:
                passed.add(where)
                yield kind, {"name": where, "reason": fault}
            continue
        target = folder / _safe_name(_folder_of(packed.name) or path.stem) / _safe_name(packed.name)
        target.parent.mkdir()
        try:
            stream = packed.open()
            assert stream, "regular files have one"
            with stream, target.open("xb") as file:
                left -= _copy(stream, file, left)
            if left >= 0:
                yield "member", {"name": packed.name, "path": str(target)}
        except UnreadableSource as error:
            yield "refuse", {"name": packed.name, "reason": str(error)}
        finally:
            target.unlink(missing_ok=True)
            target.parent.rmdir()
        if left < 0:
            raise UnreadableSource(f"unpacks to more than {LARGEST_RATIO} times its size")


def _names(path: Path) -> frozenset[str]:
    """All in a zip; a tar tells them only as it goes by."""
    return frozenset(member_names(path)) if _is_zip(path) else frozenset()


def _files(path: Path) -> Iterator[_Packed]:
    if _is_zip(path):
        return _zipped(path)
    return _tarred(path) if is_tar(path) else _alone(path)


def _alone(path: Path) -> Iterator[_Packed]:
    """Under the name of the compressed file, without the ending; how large it is nobody says."""
    if found := opener(path):
        yield _Packed(path.stem, 0, partial(found, path))


def _zipped(path: Path) -> Iterator[_Packed]:
    with open_zip(path) as archive:
        for info in archive.infolist():
            is_link = (info.external_attr >> 28) == 0xA
            if not info.is_dir() and not is_link:
                yield _Packed(info.filename, info.file_size, partial(_open, archive, info))


def _open(archive: ZipFile, info: ZipInfo) -> IO[bytes]:
    try:
        return open_member(archive, info, LARGEST_MEMBER_BYTES)
    except DAMAGE as error:
        raise UnreadableSource(DAMAGED) from error


def _tarred(path: Path) -> Iterator[_Packed]:
    name = ""
    try:
        with tarfile.open(path, "r|*") as archive:
            for info in archive:
                name = info.name
                if info.isreg():
                    yield _Packed(name, info.size, partial(archive.extractfile, info))
    except _TAR_DAMAGE as error:
        where = f"in or after {name}" if name else "inside"
        raise UnreadableSource(f"not a readable tar: damaged {where}") from error


def _judge(packed: _Packed, names: frozenset[str]) -> tuple[str, str, str]:
    """Whether to skip or refuse a file, why, and whose fault it is: its own or its folder's."""
    name = packed.name.replace("\\", "/")
    parts = PurePosixPath(name).parts
    if not parts or ".." in parts or name.startswith("/") or name[1:2] == ":":
        return "refuse", "a name that leads out of the archive", packed.name
    for depth, part in enumerate(parts, 1):
        where = "/".join(parts[:depth])
        if part.startswith("."):
            return "skip", HIDDEN, where
        if part in TOOL_FOLDERS and depth < len(parts):
            return "skip", MADE_BY_TOOLS, where
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return "refuse", "a name that is not UTF-8", packed.name
    if packed.n_bytes > LARGEST_MEMBER_BYTES:
        return "refuse", f"would unpack to {packed.n_bytes / 2**20:,.0f} MB", packed.name
    if is_said_twice(packed.name, names):
        return "skip", "the same chat as data.json beside it", packed.name
    return "", "", packed.name


def _copy(stream: IO[bytes], file: IO[bytes], most: int) -> int:
    """Copies until more than `most` bytes were seen; how many were."""
    n_bytes = 0
    while n_bytes <= most and (block := _block(stream)):
        n_bytes += len(block)
        file.write(block)
    return n_bytes


def _block(stream: IO[bytes]) -> bytes:
    try:
        return stream.read(_BLOCK_BYTES)
    except (*DAMAGE, tarfile.TarError, OSError) as error:
        raise UnreadableSource("damaged in the archive") from error


def _folder_of(name: str) -> str:
    """What it lies in: some exports call a chat's file the same each time and its folder by the chat."""
    return PurePosixPath(name.replace("\\", "/")).parent.name


def _safe_name(name: str) -> str:
    """The last part of the name, for titles are made of it; never a way elsewhere."""
    last = PurePosixPath(name.replace("\\", "/")).name.lstrip(".")
    kept = "".join(letter if letter.isprintable() else "_" for letter in last)
    stem, dot, suffix = kept.rpartition(".")
    suffix = dot + suffix if stem and len(suffix) <= 10 else ""
    stem = kept.removesuffix(suffix).encode()[:_LONGEST_NAME_BYTES].decode(errors="ignore")
    return (stem + suffix) or "file"
