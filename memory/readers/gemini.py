"""Google Takeout's `My Activity.json` or `MyActivity.html` of Gemini Apps: prompts and their answers, newest first.

Google keeps no threads in it, so each prompt with its answers is a conversation of its own.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Conversation, Item
from .binary import HEAD_BYTES
from .chat_text import as_text, message, title_of
from .dates import utc_moment
from .gemini_html import PRODUCT, Activity, activities, is_page
from .json_faults import looks_like_json
from .json_stream import keys, values

_NEEDED = frozenset(("item.header", "item.title", "item.time", "item.products"))
# The name is in the account's language: “Gemini-Apps”, “Applications Gemini”.
_HEADER = re.compile(rb'"header"\s*:\s*"[^"]{0,60}' + PRODUCT.encode())
# What Takeout writes before a prompt; without one of these, an answer shows that it was one.
_VERB = re.compile(
    r"(?:Prompted|Asked|Said)(?::|\s)\s*|(?:Eingegebener Prompt|Prompt|送信したメッセージ)\s*[:：]\s*"
)
_BLOCK = re.compile(
    r"<(?:/?(?:p|div|ul|ol|table|tr|pre|h[1-6]|blockquote)|br|li|hr)\b[^<>]{0,500}>"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_GAPS = re.compile(r"\n\s*\n\s*")


def matches(path: Path, head: bytes) -> bool:
    """JSON or a page of activities, with Gemini among the first."""
    if keys(head) >= _NEEDED:
        return bool(_HEADER.search(head))
    return is_page(path, head)


def read(path: Path) -> Iterator[Item]:
    """The prompts, each with its answer; answers that were made again are alternatives.

    Raises:
        UnreadableSource: broken JSON, too large a page, or no prompt in it. Some may have come before.
        OSError: it cannot be opened.
    """
    n_known = 0
    with path.open("rb") as file:
        is_json = looks_like_json(file.read(HEAD_BYTES))
    for activity in _from_json(path) if is_json else activities(path):
        conversation = _conversation(activity)
        if conversation:
            n_known += 1
            yield conversation
    if not n_known:
        raise UnreadableSource("no prompt to Gemini in it")


def _from_json(path: Path) -> Iterator[Activity]:
    for found in values(path, ("item",), lambda keys: keys >= _NEEDED):
        if isinstance(found, dict) and re.search(PRODUCT, as_text(found.get("header"))):
            listed = found.get("safeHtmlItem")
            items = listed if isinstance(listed, list) else []
            answers = tuple(as_text(item.get("html")) for item in items if isinstance(item, dict))
            yield Activity(as_text(found.get("title")), utc_moment(found.get("time")), answers)


def _conversation(activity: Activity) -> Conversation | None:
    written, moment = as_text(activity.written), activity.moment
    verb = _VERB.match(written)
    texts = map(_text_of, activity.answers)
    answers = tuple(filter(None, (message("assistant", text, moment) for text in texts)))
    if not verb and not answers:
        return None
    prompt = message("user", written[verb.end() :] if verb else written, moment)
    messages = tuple(filter(None, (prompt, *answers[:1])))
    return Conversation(
        title=title_of(None, messages, "Untitled conversation"),
        messages=messages,
        started_at=moment,
        alternatives=answers[1:],
    )


def _text_of(markup: str) -> str:
    plain = html.unescape(_TAG.sub("", _BLOCK.sub("\n", markup)))
    return _GAPS.sub("\n\n", plain).strip()
