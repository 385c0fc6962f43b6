"""WhatsApp's "Export chat": the text, or the zip around it, of Android and of iOS.

Each message begins with its date in the way of the phone's region; lines without one go on with the
message before. The phone's language writes what happened in the chat and what was no text, so
words of many languages stand here; iOS puts an invisible mark (U+200E) in front of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time
from functools import lru_cache
from pathlib import Path

from ..records import Conversation, Item
from .archive import ZIP_MAGIC, files_in, open_member, open_zip, read_member
from .binary import HEAD_BYTES
from .date_order import DateOrder, Parts, settle
from .plain_text import LARGEST_TEXT_BYTES, decode_untouched, load_bytes, wide_encoding
from .talk import MEDIA, SYSTEM, Talk

_FOUNDED = 2009
_BUDDHA = 543  # phones in Thailand count from his death
_BUDDHIST = _FOUNDED + _BUDDHA
_MARK = "\u200e"
_OTHER_MARKS = re.compile("[\u200b\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_GAP = "[ _\u00a0\u2009\u202f]"  # some phones put a narrow or an unbreakable space
# Morning and afternoon in many languages; noon, with its 12, is neither.
_MORNING_WORDS = (
    rf"[Aa]{_GAP}?\.?{_GAP}?[Mm]\b\.?|a\.|上午|凌晨|早上|午前|오전|ص|π\.?μ\.?|ΠΜ|de|SA|ÖÖ|לפנה[״\"]צ|पूर्वाह्न"
    rf"|vorm\.|fm|ap\.|dop\.|пр\.{_GAP}?об\.|дп|PG|পূর্বাহ্ণ|ق\.{_GAP}?ظ\.?|முற்பகல்"
)
_AFTERNOON_WORDS = (
    rf"[Pp]{_GAP}?\.?{_GAP}?[Mm]\b\.?|p\.|下午|晚上|午後|오후|م|μ\.?μ\.?|ΜΜ|du|CH|ÖS|אחה[״\"]צ|अपराह्न"
    rf"|nachm\.|em|ip\.|odp\.|pop\.|сл\.{_GAP}?об\.|пп|PTG|অপরাহ্ণ|ب\.{_GAP}?ظ\.?|பிற்பகல்"
)
_HALF = f"(?:{_MORNING_WORDS}|{_AFTERNOON_WORDS}|中午)"
_HEADER = re.compile(
    rf"{_MARK}*(?P<bracket>\[)?"
    rf"(?P<a>\d{{1,4}})(?P<separator>[./-]|년|年){_GAP}?(?P<b>\d{{1,2}})(?:[./-]|월|月){_GAP}?(?P<c>\d{{1,4}})(?:\.|일|日)?"
    rf"(?:{_GAP}?г\.)?(?:[,،]|{_GAP}(?:à|at|a las|às|klo?\.?|um|om))?{_GAP}{{0,2}}"
    rf"(?P<before>{_HALF}{_GAP}?)?(?P<hour>\d{{1,2}})(?:[:.]|{_GAP}?h{_GAP}?)(?P<minute>\d\d)"
    rf"(?:(?:[:.]|{_GAP}min{_GAP})(?P<second>\d\d)(?:{_GAP}s)?|{_GAP}min)?"
    rf"(?:{_GAP}?(?P<after>{_HALF}))?(?:{_GAP}(?:Uhr|ч\.|น\.))?"
    rf"(?(bracket){_GAP}?\] ?|{_GAP}[-–]{_GAP})(?P<rest>.*)",
    re.DOTALL,
)
_AFTERNOON, _MORNING = re.compile(_AFTERNOON_WORDS), re.compile(_MORNING_WORDS)
_LEVEL = re.compile(r"\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|ALERT)\b")
_LONGEST_NAME = 100

_SENDERLESS = re.compile(  # "Anna added Bob: …" is no message of Anna's
    r"\b(?:created group|changed (?:the|this|their)|added|removed|pinned|hat die Gruppe|hat den|"
    r"cambió|creó|a créé|a changé|criou|mudou)\b"
)
_QUOTES = re.compile('["“”„«»]')
# What tells that WhatsApp wrote it: how it speaks of what happened in a chat.
_OF_WHATSAPP = re.compile(
    r"(?i)end-to-end|ende-zu-ende|de bout en bout|extremo a extremo|ponta a ponta|uçtan uca|täysin salat|"
    r"crypt|krypt|cript|crittograf|cifra[dt]|szyfr|šifr|шифр|şifre|κρυπτογρ|暗号|加密|암호|مشفر|מוצפנ|เข้ารหัส|mã hóa|enkripsi|"
    r"joined using|(?:was|were|you) added|added you|created (?:this )?group|using this group|security code|"
    r"<media omitted>|\(file attached\)|(?:image|video|audio|sticker|GIF|document) omitted|"
    r" (?:joined|left)$|beigetreten|hinzugefügt|hat die Gruppe|a rejoint|a été ajouté|a ajouté|a créé le groupe|se unió|añadió|"
    r"creó el grupo|entrou usando|adicionou|criou (?:o|este) grupo|si è unito|ha aggiunto|ha creato il gruppo|toegevoegd|"
    r"присоединил|добавил|создал|dołączył|dodał|katıldı|ekledi|liittyi|lisäsi|gick med|lade till|ble lagt til|tilføjede|"
    r"bergabung|menambahkan|加入|追加|参加|추가"
)
_LABEL = re.compile(r"(?i)notes?|todo|ideas?|reminder|meeting|task|log|notiz|idee|termin|aufgabe")
_LATEST_FIRST_HEADER = 5  # what was said before an export begins may be cut off
_MEDIA_WORDS = (
    r"media|medien|multim[eé]dia|médias?|mídia|ficheiro|arquivo|archivo|медиа\w*|файл|medya|médium|"
    r"メディア|媒体|媒體|省略|미디어|وسائط|मीडिया|מדיה|attached|angehängt|adjunt\w+|joint|allegat\w+|bijgevoegd|"
    r"anexad\w+|прикреплено|bilaga|vedlagt"
)
_MEDIA = re.compile(
    rf"(?i){_MARK}?(?:<[^<>\n]{{0,80}}(?:{_MEDIA_WORDS})[^<>\n]{{0,80}}>"
    r"|(?:IMG|VID|PTT|AUD|STK|DOC|GIF)-\d{8}-WA\d{1,6}\.\w{2,5}(?: \([^()\n]{3,40}\))?"
    r"|[^\n]{1,200}\.\w{2,5} \((?:file attached|Datei angehängt|archivo adjunto|fichier joint|arquivo anexado|"
    r"ficheiro anexado|file allegato|bestand bijgevoegd|файл добавлен)\)"
    r"|(?:image|video|audio|sticker|GIF|document|contact card|video note) omitted"
    r"|(?:Bild|Video|Audio|Sticker|GIF|Dokument|Kontaktkarte) weggelassen"
    r"|null)"
)
# What none of these signs is in, cannot be media: most lines are no match for anything.
_MEDIA_SIGNS = ("<", "(", "-wa", "omitted", "weggelassen", "null")
_MAY_BE_MEDIA = re.compile(rf"[<({_MARK}]|-WA|omitted|weggelassen|null", re.IGNORECASE)
_DELETED = re.compile(
    r"(?i)(?:this message was deleted(?: by admin .*)?|you deleted this message(?: as admin)?|"
    r"diese nachricht wurde gelöscht|du hast diese nachricht gelöscht|"
    r"(?:se eliminó este mensaje|este mensaje fue eliminado|eliminaste este mensaje)|"
    r"(?:ce message a été supprimé|vous avez supprimé ce message)|"
    r"(?:mensagem apagada|esta mensagem foi apagada|(?:você )?apagou esta mensagem)|"
    r"(?:questo messaggio è stato eliminato|hai eliminato questo messaggio)|"
    r"(?:dit bericht is verwijderd|je hebt dit bericht verwijderd)|"
    r"(?:данное сообщение удалено|вы удалили данное сообщение))\.?"
)
_HAPPENED = re.compile(
    r"(?i)messages (?:and calls are|to this (?:chat|group)(?: and calls)? are now|you send to this \w+ are)"
    r"[^\n]{0,40} end-to-end encrypt|nachrichten und anrufe sind ende-zu-ende|"
    r"(?:missed|verpasster) (?:group )?(?:voice|video|sprach)[ -]?(?:call|anruf)(?: at .{1,12}|, .{1,30})?$|"
    r"waiting for this message|warte auf diese nachricht"
)
_EDITED = re.compile(
    rf"{_MARK}?<(?:This message was edited|Diese Nachricht wurde bearbeitet|Se editó este mensaje|"
    r"Ce message a été modifié|Mensagem editada|Questo messaggio è stato modificato|"
    r"Dit bericht is bewerkt|Сообщение изменено)\.?>"
)
# “POLL:”, then the question, then “OPTION: Rome (2 votes)”, in capitals in every language.
_POLL = re.compile(
    rf"{_MARK}*(?P<label>[^\W\d_]{{3,20}}):(?P<option>[ \u00a0][^\n]{{1,300}} \([^()\n]{{1,30}}\))?\s*"
)
_TEXT_NAME = re.compile(r"(?:.*/)?(?:_chat|[^/]*whatsapp[^/]*)\.txt", re.IGNORECASE)
_SEEN_OR_HEARD = re.compile(
    r"(?i).*\.(?:jpe?g|png|gif|webp|heic|bmp|tiff?|mp4|mov|3gp|mkv|opus|ogg|m4a|mp3|aac|amr|wav|was)"
)
_TITLE = re.compile(
    r"(?i)^(?:whatsapp[ _-]*chat|chat[ _]de[ _]whatsapp|conversa do whatsapp|discussion whatsapp|chat whatsapp)"
    r"[ _-]*(?:with|mit|con|avec|com|met|con el|de|-)?[ _-]+"
)


@dataclass
class _Entry:
    """A message or a system line, its continuation lines after the first."""

    parts: Parts
    form: str  # dates of one form are of one order
    time: str
    upper_half: bool
    lines: list[str] = field(default_factory=list)


def matches(path: Path, head: bytes) -> bool:
    """It opens with a dated line, and such lines have senders; or a zip with such a text in it."""
    if head.startswith(ZIP_MAGIC):
        return _member(path) is not None
    return _is_chat(head, _is_named_so(path))


def read(path: Path) -> Iterator[Item]:
    """One conversation.

    Raises:
        UnreadableSource: too large, in an unknown character set, or a damaged zip.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP_MAGIC
    name = _member(path) if is_zip else None
    if name is None:
        yield _conversation(decode_untouched(load_bytes(path)), _title(path.stem, path))
        return
    with open_zip(path) as archive:
        data = read_member(archive, name, LARGEST_TEXT_BYTES)
    yield _conversation(decode_untouched(data), _title(Path(name).stem, path))


