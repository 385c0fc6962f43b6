"""The home folder in one file, and back from it.

The file is a zip whose members are stored as they are, with a manifest of their sizes and SHA-256. It
holds the database (a snapshot by SQLite's own backup, taken while others may write), the settings, and the
weights of every version; no unfinished run. What is read back is checked before it takes the place of
anything: only names that a backup has, nothing compressed, nothing larger than it says, and a
database with our tables and no code of its own.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

import filelock

from .errors import LearnctlError, Locked
from .home import Home, sync
from .store import Record, Store, now

MANIFEST = "manifest.json"
FORM = "learnctl backup 1"
_DATABASE = "learnctl.db"
_NAME = re.compile(r"learnctl\.db|config\.toml|versions/\d{1,9}/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_LARGEST_MANIFEST_BYTES = 2**24
_MOST_MEMBERS = 100_000
_PIECE_BYTES = 2**20
_CODE_IN_TABLE = re.compile(r"(?i)\b(?:check|generated|virtual)\b|\bas\s*\(")
_SQLITE = b"SQLite format 3\0"
# What a damaged or hostile zip makes of zipfile.
_BROKEN = (
    OSError,
    zipfile.BadZipFile,
    NotImplementedError,
    EOFError,
    struct.error,
    RuntimeError,
    ValueError,
    OverflowError,
    sqlite3.DatabaseError,
)


def backup(store: Store, target: Path) -> Record:
    """Write a backup and read it again. Returns `path`, `n_bytes`, `files` and `versions`.

    Raises:
        LearnctlError: the file is there already, or would lie in the home folder; it cannot be written, or is not what was to be written; or
            the store has a version whose weights are damaged.
    """
    if target.exists():
        raise LearnctlError(f"{target} is there already", hint="give another name, or remove it")
    if _lies_in(target, store.home):
        raise LearnctlError(
            f"{target} is in the home folder, which `restore` replaces", hint="write it elsewhere"
        )
    try:
        with tempfile.TemporaryDirectory(dir=store.home.scratch()) as name:
            files = _gather(store, Path(name))
            scratch = target.with_name(f".{target.name}.tmp")
            scratch.unlink(missing_ok=True)
            try:
                _write(scratch, files)
                with scratch.open("rb") as file:
                    _verify(file)
                    os.fsync(file.fileno())
                os.replace(scratch, target)
                sync(target.parent)
            finally:
                scratch.unlink(missing_ok=True)
    except OSError as error:
        raise LearnctlError(f"{target} cannot be written: {error.strerror or error}") from error
    versions = {name.split("/")[1] for name in files if name.startswith("versions/")}
    return {
        "path": str(target),
        "n_bytes": target.stat().st_size,
        "files": len(files),
        "versions": len(versions),
    }


def restore(
    home: Home,
    source: Path,
    replace: bool = False,
    make_way: Callable[[], None] = lambda: None,
) -> Record:
    """Put a backup in the place of the home folder, whole or not at all.

    Args:
        replace: also where there is a store with something in it.
        make_way: called once all is checked, before the home folder is replaced.

    Returns:
        The counts of what is in the store now.

    Raises:
        LearnctlError: it is no backup, is damaged, lies in the home folder, or there is a store already.
        Locked: a consolidation is running, or another process has the store open.
    """
    home = Home(home.path.resolve())  # of a link, what it leads to is replaced
    if _lies_in(source, home):
        raise LearnctlError(
            f"{source} is in the home folder, which would be replaced", hint="move it elsewhere"
        )
    home.settle()
    if not replace and _has_content(home):
        raise LearnctlError(
            f"there is a store in {home.path}", hint="`--yes` replaces it and all it holds"
        )
    is_new = not home.path.exists()
    home.make()
    try:
        # In the home folder, so that a copy that is left by a process that was killed goes with the others.
        with tempfile.TemporaryDirectory(dir=home.scratch(), ignore_cleanup_errors=True) as name:
            unpacked = Path(name)
            _read(source, unpacked)
            counts = _examine(Home(unpacked))
            make_way()
            _swap(home, unpacked)
            is_new = False
    except _BROKEN as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise LearnctlError(f"{source} cannot be restored: {reason}") from error
    finally:
        if is_new:
            home.sweep_scratch()
            home.path.rmdir()
    return counts


def _lies_in(path: Path, home: Home) -> bool:
    return path.resolve().is_relative_to(home.path.resolve())


def _gather(store: Store, folder: Path) -> dict[str, Path]:
    """Every file of the backup by its name in it."""
    database = folder / _DATABASE
    database.touch(mode=0o600)
    with closing(sqlite3.connect(database)) as copy:
        store.db.conn.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        live = copy.execute("SELECT version, sha256 FROM adapters WHERE state != 'deleted'")
        adapters = dict(live.fetchall())
    files = {_DATABASE: database}
    if store.home.config.exists():
        files["config.toml"] = store.home.config
    for version, sha256 in adapters.items():
        found = sorted((store.home.versions / str(version)).glob("*"))
        if sha256 not in {_sha256(path) for path in found}:
            raise LearnctlError(
                f"the weights of version {version} are missing or damaged",
                hint="`learnctl check` shows what is wrong",
            )
        files |= {f"versions/{version}/{path.name}": path for path in found}
    return files


def _write(target: Path, files: dict[str, Path]) -> None:
    manifest: dict[str, Any] = {"form": FORM, "created_at": now(), "files": {}}
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w") as archive:
        for name, path in files.items():
            digest, size = hashlib.sha256(), 0
            with path.open("rb") as content, archive.open(name, "w", force_zip64=True) as member:
                while piece := content.read(_PIECE_BYTES):
                    digest.update(piece)
                    size += len(piece)
                    member.write(piece)
            manifest["files"][name] = {"n_bytes": size, "sha256": digest.hexdigest()}
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))


def _verify(file: IO[bytes]) -> None:
    with zipfile.ZipFile(file) as archive:
        for name, entry in _manifest(archive).items():
            with archive.open(name) as member:
                if hashlib.file_digest(member, "sha256").hexdigest() != entry["sha256"]:  # type: ignore[arg-type]
                    raise LearnctlError(f"the backup was written wrongly: {name} differs")


def _read(source: Path, folder: Path) -> None:
    """Unpack into a folder what the manifest names, each file checked against it."""
    with source.open("rb") as file, zipfile.ZipFile(file) as archive:
        entries = _manifest(archive)
        needed = sum(entry["n_bytes"] for entry in entries.values())
        if needed > source.stat().st_size:  # members that share their bytes
            raise LearnctlError("this is no backup that `learnctl backup` made")
        if needed > shutil.disk_usage(folder).free:
            raise LearnctlError(f"no room for the {needed:,} bytes of {source}")
        for name, entry in entries.items():
            path = folder / name
            for above in reversed(path.relative_to(folder).parents[:-1]):
                (folder / above).mkdir(mode=0o700, exist_ok=True)
            _copy(archive, name, entry, path)


def _copy(archive: zipfile.ZipFile, name: str, entry: Record, path: Path) -> None:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target, archive.open(name) as member:
        while piece := member.read(_PIECE_BYTES):
            size += len(piece)
            if size > entry["n_bytes"]:
                break
            digest.update(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    if size != entry["n_bytes"] or digest.hexdigest() != entry["sha256"]:
        raise LearnctlError(f"the backup is damaged: {name} is not what was saved")


def _manifest(archive: zipfile.ZipFile) -> dict[str, Record]:
    """The files of a backup with their sizes and digests.

    Raises:
        LearnctlError: this is no backup of ours, or something is in it that no backup has.
    """
    members = archive.infolist()
    names = [member.filename for member in members]
    strange = [
        member.filename
        for member in members
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1
    ]
    try:
        if len(members) > _MOST_MEMBERS or len(set(names)) != len(names) or strange:
            raise ValueError
        if archive.getinfo(MANIFEST).file_size > _LARGEST_MANIFEST_BYTES:
            raise ValueError
        manifest = json.loads(archive.read(MANIFEST))
        files = {
            str(name): {"n_bytes": int(entry["n_bytes"]), "sha256": str(entry["sha256"])}
            for name, entry in manifest["files"].items()
        }
        whole = manifest["form"] == FORM and {*files, MANIFEST} == set(names)
        if not whole or _DATABASE not in files or not all(map(_NAME.fullmatch, files)):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise LearnctlError("this is no backup that `learnctl backup` made") from error
    return files


def _examine(home: Home) -> Record:
    """Open what was unpacked, and see that it is a store of ours, whole, with its weights."""
    with home.database.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            raise LearnctlError("the database in the backup is none")
    with (
        tempfile.TemporaryDirectory(dir=home.path.parent) as name,
        Store.open(Home(Path(name)), create=True) as fresh,
    ):
        ours = _code(fresh)
    with Store.open(home) as store:
        if (damage := store.value("PRAGMA quick_check")) != "ok":
            raise LearnctlError(f"the database in the backup is damaged: {damage}")
        if _code(store) != ours:
            raise LearnctlError("the database in the backup is not a store of this program")
        counts = store.counts()
        for row in store.rows("SELECT version, sha256 FROM adapters WHERE state != 'deleted'"):
            files = (home.versions / str(row["version"])).glob("*")
            if row["sha256"] not in {_sha256(path) for path in files}:
                raise LearnctlError(f"the backup lacks the weights of version {row['version']}")
        store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return counts


def _code(store: Store) -> set[tuple[str, str]]:
    """Which tables there are, with their columns; and what is code, as it is written: triggers, views, indexes,
    and tables that check or reckon something."""
    found = set()
    for row in store.rows(
        "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"
    ):
        is_plain = row["type"] == "table" and not _CODE_IN_TABLE.search(row["sql"])
        written = _columns(store, row["name"]) if is_plain else " ".join(row["sql"].split())
        found.add((row["name"], written))
    return found


def _columns(store: Store, table: str) -> str:
    sql = 'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY name'
    return json.dumps(store.rows(sql, table))


def _swap(home: Home, unpacked: Path) -> None:
    for folder in (unpacked, *filter(Path.is_dir, unpacked.rglob("*"))):
        sync(folder)
    lock = filelock.FileLock(home.lock, timeout=0, mode=0o600)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise Locked("a consolidation is running", hint="wait until it is done") from error
    try:
        with _closed(home.database):
            os.rename(home.path, home.aside)
            try:
                os.rename(home.aside / unpacked.relative_to(home.path), home.path)
            except OSError:
                os.rename(home.aside, home.path)
                raise
            sync(home.path.parent)
    finally:
        lock.release()
    home.settle()


@contextmanager
def _closed(database: Path) -> Iterator[None]:
    """Keep everybody else from having a database open: they would go on in one that is deleted.

    Raises:
        Locked: somebody has.
    """
    if not database.exists():
        yield
        return
    with closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as connection:
        try:
            # A log ahead of the database can be done away with by the only one who has it open.
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise Locked(
                    "the store is open in another process", hint="end chats, and try again"
                ) from error
            # What is damaged nobody can write to.
        yield


def _has_content(home: Home) -> bool:
    if not home.database.exists():
        return False
    try:
        with Store.open(home) as store:
            return any(store.counts().values()) or bool(store.value("SELECT 1 FROM adapters"))
    except LearnctlError:
        return True  # damaged, and perhaps somebody's only copy


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
