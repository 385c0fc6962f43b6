"""Slack's export: the zip with users, channels, and a folder of days for each channel; or one day.

https://slack.com/help/articles/220556107-How-to-read-Slack-data-exports
"""

import html
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Item
from .archive import ZIP_MAGIC, files_in, is_one_export, open_zip, read_member
from .dates import iso_from_unix
from .json_faults import looks_like_json
from .plain_text import LARGEST_TEXT_BYTES
from .slack_blocks import words
from .talk import BOT, MEDIA, SYSTEM, Talk, name

_DAY = re.compile(r"(?:(?P<top>[^/]+)/)?(?P<channel>[^/]+)/\d{4}-\d\d-\d\d\.json")
_USERS = re.compile(r"(?:[^/]+/)?users\.json")
_ABOUT = ("channels.json", "groups.json", "dms.json", "mpims.json")
_MESSAGE = re.compile(rb'"ts"\s*:\s*"\d{9,11}\.\d{6}"')
_TYPE = re.compile(rb'"type"\s*:\s*"message"')
_SAID = (None, "me_message", "thread_broadcast", "file_share", "file_comment")
_SLACKBOT = "USLACKBOT"
_REFERENCE = re.compile(r"<([^<>\n]{1,2000})>")
_UPLOADED = re.compile(r"<@[^<>]+> (?:uploaded|shared) a file: <[^<>]*>(?: and commented: )?")
_COMMENTED = re.compile(r"<@[^<>]+> commented on <@[^<>]+>.s file <[^<>]*>: ")

Json = dict[str, Any]
Load = Callable[[str], Any]


def matches(path: Path, head: bytes) -> bool:
    """A zip with users.json and a channel's days in it, or one such day."""
    if head.startswith(ZIP_MAGIC):
        with open_zip(path) as archive:
            names = files_in(archive)
        users = next(filter(_USERS.fullmatch, names), None)
        if users is None or not any(map(_DAY.fullmatch, names)):
            return False
        return is_one_export(names, users.removesuffix("users.json"))
    return looks_like_json(head) and bool(_MESSAGE.search(head) and _TYPE.search(head))


def is_export(folder: Path) -> bool:
    """Whether a folder is an unpacked export, to be read as a whole."""
    return (folder / "users.json").is_file() and any((folder / n).is_file() for n in _ABOUT)


def files_of(folder: Path) -> list[Path]:
    """All that is read of an unpacked export, in a fixed order; links are not followed."""
    files = [folder / about for about in ("users.json", *_ABOUT)]
    days = (
        day for channel in folder.iterdir() if not channel.is_symlink() for day in _days(channel)
    )
    return [file for file in (*files, *sorted(days)) if file.is_file() and not file.is_symlink()]


def _days(channel: Path) -> Iterator[Path]:
    if channel.is_dir():
        yield from (
            day for day in channel.iterdir() if _DAY.fullmatch(f"{channel.name}/{day.name}")
        )


def read(path: Path) -> Iterator[Item]:
    """A conversation for each channel, threads under the message that began them.

    Raises:
        UnreadableSource: a damaged zip, or broken JSON in it.
        OSError: it cannot be opened.
    """
    if path.is_dir():
        names = {file.relative_to(path).as_posix(): file for file in files_of(path)}
        yield from _workspace(list(names), lambda wanted: _parsed(_bytes(names[wanted]), wanted))
        return
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP_MAGIC
    if is_zip:
        with open_zip(path) as archive:
            yield from _workspace(archive.namelist(), lambda wanted: _member(archive, wanted))
    else:
        yield from _one_day(path)


def _one_day(path: Path) -> Iterator[Item]:
    """A single day's file, with the names from the export that it lies in, if it does."""
    known = [
        file for about in ("users.json", *_ABOUT) if (file := path.parent.parent / about).is_file()
    ]
    files = {file.name: file for file in known if not file.is_symlink()}
    names = _Names(list(files), lambda wanted: _parsed(_bytes(files[wanted]), wanted))
    yield _channel(names, names.title(path.parent.name), [_parsed(_bytes(path), path.name)])


def _workspace(members: list[str], load: Load) -> Iterator[Item]:
    days: dict[str, list[str]] = defaultdict(list)
    for member in sorted(members):
        found = _DAY.fullmatch(member)
        if found:
            days[found["channel"]].append(member)
    names = _Names(members, load)
    for channel, written in days.items():
        yield _channel(names, names.title(channel), map(load, written))