def _is_named_so(path: Path) -> bool:
    return _TEXT_NAME.fullmatch(path.with_suffix(".txt").name) is not None


def _member(path: Path) -> str | None:
    """The chat's text in a zip, where all else in there are pictures and files that were sent in it."""
    with open_zip(path) as archive:
        files = files_in(archive)
        texts = [name for name in files if name.lower().endswith(".txt")]
        likely = [name for name in texts if _TEXT_NAME.fullmatch(name)] or texts
        if len(likely) != 1:
            return None
        name = likely[0]
        with open_member(archive, name, LARGEST_TEXT_BYTES) as member:
            named = _is_named_so(Path(name)) or _is_named_so(path)
            if not _is_chat(member.read(HEAD_BYTES), named):
                return None
        others = [file for file in files if file != name and not _SEEN_OR_HEARD.fullmatch(file)]
        if others:
            said = decode_untouched(read_member(archive, name, LARGEST_TEXT_BYTES))
            if not all(file.rpartition("/")[2] in said for file in others):
                return None
        return name


def _is_chat(head: bytes, is_named_so: bool) -> bool:
    """Its lines have dates, and after them senders; else at least what WhatsApp alone writes.

    Args:
        is_named_so: it is called as WhatsApp calls a chat.
    """
    text = head.decode(wide_encoding(head[:4096]) or _marked(head) or "utf-8", errors="replace")
    lines = [line for line in _bare(text).split("\n") if line.strip(_MARK + " \r")]
    found = [_HEADER.match(line) for line in lines]
    headers = [match for match in found if match]
    if not any(found[:_LATEST_FIRST_HEADER]):
        return False
    speakers = [match["rest"].split(": ")[0] for match in headers if ": " in match["rest"]]
    if not speakers or is_named_so or _MARK in text:
        return bool(speakers)
    is_log = any(match["second"] and not match["bracket"] for match in headers)
    if is_log or any(map(_LEVEL.search, speakers)):
        return False
    if any(_OF_WHATSAPP.search(match["rest"]) for match in headers):
        return True
    is_diary = all(map(_LABEL.fullmatch, speakers)) or len(speakers) * 2 < len(headers)
    begins = found[0] is not None or (len(headers) > 1 and len(headers) * 3 >= len(lines))
    return begins and not is_diary


