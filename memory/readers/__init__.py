"""Readers: a file per format. A file's content says what it is before its name does."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from ..errors import UnreadableSource, why_unreadable
from ..records import Conversation, Item
from . import (
    ai_studio,
    chatgpt,
    claude,
    csv,
    discord,
    discord_package,
    docx,
    eml,
    epub,
    gemini,
    grok,
    html,
    imessage,
    instagram,
    ipynb,
    irc,
    llm_logs,
    markdown,
    mbox,
    messages_jsonl,
    messenger,
    msg,
    odt,
    open_webui,
    org,
    pdf,
    pptx,
    rst,
    rtf,
    sharegpt,
    signal,
    slack,
    telegram,
    text,
    whatsapp,
    xlsx,
)
from .archive import EMPTY_ZIP_MAGIC, ZIP_MAGIC, member_names
from .binary import HEAD_BYTES, binary_kind
from .json_faults import looks_like_json
from .ole import OLE_MAGIC, ole_kind

# In the order they are asked; the first that matches reads the file.
FORMATS: dict[str, ModuleType] = {
    "pdf": pdf,
    "docx": docx,
    "xlsx": xlsx,
    "pptx": pptx,
    "odt": odt,
    "epub": epub,
    "msg": msg,
    "rtf": rtf,
    "ipynb": ipynb,
    "chatgpt": chatgpt,
    "claude": claude,
    "grok": grok,
    "ai-studio": ai_studio,
    "gemini": gemini,
    "open-webui": open_webui,
    "llm": llm_logs,
    "sharegpt": sharegpt,
    "messages-jsonl": messages_jsonl,
    "mbox": mbox,
    "eml": eml,
    "slack": slack,
    "telegram": telegram,
    "discord": discord,
    "instagram": instagram,
    "messenger": messenger,
    "imessage": imessage,
    "signal": signal,
    "whatsapp": whatsapp,
    "irc": irc,
    "html": html,
    "markdown": markdown,
    "rst": rst,
    "org": org,
    "csv": csv,
    "text": text,
}
NOT_TEXT = "{}, not text"
_PROMISED_BY_NAME = {
    ".pdf": "a PDF",
    ".zip": "a zip",
    ".docx": "a Word document",
    ".xlsx": "an Excel workbook",
    ".pptx": "a PowerPoint presentation",
    ".odt": "an OpenDocument text",
    ".epub": "an EPUB book",
    ".msg": "an Outlook mail",
    ".rtf": "rich text",
}
_OTHER_ZIPS = (
    ("xl/workbook.bin", "a binary Excel workbook: save it as .xlsx"),
    ("content.xml", "an OpenDocument file that is no text: save it as .xlsx, .pptx or .pdf"),
    ("index.xml", "a document of Apple's: export it as .docx or .pdf"),
    ("Index/Document.iwa", "a document of Apple's: export it as .docx or .pdf"),
)


def detect(path: Path) -> str:
    """The name of the format that reads the file.

    Raises:
        UnreadableSource: nothing here reads it; the message says why.
    """
    try:
        if path.is_dir():
            return "slack"
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        if not head.strip():
            raise UnreadableSource("empty")
        for name, module in FORMATS.items():
            if name == "html":  # from here on formats take any text
                _refuse_what_is_no_text(path, head)
            if module.matches(path, head):
                return name
    except OSError as error:
        raise UnreadableSource(why_unreadable(error)) from error
    raise UnreadableSource("of no known form")


def is_one_export(folder: Path) -> bool:
    """Whether the files of a folder belong together and are read as one."""
    return slack.is_export(folder)


def read_elsewhere(path: Path) -> str:
    """Why a file of a folder need not be read: what it holds comes with another; empty where it must."""
    other = signal.same_chat(path)
    if other:
        return f"the same chat as {other.name} beside it"
    if discord_package.is_about(path):
        return "names for messages.json, which is read with them"
    return ""


def read(path: Path) -> Iterator[Item]:
    """The documents or conversations in a file, streamed where the file may be large.

    Raises:
        UnreadableSource: the file, or the rest of it, cannot be read. What came before the fault
            has been handed out already, so take a file in as one transaction.
    """
    name = detect(path)
    found = False
    try:
        for item in FORMATS[name].read(path):
            if _has_text(item):
                found = True
                yield item
    except OSError as error:
        raise UnreadableSource(why_unreadable(error)) from error
    except (UnreadableSource, MemoryError):  # what memory there is, the caller knows
        raise
    except Exception as error:  # parsers of hostile files fail in ways that nobody listed
        reason = f"its {name} form broke the reader: {type(error).__name__}"
        raise UnreadableSource(reason) from error
    if not found:
        raise UnreadableSource("no text in it")


def _has_text(item: Item) -> bool:
    if isinstance(item, Conversation):
        return bool(item.messages)
    return any(section.text.strip() for section in item.sections)


def _refuse_what_is_no_text(path: Path, head: bytes) -> None:
    if head.startswith((ZIP_MAGIC, EMPTY_ZIP_MAGIC)):
        raise UnreadableSource(_unknown_zip(path))
    if head.startswith(OLE_MAGIC):
        raise UnreadableSource(ole_kind(path))
    kind = binary_kind(head)
    if kind:
        raise UnreadableSource(NOT_TEXT.format(kind))
    promised = _PROMISED_BY_NAME.get(path.suffix.lower())
    if promised:
        raise UnreadableSource(f"not {promised}, though its name says so")
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(
        (b"<?xml", b"<rss", b"<svg")
    ) and not html.matches(path, head):
        raise UnreadableSource("XML of no known form")
    if signal.is_page(head):
        raise UnreadableSource("a chat as HTML: take chat.md or data.json beside it")
    if looks_like_json(head) or path.suffix.lower() in (".json", ".jsonl", ".ndjson", ".ipynb"):
        raise UnreadableSource("JSON that is no chat export of a known form")


def _unknown_zip(path: Path) -> str:
    names = member_names(path)
    for ending, reason in _OTHER_ZIPS:
        if any(name.endswith(ending) for name in names):
            return reason
    return "a zip with nothing in it that can be read" if names else "an empty zip"
