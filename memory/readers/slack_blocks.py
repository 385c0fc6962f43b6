"""Slack messages whose words stand in blocks or attachments alone, in the marks of its plain texts.

https://api.slack.com/reference/block-kit/blocks
"""

import html
from typing import Any

_MOST_DEPTH = 20
_HOLDERS = ("elements", "fields", "text")
_LINES = ("rich_text_section", "rich_text_quote", "rich_text_preformatted")


def words(message: dict[str, Any]) -> str:
    """What a message says in its blocks; else what was shared with it, and of whom."""
    said = _joined(message.get("blocks"))
    if said:
        return said
    attached = message.get("attachments")
    each = attached if isinstance(attached, list) else []
    return "\n".join(filter(None, (_shared(one) for one in each if isinstance(one, dict))))


def _shared(attachment: dict[str, Any]) -> str:
    text = _joined(attachment.get("blocks")) or "\n".join(
        value
        for key in ("pretext", "title", "text")
        if isinstance(value := attachment.get(key), str) and value.strip()
    )
    author = attachment.get("author_name")
    return f"Shared from {author}:\n{text}" if text and isinstance(author, str) and author else text


def _joined(blocks: object) -> str:
    return "\n".join(filter(None, map(_block, blocks if isinstance(blocks, list) else []))).strip()


def _block(block: object, depth: int = 0) -> str:
    if not isinstance(block, dict) or depth > _MOST_DEPTH:
        return ""
    leaf = _leaf(block)
    if leaf is not None:
        return leaf
    inner = [block.get(holder) for holder in _HOLDERS]
    parts = [part for held in inner for part in (held if isinstance(held, list) else [held])]
    between = "" if block.get("type") in _LINES else "\n"
    return between.join(filter(None, (_block(part, depth + 1) for part in parts)))


def _leaf(element: dict[str, Any]) -> str | None:
    """An element without others in it; None where it is none."""
    kind, text = element.get("type"), element.get("text")
    marks = {
        "user": f"<@{element.get('user_id')}>",
        "channel": f"<#{element.get('channel_id')}>",
        "usergroup": f"<!subteam^{element.get('usergroup_id')}>",
        "broadcast": f"<!{element.get('range')}>",
        "emoji": f":{element.get('name')}:",
        "link": f"<{element.get('url')}|{text}>" if text else f"<{element.get('url')}>",
    }
    if kind == "mrkdwn" and isinstance(text, str):
        return text
    if kind in ("text", "plain_text") and isinstance(text, str):
        return html.escape(text, quote=False)
    return marks.get(kind) if isinstance(kind, str) else None
