"""Which files of the given folders to read, which to pass over, and which to refuse.

Links to folders are never followed, so that a walk ends and stays inside what was given.
"""

import os
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import globs
from .errors import UnreadableSource, why_unreadable
from .readers import NOT_TEXT, is_one_export, read_elsewhere
from .readers.binary import BINARY, COMPRESSED, DATABASE, HEAD_BYTES, binary_kind
from .readers.mail import WASTE
from .readers.tar import is_compressed_text, is_tar

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".learnctlignore"
IGNORED = f"ignored by {IGNORE_FILE}"
HIDDEN = "hidden"
NOT_THERE = ("there is no such file or folder", "nothing is called so")
NOT_UTF8 = "a name that is not UTF-8"
OWN_FOLDER = "learnctl's own folder"
MADE_BY_TOOLS = "made by tools, not by a person"
TOOL_FOLDERS = frozenset(
    ["node_modules", "__pycache__", "venv", "env", "site-packages", "__MACOSX", "bower_components"]
)
_MAILDIR = {"cur", "new", "tmp"}
# Flags stand at the end of a mail's name: https://cr.yp.to/proto/maildir.html
_THROWN_AWAY = re.compile(r".+[:;!]2,[A-Za-z]*T[A-Za-z]*")
_LARGEST_IGNORE_BYTES = 2**20
# How pathspec writes a star, what follows one up to the next, and two stars between names.
_STAR = r"\[\^/\]\*"
_LETTERS = rf"(?:(?!{_STAR})(?:\\.|\[(?:\\.|[^\]\\])+\]|[^\\()\[\]/$]))+"
_FOLDERS = r"\(\?:/\.\+\)\?"


@dataclass(frozen=True)
class Found:
    """A file to read, or a folder that is one export; `root` is the folder that was given, or the given
    file's own.

    Attributes:
        known_as: what the store calls it, where it is not its path.
    """

    path: Path
    root: Path
    known_as: str = ""

    @property
    def shown(self) -> Path:
        return Path(self.known_as) if self.known_as else self.path