def _marked(head: bytes) -> str | None:
    return "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else None


def _bare(text: str) -> str:
    return _OTHER_MARKS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def _title(stem: str, path: Path) -> str:
    """The other's or the group's name; iOS calls the text `_chat` and names the zip or the folder."""
    if stem.lower() == "_chat":
        stem = path.stem if path.suffix.lower() == ".zip" else path.parent.name
    return _TITLE.sub("", stem) or stem


def _conversation(text: str, title: str) -> Conversation:
    entries = list(_entries(_bare(text)))
    orders = {
        form: _order(form, [e for e in entries if e.form == form])
        for form in {entry.form for entry in entries}
    }
    talk = Talk()
    for entry in entries:
        day = orders[entry.form].date(entry.parts)
        _take(talk, entry.lines, f"{day}T{entry.time}" if day else None)
    for form, order in sorted(orders.items()):
        if not order.certain and form != ".":
            first = "day" if order.order == "DMY" else "month"
            example = form.join(next(e.parts for e in entries if e.form == form))
            talk.note(
                f"dates such as {example} may be day or month first: read with the {first} first"
            )
    return talk.conversation(title)


def _entries(text: str) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for line in text.split("\n"):
        found = _HEADER.match(line)
        moment = _time(found) if found else None
        if found and moment:
            if entry:
                yield entry
            half = found["before"] or found["after"] or ""
            parts = (_since_christ(found["a"]), found["b"], _since_christ(found["c"]))
            form = "year" if len(parts[0]) == 4 else found["separator"]
            entry = _Entry(parts, form, moment, _is_in_capitals(half), [found["rest"]])
        elif entry:
            entry.lines.append(line)
    if entry:
        yield entry


