"""The chats in Meta's downloads of one's data, which Messenger and Instagram share.

A file holds up to 10,000 messages of one chat, the newest first; longer chats go on in
`message_2.json`. Each byte of UTF-8 is written as a character of its own. End-to-end encrypted
chats come in another form, a file each. The pages of HTML are read too (`meta_html`).
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from ..errors import UnreadableSource
from ..records import Conversation, Item
from . import meta_html
from .archive import ZIP_MAGIC, files_in, is_one_export, member_names, open_zip, read_member
from .dates import iso_from_unix
from .json_faults import describe, looks_like_json
from .plain_text import LARGEST_TEXT_BYTES, load_bytes
from .talk import MEDIA, REACTION, SYSTEM, Talk

_IN_ZIP = re.compile(
    r"(?P<download>.*?/)??(?:(?:[^/]+/)?messages/)?(?P<thread>(?:inbox|e2ee_cutover|archived_threads|filtered_threads|message_requests|legacy_threads)/[^/]+)/message_\d+\.json"
)
_ENCRYPTED_IN_ZIP = re.compile(r"(?P<thread>(?:[^/]+/)?[^/]+_\d+)\.json")
_CLASSIC = re.compile(rb'"sender_name"\s*:')
_TIMESTAMP = re.compile(rb'"timestamp(?:_ms)?"\s*:')
_ENCRYPTED = re.compile(rb'"senderName"\s*:|"threadName"\s*:')
_INSTAGRAM = re.compile(rb"instagram|Liked a message", re.IGNORECASE)
_MANGLED = re.compile("[\u00c2-\u00f4][\u0080-\u00bf]")
# What Meta writes in the words of the account's language, in English, German, French, Spanish, Italian,
# Portuguese and Dutch, as if somebody had said it.
_REACTED = re.compile(
    r"(?i)(?:Reacted .{1,20} to your message|(?:.{1,60} )?liked a message|"
    r"(?:.{1,60} )?hat (?:mit )?.{1,20} auf deine Nachricht reagiert|(?:.{1,60} gefällt|Gefällt) eine Nachricht|"
    r"A réagi .{1,20} à votre message|(?:.{1,60} )?a aimé (?:un|votre) message|"
    r"(?:Ha reaccionado|Reaccionó) (?:con )?.{1,20} a tu mensaje|(?:.{1,60} )?(?:indicó que )?le gust[aó] un mensaje|"
    r"Ha (?:aggiunto la reazione|reagito con) .{1,20} al tuo messaggio|(?:.{1,60} )?ha messo \"?mi piace\"? a un messaggio|"
    r"Reagiu (?:com )?.{1,20} (?:à|a) (?:sua|tua) mensagem|(?:.{1,60} )?curtiu uma mensagem|(?:.{1,60} )?gostou de uma mensagem|"
    r"(?:Reageerde|Heeft gereageerd) (?:met )?.{1,20} op (?:je|uw) bericht|(?:.{1,60} )?vindt een bericht leuk)[.\s]*"
)
_ATTACHED = re.compile(
    r"(?i).{1,100} (?:sent (?:an attachment|a (?:photo|video|link|sticker|voice message|GIF|live location))|"
    r"ha(?:t|st) (?:einen? (?:Anhang|Foto|Video|Link|Sticker|Sprachnachricht|GIF)) (?:gesendet|geschickt)|"
    r"(?:a|avez) envoyé (?:une pièce jointe|une? (?:photo|vidéo|lien|sticker|autocollant|message vocal|GIF))|"
    r"(?:envió|enviaste|ha enviado|has enviado) (?:un archivo adjunto|una? (?:foto|video|vídeo|enlace|sticker|mensaje de voz|GIF))|"
    r"ha(?:i)? inviato (?:un allegato|un[a ']? ?(?:foto|video|link|adesivo|sticker|messaggio vocale|GIF))|"
    r"(?:enviou|enviaste) (?:um anexo|uma? (?:foto|vídeo|link|figurinha|autocolante|mensagem de voz|GIF))|"
    r"he(?:eft|bt) een (?:bijlage|foto|video|link|sticker|spraakbericht|GIF) (?:verzonden|gestuurd))\.?"
)
_HAPPENED = re.compile(
    r"(?i)(?!(?:I|we|he|she|they|my|our|who|ich|wir|er|sie|mein|je|il|elle|nous|yo|él|ella|io|lui|lei|eu|ele|ela|ik|hij|zij|wij)\b)"
    r".{1,100} (?:started (?:a (?:video )?(?:chat|call)|an audio call|sharing video)|missed (?:a|an|your) (?:video |audio |voice )?(?:chat|call)|"
    r"joined the (?:video )?(?:chat|call)|named the group .{1,100}|created (?:the|this) group|left the group|"
    r"(?:added|removed) .{1,100} (?:to|from) the group|changed the (?:group (?:photo|name)|chat theme|theme|quick reaction|emoji).{0,100}|"
    r"set (?:the|your|their|his|her) (?:nickname|quick reaction|emoji).{0,100}|pinned a message|unsent a message|waved at .{1,60}|"
    r"hat (?:einen|den) (?:Video|Sprach|Audio)[- ]?(?:chat|anruf|call) gestartet|hat (?:einen|deinen) (?:Video|Sprach|Audio)?[- ]?(?:chat|anruf) verpasst|"
    r"hat die Gruppe (?:verlassen|erstellt)|hat die Gruppe .{1,100} genannt|hat .{1,100} (?:zur Gruppe hinzugefügt|aus der Gruppe entfernt)|"
    r"a (?:démarré|lancé) (?:un|une) (?:discussion|appel|chat)(?: (?:vidéo|audio|vocale?))?|a manqué (?:un|votre) appel.{0,20}|a quitté le groupe|"
    r"(?:inició|ha iniciado) (?:un|una) (?:chat de video|videochat|videollamada|llamada.{0,20})|(?:salió del|abandonó el|dejó el) grupo|"
    r"ha (?:avviato|iniziato) una (?:video)?(?:chat|chiamata)(?: video| vocale)?|ha (?:lasciato|abbandonato) il gruppo|"
    r"iniciou (?:um|uma) (?:chat|bate-papo|conversa|chamada)(?: (?:por|de|com) (?:vídeo|voz|áudio))?|saiu do grupo|"
    r"(?:is|heeft) een (?:video|audio)?(?:chat|gesprek|oproep) (?:gestart|begonnen)|heeft de groep verlaten)\.?"
    r"|(?:Video|Audio|Voice) (?:chat|call) ended\.?|(?:The|This) (?:video |audio )?(?:chat|call) ended\.?|"
    r"You (?:can now message and call each other|are now connected on Messenger).{0,120}"
)
_MOST_NAMED = 3
_LONGEST_SERVICE = 250
_SERVICE_TYPES = ("Subscribe", "Unsubscribe", "Call", "Payment")

Json = dict[str, Any]


def is_chat(path: Path, head: bytes) -> bool:
    """Whether this is a chat of Messenger's or Instagram's, or a zip with such chats in it."""
    if head.startswith(ZIP_MAGIC):
        return _is_download(path)
    if meta_html.is_page(path):
        return True
    if not looks_like_json(head) or not _TIMESTAMP.search(head):
        return False
    return bool(_CLASSIC.search(head) or _ENCRYPTED.search(head))


def is_of_instagram(path: Path, head: bytes) -> bool:
    """The two look alike: where it lies tells, or what is shared and liked in it."""
    if head.startswith(ZIP_MAGIC):
        where = "/".join([path.name, *member_names(path)]).lower()
    else:
        where = "/".join(path.parts[-6:]).lower()
    if "instagram" in where or "facebook" in where:
        return "instagram" in where
    return not head.startswith(ZIP_MAGIC) and bool(_INSTAGRAM.search(head))


def read(path: Path) -> Iterator[Item]:
    """A conversation for each chat, in the order of time.

    Raises:
        UnreadableSource: broken JSON, too large a page, or a damaged zip.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        is_zip = file.read(4) == ZIP_MAGIC
    if is_zip:
        with open_zip(path) as archive:
            yield from _from_zip(archive)
        return
    if meta_html.is_page(path):
        yield _from_page(path)
        return
    try:
        parsed = _parsed(load_bytes(path))
    except (ValueError, RecursionError) as error:
        raise UnreadableSource(describe(path, error)) from error
    yield _chat([parsed], path.stem)


