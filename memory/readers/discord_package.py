"""The data package that Discord itself gives: all that its owner wrote, and nobody else's words.

https://support.discord.com/hc/en-us/articles/360004957991
"""

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import UnreadableSource
from ..records import Item
from .archive import files_in, is_one_export, open_member, open_zip, read_member
from .binary import HEAD_BYTES
from .dates import utc_moment
from .discord_markup import moment_of, readable
from .json_faults import looks_like_json
from .json_stream import keys, values
from .plain_text import LARGEST_TEXT_BYTES, decode, load_bytes
from .talk import Talk, name

_NEEDED = frozenset(("item.ID", "item.Timestamp", "item.Contents"))
_CSV_OPENING = re.compile(rb"(?:\xef\xbb\xbf)?ID,Timestamp,Contents,Attachments\s")
_MESSAGES = re.compile(r"(?:(?P<package>.*/)?[^/]+/)?(?P<channel>c?\d+)/messages\.(?:json|csv)")

Json = dict[str, Any]
Load = Callable[[str], bytes | None]


def is_part(head: bytes) -> bool:
    """The messages of a channel."""
    if looks_like_json(head):
        return keys(head) >= _NEEDED
    return _CSV_OPENING.match(head) is not None


def is_package(path: Path) -> bool:
    """A zip with such messages in it."""
    with open_zip(path) as archive:
        names = files_in(archive)
        first = next(filter(None, map(_MESSAGES.fullmatch, names)), None)
        if first is None or not is_one_export(names, first["package"] or ""):
            return False
        with open_member(archive, first[0], LARGEST_TEXT_BYTES) as member:
            return is_part(member.read(HEAD_BYTES))


def is_about(path: Path) -> bool:
    """A file that only says what the channels are called, with their messages beside it."""
    if path.name == "channel.json":
        return path.with_name("messages.json").is_file() or path.with_name("messages.csv").is_file()
    return path.name == "index.json" and any(path.parent.glob("c[0-9]*/messages.[jc]s*"))


def read_part(path: Path) -> Iterator[Item]:
    """One channel's conversation; its name is in the files beside it.

    Raises:
        UnreadableSource: broken JSON, too large a table, or an unknown character set.
        OSError: it cannot be opened.
    """
    number = path.parent.name.removeprefix("c")
    beside = {"channel.json": path.parent, "index.json": path.parent.parent}

    def load(wanted: str) -> bytes | None:
        file = beside[wanted] / wanted
        return load_bytes(file) if file.is_file() and not file.is_symlink() else None

    if path.suffix.lower() == ".csv":
        rows: Iterable[Any] = _rows(load_bytes(path))
    else:
        rows = values(path, ("item",), lambda found: found >= _NEEDED)
    title = _title(number, _about(load, "channel.json"), _about(load, "index.json"))
    yield _channel(rows, title or path.parent.name, number)


def read_package(path: Path) -> Iterator[Item]:
    """A conversation for each channel.

    Raises:
        UnreadableSource: a damaged zip, or broken JSON in it. Some conversations may have come before.
        OSError: it cannot be opened.
    """
    with open_zip(path) as archive:
        members = archive.namelist()

        def load(wanted: str) -> bytes | None:
            if wanted not in members:
                return None
            return read_member(archive, wanted, LARGEST_TEXT_BYTES)

        for member in members:
            found = _MESSAGES.fullmatch(member)
            if not found:
                continue
            folder = member.rpartition("/")[0]
            above = folder.rpartition("/")[0]
            data = read_member(archive, member, LARGEST_TEXT_BYTES)
            rows = _rows(data) if member.endswith(".csv") else _objects(data, member)
            number = found["channel"].removeprefix("c")
            about = _about(load, f"{folder}/channel.json")
            index = _about(load, f"{above}/index.json" if above else "index.json")
            yield _channel(rows, _title(number, about, index) or found["channel"], number)


def _objects(data: bytes, member: str) -> list[Any]:
    try:
        value = json.loads(decode(data))
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(f"broken JSON in {member}") from error
    return value if isinstance(value, list) else []


def _rows(data: bytes) -> Iterator[Json]:
    csv.field_size_limit(LARGEST_TEXT_BYTES)
    return csv.DictReader(io.StringIO(decode(data)))


def _about(load: Load, wanted: str) -> Json:
    """What a file says of channels; that it is broken costs a name, no message."""
    try:
        value = json.loads(decode(load(wanted) or b"{}"))
    except (UnreadableSource, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _title(number: str, about: Json, index: Json) -> str:
    guild = about.get("guild")
    server = name(guild.get("name")) if isinstance(guild, dict) else ""
    channel = name(about.get("name"))
    return " / ".join(filter(None, (server, channel))) or name(index.get(number))


def _channel(rows: Iterable[Any], title: str, number: str) -> Item:
    said = [(_moment(row), row) for row in rows if isinstance(row, dict)]
    talk = Talk()
    for moment, row in sorted(said, key=lambda each: each[0] or ""):
        text = row.get("Contents")
        talk.say(None, readable(text if isinstance(text, str) else ""), moment, mine=True)
    return talk.conversation(title, number)


def _moment(row: Json) -> str | None:
    return utc_moment(row.get("Timestamp")) or moment_of(row.get("ID"))
