"""Google Takeout's `My Activity.json` of Gemini Apps: prompts and their answers, newest first.

Google keeps no threads in it, so each prompt with its answers is a conversation of its own.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import UnreadableSource
from ..records import Conversation, Item, Message
from .chat_text import as_text, message, title_of
from .dates import utc_moment
from .json_stream import Json, keys, values

_NEEDED = frozenset(("item.header", "item.title", "item.time", "item.products"))
_PRODUCTS = ("Gemini Apps", "Bard")
_PRODUCT = re.compile(rb'"(?:Gemini Apps|Bard)"')
# What Takeout writes before a prompt; without one of these, an answer shows that it was one.
_VERB = re.compile(r"(?:Prompted|Asked|Said)(?::| )\s*")
_BLOCK = re.compile(
    r"<(?:/?(?:p|div|ul|ol|table|tr|pre|h[1-6]|blockquote)|br|li|hr)\b[^<>]{0,500}>"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_GAPS = re.compile(r"\n\s*\n\s*")


def matches(path: Path, head: bytes) -> bool:
    """JSON of activities, the first of them with Gemini."""
    return keys(head) >= _NEEDED and bool(_PRODUCT.search(head))


def read(path: Path) -> Iterator[Item]:
    """The prompts, each with its answer; answers that were made again are alternatives.

    Raises:
        UnreadableSource: broken JSON, or no prompt in it. Some may have come before.
        OSError: it cannot be opened.
    """
    n_known = 0
    for found in values(path, ("item",), lambda keys: keys >= _NEEDED):
        if isinstance(found, dict) and found.get("header") in _PRODUCTS:
            conversation = _conversation(found)
            if conversation:
                n_known += 1
                yield conversation
    if not n_known:
        raise UnreadableSource("no prompt to Gemini in it")


def _conversation(raw: Json) -> Conversation | None:
    moment = utc_moment(raw.get("time"))
    written = as_text(raw.get("title"))
    verb = _VERB.match(written)
    answers = _answers(raw, moment)
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


def _answers(raw: Json, moment: str | None) -> tuple[Message, ...]:
    listed = raw.get("safeHtmlItem")
    items = listed if isinstance(listed, list) else []
    texts = (_text_of(as_text(item.get("html"))) for item in items if isinstance(item, dict))
    return tuple(filter(None, (message("assistant", text, moment) for text in texts)))


def _text_of(markup: str) -> str:
    plain = html.unescape(_TAG.sub("", _BLOCK.sub("\n", markup)))
    return _GAPS.sub("\n\n", plain).strip()