def _is_in_capitals(half: str) -> bool:
    return half.replace(".", "").strip() in ("AM", "PM")


def _since_christ(number: str) -> str:
    """A year of the Buddha's as one of ours; every other number as it is."""
    is_buddhist = len(number) == 4 and _BUDDHIST <= int(number) < _BUDDHIST + 100
    return str(int(number) - _BUDDHA) if is_buddhist else number


def _time(found: re.Match[str]) -> str | None:
    half = found["before"] or found["after"] or ""
    return _clock(found["hour"], found["minute"], found["second"] or "0", half.strip())


@lru_cache(maxsize=4096)
def _clock(hours: str, minutes: str, seconds: str, half: str) -> str | None:
    hour = int(hours)
    if half and hour <= 12:
        if _AFTERNOON.fullmatch(half):
            hour = hour % 12 + 12
        elif _MORNING.fullmatch(half):
            hour %= 12
    try:
        return time(hour, int(minutes), int(seconds)).isoformat()
    except ValueError:
        return None


def _order(form: str, entries: list[_Entry]) -> DateOrder:
    """Where the dates leave it open: 3/4/25, 3:22 PM is how American phones write, and they alone."""
    is_american = form == "/" and any(entry.upper_half for entry in entries)
    return settle((e.parts for e in entries), "MDY" if is_american else "DMY", _FOUNDED)


def _take(talk: Talk, lines: list[str], at: str | None) -> None:
    speaker, colon, first = lines[0].partition(":")
    speaker = speaker.strip(_MARK + " ").removeprefix("~").strip()
    has_sender = colon and speaker and (not first or first[0] in " \u00a0" + _MARK)
    # "Anna changed it to “Trip: Rome”" leaves a quotation open; a name may have one: Robert "Bob" Miller.
    is_cut = len(_QUOTES.findall(speaker)) % 2 == 1
    if not has_sender or is_cut or len(speaker) > _LONGEST_NAME or _SENDERLESS.search(speaker):
        talk.leave_out(SYSTEM)
        return
    text = "\n".join([first.strip(" \u00a0"), *lines[1:]]).strip()
    if "<" in text:
        text = _EDITED.sub("", text).strip()
    if _DELETED.fullmatch(text.replace(_MARK, "")) or _HAPPENED.match(text.replace(_MARK, "")):
        talk.leave_out(SYSTEM)
        return
    kept = [line for line in map(_without_media, text.split("\n")) if line is not None]
    words = "\n".join(kept).strip()
    if words:
        talk.say(speaker, words, at)
    else:
        talk.leave_out(MEDIA)


def _without_media(line: str) -> str | None:
    """What a person wrote of a line; None where it only stands for something that is no text."""
    if line.isascii():  # four times as quick as the pattern
        if not any(map(line.lower().__contains__, _MEDIA_SIGNS)):
            return line
    elif not _MAY_BE_MEDIA.search(line):
        return line
    poll = _POLL.fullmatch(line)
    if poll and poll["label"].isupper():
        return line.lstrip(_MARK)
    before, mark, _ = line.partition(_MARK)
    if mark and (not before.strip() or before.rstrip().endswith("•")):
        return None
    if mark and _MEDIA.search(line[len(before) :]):
        line = before
    return None if _MEDIA.fullmatch(line.strip()) else line