@dataclass(frozen=True)
class Skipped:
    """Passed over for a reason that is no fault; a folder stands for all that is in it."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Refused:
    """Asked for, and cannot be taken."""

    path: Path
    reason: str


Entry = Found | Skipped | Refused
_Inode = tuple[int, int]  # the number of the device, and on it


def walk(paths: Iterable[Path], home: Path | None = None) -> Iterator[Entry]:
    """All files of `paths` in sorted order, each with what is to be done with it, once.

    A file that was named itself is taken even when it is hidden. Never raises for what it meets.

    Args:
        home: the folder of the store, which is passed over where it is met, under whatever name.
    """
    met: set[Path] = set()
    own = _inode(home) if home else None
    for path in paths:
        for entry in _given(path, own):
            if entry.path not in met:
                met.add(entry.path)
                yield entry


def _inode(path: Path) -> _Inode | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _given(path: Path, own: _Inode | None) -> Iterator[Entry]:
    try:
        if path.is_dir():
            yield from _folder(path, own)
        elif path.exists():
            yield file_entry(path, path.parent)
        elif path.is_symlink():
            yield Refused(path, "a link to nothing")
        elif globs.is_pattern(path):
            yield from _matching(path, own)
        else:
            yield Refused(path, NOT_THERE[0])
    except OSError as error:
        yield Refused(path, why_unreadable(error))


def _matching(pattern: Path, own: _Inode | None) -> Iterator[Entry]:
    base, matches = globs.base_of(pattern), globs.matcher(pattern)
    found = [entry for entry in _folder(base, own) if matches.fullmatch(str(entry.path))]
    yield from found or [Refused(pattern, NOT_THERE[1])]


@dataclass(frozen=True)
class _Folder:
    """One to look into, with the ignore files above it; `in_export` where it lies in an export that is read as one."""

    path: Path
    ignores: tuple["_Ignore", ...]
    in_export: bool = False


def _folder(root: Path, own: _Inode | None) -> Iterator[Entry]:
    """All in a folder, in order; with a list and no calls, for folders may lie deeper than calls can."""
    looked_into = [_listed(_Folder(root, ()), root, own)]
    while looked_into:
        entry = next(looked_into[-1], None)
        if entry is None:
            looked_into.pop()
        elif isinstance(entry, _Folder):
            looked_into.append(_listed(entry, root, own))
        else:
            yield entry


def _listed(folder: _Folder, root: Path, own: _Inode | None) -> Iterator[Entry | _Folder]:
    path, ignores, in_export = folder.path, folder.ignores, folder.in_export
    if own and own == _inode(path):
        yield Skipped(path, OWN_FOLDER)
        return
    try:
        if is_one_export(path):
            yield Found(path, root) if _is_text(str(path)) else Refused(path, NOT_UTF8)
            in_export = True
        with os.scandir(path) as listed:
            entries = sorted(listed, key=lambda entry: entry.name)
    except OSError as error:
        yield Refused(path, why_unreadable(error))
        return
    if any(entry.name == IGNORE_FILE for entry in entries):
        try:
            ignores = (*ignores, _Ignore(path))
        except OSError as error:
            yield Refused(path / IGNORE_FILE, why_unreadable(error))
    in_maildir = {entry.name for entry in entries} >= _MAILDIR
    for entry in entries:
        # What else lies there is somebody's own, and no part of the export.
        if not (in_export and entry.name.endswith(".json")):
            found = _entry(entry, root, ignores, in_maildir)
            yield replace(found, in_export=in_export) if isinstance(found, _Folder) else found


def _entry(
    entry: os.DirEntry[str], root: Path, ignores: tuple["_Ignore", ...], in_maildir: bool
) -> Entry | _Folder:
    path = Path(entry.path)
    try:
        is_folder = entry.is_dir(follow_symlinks=False)
        passed_over = _passed_over(path, is_folder, ignores, in_maildir)
        if passed_over:
            return Skipped(path, passed_over)
        if entry.is_symlink():
            return _link(path, root)
        if is_folder:
            return _Folder(path, ignores)
        elsewhere = read_elsewhere(path)
        return Skipped(path, elsewhere) if elsewhere else file_entry(path, root)
    except OSError as error:
        return Refused(path, why_unreadable(error))


def _passed_over(
    path: Path, is_folder: bool, ignores: tuple["_Ignore", ...], in_maildir: bool
) -> str:
    # The folders of a maildir have names that begin with a point.
    if path.name.startswith(".") and not (in_maildir and is_folder):
        return HIDDEN
    if in_maildir and (path.name == "tmp" or not is_folder):
        return "no mail: the mail program keeps it for itself"
    if _is_thrown_away(path, is_folder, in_maildir):
        return "mail that was thrown away"
    if is_folder and _is_made_by_tools(path):
        return MADE_BY_TOOLS
    if any(ignore.matches(path, is_folder) for ignore in ignores):
        return IGNORED
    return ""


def _is_thrown_away(path: Path, is_folder: bool, in_maildir: bool) -> bool:
    """A maildir's folder of waste, a mail in it that is marked so, or Thunderbird's file of waste."""
    name = path.name.lower()
    if is_folder:
        return in_maildir and name.rpartition(".")[2] in WASTE
    if path.parent.name in _MAILDIR and _THROWN_AWAY.fullmatch(path.name):
        return True
    return name in WASTE and path.with_name(f"{path.name}.msf").exists()


def _is_made_by_tools(folder: Path) -> bool:
    name = folder.name
    if name in ("venv", "env"):  # a person may keep notes in a folder of this name
        return (folder / "pyvenv.cfg").exists()
    return name in TOOL_FOLDERS or (folder / "pyvenv.cfg").exists()


def _link(path: Path, root: Path) -> Entry:
    target = Path(os.path.realpath(path))  # resolve() fails for links in a circle
    if not target.is_relative_to(os.path.realpath(root)):
        return Refused(path, "a link that leads out of the folder")
    if not target.exists():
        return Refused(path, "a link to nothing")
    what = "folder" if target.is_dir() else "file"
    return Skipped(path, f"a link to a {what} that is met anyway")


def file_entry(path: Path, root: Path) -> Entry:
    """What is to be done with one file, by its kind and its first bytes."""
    if not _is_text(str(path)):
        return Refused(path, NOT_UTF8)
    if not path.is_file():  # opening a pipe would wait for ever
        return Skipped(path, "not a regular file")
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        return Refused(path, why_unreadable(error))
    if not head:
        return Skipped(path, "empty")
    kind = binary_kind(head)
    if kind in (COMPRESSED, BINARY) and (is_tar(path) or is_compressed_text(path)):
        return Found(path, root)
    if kind == DATABASE and _is_known_database(path):
        return Found(path, root)
    return Skipped(path, NOT_TEXT.format(kind)) if kind else Found(path, root)


def _is_known_database(path: Path) -> bool:
    """Whether a reader takes it, or can say what is wrong with it."""
    from . import sandbox  # its process walks through archives

    try:
        sandbox.detect(path)
    except UnreadableSource as error:
        return str(error) != NOT_TEXT.format(DATABASE)
    return True


def _is_text(name: str) -> bool:
    """Bytes of a file's name that are no UTF-8 come as lone surrogates, which nothing can store."""
    return not re.search("[\ud800-\udfff]", name)


