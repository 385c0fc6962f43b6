"""A mail to a document: its subject, writer and date, and what the writer wrote in it.

RFC 5322 (form), 2045–2047 (MIME), 3676 (flowed text): https://www.rfc-editor.org/rfc/rfc5322
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC
from email.errors import MessageError
from email.message import Message
from email.parser import BytesHeaderParser, BytesParser
from email.utils import parseaddr, parsedate_to_datetime
from quopri import decodestring

from ..errors import UnreadableSource
from ..records import Document, Section
from .dates import iso_date
from .mail_html import html_text
from .mail_text import own_words
from .plain_text import clean, decode, reflow

_ENCODED = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_ENCODED = re.compile(r"(\?=)\s+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
KNOWN_FIELDS = (
    b"return-path delivered-to received x-original-to from to cc bcc reply-to subject date sender "
    b"message-id mime-version content-type x-mailer in-reply-to references dkim-signature "
    b"x-gm-thrid x-mozilla-status authentication-results arc-seal"
).split()
# Fields that programs write; a person who types "From: Ann" types none of these.
_PROGRAMS_FIELDS = (
    b"return-path received message-id mime-version x-mailer dkim-signature x-gm-thrid"
).split()
_FIELD = re.compile(rb"([!-9;-~]{1,76}):")
_WASTE_FOLDERS = (
    "trash,deleted,deleted items,deleted messages,bin,spam,junk,junk e-mail,bulk mail,"
    "papierkorb,gelöschte elemente,corbeille,papelera,cestino,lixeira,prullenbak,papperskorg,"
    "papirkurv,roskakori,kosz,koš,kuka,çöp kutusu,корзина,спам,кошик,ゴミ箱,迷惑メール,垃圾邮件,"
    "已删除邮件,垃圾郵件,垃圾桶,휴지통,스팸함"
)
WASTE = frozenset(_WASTE_FOLDERS.split(","))
_MOZILLA_DELETED = 0x0008
_MOST_PARTS = 1000
_NOT_BODY = ("attachment",)


def begins_as_mail(head: bytes, is_named_so: bool) -> bool:
    """Header lines of a mail, and at least one of those that only programs write.

    Args:
        is_named_so: the file's name says that it is a mail, so any two known fields do.
    """
    names = []
    for line in head.lstrip(b"\xef\xbb\xbf\r\n").splitlines()[:200]:
        field = _FIELD.match(line)
        if field:
            names.append(field[1].lower())
        elif not line.strip():
            break
        elif line[:1] not in (b" ", b"\t") or not names:
            return False
    known = {name for name in names if name in KNOWN_FIELDS}
    return len(known) >= 2 and (is_named_so or any(name in _PROGRAMS_FIELDS for name in known))


def parse_mail(data: bytes, title: str) -> Iterator[Document]:
    """The document that a mail is, and none for one that was thrown away; one with nothing in it of the writer's
    own is its subject.

    Args:
        title: for mails without a subject.
    """
    try:
        message = BytesParser().parsebytes(data)
        text = _body(message)
    except (MessageError, UnreadableSource, ValueError, LookupError, RecursionError, TypeError):
        # One broken body must not cost the thousand mails around it.
        message, text = BytesHeaderParser().parsebytes(data), ""
    if _is_thrown_away(message):
        return
    charset = next(
        filter(None, (part.get_content_charset() for part in _shown_parts(message))), None
    )
    yield mail_document(
        subject=_header(message, "subject", charset),
        writer=_header(message, "from", charset) or _header(message, "sender", charset),
        date=iso_mail_date(_header(message, "date")),
        text=text,
        title=title,
    )


def _is_thrown_away(message: "Message[str, str]") -> bool:
    """As Thunderbird and Google Takeout mark what is deleted or spam."""
    status = _header(message, "x-mozilla-status")
    labels = {
        label.strip(' "') for label in _header(message, "x-gmail-labels").casefold().split(",")
    }
    is_deleted = re.fullmatch("[0-9a-fA-F]{4}", status) and int(status, 16) & _MOZILLA_DELETED
    # A label of one's own may be called as the waste is in another language.
    return bool(is_deleted) or bool(labels & WASTE and "inbox" not in labels)


def mail_document(subject: str, writer: str, date: str | None, text: str, title: str) -> Document:
    """A mail whose text may still hold quoted mails and a signature."""
    words = reflow(own_words(text))
    return Document(
        title=subject or title,
        sections=(Section("", words or subject),),
        author=_name(writer) or None,
        date=date,
        is_letter=True,
    )


def iso_mail_date(written: str) -> str | None:
    """The date of a mail in UTC."""
    try:
        moment = parsedate_to_datetime(written)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return iso_date(written)
    return moment.isoformat()


def decode_header(raw: str, charset: str | None = None) -> str:
    """A header's text, whatever character sets it mixes.

    Args:
        charset: of bytes beyond ASCII that stand there as they are, which no standard ever allowed.
    """
    if re.search("[\udc80-\udcff]", raw):
        raw = _decoded(raw.encode("ascii", "surrogateescape"), charset)
    joined = _BETWEEN_ENCODED.sub(r"\1", raw)
    out: list[str] = []
    held, held_charset, end = b"", "", 0
    for word in _ENCODED.finditer(joined):
        charset = word[1].partition("*")[0].lower()
        # A letter may be cut in two by the end of an encoded word.
        if held and (word.start() != end or charset != held_charset):
            out.append(_decoded(held, held_charset))
            held = b""
        out.append(joined[end : word.start()])
        held, held_charset, end = held + _unpacked(word[2], word[3]), charset, word.end()
    out += [_decoded(held, held_charset) if held else "", joined[end:]]
    return " ".join(clean("".join(out)).split())


def _unpacked(kind: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    if kind in "qQ":
        return decodestring(data, header=True)
    return _from_base64(data)


def _from_base64(data: bytes) -> bytes:
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return base64.b64decode(data[: len(data) // 4 * 4])


def _decoded(data: bytes, charset: str | None) -> str:
    try:
        return decode(data, charset)
    except UnreadableSource:
        return clean(data.decode("latin-1"))


def _header(message: "Message[str, str]", name: str, charset: str | None = None) -> str:
    found = next((value for key, value in message.raw_items() if key.lower() == name), "")
    decoded = _raw_name if name in ("from", "sender") else decode_header
    return decoded(str(found), charset)


def _raw_name(raw: str, charset: str | None) -> str:
    """`Name <address>`, taken apart before decoding: a decoded name may hold a comma."""
    name, address = parseaddr(" ".join(raw.split()))
    if not address:
        return decode_header(raw, charset)
    name = decode_header(name, charset)
    return f"{name} <{address}>" if name else address


def _name(writer: str) -> str:
    """The name in `Name <address>`, else the address."""
    name, found, address = writer.rpartition(" <")
    name = name.strip().strip("\"'").strip()
    return name if found and name else address.strip("<> ") if found else writer.strip()


def _body(message: "Message[str, str]") -> str:
    return "\n\n".join(text for text in map(_part_text, _shown_parts(message)) if text.strip())


def _shown_parts(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """The parts that a mail program shows as text; of alternatives the plain one, if it has words."""
    stack: list[Message[str, str]] = [message]
    for _ in range(_MOST_PARTS):
        if not stack:
            return
        part = stack.pop()
        kind = part.get_content_type()
        if part.get_content_disposition() in _NOT_BODY or (
            part.get_filename() and part is not message
        ):
            continue
        inner = part.get_payload()
        if not isinstance(inner, list):
            if kind in ("text/plain", "text/html"):
                yield part
        elif kind == "multipart/alternative":
            stack.extend(_best_alternative([x for x in inner if isinstance(x, Message)]))
        elif kind.startswith("multipart/") and kind != "multipart/digest":
            shown = inner[:1] if kind == "multipart/related" else inner
            stack.extend(x for x in reversed(shown) if isinstance(x, Message))


def _best_alternative(parts: list["Message[str, str]"]) -> list["Message[str, str]"]:
    for part in parts:
        if part.get_content_type() == "text/plain" and _part_text(part).strip():
            return [part]
    others = [part for part in parts if part.get_content_type() != "text/plain"]
    has_html = [part for part in others if part.get_content_type() == "text/html"]
    nested = [part for part in others if part.is_multipart()]
    return (has_html or nested)[:1]


def _part_text(part: "Message[str, str]") -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    text = _decoded(data, part.get_content_charset())
    if part.get_content_type() == "text/html":
        return html_text(text) if text.strip() else ""
    if str(part.get_param("format") or "").lower() == "flowed":
        return unflow(text, str(part.get_param("delsp") or "").lower() == "yes")
    return text


def unflow(text: str, drops_space: bool) -> str:
    """Lines of flowed text joined: a space at the end says that the line goes on."""
    out: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        is_quoted = line.startswith(">")
        line = line[1:] if line.startswith(" ") and not is_quoted else line
        joins = goes_on and not is_quoted and not out[-1].startswith(">") and line != "-- "
        if joins:
            out[-1] = (out[-1][:-1] if drops_space else out[-1]) + line
        else:
            out.append(line)
        goes_on = line.endswith(" ") and line != "-- "
    return "\n".join(out)