def _from_zip(archive: ZipFile) -> Iterator[Item]:
    """The chats of a download; files that are broken are left out, which the last chat notes."""
    threads: dict[str, list[str]] = {}
    for member in sorted(archive.namelist()):
        found = _IN_ZIP.fullmatch(member) or _ENCRYPTED_IN_ZIP.fullmatch(member)
        if found:
            threads.setdefault(found["thread"], []).append(member)
    broken: list[str] = []
    last: Conversation | None = None
    for thread, members in threads.items():
        chat = _chat(_parts(archive, members, broken), thread.rpartition("/")[2])
        if chat.messages:
            if last:
                yield last
            last = chat
    if last:
        yield replace(last, notes=(*last.notes, *_noted(broken)))
    elif broken:
        raise UnreadableSource("broken JSON in the zip")


def _parts(archive: ZipFile, members: list[str], broken: list[str]) -> Iterator[Any]:
    for member in members:
        try:
            yield _parsed(read_member(archive, member, LARGEST_TEXT_BYTES))
        except (UnreadableSource, ValueError, RecursionError):
            broken.append(member)


def _noted(broken: list[str]) -> Iterator[str]:
    if broken:
        named = ", ".join(broken[:_MOST_NAMED]) + (", …" if len(broken) > _MOST_NAMED else "")
        yield f"left out, for they cannot be read: {len(broken)} of its files ({named})"


