"""Discord channels as DiscordChatExporter writes them: JSON, CSV, plain text, HTML; and Discord's own data package.

https://github.com/Tyrrrz/DiscordChatExporter
"""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from ..records import Item
from . import discord_package
from .archive import ZIP_MAGIC
from .date_order import Parts, settle
from .dates import iso_date
from .discord_markup import moment_of, readable
from .json_faults import looks_like_json
from .json_places import header, items
from .plain_text import LARGEST_TEXT_BYTES, decode, load_bytes
from .talk import BOT, MEDIA, SYSTEM, Talk, name

_GUILD = re.compile(rb'"guild"\s*:\s*\{')
_CHANNEL = re.compile(rb'"channel"\s*:\s*\{')
_CSV_OPENING = re.compile(rb"\s*(?:MessageID,)?AuthorID,Author,Date,Content,Attachments")
_TEXT_OPENING = re.compile(r"={40,}\s*\nGuild: [^\n]*\nChannel: (?P<channel>[^\n]*)\n")
_TEXT_END = re.compile(r"\n={40,}\s*\nExported [\d.,' \u00a0\u202f]+ message")
_LINE = re.compile(r"\[(?P<date>[^\[\]\n]{6,40})\] (?P<speaker>[^\n]{1,100}?)(?: \(pinned\))?")
_ADDED = re.compile(r"\{(?:Attachments|Embed|Stickers|Reactions)\}")
_HTML = re.compile(rb"chatlog__(?:message|header)|DiscordChatExporter")
_SAID = ("Default", "Reply")
_DATE = re.compile(
    r"(?P<a>\d{1,4})[./-](?P<b>\d{1,2}|[A-Za-z]{3})[./-](?P<c>\d{2,4}),? "
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d\d)(?:[:.](?P<second>\d\d))?(?:[ \u202f](?P<half>[AaPp])\.?[Mm]\.?)?"
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_STARTED = 2015
_SYSTEM_TEXT = re.compile(
    r"(?i)(?:joined the server|pinned a message|started a (?:call|thread)[^\n]{0,80}|added [^\n]{1,60} to the group|"
    r"removed [^\n]{1,60} from the group|left the group|changed the channel (?:name|icon)[^\n]{0,120})\.?"
)

Json = dict[str, Any]


def matches(path: Path, head: bytes) -> bool:
    """The exporter's objects, columns, opening lines or classes; or a package's columns."""
    if head.startswith(ZIP_MAGIC):
        return discord_package.is_package(path)
    if discord_package.is_part(head):
        return True
    if looks_like_json(head):
        return bool(_GUILD.search(head) and _CHANNEL.search(head))
    start = head[:4096].removeprefix(b"\xef\xbb\xbf")
    if _CSV_OPENING.match(start):
        return True
    if start.startswith(b"=" * 40):
        return _TEXT_OPENING.match(decode(start).replace("\r\n", "\n")) is not None
    return (
        start.lstrip()[:15].lower() == b"<!doctype html>"
        and b"chatlog" in head
        and bool(_HTML.search(head))
    )