class _Ignore:
    """The patterns of one ignore file, which hold for its folder and what is below."""

    def __init__(self, folder: Path) -> None:
        path = folder / IGNORE_FILE
        if path.exists() and not path.is_file():  # opening a pipe would wait for ever
            raise OSError("not a regular file")
        with path.open("rb") as file:
            lines = file.read(_LARGEST_IGNORE_BYTES).decode("utf-8-sig", "replace").splitlines()
        self._folder = folder
        with (
            warnings.catch_warnings()
        ):  # "[[]" is a bracket, and no set that somebody forgot to close
            warnings.simplefilter("ignore", FutureWarning)
            self._spec = _spec(lines)
            for pattern in self._spec.patterns:
                if pattern.regex:
                    pattern.regex = re.compile(_in_time(_within_names(pattern.regex.pattern)))

    def matches(self, path: Path, is_folder: bool) -> bool:
        below = path.relative_to(self._folder).as_posix()
        return self._spec.match_file(below + "/" if is_folder else below)


def _spec(lines: list[str]) -> "GitIgnoreSpec":
    from pathspec import GitIgnoreSpec

    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError:  # one bad pattern must not undo the others
        return GitIgnoreSpec.from_lines(line for line in lines if _is_pattern(line))


def _within_names(regex: str) -> str:
    """The same, but that letters other than some are no slash: else "log[!0-9]*" would stand for all in the folder "log"."""
    return re.sub(r"(?<!\\)\[\^(?!/\])(\]?)", r"[^\1/", regex)


def _in_time(regex: str) -> str:
    """The same, with the first place tried alone for all stars but the last: a later one is never better, and to
    try them all takes for ever where a hostile pattern has many."""
    regex = re.sub(rf"{_STAR}({_LETTERS})(?={_STAR})", r"(?>[^/]*?\1)", regex)
    between = rf"{_FOLDERS}((?:(?!{_FOLDERS}).)+)(?={_FOLDERS})"
    return re.sub(between, r"(?>(?:/.+?)??\1(?=/))", regex)


def _is_pattern(line: str) -> bool:
    from pathspec import GitIgnoreSpec

    try:
        GitIgnoreSpec.from_lines([line])
    except ValueError:
        return False
    return True