def _is_download(path: Path) -> bool:
    with open_zip(path) as archive:
        names = files_in(archive)
        found = next(filter(None, map(_IN_ZIP.fullmatch, names)), None)
        if found:
            return is_one_export(names, found["download"] or "")
        first = next(filter(_ENCRYPTED_IN_ZIP.fullmatch, names), None)
        if first is None or not is_one_export(names, ""):
            return False
        with archive.open(first) as member:
            return bool(_ENCRYPTED.search(member.read(64 * 1024)))


def _parsed(data: bytes) -> Any:
    return json.loads(data.decode("utf-8-sig"))


def _chat(parts: Iterable[Any], fallback: str) -> Conversation:
    title, number = "", None
    messages: list[Json] = []
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("messages"), list):
            continue
        title = title or _title(part)
        number = number or part.get("thread_path")
        messages += [message for message in part["messages"] if isinstance(message, dict)]
    talk = Talk()
    messages.reverse()  # of the same moment, the later stands first
    for message in sorted(messages, key=_milliseconds):
        _take(talk, message)
    return talk.conversation(title or fallback, number if isinstance(number, str) else None)


def _title(part: Json) -> str:
    """The chat's name; encrypted ones are called by one, a line and a number."""
    if isinstance(part.get("threadName"), str):
        return re.sub(r"_\d+$", "", _whole(part["threadName"]))
    return _whole(part.get("title"))


def _milliseconds(message: Json) -> float:
    value = message.get("timestamp_ms", message.get("timestamp"))
    return float(value) if isinstance(value, int | float) else 0.0


def _take(talk: Talk, message: Json) -> None:
    text = _whole(message.get("content", message.get("text")))
    unsent = message.get("is_unsent") or message.get("isUnsent")
    if unsent or message.get("type") in _SERVICE_TYPES or "call_duration" in message:
        talk.leave_out(SYSTEM)
    elif message.get("type") in ("media", "placeholder"):
        talk.leave_out(MEDIA)
    else:
        speaker = _whole(message.get("sender_name", message.get("senderName")))
        _say(talk, speaker, text, iso_from_unix(_milliseconds(message) / 1000 or None))


def _say(talk: Talk, speaker: str, text: str, moment: str | None) -> None:
    """What somebody said, or what Meta has them say."""
    kinds = ((REACTION, _REACTED), (MEDIA, _ATTACHED), (SYSTEM, _HAPPENED))
    is_short = len(text) <= _LONGEST_SERVICE
    kind = next((kind for kind, words in kinds if is_short and words.fullmatch(text)), None)
    if kind:
        talk.leave_out(kind)
    else:
        talk.say(speaker, text, moment)


def _from_page(path: Path) -> Conversation:
    title, messages = meta_html.page(path)
    talk = Talk()
    for message in messages:
        _say(talk, message.speaker, message.text, message.moment)
    return talk.conversation(title or path.parent.name)


def _whole(text: object) -> str:
    """A text whose bytes were written as characters, put together again."""
    if not isinstance(text, str):
        return ""
    if _MANGLED.search(text):
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass  # not mangled: newer downloads are written as they should be
    return text