def _bytes(file: Path) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(LARGEST_TEXT_BYTES + 1)
    if len(data) > LARGEST_TEXT_BYTES:
        raise UnreadableSource(f"{file.name} is larger than {LARGEST_TEXT_BYTES >> 20} MB")
    return data


def _member(archive: ZipFile, wanted: str) -> Any:
    return _parsed(read_member(archive, wanted, LARGEST_TEXT_BYTES), wanted)


def _parsed(data: bytes, wanted: str) -> Any:
    try:
        return json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(f"broken JSON in {wanted}") from error


class _Names:
    """What the ids of people and channels stand for."""

    def __init__(self, members: Iterable[str], load: Load) -> None:
        by_name = {member.rpartition("/")[2]: member for member in members if member.count("/") < 2}
        self._people: dict[str, str] = {}
        self._bots = {_SLACKBOT}
        self._channels: dict[str, str] = {}
        for user in _objects(load(by_name["users.json"])) if "users.json" in by_name else ():
            self._people[str(user.get("id"))] = _shown(user)
            if user.get("is_bot"):
                self._bots.add(str(user.get("id")))
        for about in _ABOUT:
            for channel in _objects(load(by_name[about])) if about in by_name else ():
                number = str(channel.get("id"))
                if about == "dms.json":
                    self._channels[number] = self._members(channel)
                else:
                    self._channels[number] = "#" + name(channel.get("name"))

    def _members(self, channel: Json) -> str:
        members = channel.get("members")
        return ", ".join(self.person(m) for m in members) if isinstance(members, list) else ""

    def person(self, number: object) -> str:
        return self._people.get(str(number)) or str(number)

    def is_bot(self, number: object) -> bool:
        return number in self._bots

    def title(self, folder: str) -> str:
        """Folders of direct messages are called by their id, the others by their name."""
        known = self._channels.get(folder)
        return known or (folder if re.fullmatch(r"[DGC][A-Z0-9]{8,}", folder) else f"#{folder}")

    def readable(self, text: str) -> str:
        """A message's text with people, channels and links as they are shown."""
        return html.unescape(_REFERENCE.sub(self._reference, text))

    def _reference(self, found: re.Match[str]) -> str:
        target, _, label = found[1].partition("|")
        if target.startswith("@"):
            return "@" + (label or self.person(target[1:]))
        if target.startswith("#"):
            return "#" + (label or self._channels.get(target[1:], target[1:]).removeprefix("#"))
        if target.startswith("!"):
            return label or "@" + target[1:].partition("^")[0]
        shown = target.removeprefix("mailto:")
        return f"{label} ({shown})" if label and label not in shown else shown


def _objects(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _shown(user: Json) -> str:
    profile = user.get("profile")
    profile = profile if isinstance(profile, dict) else user
    for found in (profile.get("display_name"), profile.get("real_name"), user.get("real_name")):
        if name(found):
            return name(found)
    return name(user.get("name")) or name(user.get("id"))


def _channel(names: _Names, title: str, days: Iterable[Any]) -> Item:
    messages = [message for day in days for message in _objects(day)]
    roots: dict[str, float] = {}
    for message in messages:
        roots.setdefault(_thread(message), _seconds(_thread(message)))
    talk = Talk()
    # The order in the files is that of days; a reply may come long after the message it belongs to.
    for message in sorted(messages, key=lambda m: (roots[_thread(m)], _seconds(m.get("ts")))):
        _take(talk, names, message)
    return talk.conversation(title)


def _thread(message: Json) -> str:
    return str(message.get("thread_ts") or message.get("ts"))


def _seconds(ts: object) -> float:
    try:
        return float(str(ts))
    except ValueError:
        return 0.0


def _take(talk: Talk, names: _Names, message: Json) -> None:
    subtype, user = message.get("subtype"), message.get("user")
    comment = message.get("comment")
    if subtype == "file_comment" and isinstance(comment, dict):
        user = comment.get("user")
    if subtype == "bot_message" or message.get("bot_id") or names.is_bot(user):
        talk.leave_out(BOT)
        return
    if subtype not in _SAID or message.get("type") != "message":
        talk.leave_out(SYSTEM)
        return
    text = message.get("text")
    if not isinstance(text, str) or not text.strip():
        text = words(message)
    text = _COMMENTED.sub("", _UPLOADED.sub("", text, count=1), count=1)
    if not text.strip():
        talk.leave_out(MEDIA)
        return
    profile = message.get("user_profile")
    speaker = names.person(user)
    if speaker == user and isinstance(profile, dict):
        speaker = _shown(profile)
    at = iso_from_unix(_seconds(message.get("ts")))
    talk.say(speaker, names.readable(text), at, account=user)
