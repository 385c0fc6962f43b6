"""Other programs' SQLite files, read without a trace: nothing is written to them or beside them.

What such a file says of itself is not trusted: only plain tables are read, no view, no trigger and
no function of its schema is run, and work without a result ends after a while.
"""

import sqlite3
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import UnreadableSource
from .sqlite_wal import with_log

Row = dict[str, Any]

_MAGIC = b"SQLite format 3\x00"
_JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
_LARGEST_WITH_LOG_BYTES = 400 * 2**20  # both are held in memory
_PRAGMAS = (
    "trusted_schema = OFF",
    "query_only = ON",
    "cell_size_check = ON",
    "temp_store = MEMORY",
)
_LARGEST_VALUE_BYTES = 64 * 2**20
_MOST_OBJECTS = 2000
_STEPS_AT_A_TIME = 1_000_000
_MOST_TIMES_WITHOUT_A_ROW = 2000
_DAMAGED = "a damaged database"
# A message about a schema that is no text is itself no text.
_FAULTS = (sqlite3.Error, OverflowError, UnicodeDecodeError)


def is_database(head: bytes) -> bool:
    return head.startswith(_MAGIC)


class Database:
    """The tables of an open file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._n_idle = 0
        connection.set_progress_handler(self._is_stuck, _STEPS_AT_A_TIME)
        self._tables = self._plain_tables()

    def columns(self, table: str) -> set[str]:
        """The names of a table's columns; none where there is no such table."""
        return set(self._tables.get(table, ()))

    def rows(
        self, table: str, columns: Sequence[str], order: str = "", where: tuple[str, str] = ("", "")
    ) -> Iterator[Row]:
        """The rows of a table; columns it lacks are None.

        Args:
            order: columns to sort by, with commas between; else as they are stored.
            where: a column, and the value it must have.

        Raises:
            UnreadableSource: damaged, or made to cost time.
        """
        there = self.columns(table)
        if not there or (where[0] and where[0] not in there):
            return
        named = ", ".join(f'"{name}"' if name in there else f'NULL AS "{name}"' for name in columns)
        query = f'SELECT {named} FROM "{table}"'
        if where[0]:
            query += f' WHERE "{where[0]}" = ?'
        wanted = [f'"{name}"' for name in order.split(", ") if name in there]
        if wanted:
            query += f" ORDER BY {', '.join(wanted)}"
        for row in self._query(query, *([where[1]] if where[0] else [])):
            yield dict(zip(columns, row, strict=True))

    def _plain_tables(self) -> dict[str, list[str]]:
        found = list(self._query("SELECT name, sql FROM sqlite_schema WHERE type = 'table'"))
        if len(found) > _MOST_OBJECTS:
            raise UnreadableSource(f"a database with more than {_MOST_OBJECTS:,} tables")
        return {
            str(name): self._stored_columns(str(name))
            for name, sql in found
            if not str(sql or "").lstrip().upper().startswith("CREATE VIRTUAL")
        }

    def _stored_columns(self, table: str) -> list[str]:
        """Columns that hold what was written, not what an expression makes of it."""
        info = self._query("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", table)
        return [str(name) for (name,) in info]

    def _query(self, query: str, *values: str) -> Iterator[tuple[Any, ...]]:
        self._n_idle = 0
        try:
            for row in self._connection.execute(query, values):
                self._n_idle = 0
                yield row
        except sqlite3.OperationalError as error:
            reason = "a database that takes too long to read"
            raise UnreadableSource(reason if self._is_stuck() else _DAMAGED) from error
        except _FAULTS as error:
            raise UnreadableSource(_DAMAGED) from error

    def _is_stuck(self) -> bool:
        self._n_idle += 1
        return self._n_idle > _MOST_TIMES_WITHOUT_A_ROW


@contextmanager
def open_database(path: Path) -> Generator[Database]:
    """The database in a file, with what lies in its log beside it.

    Raises:
        UnreadableSource: it is damaged, or its program has to finish something first.
        OSError: it cannot be opened.
    """
    path.open("rb").close()
    if _head_of(path, "-journal") == _JOURNAL_MAGIC:
        raise UnreadableSource("a database left in the middle of a change: open its program once")
    if not _head_of(path, "-wal"):
        connection = _connected(f"file:{quote(str(path))}?mode=ro&immutable=1")
    else:
        connection = _connected(":memory:")
        if path.stat().st_size + _beside(path, "-wal").stat().st_size > _LARGEST_WITH_LOG_BYTES:
            raise UnreadableSource("a large database in use: close its program first")
        data = with_log(path.read_bytes(), _beside(path, "-wal").read_bytes())
        connection.deserialize(data)
    with closing(connection):
        yield _guarded(connection)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _head_of(path: Path, ending: str) -> bytes:
    beside = _beside(path, ending)
    if beside.is_symlink() or not beside.is_file():
        return b""
    with beside.open("rb") as file:
        return file.read(len(_JOURNAL_MAGIC))


def _guarded(connection: sqlite3.Connection) -> Database:
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST_VALUE_BYTES)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    try:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except _FAULTS as error:
        raise UnreadableSource(_DAMAGED) from error
    return Database(connection)


def _connected(uri: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True)
    except sqlite3.Error as error:
        raise UnreadableSource(_DAMAGED) from error
