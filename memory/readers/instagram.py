"""Instagram's chats: JSON of "Download your information"."""

from pathlib import Path

from .meta_chats import is_chat, is_of_instagram, read

__all__ = ["matches", "read"]


def matches(path: Path, head: bytes) -> bool:
    """A chat of Meta's that comes from Instagram."""
    return is_chat(path, head) and is_of_instagram(path, head)