def read(path: Path) -> Iterator[Item]:
    """One conversation; one for each channel of a package.

    Raises:
        UnreadableSource: broken JSON or zip, too large a text, or an unknown character set.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(64 * 1024)
    if head.startswith(ZIP_MAGIC):
        yield from discord_package.read_package(path)
    elif discord_package.is_part(head):
        yield from discord_package.read_part(path)
    elif looks_like_json(head):
        yield _from_json(path)
    elif head.lstrip().startswith(b"<"):
        yield _from_html(path)
    elif head.startswith(b"="):
        yield _from_text(decode(load_bytes(path)))
    else:
        yield _from_csv(path)


def _from_json(path: Path) -> Item:
    talk = Talk()
    about = header(path, "messages")
    channels = {name(about.get("channel.id")): name(about.get("channel.name"))}
    for message in items(path, "messages.item"):
        if isinstance(message, dict):
            _take(talk, message, channels)
    title = [about.get("guild.name"), about.get("channel.category"), about.get("channel.name")]
    return talk.conversation(
        " / ".join(filter(None, map(name, title))), name(about.get("channel.id")) or None
    )


def _take(talk: Talk, message: Json, channels: dict[str, str]) -> None:
    author = message.get("author")
    author = author if isinstance(author, dict) else {}
    text = message.get("content")
    if str(message.get("type", "Default")) not in _SAID:
        talk.leave_out(SYSTEM)
    elif author.get("isBot"):
        talk.leave_out(BOT)
    elif not isinstance(text, str) or not text.strip():
        talk.leave_out(MEDIA)
    else:
        speaker = name(author.get("nickname")) or name(author.get("name"))
        text = readable(text, _mentioned(message.get("mentions")), channels)
        talk.say(speaker, text, _utc(message.get("timestamp")), account=author.get("id"))


def _mentioned(mentions: object) -> dict[str, str]:
    """The names of those whom a message mentions by number."""
    return {
        str(each.get("id")): name(each.get("nickname")) or name(each.get("name"))
        for each in (mentions if isinstance(mentions, list) else [])
        if isinstance(each, dict)
    }


def _utc(written: object) -> str | None:
    return iso_date(re.sub(r"(\.\d{1,6})\d*", r"\1", str(written or "")))


def _from_csv(path: Path) -> Item:
    csv.field_size_limit(LARGEST_TEXT_BYTES)
    columns, *rows = csv.reader(io.StringIO(decode(load_bytes(path)).lstrip()))
    start = columns.index("AuthorID")
    rows = [row[start:] for row in rows if len(row) >= start + 4]
    talk = Talk()
    for row, at in zip(rows, _moments(talk, [row[2] for row in rows]), strict=True):
        if _SYSTEM_TEXT.fullmatch(row[3].strip()):
            talk.leave_out(SYSTEM)
        else:
            talk.say(_plain_name(row[1]), readable(row[3]), at, account=row[0])
    return talk.conversation(_channel_of(path))


def _channel_of(path: Path) -> str:
    """The exporter calls its files `Guild - Category - channel [123456]`."""
    return re.sub(r"\s*\[\d+\].*$", "", path.stem) or path.stem


def _plain_name(shown: str) -> str:
    return re.sub(r"#(?:\d{4}|0)$", "", shown)


def _from_text(text: str) -> Item:
    opening = _TEXT_OPENING.match(text)
    talk = Talk()
    body = _TEXT_END.split(text[opening.end() if opening else 0 :])[0]
    found: list[tuple[re.Match[str], list[str]]] = []
    blank = True
    for line in body.split("\n"):
        begins = _LINE.fullmatch(line) if blank else None
        blank = not line.strip() or set(line.strip()) == {"="}
        if begins and _DATE.fullmatch(begins["date"]):
            found.append((begins, []))
        elif found:
            found[-1][1].append(line)
    moments = _moments(talk, [begins["date"] for begins, _ in found])
    for (begins, lines), at in zip(found, moments, strict=True):
        said = "\n".join(lines)
        added = re.search(rf"(?m)^{_ADDED.pattern}$", said)
        said = (said[: added.start()] if added else said).strip()
        if _SYSTEM_TEXT.fullmatch(said):
            talk.leave_out(SYSTEM)
        else:
            talk.say(_plain_name(begins["speaker"]), readable(said), at)
    return talk.conversation(opening["channel"] if opening else "")


def _from_html(path: Path) -> Item:
    from lxml.html import fromstring

    page = fromstring(decode(load_bytes(path)))
    talk = Talk()
    said: list[tuple[str, object, str, str | None, str]] = []
    for group in page.find_class("chatlog__message-group"):
        speaker, account, date, bot = "", None, "", False
        # Until 2.33 the author stood above the messages of a group, and each was a `message`.
        containers = group.find_class("chatlog__message-container")
        for message in containers or group.find_class("chatlog__message") or [group]:
            if message.find_class("chatlog__system-notification-content"):
                talk.leave_out(SYSTEM)
                continue
            head = message if containers else group
            authors = head.find_class("chatlog__author") or head.find_class("chatlog__author-name")
            if authors:
                speaker = str(authors[0].text_content())
                account = authors[0].get("data-user-id")
                bot = bool(
                    head.find_class("chatlog__author-tag") or head.find_class("chatlog__bot-tag")
                )
            stamps = head.find_class("chatlog__timestamp") + head.find_class(
                "chatlog__short-timestamp"
            )
            if stamps:
                date = _date_of(stamps[0])
            text = _shown(message)
            if bot or not text:
                talk.leave_out(BOT if bot else MEDIA)
            else:
                moment = moment_of(message.get("data-message-id"))
                said.append((speaker, account, text, moment, date))
    dates = [date for _, _, _, moment, date in said if not moment]
    read = iter(_moments(talk, dates))
    for speaker, account, text, moment, _ in said:
        talk.say(speaker, text, moment or next(read), account=account)
    titles = [str(entry.text_content()) for entry in page.find_class("preamble__entry")[:2]]
    return talk.conversation(" / ".join(filter(None, map(name, titles))) or _channel_of(path))


def _date_of(stamp: Any) -> str:
    """A stamp's date; its title is one too in some versions, and in others has words for the month."""
    title = stamp.get("title") or ""
    return title if _DATE.search(title) else str(stamp.text_content())


def _shown(message: Any) -> str:
    # What this one answers to, and what is linked in it, have classes of their own.
    found = message.find_class("chatlog__content")
    for content in found or message.find_class("chatlog__forwarded-content"):
        for emoji in content.find_class("chatlog__emoji"):
            shown = emoji.get("alt") or ""
            emoji.tail = (f":{shown}:" if shown.isascii() else shown) + (emoji.tail or "")
        for line_break in content.iter("br"):
            line_break.tail = "\n" + (line_break.tail or "")
        for edited in content.find_class("chatlog__edited-timestamp"):
            edited.drop_tree()
        return str(content.text_content()).strip()
    return ""


def _moments(talk: Talk, written: list[str]) -> list[str | None]:
    """The dates, whose form is that of the region the exporter was set to."""
    found = [None if iso_date(date) else _DATE.search(date) for date in written]
    parts = [_parts(date) if date else None for date in found]
    known = [each for each in parts if each]
    half = any(date and date["half"] for date in found)
    order = settle(known, "MDY" if half else "DMY", _STARTED)
    if known and not order.certain:
        first = "day" if order.order == "DMY" else "month"
        talk.note(
            f"dates such as {'/'.join(known[0])} may be day or month first: read with the {first} first"
        )
    moments: list[str | None] = []
    for date, match, each in zip(written, found, parts, strict=True):
        day = order.date(each) if each else None
        moments.append(_utc(date) if not match else f"{day}T{_clock(match)}" if day else None)
    return moments


def _parts(found: re.Match[str]) -> Parts | None:
    month = found["b"].lower()
    if month.isdecimal():
        return found["a"], found["b"], found["c"]
    if month not in _MONTHS:
        return None
    # A month's name leaves no doubt: a day above 12 says so to the rest.
    return found["a"], str(_MONTHS.index(month) + 1), found["c"]


def _clock(found: re.Match[str]) -> str:
    hour = int(found["hour"])
    if found["half"] and hour <= 12:
        hour = hour % 12 + (12 if found["half"].lower() == "p" else 0)
    clock = datetime(2000, 1, 1, min(hour, 23), int(found["minute"]), int(found["second"] or 0))
    return clock.time().isoformat()
