"""Logs of IRC channels, as irssi, WeeChat, HexChat, mIRC, ZNC, The Lounge, Textual, Konversation and Ubuntu's archive write them.

Where the lines have only a time of day, the date is that of the last "Day changed" line, else that
in the file's name; after midnight it goes on to the next day.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from ..records import Item
from .dates import utc_moment
from .plain_text import clean, decode_untouched, load_bytes
from .talk import SYSTEM, Talk
from .worded_dates import moment_in_words

_CLOCK = r"\d\d?:\d\d(?::\d\d)?"
_STAMP = re.compile(
    rf"(?:\[?(?P<day>\d{{4}}-\d\d-\d\d)[T ](?P<clock>{_CLOCK})(?:\.\d{{1,6}})?(?P<zone>Z|[+-]\d\d:?\d\d)?\]?"
    rf"|\[(?P<boxed>{_CLOCK})\]|(?P<bare>{_CLOCK})"
    rf"|(?P<month>[A-Z][a-z]{{2}}) (?P<monthday>\d\d?) (?P<dated>{_CLOCK})"
    rf"|\[(?P<worded>[^\[\]]{{6,40}})\] \[(?P<zoned>{_CLOCK}(?: [A-Z]{{2,5}})?)\])[ \t]+"
)
_NICK = r"(?P<nick>[^\s<>]{1,64})"
_SAID = re.compile(rf"<[ @+%&~!]?{_NICK}>(?:[ \t](?P<text>.*)|$)")
_DID = re.compile(rf"[*•][ \t]+{_NICK} (?P<text>.+)")
# HexChat and mIRC put the same star before what happened as before what somebody did.
_HAPPENED = re.compile(
    r"(?:[*•][ \t]+)?(?:[^\s<>]{1,64} \([^()\s]{1,100}@[^()\s]{1,200}\) .*"
    r"|(?:Now |Topic |Disconnected|Joins: |Parts: |Quits: |Retrieving |Rejoined |Attempting |Looking up |Connect(?:ed|ing) |You ).*"
    r"|[^\s<>]{1,64} (?:has (?:joined|left|quit)(?: [#&(].*)?|(?:is|are) now known as \S+|sets? modes?\b.*"
    r"|(?:gives|removes) (?:channel |half-?)?(?:operator|op|voice|ban|owner|admin)\b.*|(?:was|has been) kicked\b.*|has kicked .*"
    r"|(?:changes|has changed|sets|has set) (?:the )?(?:channel )?topic\b.*))"
)
_EVENT = re.compile(
    r"(?:-!-|===|\*{1,3}|-->|<--|--|•)(?:\s|$)|-[^\s-]\S{0,64}- |[A-Z][a-z]{2,11}\t"
)
_WEECHAT = re.compile(
    rf"(?P<day>\d{{4}}-\d\d-\d\d) (?P<clock>{_CLOCK})\t(?P<nick>[^\t]{{0,64}})\t(?P<text>.*)"
)
_OPENED = re.compile(
    r"(?:--- (?:Log opened|Day changed|Log closed)|\*\*\*\* (?:BEGIN|ENDING) LOGGING AT|Session (?:Start|Time|Close):) "
    r"(?P<words>.{8,40})"
)
_IN_NAME = re.compile(r"(?<!\d)(\d{4})[-_./]?(\d\d)[-_./]?(\d\d)(?!\d)")
_ACTION = ("*", " *")
_MARKS = ("-->", "<--", "--", "=!=", "")
_FORMATTING = re.compile(
    r"\x03\d{0,2}(?:,\d{1,2})?|\x04[0-9A-Fa-f]{6}|[\x02\x0f\x11\x16\x1d\x1e\x1f]"
)
_FEWEST = 2


@dataclass
class _Clock:
    """Which day it is in the log."""

    day: date | None
    last: str = ""

    def at(self, clock: str) -> str | None:
        clock = clock.zfill(5) if clock.count(":") == 1 else clock.zfill(8)
        if self.day and clock[:2] == "00" and self.last[:2] == "23":
            self.day += timedelta(days=1)
        self.last = clock
        full = clock if clock.count(":") == 2 else f"{clock}:00"
        return f"{self.day}T{full}" if self.day else None


def matches(path: Path, head: bytes) -> bool:
    """Most of its lines are messages or events of a channel."""
    if b"\x00" in head:
        return False
    lines = [line for line in _lines(head.decode("utf-8", errors="replace")) if line.strip()][:200]
    if len(lines) > 1 and len(head) >= 60_000:
        lines.pop()
    kinds = [_kind(line) for line in lines]
    n_said = kinds.count("said")
    n_known = len(kinds) - kinds.count("")
    return n_said >= min(_FEWEST, len(lines)) and n_said > 0 and n_known * 10 >= len(lines) * 8


def _kind(line: str) -> str:
    rest = line[_stamp_end(line) :]
    if _WEECHAT.match(line) or (rest != line and _SAID.match(rest)):
        return "said"
    is_event = _OPENED.match(line) or _EVENT.match(rest)
    return "event" if is_event or (rest != line and _HAPPENED.fullmatch(rest)) else ""


def _stamp_end(line: str) -> int:
    stamp = _STAMP.match(line)
    return stamp.end() if stamp else 0


def read(path: Path) -> Iterator[Item]:
    """One conversation for the file.

    Raises:
        UnreadableSource: too large, or in an unknown character set.
        OSError: it cannot be opened.
    """
    talk = Talk()
    now = _Clock(_day_in_name(path))
    dateless = False
    for line in _lines(decode_untouched(load_bytes(path))):
        if not line.strip():
            continue
        opened = _OPENED.match(line)
        if opened:
            now.day = _day_in_words(opened["words"]) or now.day
            now.last = ""
            talk.leave_out(SYSTEM)
            continue
        found = _WEECHAT.match(line)
        if found:
            _take_weechat(talk, found)
            continue
        stamp = _STAMP.match(line)
        rest = line[stamp.end() :] if stamp else ""
        found = _SAID.match(rest) or (None if _HAPPENED.fullmatch(rest) else _DID.match(rest))
        if stamp and found:
            at = _moment(stamp, now)
            dateless = dateless or at is None
            did = f"* {found['nick']} " if found.re is _DID else ""
            if found["text"]:
                talk.say(found["nick"], did + found["text"], at)
        else:
            talk.leave_out(SYSTEM)
    if dateless:
        talk.note("its lines have a time but no date, and neither has the file's name")
    yield talk.conversation(path.stem)


def _lines(text: str) -> list[str]:
    return clean(_FORMATTING.sub("", text)).split("\n")


def _take_weechat(talk: Talk, found: re.Match[str]) -> None:
    nick, text = found["nick"], found["text"]
    at = f"{found['day']}T{found['clock'].zfill(8)}"
    if nick in _ACTION:
        who = text.split(" ", 1)[0]
        talk.say(who, f"* {text}", at)
    elif nick.strip() in _MARKS or not text:
        talk.leave_out(SYSTEM)
    else:
        talk.say(nick.strip().lstrip("@+%&~!"), text, at)


def _moment(found: re.Match[str], now: _Clock) -> str | None:
    if found["day"]:
        clock = found["clock"].zfill(8 if found["clock"].count(":") == 2 else 5)
        moment = f"{found['day']}T{clock if clock.count(':') == 2 else clock + ':00'}"
        return utc_moment(moment + found["zone"]) if found["zone"] else moment
    if found["worded"]:
        return moment_in_words(f"{found['worded']} {found['zoned']}")
    if found["month"]:
        year = now.day.year if now.day else None
        day = _parsed(f"{found['month']} {found['monthday']} {year}", "%b %d %Y") if year else None
        now.day = day or now.day
        return _Clock(day).at(found["dated"])
    return now.at(found["boxed"] or found["bare"])


def _day_in_name(path: Path) -> date | None:
    """`2004-11-15_03.raw.txt`, `#ubuntu_20041115.log`, `2004/11/15/#ubuntu.txt`."""
    for name in (path.name, "/".join(path.parts[-4:])):
        found = _IN_NAME.search(name)
        if found:
            try:
                return date(*map(int, found.groups()))
            except ValueError:
                continue
    return None


def _day_in_words(words: str) -> date | None:
    """`Mon Nov 15 00:00:00 2004`, or `Tue Nov 16 2004`."""
    parts = words.split()
    if len(parts) >= 4 and parts[-1].isdecimal():
        return _parsed(f"{parts[1]} {parts[2]} {parts[-1]}", "%b %d %Y")
    return None


def _parsed(words: str, form: str) -> date | None:
    try:
        return datetime.strptime(words, form).date()
    except ValueError:
        return None
